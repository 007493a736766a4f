//! The headers of proxies from any bytes, a line each: `Client-Cert` with its chain (RFC 9440), Envoy's
//! `X-Forwarded-Client-Cert`, `X-Forwarded-For` and `Forwarded` (RFC 7239). No panic, what is read is a certificate,
//! and nothing that a stranger sent before, lines or the beginning of a line, changes the address that a proxy added.
#![no_main]

use std::net::{IpAddr, Ipv4Addr};
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
    for (source, added) in
        [(x_forwarded_for as Source, ADDED), (forwarded as Source, ADDED_ELEMENT)]
    {
        let line = [first, b", ".as_slice(), added.as_bytes()].concat();
        assert!(source(&[&line]).is_ok_and(|it| it == PROXIED) || source(&[&line]).is_err());
    }
});

/// What a proxy adds to a line of a stranger's, in both forms.
const ADDED: &str = "203.0.113.7";
const ADDED_ELEMENT: &str = "for=203.0.113.7;proto=https";
const PROXIED: IpAddr = IpAddr::V4(Ipv4Addr::new(203, 0, 113, 7));

fn check_chain(read: Result<CertificateChain, ForwardedFault>) {
    match read {
        Ok(chain) => {
            assert_eq!(chain.thumbprint().len(), 43);
            assert!((1..=MOST_CERTIFICATES).contains(&chain.number()));
        }
        Err(fault) => {
            let (found, remedy) = fault.explain();
            assert!(!found.is_empty() && !remedy.is_empty());
        }
    }
}

fn x_forwarded_for(lines: &[&[u8]]) -> Result<IpAddr, ForwardedFault> {
    address::last_stranger(address::list(lines.iter().copied())?, &PROXIES)
}

fn forwarded(lines: &[&[u8]]) -> Result<IpAddr, ForwardedFault> {
    address::last_stranger(address::elements(lines.iter().copied())?, &PROXIES)
}
