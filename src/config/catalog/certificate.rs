//! Reads registered certificates: only their `x5t#S256` is kept (RFC 8705 section 3.1).

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

use crate::config::fault::Problem;
use crate::crypto::certificates::registration::registrable_thumbprint;

/// The `x5t#S256` of the first certificate of a PEM text (RFC 8705 section 3.1): of a chain, the leaf.
pub(super) fn thumbprint_of(pem: &str) -> Result<String, Problem> {
    let der = CertificateDer::from_pem_slice(pem.as_bytes()).map_err(|_| Problem::Certificate)?;
    Ok(registrable_thumbprint(&der)?)
}
