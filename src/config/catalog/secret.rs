//! Reads the value of a secret: `env:NAME`, `file:PATH`, a PHC string, or the secret itself.

use super::CatalogOptions;
use crate::config::fault::{Problem, shown_variable};
use crate::config::value;
use crate::crypto::digest::present;
use crate::crypto::secret_hash::PhcHash;
use crate::domain::credential::{CredentialMaterial, StatedCredential, StatedSecret};
use crate::domain::secret_format::{MAX_LENGTH, PresentedForm, Secret};

/// How the only PHC strings begin that grantd reads.
const PHC: &str = "$argon2id$";

/// The secret that `text` states or points at, with the id inside where grantd made it.
///
/// What a variable or a file holds is the secret itself, or a PHC string.
pub(super) fn read(
    text: String,
    options: &CatalogOptions<'_>,
) -> Result<StatedCredential, Problem> {
    if let Some(name) = text.strip_prefix("env:") {
        return match (variable(name, options), options.absent) {
            (Err(Problem::VariableUnset(name)), Some(absent)) => {
                absent.note(format!("env:{name}"));
                Ok(absent_one())
            }
            (secret, _) => stored(secret?, options),
        };
    }
    if let Some(path) = text.strip_prefix("file:") {
        let path = options.base.join(path);
        if options
            .absent
            .is_some_and(|it| it.lacks_file("file:", &path))
        {
            return Ok(absent_one());
        }
        return stored(value::file_text(&path)?, options);
    }
    if text.starts_with(PHC) {
        return hash(text);
    }
    if text.starts_with('$') {
        return Err(Problem::ForeignHash);
    }
    if !options.allow_literal_secrets {
        return Err(Problem::LiteralSecret);
    }
    let literal = text.strip_prefix("literal:").map(str::to_owned);
    clear(literal.unwrap_or(text), options)
}

fn variable(name: &str, options: &CatalogOptions<'_>) -> Result<String, Problem> {
    let named = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    if name.is_empty() || !name.bytes().all(named) {
        return Err(Problem::VariableName);
    }
    (options.environment)(name).ok_or_else(|| Problem::VariableUnset(shown_variable(name, [])))
}

fn stored(text: String, options: &CatalogOptions<'_>) -> Result<StatedCredential, Problem> {
    if text.starts_with(PHC) {
        hash(text)
    } else {
        clear(text, options)
    }
}

/// A PHC string that a secret can be checked by.
fn hash(text: String) -> Result<StatedCredential, Problem> {
    text.parse::<PhcHash>()?;
    Ok(CredentialMaterial::Secret(StatedSecret::Phc(text)).into())
}

fn clear(text: String, options: &CatalogOptions<'_>) -> Result<StatedCredential, Problem> {
    let least = options.min_secret_length.max(1);
    let secret = Secret::new(text);
    let id = match present(&secret) {
        PresentedForm::Generated(id) => Some(id),
        PresentedForm::Other if secret.expose().len() >= least => None,
        PresentedForm::Malformed => return Err(Problem::SecretChecksum),
        PresentedForm::Other | PresentedForm::Impossible(_) => {
            return Err(Problem::SecretForm {
                least,
                most: MAX_LENGTH,
            });
        }
    };
    Ok(StatedCredential {
        id,
        ..CredentialMaterial::Secret(StatedSecret::Clear(secret)).into()
    })
}

/// In the place of a secret that may be absent.
fn absent_one() -> StatedCredential {
    CredentialMaterial::Secret(StatedSecret::Absent).into()
}
