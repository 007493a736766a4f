//! The table `credentials`.

mod listed;
mod of_issuer;

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};

use sqlx::QueryBuilder;

use super::change::ChangeTx;
use super::error::StoreError;
use super::feed::ChangeKind;
use super::lists::paired;
use super::row::{ROWS_AT_ONCE, Row, grouped, row, unix};
use super::touched::touched_each;
use super::transaction::{Tx, on_db};
use crate::crypto::client_key;
use crate::domain::credential::{
    Credential, CredentialKind, CredentialMaterial, SecretForm, SecretHash, SubjectKind,
    SubjectName,
};
use crate::domain::identifier::{ClientId, CredentialId};
use crate::domain::identity::Identity;
use crate::domain::key_source::KeySource;
use crate::domain::timestamp::Timestamp;
pub use listed::Listed;

/// The columns that an upsert does not overwrite: the material is written once, `tokens_not_before` never decreases,
/// and uses are noted separately.
const WRITTEN_ONCE: &[&str] = &[
    "id",
    "client_id",
    "kind",
    "form",
    "material",
    "thumbprint",
    "created_at",
    "last_used_at",
    "last_used_from",
];

row! {
    struct CredentialRow of "credentials" {
        id: String,
        client_id: String,
        kind: String,
        form: Option<String>,
        material: String,
        thumbprint: Option<String>,
        label: Option<String>,
        active_from: Option<i64>,
        expires_at: Option<i64>,
        retired_at: Option<i64>,
        tokens_not_before: i64,
        created_at: i64,
        last_used_at: Option<i64>,
        last_used_from: Option<String>,
    }
}

impl Tx {
    pub(super) async fn credentials_of(
        &mut self,
        client: &ClientId,
    ) -> Result<Vec<Credential>, StoreError> {
        let rows = self.rows_of(CredentialRow::SELECT, Some(client)).await?;
        Ok(by_client(rows)?.remove(client.as_str()).unwrap_or_default())
    }

    /// All credentials, by client id.
    pub(super) async fn all_credentials(
        &mut self,
    ) -> Result<HashMap<String, Vec<Credential>>, StoreError> {
        by_client(self.rows_of(CredentialRow::SELECT, None).await?)
    }
}

/// The credentials of each client, the oldest first.
fn by_client(rows: Vec<CredentialRow>) -> Result<HashMap<String, Vec<Credential>>, StoreError> {
    let mut of = grouped(rows.into_iter().map(|mut row| {
        let client = std::mem::take(&mut row.client_id);
        Ok((client, row.into_credential()?))
    }))?;
    for credentials in of.values_mut() {
        credentials.sort_by(|a, b| (a.created_at, &a.id).cmp(&(b.created_at, &b.id)));
    }
    Ok(of)
}

impl ChangeTx {
    /// The client that owns the credential; `None` if there is no such credential.
    ///
    /// # Errors
    /// An unreachable database, or a corrupt row.
    pub async fn owner(&mut self, id: &CredentialId) -> Result<Option<ClientId>, StoreError> {
        let owner: Option<String> = on_db!(&mut self.tx, conn => {
            sqlx::query_scalar("SELECT client_id FROM credentials WHERE id = $1")
                .bind(id.as_str())
                .fetch_optional(conn)
                .await?
        });
        owner
            .map(|owner| read_owner(&owner, id.as_str()))
            .transpose()
    }

    /// The clients that have a key with this RFC 7638 thumbprint.
    ///
    /// # Errors
    /// An unreachable database, or a corrupt row.
    pub async fn clients_with_key(
        &mut self,
        thumbprint: &str,
    ) -> Result<BTreeSet<ClientId>, StoreError> {
        let clients: Vec<String> = on_db!(&mut self.tx, conn => {
            sqlx::query_scalar(
                "SELECT client_id FROM credentials WHERE thumbprint = $1 AND kind = 'jwk'",
            )
            .bind(thumbprint)
            .fetch_all(conn)
            .await?
        });
        clients
            .iter()
            .map(|id| read_owner(id, thumbprint))
            .collect()
    }

