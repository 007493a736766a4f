//! `grantd explain` (OPERATING section 1).

mod agreement;
mod assertion;
mod by_id;
mod cases;
mod command;
mod identities;
mod stopped;
mod token;
mod unsent;

use crate::harness::Env;
use crate::raw_sql::everything;

/// All that is stored, to see that nothing is written.
async fn stored(env: &Env) -> Vec<String> {
    let mut all = everything(&env.database).await;
    all.sort();
    all
}
