//! Client certificates (RFC 8705) from any bytes, DER one after the other or PEM: no panic, and whatever a stranger
//! sends has a thumbprint, but no path to a CA and no name that it does not bear.
#![no_main]

use std::sync::LazyLock;

use grantd::crypto::certificates::authorities::ClientCas;
use grantd::crypto::certificates::{CertificateChain, MOST_BYTES, MOST_CERTIFICATES};
use grantd::domain::credential::{SubjectKind, SubjectName};
use grantd::domain::timestamp::Timestamp;
use libfuzzer_sys::fuzz_target;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;

/// 2030-01-01T00:00:00Z, at which the seeds are valid.
const NOW: i64 = 1_893_456_000;

/// The CA of the seed `chain`.
static CAS: LazyLock<ClientCas> = LazyLock::new(|| {
    let mut cas = ClientCas::none();
    cas.add_pem(include_bytes!("../seeds/certificate/authority")).unwrap();
    cas
});

/// The leaf of the seed `chain`, which is good in every respect: so what is asserted below can be reached.
static GOOD_LEAF: LazyLock<String> = LazyLock::new(|| {
    let certificates = one_after_the_other(include_bytes!("../seeds/certificate/chain"));
    let chain = CertificateChain::new(&certificates).unwrap();
    let now = Timestamp::from_unix(NOW);
    assert!(certificates.len() == 2 && CAS.check(&chain, now).is_ok());
    assert!(chain.check_alone(now).is_ok());
    assert!(SUBJECTS.iter().all(|subject| chain.check_subject(subject).is_ok()));
    chain.thumbprint().to_owned()
});

/// What is registered: one of each kind, which the seed bears.
static SUBJECTS: LazyLock<Vec<SubjectName>> = LazyLock::new(|| {
    [
        (SubjectKind::Dn, "CN=leaf,O=Example"),
        (SubjectKind::Dns, "leaf.example"),
        (SubjectKind::Uri, "spiffe://example/leaf"),
        (SubjectKind::Ip, "192.0.2.1"),
        (SubjectKind::Email, "leaf@example.com"),
    ]
    .into_iter()
    .map(|(kind, value)| SubjectName { kind, value: value.to_owned() })
    .collect()
});

fuzz_target!(|bytes: &[u8]| {
    let now = Timestamp::from_unix(NOW);
    LazyLock::force(&GOOD_LEAF);
    let mut cas = ClientCas::none();
    let added = cas.add_pem(bytes);
    let pem: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(bytes).collect();
    let certificates = match pem {
        Ok(certificates) if !certificates.is_empty() => certificates,
        _ => one_after_the_other(bytes),
    };
    let Ok(chain) = CertificateChain::new(&certificates) else {
        let size = certificates.iter().map(|it| it.len()).sum::<usize>();
        let number = certificates.len();
        return assert!(number == 0 || number > MOST_CERTIFICATES || size > MOST_BYTES);
    };
    assert_eq!(chain.thumbprint().len(), 43);
    let _ = chain.check_alone(now);
    for subject in &*SUBJECTS {
        let _ = chain.check_subject(subject);
    }
    if added.is_ok() {
        let _ = cas.check(&chain, now);
    }
    if CAS.check(&chain, now).is_ok() {
        assert_eq!(chain.thumbprint(), *GOOD_LEAF, "another certificate of this CA was forged");
    }
});

/// Takes DER apart by the lengths that it names; the last one is what is left.
fn one_after_the_other(mut rest: &[u8]) -> Vec<CertificateDer<'_>> {
    let mut found = Vec::new();
    while !rest.is_empty() {
        let named = match rest {
            [0x30, 0x82, high, low, ..] => 4 + usize::from(u16::from_be_bytes([*high, *low])),
            _ => rest.len(),
        };
        let (one, others) = rest.split_at(named.min(rest.len()));
        found.push(CertificateDer::from(one));
        rest = others;
    }
    found
}