    /// Writes a credential of `client`, new or not. What it proves with is written once and never changed, and
    /// `tokens_not_before` never goes back.
    ///
    /// # Errors
    /// An unreachable database, or an id that another client's credential has.
    pub async fn put_credential(
        &mut self,
        client: &ClientId,
        credential: &Credential,
    ) -> Result<(), StoreError> {
        let one = [(client.clone(), credential.clone())];
        self.put_credentials(&one).await
    }

    /// As [`Self::put_credential`], of many.
    ///
    /// # Errors
    /// An unreachable database, an id that another client's credential has, or one that stands twice.
    pub async fn put_credentials(
        &mut self,
        credentials: &[(ClientId, Credential)],
    ) -> Result<(), StoreError> {
        let mut ids = BTreeSet::new();
        if let Some((_, twice)) = credentials.iter().find(|(_, it)| !ids.insert(&it.id)) {
            return Err(StoreError::Conflict(twice.id.to_string()));
        }
        for some in credentials.chunks(ROWS_AT_ONCE) {
            let touched: Vec<String> = on_db!(&mut self.tx, conn => {
                let mut statement = QueryBuilder::new(CredentialRow::INSERT);
                statement.push_values(some, |mut row, one| CredentialRow::from(one).push(&mut row));
                statement
                    .push(" ON CONFLICT (id) DO UPDATE SET ")
                    .push(CredentialRow::overwriting(WRITTEN_ONCE))
                    .push(" WHERE credentials.client_id = excluded.client_id RETURNING id");
                statement.build_query_scalar().persistent(false).fetch_all(conn).await?
            });
            touched_each(some.iter().map(|(_, it)| it.id.as_str()), &touched)?;
        }
        for (client, _) in credentials {
            self.note(ChangeKind::Client, client.as_str());
        }
        Ok(())
    }

    /// Removes credentials, each of its client.
    ///
    /// # Errors
    /// An unreachable database, or no such credential.
    pub async fn delete_credentials(
        &mut self,
        credentials: &[(ClientId, CredentialId)],
    ) -> Result<(), StoreError> {
        for some in credentials.chunks(ROWS_AT_ONCE) {
            let gone: Vec<String> = on_db!(&mut self.tx, conn => {
                let mut statement = QueryBuilder::new("DELETE FROM credentials WHERE ");
                paired!(statement, ("client_id", "id"), some);
                statement.push(" RETURNING id");
                statement.build_query_scalar().persistent(false).fetch_all(conn).await?
            });
            touched_each(some.iter().map(|(_, id)| id.as_str()), &gone)?;
        }
        for (client, _) in credentials {
            self.note(ChangeKind::Client, client.as_str());
        }
        Ok(())
    }

    /// Replaces the hash `old` by `new`, of the same secret, unless it was replaced meanwhile.
    ///
    /// Returns whether it was replaced.
    ///
    /// # Errors
    /// An unreachable database.
    pub async fn replace_hash(
        &mut self,
        client: &ClientId,
        id: &CredentialId,
        (old, new): (&SecretHash, &SecretHash),
    ) -> Result<bool, StoreError> {
        let touched = on_db!(&mut self.tx, conn => {
            sqlx::query(
                "UPDATE credentials SET form = $3, material = $4 WHERE id = $1 AND material = $2",
            )
            .bind(id.as_str())
            .bind(&old.phc)
            .bind(new.form.as_str())
            .bind(&new.phc)
            .execute(conn)
            .await?
            .rows_affected()
        });
        self.note(ChangeKind::Client, client.as_str());
        Ok(touched == 1)
    }
}

