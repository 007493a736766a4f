//! Reads what a client proves itself with: secrets, keys, certificates and subject names.
//!
//! Each member is the material alone, or a table of `value`, `label` and times.

use std::collections::BTreeSet;

use super::{
    CatalogCredential, CatalogMaterial, CatalogOptions, certificate, jwk, secret, subject,
};
use crate::config::document::{Located, Node};
use crate::config::fault::{Place, Problem};
use crate::config::section::Section;
use crate::config::value;
use crate::domain::client::AuthMethod;
use crate::domain::credential::{CredentialKind, SubjectKind};
use crate::domain::identifier::CredentialId;
use crate::domain::timestamp::Timestamp;

pub(super) const SECRET_KEYS: &[&str] = &[
    "id",
    "value",
    "label",
    "active_from",
    "expires_at",
    "retired_at",
];
pub(super) const OTHER_KEYS: &[&str] =
    &["value", "label", "active_from", "expires_at", "retired_at"];

/// Reads all credentials of a client and checks that `methods` use each kind of them.
pub(super) fn read(
    table: &mut Section<'_>,
    methods: &[AuthMethod],
    options: &CatalogOptions<'_>,
) -> Vec<CatalogCredential> {
    let mut all = Vec::new();
    let mut add = |table: &Section<'_>, key: &str, read: Vec<CatalogCredential>| {
        if let Some(first) = read.first() {
            check_used(table, (key, &first.place), first.material.kind(), methods);
        }
        all.extend(read);
    };
    if let (Some(_), Some(place)) = (table.has("secret"), table.has("secrets")) {
        table.fault(&place, "secrets", Problem::Both("secret"));
    }
    if let (Some(_), Some(place)) = (table.has("jwks"), table.has("jwks_file")) {
        table.fault(&place, "jwks_file", Problem::Both("jwks"));
    }
    for key in ["secret", "secrets"] {
        let read = members(table, key, SECRET_KEYS, |value| {
            secret::read(value, options)
        });
        add(table, key, read);
    }
    let read = keys(table, options);
    add(table, "jwks", read);
    for key in ["certificate_file", "certificate_files"] {
        let path = value::path(&options.base);
        let certificate = |value| {
            let pem = value::file_text(&path(value)?)?;
            Ok((
                CatalogMaterial::Certificate(certificate::thumbprint_of(&pem)?),
                None,
            ))
        };
        let read = members(table, key, OTHER_KEYS, certificate);
        add(table, key, read);
    }
    let read = members(table, "thumbprints", OTHER_KEYS, |value| {
        Ok((
            CatalogMaterial::Certificate(value::thumbprint(value)?),
            None,
        ))
    });
    add(table, "thumbprints", read);
    for kind in SubjectKind::ALL {
        let read = members(table, kind.as_str(), OTHER_KEYS, |value| {
            Ok((
                CatalogMaterial::Subject(subject::read(*kind, value::text(value)?)?),
                None,
            ))
        });
        add(table, kind.as_str(), read);
    }
    check_one_subject(table, &all);
    all
}

impl CatalogMaterial {
    /// The kind of credential that it becomes.
    #[must_use]
    pub const fn kind(&self) -> CredentialKind {
        match self {
            Self::Secret(_) | Self::Phc(_) => CredentialKind::Secret,
            Self::Jwk(_) => CredentialKind::Jwk,
            Self::Certificate(_) => CredentialKind::Certificate,
            Self::Subject(_) => CredentialKind::Subject,
        }
    }
}

/// What was read: the material, and the credential's id where the material has one.
type Material = (CatalogMaterial, Option<CredentialId>);

/// The members of `key`: one or a list, each the material itself or a table.
fn members(
    table: &mut Section<'_>,
    key: &str,
    known: &'static [&'static str],
    read: impl Fn(Located) -> Result<Material, Problem>,
) -> Vec<CatalogCredential> {
    let values = table.one_or_many(key, Ok).unwrap_or_default();
    let member = |value| member(table, key, known, (value, &read));
    values.into_iter().filter_map(member).collect()
}

fn member(
    table: &Section<'_>,
    key: &str,
    known: &'static [&'static str],
    (value, read): (Located, &impl Fn(Located) -> Result<Material, Problem>),
) -> Option<CatalogCredential> {
    let place = value.place.clone();
    let Node::Table(inner) = value.node else {
        let (material, id) = read(value)
            .map_err(|problem| table.fault(&place, key, problem))
            .ok()?;
        return Some(plain(material, id, place));
    };
    let title = format!("{}{key}: ", table.title());
    let mut inner = Section::new(title, (place.clone(), inner), known, table.faults());
    let life = life(&mut inner);
    let material = inner.required("value", "write the credential itself", read);
    let id = stated_id(&mut inner, material.as_ref());
    let (material, _) = material?;
    Some(CatalogCredential {
        id,
        material,
        place,
        ..life
    })
}

