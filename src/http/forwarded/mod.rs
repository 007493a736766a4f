//! What the headers of a trusted proxy say of the client: its certificate (RFC 9440, or as Envoy does it) and its
//! address (`X-Forwarded-For`, or RFC 7239).

pub mod address;
pub mod client_cert;
mod pairs;
pub mod xfcc;

use std::net::IpAddr;

use axum::http::header::CONNECTION;
use axum::http::{HeaderMap, HeaderValue};

use crate::crypto::certificates::CertificateChain;
use crate::crypto::digest::is_same_secret;
use crate::domain::forwarded_fault::ForwardedFault;
use crate::domain::proxy::{AddressHeader, CertificateHeader, TrustedProxies};
use crate::domain::timestamp::Timestamp;
use crate::operations::caller::ClientCertificate;

use super::connection::Connection;

/// Whether the peer is a trusted proxy, by its address and a second proof.
///
/// # Errors
/// A [`ForwardedFault`] if the peer is in the proxies' networks without such a proof, or with an invalid one: a wrong
/// secret, or an expired certificate. It is refused rather than taken for a client: its clients would then get its
/// address, which a policy might trust.
pub(super) fn is_proxy(
    proxies: &TrustedProxies,
    connection: &Connection,
    headers: &HeaderMap,
    now: Timestamp,
) -> Result<bool, ForwardedFault> {
    let peer = connection.source();
    if !proxies.includes(peer) {
        return Ok(false);
    }
    let own = own_certificate(proxies, connection).map(|it| it.check_alone(now));
    if peer.is_loopback() || own == Some(Ok(())) || says_secret(proxies, headers)? {
        return Ok(true);
    }
    match own {
        Some(Err(fault)) => Err(ForwardedFault::OwnCertificate(fault)),
        _ => Err(ForwardedFault::NoProof),
    }
}

/// The client certificate of the connection, where it is that of a proxy.
fn own_certificate<'a>(
    proxies: &TrustedProxies,
    connection: &'a Connection,
) -> Option<&'a CertificateChain> {
    let chain = &connection.certificate.as_ref()?.chain;
    proxies
        .thumbprints
        .iter()
        .any(|known| known == chain.thumbprint())
        .then_some(chain)
}

/// Whether the request has the secret of the proxies, and nothing beside it.
fn says_secret(proxies: &TrustedProxies, headers: &HeaderMap) -> Result<bool, ForwardedFault> {
    let Some(secret) = &proxies.secret else {
        return Ok(false);
    };
    match one(headers, &secret.header) {
        Ok(None) => Ok(false),
        Ok(Some(sent)) if is_same_secret(sent.as_bytes(), &secret.value) => Ok(true),
        Ok(Some(_)) | Err(Several) => Err(ForwardedFault::Secret),
    }
}

/// The certificate of the client behind a trusted proxy. One on the connection itself counts where nothing says that
/// a proxy opened it, neither certificate nor secret: on loopback a client may stand beside a proxy.
///
/// # Errors
/// A [`ForwardedFault`]: a request whose certificate is unclear is refused, not treated as one without a certificate.
pub(super) fn certificate(
    proxies: &TrustedProxies,
    connection: &Connection,
    headers: &HeaderMap,
) -> Result<Option<ClientCertificate>, ForwardedFault> {
    let header = proxies.certificate_header;
    refuse_hop_by_hop(headers, header.as_str())?;
    let chain = match header {
        CertificateHeader::None => None,
        CertificateHeader::ClientCert => {
            refuse_hop_by_hop(headers, client_cert::CHAIN)?;
            client_cert_chain(headers)?
        }
        CertificateHeader::XForwardedClientCert => certificate_header(headers, header)?
            .map(|it| xfcc::read(it.as_bytes()))
            .transpose()?,
    };
    let of_client = own_certificate(proxies, connection).is_none();
    let direct = connection.certificate.clone().filter(|_| of_client);
    match (chain, direct) {
        (Some(_), Some(_)) => Err(ForwardedFault::TwoCertificates),
        // Only proxies know the secret, so this one is a proxy's own, though no thumbprint names it.
        (None, Some(_)) if says_secret(proxies, headers)? => Ok(None),
        (None, direct) => Ok(direct),
        (Some(chain), None) => Ok(Some(ClientCertificate { chain })),
    }
}

fn client_cert_chain(headers: &HeaderMap) -> Result<Option<CertificateChain>, ForwardedFault> {
    let leaf = certificate_header(headers, CertificateHeader::ClientCert)?;
    let between = headers
        .get_all(client_cert::CHAIN)
        .iter()
        .map(HeaderValue::as_bytes);
    match leaf {
        Some(leaf) => client_cert::read(leaf.as_bytes(), between).map(Some),
        None if between.count() > 0 => Err(ForwardedFault::ChainAlone),
        None => Ok(None),
    }
}

fn certificate_header(
    headers: &HeaderMap,
    header: CertificateHeader,
) -> Result<Option<&HeaderValue>, ForwardedFault> {
    one(headers, header.as_str()).map_err(|Several| ForwardedFault::RepeatedCertificate)
}

/// The address from which the request reached the proxies: the last hop that is not in their networks.
///
/// # Errors
/// A [`ForwardedFault`] if there is none, or it is not an address. The proxy's own address is never used instead,
/// because a policy might trust that.
pub(super) fn source(
    proxies: &TrustedProxies,
    peer: IpAddr,
    headers: &HeaderMap,
) -> Result<IpAddr, ForwardedFault> {
    let header = proxies.address_header;
    refuse_hop_by_hop(headers, header.as_str())?;
    let lines = headers
        .get_all(header.as_str())
        .iter()
        .map(HeaderValue::as_bytes);
    match header {
        AddressHeader::None => Ok(peer),
        AddressHeader::XForwardedFor => address::last_stranger(address::list(lines)?, proxies),
        AddressHeader::Forwarded => address::last_stranger(address::elements(lines)?, proxies),
    }
}

/// RFC 9110 section 7.6.1 lets the sender of `Connection` name headers for the next hop to drop: a client that names
/// one of the proxy's wants it lost on the way.
fn refuse_hop_by_hop(headers: &HeaderMap, name: &str) -> Result<(), ForwardedFault> {
    let names = |value: &HeaderValue| {
        value.as_bytes().split(|byte| *byte == b',').any(|option| {
            let option = option.trim_ascii();
            option.eq_ignore_ascii_case(name.as_bytes())
        })
    };
    if headers.get_all(CONNECTION).iter().any(names) {
        return Err(ForwardedFault::HopByHop);
    }
    Ok(())
}

struct Several;

/// The only value of a header.
fn one<'h>(headers: &'h HeaderMap, name: &str) -> Result<Option<&'h HeaderValue>, Several> {
    let mut values = headers.get_all(name).iter();
    let first = values.next();
    if values.next().is_some() {
        Err(Several)
    } else {
        Ok(first)
    }
}
