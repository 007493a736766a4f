//! `GET` and `PUT /_test/clock`: the clock of every rule, which tests move. Sockets and timeouts keep the machine's.

use serde::Deserialize;
use utoipa::ToSchema;

use super::answer::Json;
use super::fault::Fault;
use super::input::Body;
use super::span::Span;
use super::state::Control;
use super::steered_clock::{ClockState, Move};
use super::table::Table;
use crate::domain::timestamp::Timestamp;

/// What to do with the clock: exactly one of these.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ClockChange {
    /// Lets this time pass: `250ms`, `90s`, `61m`, `1h`, `30d`.
    #[schema(value_type = Option<String>, example = "61m")]
    advance: Option<Span>,
    /// Sets it, also back: RFC 3339 or Unix seconds.
    #[schema(value_type = Option<String>, example = "2026-12-31T23:59:50Z")]
    set: Option<Timestamp>,
    /// `true` lets it stand still, `false` go on from where it stands.
    freeze: Option<bool>,
    /// `true` gives it the machine's time again.
    reset: Option<bool>,
}

pub(super) fn routes(all: Table) -> Table {
    all.get("/_test/clock", "shows what time it is for grantd", show)
        .put(
            "/_test/clock",
            "moves the clock, and does what that brings: keys rotate, expired rows go",
            change,
        )
}

async fn show(control: Control) -> Result<Json<ClockState>, Fault> {
    Ok(Json(control.clock().state(None)))
}

async fn change(
    control: Control,
    Body(change): Body<ClockChange>,
) -> Result<Json<ClockState>, Fault> {
    let change = change.only()?;
    let note = control.clock().change(&change).await?;
    Ok(Json(control.clock().state(note)))
}

impl ClockChange {
    fn only(self) -> Result<Move, Fault> {
        let Self {
            advance,
            set,
            freeze,
            reset,
        } = self;
        let moves = [
            ("advance", advance.map(Move::Advance)),
            ("set", set.map(Move::Set)),
            (
                "freeze",
                freeze.map(|freeze| if freeze { Move::Freeze } else { Move::GoOn }),
            ),
            ("reset", reset.map(|_| Move::Reset)),
        ];
        if reset == Some(false) {
            return Err(Fault::invalid("write true, or leave it out").at("reset"));
        }
        let mut given = moves.into_iter().filter_map(|(name, it)| Some((name, it?)));
        let only = "give exactly one of advance, set, freeze and reset";
        let (_, first) = given.next().ok_or_else(|| Fault::invalid(only))?;
        match given.next() {
            Some((name, _)) => Err(Fault::invalid(only).at(name)),
            None => Ok(first),
        }
    }
}