/// A credential without label and times.
fn plain(material: CatalogMaterial, id: Option<CredentialId>, place: Place) -> CatalogCredential {
    CatalogCredential {
        id,
        label: None,
        material,
        active_from: None,
        expires_at: None,
        retired_at: None,
        place,
    }
}

/// A credential of which only label and times count.
fn life(table: &mut Section<'_>) -> CatalogCredential {
    let end = table.place_of("expires_at");
    let mut instant = |key| -> Option<Timestamp> { table.read(key, value::instant) };
    let mut life = plain(CatalogMaterial::Jwk(String::new()), None, Place::Nowhere);
    life.active_from = instant("active_from");
    life.expires_at = instant("expires_at");
    life.retired_at = instant("retired_at");
    life.label = table.read("label", value::label);
    if let (Some(begin), Some(expires)) = (life.active_from, life.expires_at)
        && begin >= expires
    {
        table.fault(&end, "expires_at", Problem::EmptyLife);
    }
    life
}

/// The id: as stated beside a hash, or inside a generated secret, with which a stated one must agree.
fn stated_id(table: &mut Section<'_>, material: Option<&Material>) -> Option<CredentialId> {
    let place = table.place_of("id");
    let stated = table.read("id", value::parsed_by(CredentialId::parse));
    let (material, inside) = material?;
    let fits = match (material, inside) {
        (CatalogMaterial::Phc(_), _) => true,
        (_, inside) => stated.is_none() || stated == *inside,
    };
    if !fits {
        table.fault(&place, "id", Problem::SecretId);
    }
    stated.or_else(|| inside.clone())
}

/// `jwks` (a JWK set as text, or a list of single keys) and `jwks_file`.
fn keys(table: &mut Section<'_>, options: &CatalogOptions<'_>) -> Vec<CatalogCredential> {
    let place = table.place_of("jwks");
    let mut read = match table.take("jwks") {
        None => Vec::new(),
        Some(Located {
            node: Node::Text(text),
            ..
        }) => whole_set(table, ("jwks", &place), jwk::set(&text)),
        Some(Located {
            node: Node::List(list),
            ..
        }) => {
            let single = |value| {
                Ok((
                    CatalogMaterial::Jwk(jwk::single(&value::text(value)?)?.json),
                    None,
                ))
            };
            let member = |value| member(table, "jwks", OTHER_KEYS, (value, &single));
            list.into_iter().filter_map(member).collect()
        }
        Some(other) => {
            let problem = value::type_error("a JWK set as text or a list", &other.node);
            table.fault(&place, "jwks", problem);
            Vec::new()
        }
    };
    let file_at = table.place_of("jwks_file");
    if let Some(path) = table.read("jwks_file", value::path(&options.base)) {
        let set = value::file_text(&path).and_then(|text| jwk::set(&text));
        read.extend(whole_set(table, ("jwks_file", &file_at), set));
    }
    check_kids(table, &read);
    read
}

fn whole_set(
    table: &Section<'_>,
    (key, place): (&str, &Place),
    set: Result<Vec<jwk::PublicJwk>, Problem>,
) -> Vec<CatalogCredential> {
    match set {
        Ok(keys) => {
            let credential =
                |key: jwk::PublicJwk| plain(CatalogMaterial::Jwk(key.json), None, place.clone());
            keys.into_iter().map(credential).collect()
        }
        Err(problem) => {
            table.fault(place, key, problem);
            Vec::new()
        }
    }
}

fn check_kids(table: &Section<'_>, keys: &[CatalogCredential]) {
    let mut seen = BTreeSet::new();
    for key in keys {
        let CatalogMaterial::Jwk(json) = &key.material else {
            continue;
        };
        let kid = jwk::single(json).ok().and_then(|key| key.kid);
        if kid.is_some_and(|kid| !seen.insert(kid)) {
            table.fault(&key.place, "jwks", Problem::DoubledKid);
        }
    }
}

fn check_used(
    table: &Section<'_>,
    (key, place): (&str, &Place),
    kind: CredentialKind,
    methods: &[AuthMethod],
) {
    if methods.iter().any(|method| kind.serves(*method)) {
        return;
    }
    table.fault(place, key, Problem::UnusedMaterial(kind, kind.example()));
}

/// RFC 8705 section 2.1.2 wants exactly one; those that are retired or will be are kept beside it.
fn check_one_subject(table: &Section<'_>, credentials: &[CatalogCredential]) {
    let in_force = |credential: &&CatalogCredential| {
        credential.retired_at.is_none() && credential.material.kind() == CredentialKind::Subject
    };
    if let Some(second) = credentials.iter().filter(in_force).nth(1) {
        table.fault(&second.place, "subject", Problem::SeveralSubjects);
    }
}
