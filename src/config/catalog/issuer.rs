//! Reads one `[[issuer]]`: its keys and CAs may be files beside the catalog.

use super::{CatalogOptions, Placed, public_material};
use crate::config::document::Table;
use crate::config::fault::{Faults, Place, Problem};
use crate::config::shaped::Section;
use crate::config::value;
use crate::crypto::key_set::Publisher;
use crate::domain::key_source::KeySourceFault;
use crate::domain::trusted_issuer::{IssuerKeys, TrustedIssuer};

/// Before the name of a file of keys.
const FILE: &str = "file:";

/// Reads an issuer; none where its id or its URL is missing or wrong.
pub(super) fn read(
    table: (&Place, &Table),
    (options, faults): (&CatalogOptions<'_>, &Faults),
) -> Option<Placed<TrustedIssuer>> {
    let mut table = Section::named("issuer", table, faults);
    let keys = keys_in_file(&table, options);
    let ca = table.key("ca_file", |path| {
        let pem = file_text(options, path?)?;
        public_material::ca(&pem)
    });
    if table.has("ca_file").is_some() && table.has("ca").is_some() {
        table.fault_of("ca_file", Problem::Both("ca"));
    }
    let issuer = table.read::<TrustedIssuer>().map(|stated| {
        let issuer = TrustedIssuer {
            keys: keys.map(IssuerKeys::Set).or(stated.keys),
            ca: ca.or(stated.ca),
            ..stated
        };
        let issuer = settled(issuer, &table);
        report(&issuer, (&table, options));
        Placed::of(&table, issuer)
    });
    table.finish();
    issuer
}

/// The text of the file that holds the keys, where `keys` names one; what is wrong with it is noted.
fn keys_in_file(table: &Section<'_>, options: &CatalogOptions<'_>) -> Option<String> {
    let path = table.text("keys")?.strip_prefix(FILE)?;
    table.leave_out("keys");
    let read = file_text(options, path.to_owned());
    let fault = |problem| table.fault_of("keys", problem);
    read.map_err(fault).ok()
}

/// The text of the file at a path relative to the catalog.
fn file_text(options: &CatalogOptions<'_>, path: String) -> Result<String, Problem> {
    value::file_text(&value::path(&options.base, path)?)
}

/// With keys and CAs as the database has them; what is wrong with them is noted, and left out.
fn settled(issuer: TrustedIssuer, table: &Section<'_>) -> TrustedIssuer {
    let told = |key: &str, problem| {
        table.fault_of(key, problem);
        table.leave_out(key);
    };
    let publisher = Publisher::of(&issuer);
    let keys = match issuer.keys {
        Some(IssuerKeys::Set(text)) => {
            let read = public_material::key_set(publisher, &text);
            let read = read.map_err(|problem| told("keys", problem));
            read.ok().map(IssuerKeys::Set)
        }
        other => other,
    };
    let is_stated = table.has("ca").is_some();
    let ca = issuer.ca.and_then(|pem| {
        let read = public_material::ca(&pem).map_err(|problem| {
            if is_stated {
                told("ca", problem);
            }
        });
        read.ok()
    });
    TrustedIssuer { keys, ca, ..issuer }
}

/// Notes what contradicts itself. What was left out as wrong is not missing.
fn report(issuer: &TrustedIssuer, (table, options): (&Section<'_>, &CatalogOptions<'_>)) {
    for (key, fault) in issuer.faults() {
        let key = match key {
            "ca" if table.has("ca").is_none() => "ca_file",
            key => key,
        };
        if !table.is_wrong(key) {
            table.fault_of(key, fault);
        }
    }
    let source = issuer.fetched_from();
    let is_plain = source.is_some_and(|url| url.starts_with("http:"));
    if is_plain && !options.allow_plain_http && !table.is_wrong("keys") {
        let key = table.has("keys").map_or("url", |_| "keys");
        table.fault_of(key, KeySourceFault::Scheme);
    }
}
