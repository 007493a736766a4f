//! Checks a token as introspection does, with the database alone instead of a replica's memory.

use super::key_ring::KeyRing;
use super::own_token::{OwnToken, Readers};
use crate::crypto::opaque_token::OpaqueTokens;
use crate::domain::token_fault::TokenFault;
use crate::store::Store;
use crate::store::error::StoreError;

/// Checks `text` as introspection would for an API that serves its audience. `issuer` is the server's, if known, and
/// `opaque` opens its opaque tokens, if the sealing key is known as well.
///
/// # Errors
/// The database is unreachable. A fault of the token is a value, not an error.
pub async fn inspect_token(
    store: &Store,
    text: &str,
    (issuer, opaque): (Option<&str>, Option<&OpaqueTokens>),
) -> Result<Result<OwnToken, TokenFault>, StoreError> {
    let keys = KeyRing::public(&store.load_signing_keys().await?.value.keys);
    let readers = Readers {
        keys: Some(&keys),
        opaque,
    };
    let now = store.now().await?.second();
    let token = match OwnToken::read(text, readers, (issuer, now)) {
        Ok(token) => token,
        Err(fault) => return Ok(Err(fault)),
    };
    let mut clients = Vec::new();
    for id in &token.clients {
        clients.extend(store.load_client(id).await?.value);
    }
    let issuers = store.load_issuers().await?.value;
    let audience = store.load_audience(&token.audience).await?.value;
    let is_revoked = store.is_revoked(&token.claims.jti).await?;
    let judged = token.claims.check_life(now).and_then(|()| {
        audience.ok_or_else(|| TokenFault::NoAudience(token.audience.clone()))?;
        token.check_named(
            |id| clients.iter().find(|it| it.client.id == *id),
            |id| issuers.iter().find(|it| it.id == *id),
        )?;
        if is_revoked {
            Err(TokenFault::Revoked)
        } else {
            Ok(())
        }
    });
    Ok(judged.map(|()| token))
}