/// `form` and `material`.
fn columns(material: &CredentialMaterial) -> (Option<&str>, Cow<'_, str>) {
    let form = match material {
        CredentialMaterial::Secret(hash) => return (Some(hash.form.as_str()), (&*hash.phc).into()),
        CredentialMaterial::Jwk(_) | CredentialMaterial::Certificate(_) => None,
        CredentialMaterial::Subject(name) => Some(name.kind.as_str()),
        CredentialMaterial::KeySource(source) => source.ca(),
        CredentialMaterial::Identity(identity) => Some(identity.issuer.as_str()),
    };
    (form, material.public_value().unwrap_or_default())
}

/// The thumbprint of a key or a certificate, the same for every encoding of it.
fn thumbprint(material: &CredentialMaterial) -> Option<String> {
    match material {
        CredentialMaterial::Jwk(jwk) => client_key::facts(jwk).map(|facts| facts.thumbprint),
        CredentialMaterial::Certificate(thumbprint) => Some(thumbprint.clone()),
        CredentialMaterial::Secret(_)
        | CredentialMaterial::Subject(_)
        | CredentialMaterial::KeySource(_)
        | CredentialMaterial::Identity(_) => None,
    }
}

fn read_owner(client: &str, key: &str) -> Result<ClientId, StoreError> {
    let table = "credentials";
    Row { table, key }.read("client_id", ClientId::parse(client).ok())
}

impl From<&(ClientId, Credential)> for CredentialRow {
    fn from((client, credential): &(ClientId, Credential)) -> Self {
        let (form, material) = columns(&credential.material);
        Self {
            id: credential.id.to_string(),
            client_id: client.to_string(),
            kind: credential.kind().to_string(),
            form: form.map(str::to_owned),
            material: material.into_owned(),
            thumbprint: thumbprint(&credential.material),
            label: credential.label.clone(),
            active_from: unix(credential.active_from),
            expires_at: unix(credential.expires_at),
            retired_at: unix(credential.retired_at),
            tokens_not_before: credential.tokens_not_before.unix(),
            created_at: credential.created_at.unix(),
            last_used_at: unix(credential.last_used_at),
            last_used_from: credential.last_used_from.map(|it| it.to_string()),
        }
    }
}

impl CredentialRow {
    fn into_credential(self) -> Result<Credential, StoreError> {
        let at = Row {
            table: "credentials",
            key: &self.id,
        };
        let form = self.form.as_deref().unwrap_or_default();
        let material = match at.read("kind", CredentialKind::from_text(&self.kind))? {
            CredentialKind::Secret => CredentialMaterial::Secret(SecretHash {
                form: at.read("form", SecretForm::from_text(form))?,
                phc: self.material,
            }),
            CredentialKind::Jwk => CredentialMaterial::Jwk(self.material),
            CredentialKind::Certificate => CredentialMaterial::Certificate(self.material),
            CredentialKind::Subject => CredentialMaterial::Subject(SubjectName {
                kind: at.read("form", SubjectKind::from_text(form))?,
                value: self.material,
            }),
            CredentialKind::KeySource => {
                let source = KeySource::parse(&self.material).ok();
                CredentialMaterial::KeySource(
                    at.read("material", source)?.with_ca(self.form.clone()),
                )
            }
            CredentialKind::Identity => {
                let identity = Identity::of_document(&self.material);
                CredentialMaterial::Identity(Box::new(at.read("material", identity)?))
            }
        };
        Ok(Credential {
            id: at.read("id", CredentialId::parse(&self.id).ok())?,
            material,
            active_from: self.active_from.map(Timestamp::from_unix),
            expires_at: self.expires_at.map(Timestamp::from_unix),
            retired_at: self.retired_at.map(Timestamp::from_unix),
            tokens_not_before: Timestamp::from_unix(self.tokens_not_before),
            created_at: Timestamp::from_unix(self.created_at),
            last_used_at: self.last_used_at.map(Timestamp::from_unix),
            last_used_from: (self.last_used_from)
                .map(|text| at.read("last_used_from", text.parse().ok()))
                .transpose()?,
            label: self.label,
        })
    }
}
