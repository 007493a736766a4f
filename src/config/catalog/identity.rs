//! Reads one `[[client.identity]]`: a workload of a trusted issuer, and how long it is one of the client.

use super::Placed;
use crate::config::document::Table;
use crate::config::fault::{Faults, Place};
use crate::config::shaped::Section;
use crate::domain::credential::{Lifespan, PublicMaterial, StatedCredential};
use crate::domain::identity::Identity;

/// Reads an identity of the client that is called so in errors; none where its issuer or subject is missing or wrong.
pub(super) fn read(
    client: &str,
    table: (&Place, &Table),
    faults: &Faults,
) -> Option<Placed<StatedCredential>> {
    let mut table = Section::new(format!("{client}identity: "), table, faults);
    let identity = table.read::<Identity>();
    let lifespan = table.read::<Lifespan>().unwrap_or_default();
    let identity = identity.map(|identity| StatedCredential {
        label: lifespan.label,
        active_from: lifespan.active_from,
        expires_at: lifespan.expires_at,
        retired_at: lifespan.retired_at,
        ..PublicMaterial::Identity(Box::new(identity)).into()
    });
    let identity = identity.map(|it| Placed::of(&table, it));
    table.finish();
    identity
}
