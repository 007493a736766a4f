//! What a client proves itself with, made where its catalog states nothing of the kind: as at the start of `grantd dev`,
//! but in memory alone.

use zeroize::Zeroizing;

use crate::config::catalog::{CatalogClient, Placed};
use crate::control::fault::Fault;
use crate::control::mint::certificate::{MadeCertificate, thumbprint};
use crate::control::state::{Control, Held, Text};
use crate::crypto::jws::private_key::ClientPrivateKey;
use crate::crypto::random;
use crate::domain::client::AuthMethod;
use crate::domain::credential::{
    CredentialMaterial, PublicMaterial, StatedCredential, StatedSecret, SubjectKind, SubjectName,
};

/// Gives a client that states no credential a secret where it may have one, else a subject name that a certificate of the
/// client CA can say.
pub(super) fn give_credential(client: &mut CatalogClient) {
    let has = |method| client.auth_methods.contains(&method);
    if !client.credentials.is_empty() {
        return;
    }
    let id = random::credential_id();
    if has(AuthMethod::ClientSecretBasic) || has(AuthMethod::ClientSecretPost) {
        let secret = StatedSecret::Clear(random::generated_secret(&id));
        let secret = StatedCredential {
            id: Some(id),
            ..CredentialMaterial::Secret(secret).into()
        };
        client.credentials.push(Placed::made_by_dev(secret));
    } else if has(AuthMethod::TlsClientAuth) {
        let subject = PublicMaterial::Subject(SubjectName {
            kind: SubjectKind::Dns,
            value: format!("{id}.client.example"),
        });
        client.credentials.push(Placed::made_by_dev(subject));
    }
}

/// Makes the key or the certificate that the client lacks, or takes the one that was made for it before, and registers it
/// beside what the client states.
///
/// # Errors
/// 503 where none can be made.
pub(in crate::control) fn equip(
    control: &Control,
    client: &mut CatalogClient,
) -> Result<Held, Fault> {
    let before = control.held(&client.id).unwrap_or_default();
    let states_secret =
        |it: &Placed<StatedCredential>| matches!(it.material, CredentialMaterial::Secret(_));
    // One that is not stated again stays.
    let before_secret = before
        .secret
        .filter(|_| !client.credentials.iter().any(states_secret));
    let mut held = Held {
        secret: client.clear_secret().cloned().or(before_secret),
        ..Held::default()
    };
    let has = |client: &CatalogClient, method| client.auth_methods.contains(&method);
    if has(client, AuthMethod::PrivateKeyJwt) && !client.states_assertion_proof() {
        let jwk = match before.private_jwk {
            Some(made) => made,
            None => Text::Here(ClientPrivateKey::generate().map_err(|it| Fault::unavailable(&it))?),
        };
        let key = jwk.read().map(Zeroizing::new).unwrap_or_default();
        let key = ClientPrivateKey::parse(&key, None).map_err(|it| Fault::unavailable(&it))?;
        let public = PublicMaterial::Jwk(key.public_jwk().to_string());
        client.credentials.push(Placed::made_by_dev(public));
        held.private_jwk = Some(jwk);
    }
    if has(client, AuthMethod::SelfSignedTlsClientAuth) {
        let made = match before.certificate {
            Some(made) => made,
            None => texts(MadeCertificate::self_signed(control, client.id.as_str())?),
        };
        let thumbprint = made.0.read().and_then(|pem| thumbprint(&pem));
        let thumbprint =
            thumbprint.ok_or_else(|| Fault::unavailable(&"the certificate is gone"))?;
        let public = PublicMaterial::Certificate(thumbprint);
        client.credentials.push(Placed::made_by_dev(public));
        held.certificate = Some(made);
    } else if has(client, AuthMethod::TlsClientAuth)
        && let Some(subject) = subject(client)
    {
        held.certificate = MadeCertificate::of_client_ca(control, subject)?.map(texts);
    }
    Ok(held)
}

fn texts(made: MadeCertificate) -> (Text, Text) {
    let certificate = Text::Here(Zeroizing::new(made.certificate));
    (certificate, Text::Here(made.key))
}

fn subject(client: &CatalogClient) -> Option<&SubjectName> {
    let mut in_force = client.credentials.iter();
    in_force.find_map(|it| match &it.material {
        CredentialMaterial::Subject(subject) if it.retired_at.is_none() => Some(subject),
        _ => None,
    })
}
