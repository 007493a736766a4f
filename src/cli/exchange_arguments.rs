//! What `grantd policy allow` says of token exchange (RFC 8693).

use std::collections::BTreeSet;

use clap::Args;

use crate::domain::audience::LONGEST_LIFETIME;
use crate::domain::glob::Glob;
use crate::domain::policy::{Exchange, KeptClaim, SubjectSource};
use crate::domain::timestamp::Seconds;

/// Which tokens the client may exchange for one of the audience, beside those that it may exchange already. What is stated of
/// subjects, claims and lifetime takes the place of what was; what is not stated stays.
#[derive(Args, Debug)]
pub(super) struct ExchangeArguments {
    /// An audience, or issuer:NAME, whose tokens the client may exchange as well; repeat it for several
    #[arg(long = "exchange-from", value_name = "FROM", value_parser = SubjectSource::parse)]
    from: Vec<SubjectSource>,
    /// Whose tokens, of all that it may exchange: a pattern of their `sub`; repeat it for several. If omitted, as before,
    /// and of a new exchange anybody's
    #[arg(long = "exchange-subject", value_name = "PATTERN", value_parser = Glob::parse, requires = "from")]
    subjects: Vec<Glob>,
    /// A claim that is carried over; repeat it for several
    #[arg(long = "exchange-keep", value_name = "CLAIM", value_parser = KeptClaim::parse, requires = "from")]
    keep: Vec<KeptClaim>,
    /// How long tokens live that are given in exchange, for example 2m
    #[arg(long = "exchange-lifetime", value_name = "DURATION", value_parser = lifetime, requires = "from")]
    lifetime: Option<Seconds>,
    /// Their scopes must be among those of the token that is exchanged
    #[arg(long, requires = "from")]
    scopes_from_subject: bool,
    /// A token that is bound to somebody else may be exchanged for one that is bound to the client
    #[arg(long, requires = "from")]
    rebind: bool,
}

impl ExchangeArguments {
    pub(super) fn shape(&self) -> Option<Exchange> {
        (!self.from.is_empty()).then(|| Exchange {
            from: sorted(&self.from),
            subjects: sorted(&self.subjects),
            keep: sorted(&self.keep),
            lifetime: self.lifetime,
            scopes_from_subject: self.scopes_from_subject,
            rebind: self.rebind,
        })
    }
}

/// As a catalog is read: order and doubles say nothing.
pub(super) fn sorted<T: Clone + Ord>(members: &[T]) -> Vec<T> {
    let members: BTreeSet<&T> = members.iter().collect();
    members.into_iter().cloned().collect()
}

fn lifetime(text: &str) -> Result<Seconds, String> {
    let span: Option<Seconds> = text.parse().ok();
    let most = Seconds::new(LONGEST_LIFETIME);
    span.filter(|it| (1..=LONGEST_LIFETIME).contains(&it.get()))
        .ok_or_else(|| format!("expected a duration from 1s to {most}, for example 2m"))
}
