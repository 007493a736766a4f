//! `[[client.identity]]`, whose foreign tokens are a client, as a credential among the others (FEDERATION section 2).

mod catalogs;
mod standing;
mod subjects;

use grantd::domain::credential::Credential;

use crate::catalogs::{CI, client, identity, reads};
use crate::harness::{CATALOG, Env};

/// [`CATALOG`] with the issuer `ci` and `deploy`, whose identities say that.
fn catalog(identities: &[&str]) -> String {
    let identities: String = identities.iter().map(|it| identity(it)).collect();
    let tables = [identities, reads("pricing").concat()];
    let deploy = client("deploy", "auth = \"private_key_jwt\"", &tables);
    [CATALOG, CI, &deploy].concat()
}

/// The identities of `deploy`, as the database has them.
async fn stored(env: &Env) -> Vec<Credential> {
    env.credentials("deploy").await
}
