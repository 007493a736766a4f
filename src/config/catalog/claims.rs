//! Reads the extra claims of a client or a policy: TOML to JSON, without any name that means something else.

use serde_json::{Map, Value};

use super::CatalogPolicy;
use crate::config::document::Located;
use crate::config::fault::{Fault, Faults, Problem, shown_word};
use crate::config::json::json;
use crate::config::section::{self, Section};
use crate::domain::extra_claims::{MAX_BYTES, RESERVED_CLAIMS, fit, has_right_type, merged};

/// The table `claims`, empty where it is absent.
pub(super) fn read(table: &mut Section<'_>) -> Map<String, Value> {
    let mut claims = Map::new();
    let Some((place, inner)) = table.read("claims", section::table) else {
        return claims;
    };
    for (name, entry) in inner.0 {
        if RESERVED_CLAIMS.contains(&name.as_str()) {
            table.fault(&entry.key, "claims", Problem::RegisteredClaim(name));
            continue;
        }
        let key = format!("claims.{}", shown_word(&name, []));
        let at = entry.value.place.clone();
        match claim(&name, entry.value) {
            Ok(value) => drop(claims.insert(name, value)),
            Err(problem) => table.fault(&at, &key, problem),
        }
    }
    if !fit(&claims) {
        table.fault(&place, "claims", Problem::ClaimSize(MAX_BYTES));
    }
    claims
}

fn claim(name: &str, value: Located) -> Result<Value, Problem> {
    let value = json(value)?;
    if has_right_type(name, &value) {
        Ok(value)
    } else {
        Err(Problem::ListClaim)
    }
}

/// Reports policies whose claims fit on their own and not beside the client's.
pub(super) fn check_together(
    client: &Map<String, Value>,
    policies: &[CatalogPolicy],
    (title, faults): (&str, &Faults),
) {
    if !fit(client) {
        return;
    }
    let both =
        |it: &&CatalogPolicy| fit(&it.policy.claims) && !fit(&merged(client, &it.policy.claims));
    for CatalogPolicy { policy, place } in policies.iter().filter(both) {
        faults.push(Fault {
            place: place.clone(),
            key: format!("{title}policy: claims"),
            problem: Problem::ClaimSizeTogether {
                audience: policy.audience.to_string(),
                most: MAX_BYTES,
            },
        });
    }
}
