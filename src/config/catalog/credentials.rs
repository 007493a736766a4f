//! Reads what a client proves itself with: secrets, keys, certificates and subject names.

use serde::Deserialize;

use super::{CatalogOptions, Placed, identity, public_material, secret};
use crate::config::fault::{Place, Problem};
use crate::config::shaped::{Many, Section, Stated};
use crate::config::value;
use crate::crypto::client_key;
use crate::domain::client::Client;
use crate::domain::credential::rules::{self, Held};
use crate::domain::credential::{
    CredentialMaterial, CredentialShape, PublicMaterial, StatedCredential, StatedSecret,
    SubjectKind,
};
use crate::domain::profile::Profile;

/// The keys of a client under which credentials stand.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Proofs {
    secret: Many<CredentialShape>,
    secrets: Many<CredentialShape>,
    jwks: Many<CredentialShape>,
    jwks_file: Many<String>,
    jwks_url: Many<CredentialShape>,
    ca_file: Option<String>,
    certificate_file: Many<CredentialShape>,
    certificate_files: Many<CredentialShape>,
    thumbprints: Many<CredentialShape>,
    subject_dn: Many<CredentialShape>,
    san_dns: Many<CredentialShape>,
    san_uri: Many<CredentialShape>,
    san_ip: Many<CredentialShape>,
    san_email: Many<CredentialShape>,
}

/// The credentials of one value: one for most, one for each key of a JWK set.
type Brought = Result<Vec<StatedCredential>, Problem>;

/// Reads all credentials of `client`, if it is known, and checks them against the rules.
pub(super) fn read(
    table: &mut Section<'_>,
    client: Option<&Client>,
    options: &CatalogOptions<'_>,
) -> Vec<Placed<StatedCredential>> {
    let proofs = table.read::<Proofs>().unwrap_or_default();
    for (key, other) in [
        ("secrets", "secret"),
        ("jwks_file", "jwks"),
        ("jwks_url", "jwks"),
        ("jwks_url", "jwks_file"),
    ] {
        if table.has(key).is_some() && table.has(other).is_some() {
            table.fault_of(key, Problem::Both(other));
        }
    }
    if table.has("ca_file").is_some() && table.has("jwks_url").is_none() {
        table.fault_of("ca_file", Problem::Without("jwks_url"));
    }
    let identities = table.tables("identity").into_iter();
    let identities = identities.filter_map(|it| identity::read(table.title(), it, table.faults()));
    let identities: Vec<_> = identities.collect();
    let mut all = Reading { table, options }.all(proofs);
    all.extend(identities);
    if let Some(client) = client {
        for (place, fault) in check(client, Profile::Default, &all) {
            table.faults().report(&place, "", fault);
        }
    }
    all
}

/// What is wrong with `credentials` of a catalog, each by itself and beside the ones before it.
pub(super) fn check(
    client: &Client,
    profile: Profile,
    credentials: &[Placed<StatedCredential>],
) -> Vec<(Place, Problem)> {
    let held: Vec<Held<'_>> = credentials
        .iter()
        .map(|it| Held::stated(it, client_key::facts))
        .collect();
    let judged = held.iter().enumerate().map(|(at, new)| {
        let before = held.get(..at).unwrap_or_default();
        rules::judge(client, profile, new, before)
    });
    let faults = credentials.iter().zip(judged);
    faults
        .filter_map(|(it, judged)| Some((it.place.clone(), judged.err()?.into())))
        .collect()
}

struct Reading<'r, 't, 'o> {
    table: &'r Section<'t>,
    options: &'r CatalogOptions<'o>,
}

