//! Makes the one value that says where a request comes from.

use std::sync::Arc;

use axum::extract::Request;

use super::connection::Connection;
use super::forwarded;
use super::layers::host;
use super::state::HttpState;
use crate::domain::refusal::RequestFault;
use crate::operations::caller::Caller;

/// Who sends `request`: the peer of its connection, or who a trusted proxy says.
///
/// # Errors
/// A connection that was opened for another host, and what a proxy says wrongly.
pub(super) fn of(
    state: &HttpState,
    connection: &Connection,
    request: &Request,
) -> Result<Caller, RequestFault> {
    let (peer, headers) = (connection.source(), request.headers());
    let now = state.grantd.clock().now();
    let proxies = match state.settings.proxy.as_ref() {
        Some(proxies) if forwarded::is_proxy(proxies, connection, headers, now)? => Some(proxies),
        _ => None,
    };
    let (source, certificate) = if let Some(proxies) = proxies {
        let source = forwarded::source(proxies, peer, headers)?;
        (
            source,
            forwarded::certificate(proxies, connection, headers)?,
        )
    } else {
        host::check_opened_for(connection, request)?;
        (peer, connection.certificate.clone())
    };
    Ok(Caller {
        source,
        proxy: proxies.map(|_| peer),
        certificate,
        hashing_turn: Arc::clone(&connection.hashing_turn),
    })
}
