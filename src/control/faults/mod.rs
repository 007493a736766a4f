//! Faults that tests ask for: `POST`, `GET` and `DELETE /_test/faults`.

mod bodies;
mod book;
mod lie;
mod spec;
mod spoil;

pub(super) use book::{FaultBook, Struck, Target};
pub(super) use spoil::{Spoiler, whole};

use serde::Serialize;
use utoipa::ToSchema;

use super::answer::{Done, Json};
use super::fault::Fault;
use super::input::{Body, Name};
use super::state::Control;
use super::table::Table;
use book::{Entry, MOST};
use spec::FaultSpec;

/// A fault that was made.
#[derive(Serialize, ToSchema)]
struct Made {
    id: u64,
}

/// Faults, oldest first: of several that could strike a request the first does.
#[derive(Serialize, ToSchema)]
pub(super) struct Faults(Vec<Listed>);

/// A fault, and how often it struck.
#[derive(Serialize, ToSchema)]
struct Listed {
    id: u64,
    #[serde(flatten)]
    rule: FaultSpec,
    struck: u64,
}

pub(super) fn routes(all: Table) -> Table {
    all.post("/_test/faults", "makes answers go wrong", add)
        .get(
            "/_test/faults",
            "lists the faults, and how often each struck",
            list,
        )
        .delete("/_test/faults", "ends all faults", clear)
        .delete("/_test/faults/{id}", "ends a fault", remove)
}

impl Faults {
    /// Those that there are.
    pub(super) fn of(control: &Control) -> Self {
        let listed = |entry: Entry| Listed {
            id: entry.id,
            rule: FaultSpec::clone(&entry.spec),
            struck: entry.struck,
        };
        Self(control.faults().list().into_iter().map(listed).collect())
    }
}

async fn add(control: Control, Body(spec): Body<FaultSpec>) -> Result<Json<Made>, Fault> {
    spec.check()?;
    let id = control.faults().add(spec).ok_or_else(|| {
        Fault::conflict(format!(
            "there are {MOST} faults already: end some with DELETE /_test/faults/ID"
        ))
    })?;
    Ok(Json(Made { id }))
}

async fn list(control: Control) -> Result<Json<Faults>, Fault> {
    Ok(Json(Faults::of(&control)))
}

async fn clear(control: Control) -> Result<Done, Fault> {
    control.faults().clear();
    Ok(Done)
}

async fn remove(control: Control, Name(id): Name) -> Result<Done, Fault> {
    let is_gone = id.parse().is_ok_and(|id| control.faults().remove(id));
    if is_gone {
        return Ok(Done);
    }
    let known: Vec<String> = control
        .faults()
        .list()
        .iter()
        .map(|it| it.id.to_string())
        .collect();
    Err(Fault::unknown(
        "fault",
        &id,
        known.iter().map(String::as_str),
    ))
}
