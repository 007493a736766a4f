//! Reads registered certificates: only their `x5t#S256` is kept (RFC 8705 section 3.1).

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

use crate::config::fault::Problem;

/// The `x5t#S256` of the first certificate of a PEM text (RFC 8705 section 3.1): of a chain, the leaf.
pub(super) fn thumbprint_of(pem: &str) -> Result<String, Problem> {
    let der = CertificateDer::from_pem_slice(pem.as_bytes()).map_err(|_| Problem::Certificate)?;
    Ok(URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, &der)))
}
