//! Sends the battery, entry after entry, and looks in between whether the API still takes what is good.

use std::time::Duration;

use anyhow::{Context as _, bail};
use indexmap::IndexMap;

use super::aside::tell;
use super::battery::{ControlListener, Entry};
use super::http::{Answer, Http, Silence};
use super::judge::{Judged, judge};
use super::refused_good;
use super::report::Report;
use super::target::Target;
use crate::clock::Clock;
use crate::domain::battery::{Case, List, Verdict};

/// After so many entries the API shows that it still takes what is good.
const BETWEEN: usize = 10;
/// An older battery is made anew: proofs live for a minute, tokens for some.
const OLDEST: Duration = Duration::from_secs(20);

/// One run against one API.
pub(super) struct Session<'a> {
    pub(super) control: &'a ControlListener,
    pub(super) http: &'a Http,
    pub(super) target: &'a Target,
    pub(super) audience: &'a str,
    /// What the battery is asked for with.
    pub(super) parameters: Vec<(&'static str, String)>,
    pub(super) choice: Choice,
    pub(super) clock: Clock,
    pub(super) battery: Battery,
}

/// Which entries are sent; `good` always is.
pub(super) struct Choice {
    pub(super) only: Vec<Case>,
    pub(super) skip: Vec<Case>,
}

/// The entries by their names, and when they were made.
#[derive(Default)]
pub(super) struct Battery {
    entries: IndexMap<String, Entry>,
    made: Duration,
}

impl Choice {
    fn has(&self, entry: &Entry) -> bool {
        let is_in = |list: &[Case]| entry.case().is_some_and(|case| list.contains(&case));
        (self.only.is_empty() || is_in(&self.only)) && !is_in(&self.skip)
    }
}

impl Session<'_> {
    /// The whole of it.
    ///
    /// # Errors
    /// The clock was moved, the control listener is out of reach, or the API does not take what is good.
    pub(super) async fn run(mut self) -> anyhow::Result<Report> {
        self.control.check_clock().await?;
        self.renew().await?;
        let names: Vec<String> = self.battery.entries.keys().cloned().collect();
        let mut report = Report::new(self.target, self.audience);
        let good = self.good().await?;
        if let Ok(answer) = &good.1
            && answer.status.is_success()
        {
            report.push(&good.0, judge(&good.0, &good.1));
        } else {
            bail!(refused_good::explained(&good.0, &good.1));
        }
        let mut since_good = 0;
        for name in &names {
            if name == Case::Good.as_str() {
                continue;
            }
            let entry = self.entry(name).await?;
            if report.ended.is_some() || !self.choice.has(&entry) {
                report.push(&entry, Judged::skipped());
                continue;
            }
            let judged = self.ask(entry.clone()).await?;
            let is_calm = judged.verdict == Verdict::Ok && entry.list == List::Accept
                || judged.is_plain_refusal();
            report.push(&entry, judged);
            since_good += 1;
            if since_good == BETWEEN || !is_calm {
                since_good = 0;
                self.still_takes_good(&mut report, name).await?;
            }
        }
        if since_good > 0 && report.ended.is_none() {
            self.still_takes_good(&mut report, "all others").await?;
        }
        Ok(report)
    }

    /// Sends one entry, as its name wants it.
    async fn ask(&mut self, entry: Entry) -> anyhow::Result<Judged> {
        if entry.case() == Some(Case::ProofReplayed) {
            return self.ask_twice(&entry).await;
        }
        let judged = judge(&entry, &self.send(&entry, &entry.headers).await?);
        let is_accepted = judged.status.is_some_and(|it| (200..300).contains(&it));
        match entry.cached_for_seconds {
            Some(seconds) if seconds > 0 && is_accepted => {
                self.ask_later(&entry.name, seconds).await
            }
            _ => Ok(judged),
        }
    }

    /// A proof is first used, and then used again.
    async fn ask_twice(&self, entry: &Entry) -> anyhow::Result<Judged> {
        let headers = self.target.with_fresh_proof(entry)?;
        let _first = self.send(entry, &headers).await?;
        Ok(judge(entry, &self.send(entry, &headers).await?))
    }

    async fn ask_later(&mut self, name: &str, seconds: u64) -> anyhow::Result<Judged> {
        let note = format!(
            "{name}: accepted, perhaps because the API still has the JWKS in its cache: asking again in {seconds} s"
        );
        tell(&note);
        tokio::time::sleep(Duration::from_secs(seconds)).await;
        let entry = self.entry(name).await?;
        Ok(judge(&entry, &self.send(&entry, &entry.headers).await?))
    }

    async fn still_takes_good(&mut self, report: &mut Report, after: &str) -> anyhow::Result<()> {
        let (entry, answer) = self.good().await?;
        let judged = judge(&entry, &answer);
        if judged.verdict != Verdict::Ok {
            report.end(&entry, judged, after);
        }
        Ok(())
    }

    async fn good(&mut self) -> anyhow::Result<(Entry, Result<Answer, Silence>)> {
        let entry = self.entry(Case::Good.as_str()).await?;
        let headers = self.target.with_fresh_proof(&entry)?;
        let answer = self.send(&entry, &headers).await?;
        Ok((entry, answer))
    }

    async fn send(
        &self,
        entry: &Entry,
        headers: &IndexMap<String, String>,
    ) -> anyhow::Result<Result<Answer, Silence>> {
        let identity = match (&entry.certificate_pem, &entry.private_key_pem) {
            (Some(certificate), Some(key)) => Some((certificate.as_str(), key.as_str())),
            _ => None,
        };
        let request = self.target.request(headers)?;
        self.http.send(request, identity).await
    }

    /// The entry, of a battery that is young enough.
    async fn entry(&mut self, name: &str) -> anyhow::Result<Entry> {
        let age = self.clock.monotonic().saturating_sub(self.battery.made);
        if age > OLDEST {
            self.renew().await?;
        }
        let entry = self.battery.entries.get(name);
        let entry = entry.with_context(|| format!("the battery has no entry {name} any more"))?;
        Ok(entry.clone())
    }

    async fn renew(&mut self) -> anyhow::Result<()> {
        let entries = self.control.battery(&self.parameters).await?;
        self.battery = Battery {
            entries: entries
                .into_iter()
                .map(|it| (it.name.clone(), it))
                .collect(),
            made: self.clock.monotonic(),
        };
        Ok(())
    }
}
