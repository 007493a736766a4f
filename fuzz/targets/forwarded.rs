//! The headers of proxies from any bytes, a line each: `Client-Cert` with its chain (RFC 9440), Envoy's
//! `X-Forwarded-Client-Cert`, `X-Forwarded-For` and `Forwarded` (RFC 7239). No panic, what is read is a certificate,
//! and no line that a stranger sent before changes the address that a proxy added.
#![no_main]

use std::net::IpAddr;
use std::sync::LazyLock;

use grantd::crypto::certificates::{CertificateChain, MOST_CERTIFICATES};
use grantd::domain::forwarded_fault::ForwardedFault;
use grantd::domain::proxy::{AddressHeader, CertificateHeader, TrustedProxies};
use grantd::http::forwarded::{address, client_cert, xfcc};
use libfuzzer_sys::fuzz_target;

static PROXIES: LazyLock<TrustedProxies> = LazyLock::new(|| TrustedProxies {
    networks: vec!["10.0.0.0/8".parse().unwrap(), "fd00::/8".parse().unwrap()],
    thumbprints: Vec::new(),
    secret: None,
    certificate_header: CertificateHeader::ClientCert,
    address_header: AddressHeader::Forwarded,
});

/// One of the two forms of addresses.
type Source = fn(&[&[u8]]) -> Result<IpAddr, ForwardedFault>;

fuzz_target!(|bytes: &[u8]| {
    let lines: Vec<&[u8]> = bytes.split(|byte| *byte == b'\n').collect();
    let Some((first, rest)) = lines.split_first() else { return };
    check_chain(client_cert::read(first, rest.iter().copied()));
    check_chain(xfcc::read(first));
    for source in [x_forwarded_for as Source, forwarded as Source] {
        let Ok(address) = source(rest) else { continue };
        match source(&lines) {
            Ok(with_first) => assert!(with_first == address || PROXIES.includes(address)),
            // The line itself may have no form at all.
            Err(fault) => assert_eq!(fault, ForwardedFault::Address),
        }
    }
});

fn check_chain(read: Result<CertificateChain, ForwardedFault>) {
    match read {
        Ok(chain) => {
            assert_eq!(chain.thumbprint().len(), 43);
            assert!((1..=MOST_CERTIFICATES).contains(&chain.number()));
        }
        Err(fault) => assert!(!fault.to_string().is_empty() && !fault.remedy().is_empty()),
    }
}

fn x_forwarded_for(lines: &[&[u8]]) -> Result<IpAddr, ForwardedFault> {
    address::last_stranger(address::list(lines.iter().copied())?, &PROXIES)
}

fn forwarded(lines: &[&[u8]]) -> Result<IpAddr, ForwardedFault> {
    address::last_stranger(address::elements(lines.iter().copied())?, &PROXIES)
}
