//! Compares our clock with the database's at each reading of the feed.

use super::Feed;
use crate::operations::clocks::Standing;
use crate::operations::error::Outage;
use crate::operations::troubles::Trouble;
use crate::store::database_clock::ClockReading;

impl Feed {
    /// Notes the database's time, and tells the operator when our clock starts or stops being apart from it.
    pub(super) fn compare_clocks(&self, reading: ClockReading) {
        self.clocks.note(reading);
        let apart = self.clocks.apart();
        let (before, now) = self.clocks.stand(apart);
        let message = match now {
            Standing::Together => None,
            Standing::Apart => Some(format!("{apart}: set both by NTP")),
            Standing::TooFarApart => Some(Outage::ClocksApart(apart).to_string()),
        };
        let blocks = now == Standing::TooFarApart;
        match &message {
            _ if before == now => {}
            None => tracing::info!("this machine's clock agrees with the database's again"),
            Some(message) if blocks => tracing::error!("{message}"),
            Some(message) => tracing::warn!("{message}"),
        }
        match message {
            None => self.troubles.clear(Trouble::Clock),
            Some(message) => {
                self.troubles
                    .note(Trouble::Clock, self.clocks.now(), (message, blocks))
            }
        };
    }
}