impl Reading<'_, '_, '_> {
    fn all(&self, proofs: Proofs) -> Vec<Placed<StatedCredential>> {
        let mut all = Vec::new();
        let secret = |text| secret::read(text, self.options).map(|it| vec![it]);
        for (key, members) in [("secret", proofs.secret), ("secrets", proofs.secrets)] {
            self.add(&mut all, (key, members), secret);
        }
        let keys = |text: String| public_material::keys(&text).map(public);
        self.add(&mut all, ("jwks", proofs.jwks), keys);
        self.add_jwks_files(&mut all, proofs.jwks_file);
        let ca = proofs.ca_file.and_then(|path| self.ca(path));
        let source = |url: String| {
            let source = public_material::key_source(&url, self.options.allow_plain_http)?;
            Ok(one(PublicMaterial::KeySource(source.with_ca(ca.clone()))))
        };
        self.add(&mut all, ("jwks_url", proofs.jwks_url), source);
        let certificate =
            |path: String| public_material::certificate(&self.file_text(path)?).map(one);
        let single = ("certificate_file", proofs.certificate_file);
        for members in [single, ("certificate_files", proofs.certificate_files)] {
            self.add(&mut all, members, certificate);
        }
        let thumbprint = |text: String| public_material::thumbprint(&text).map(one);
        self.add(&mut all, ("thumbprints", proofs.thumbprints), thumbprint);
        for (kind, members) in [
            (SubjectKind::Dn, proofs.subject_dn),
            (SubjectKind::Dns, proofs.san_dns),
            (SubjectKind::Uri, proofs.san_uri),
            (SubjectKind::Ip, proofs.san_ip),
            (SubjectKind::Email, proofs.san_email),
        ] {
            let subject = |text: String| public_material::subject(kind, &text).map(one);
            self.add(&mut all, (kind.as_str(), members), subject);
        }
        all
    }

    /// The text of the file at a path relative to the catalog.
    fn file_text(&self, path: String) -> Result<String, Problem> {
        value::file_text(&value::path(&self.options.base, path)?)
    }

    /// The CAs of a file; what is wrong with it is noted.
    fn ca(&self, path: String) -> Option<String> {
        let read = self.file_text(path);
        match read.and_then(|pem| public_material::ca(&pem)) {
            Ok(pem) => Some(pem),
            Err(problem) => {
                self.table.fault_of("ca_file", problem);
                None
            }
        }
    }

    fn add_jwks_files(&self, all: &mut Vec<Placed<StatedCredential>>, files: Many<String>) {
        for Stated { line, value: path } in files.0 {
            let shape = CredentialShape {
                value: Some(path),
                ..CredentialShape::default()
            };
            let keys = |path: String| public_material::keys(&self.file_text(path)?).map(public);
            let member = Many(vec![Stated { line, value: shape }]);
            self.add(all, ("jwks_file", member), keys);
        }
    }

    /// Adds what `read` makes of the members of one key.
    fn add(
        &self,
        all: &mut Vec<Placed<StatedCredential>>,
        (key, members): (&str, Many<CredentialShape>),
        read: impl Fn(String) -> Brought,
    ) {
        for Stated {
            line,
            value: mut shape,
        } in members.0
        {
            let place = self.table.place().on_line(line);
            let brought = shape
                .value
                .take()
                .ok_or(Problem::Missing("write the credential itself"))
                .and_then(&read)
                .and_then(|brought| brought.into_iter().map(|it| lay(&shape, it)).collect());
            let brought: Vec<StatedCredential> = match brought {
                Ok(brought) => brought,
                Err(problem) => {
                    self.table.fault(&place, key, problem);
                    continue;
                }
            };
            let brought = brought.into_iter();
            all.extend(brought.map(|credential| Placed::at(place.clone(), credential)));
        }
    }
}

fn public(materials: Vec<PublicMaterial>) -> Vec<StatedCredential> {
    materials.into_iter().map(StatedCredential::from).collect()
}

fn one(material: PublicMaterial) -> Vec<StatedCredential> {
    public(vec![material])
}

/// What is stated beside a value, laid over what the value itself brings. An id belongs beside the hash of a generated
/// secret; beside such a secret itself it must equal the one inside.
fn lay(shape: &CredentialShape, brought: StatedCredential) -> Result<StatedCredential, Problem> {
    let is_hash = matches!(
        brought.material,
        CredentialMaterial::Secret(StatedSecret::Phc(_) | StatedSecret::Absent)
    );
    if shape.id.is_some() && !is_hash && shape.id != brought.id {
        return Err(Problem::SecretId);
    }
    Ok(StatedCredential {
        id: shape.id.clone().or(brought.id),
        label: shape.label.clone(),
        material: vouched(shape, brought.material)?,
        active_from: shape.active_from,
        expires_at: shape.expires_at,
        retired_at: shape.retired_at,
    })
}

/// The material, where the CAs beside it, if there are any, belong there.
fn vouched(
    shape: &CredentialShape,
    material: CredentialMaterial<StatedSecret>,
) -> Result<CredentialMaterial<StatedSecret>, Problem> {
    match (&shape.ca, material) {
        (None, material) => Ok(material),
        (Some(_), CredentialMaterial::KeySource(source)) if source.ca().is_some() => {
            Err(Problem::Both("ca_file"))
        }
        (Some(pem), CredentialMaterial::KeySource(source)) => {
            let pem = public_material::ca(pem)?;
            Ok(CredentialMaterial::KeySource(source.with_ca(Some(pem))))
        }
        (Some(_), _) => Err(Problem::Expected("no `ca` here: it belongs to a jwks_url")),
    }
}
