//! Judges a token as introspection does, without a replica: over the database alone.

use super::key_ring::KeyRing;
use super::own_token::OwnToken;
use crate::domain::token_fault::TokenFault;
use crate::store::Store;
use crate::store::error::StoreError;

/// Judges `text` as introspection would for an API that serves its audience; `issuer` is the server's, where it is known.
///
/// # Errors
/// A database out of reach. What is wrong with the token is no error.
pub async fn inspect_token(
    store: &Store,
    text: &str,
    issuer: Option<&str>,
) -> Result<Result<OwnToken, TokenFault>, StoreError> {
    let keys = KeyRing::public(&store.load_signing_keys().await?.value.keys);
    let now = store.now().await?.second();
    let token = match OwnToken::read(text, Some(&keys), (issuer, now)) {
        Ok(token) => token,
        Err(fault) => return Ok(Err(fault)),
    };
    let holder = store.load_client(&token.holder).await?.value;
    let audience = store.load_audience(&token.audience).await?.value;
    let is_revoked = store.is_revoked(&token.claims.jti).await?;
    let judged = token.claims.check_life(now).and_then(|()| {
        audience.ok_or_else(|| TokenFault::NoAudience(token.audience.clone()))?;
        let holder = holder.ok_or(TokenFault::NoHolder)?;
        holder.check_holds(&token.claims)?;
        if is_revoked {
            Err(TokenFault::Revoked)
        } else {
            Ok(())
        }
    });
    Ok(judged.map(|()| token))
}
