//! Chains that hold and that do not. The files of `testdata` are what rcgen cannot make: short keys, weak
//! signatures, and unusual names; their keys were thrown away.

use std::net::IpAddr;

use proptest::prelude::*;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, GeneralSubtree, IsCa,
    Issuer, KeyPair, KeyUsagePurpose, NameConstraints, SanType,
};
use rustls::pki_types::pem::PemObject as _;
use time::{Duration, OffsetDateTime};

use super::authorities::{ClientCas, InvalidCas};
use super::*;
use crate::domain::credential::SubjectKind;

/// Now, in all of these tests: 2030-01-01T00:00:00Z.
const NOW: i64 = 1_893_456_000;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix(NOW + seconds)
}

fn file(text: &str) -> CertificateChain {
    CertificateChain::new(&[CertificateDer::from_pem_slice(text.as_bytes()).unwrap()]).unwrap()
}

/// Valid from an hour before now to an hour after.
fn params(name: &str) -> CertificateParams {
    let now = OffsetDateTime::from_unix_timestamp(NOW).unwrap();
    let mut params = CertificateParams::default();
    params.not_before = now - Duration::hours(1);
    params.not_after = now + Duration::hours(1);
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params
}

fn leaf() -> CertificateParams {
    let mut params = params("leaf");
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    params
}

fn ca(name: &str) -> CertificateParams {
    let mut params = params(name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    params
}

fn self_signed(params: &CertificateParams) -> CertificateChain {
    let certificate = params.self_signed(&KeyPair::generate().unwrap()).unwrap();
    CertificateChain::new(&[certificate.der().clone()]).unwrap()
}

/// A CA, perhaps one between, and a leaf; and what the CAs say of it at `now`.
struct Path {
    root: CertificateParams,
    between: Option<CertificateParams>,
    leaf: CertificateParams,
}

impl Path {
    fn good() -> Self {
        Self {
            root: ca("root"),
            between: None,
            leaf: leaf(),
        }
    }

    fn check(&self, now: Timestamp) -> Result<(), CertificateFault> {
        let (root_key, between_key) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
        let leaf_key = KeyPair::generate().unwrap();
        let root = self.root.self_signed(&root_key).unwrap();
        let root_issuer = Issuer::from_params(&self.root, &root_key);
        let mut chain = Vec::new();
        if let Some(between) = &self.between {
            let issuer = Issuer::from_params(between, &between_key);
            chain.push(
                self.leaf
                    .signed_by(&leaf_key, &issuer)
                    .unwrap()
                    .der()
                    .clone(),
            );
            chain.push(
                between
                    .signed_by(&between_key, &root_issuer)
                    .unwrap()
                    .der()
                    .clone(),
            );
        } else {
            chain.push(
                self.leaf
                    .signed_by(&leaf_key, &root_issuer)
                    .unwrap()
                    .der()
                    .clone(),
            );
        }
        trusting(&root.pem()).check(&CertificateChain::new(&chain).unwrap(), now)
    }
}

fn trusting(pem: &str) -> ClientCas {
    let mut cas = ClientCas::none();
    cas.add_pem(pem.as_bytes()).unwrap();
    cas
}

fn is_chain_fault(result: &Result<(), CertificateFault>) -> bool {
    matches!(result, Err(CertificateFault::Chain(_)))
}

/// 8705-05.
#[test]
fn a_registered_leaf_holds_within_its_dates() {
    let chain = self_signed(&ca("its own CA, as openssl makes them"));
    assert_eq!(chain.check_alone(at(0)), Ok(()));
    assert_eq!(chain.check_alone(at(-3600)), Ok(()));
    assert_eq!(
        chain.check_alone(at(-3601)),
        Err(CertificateFault::NotYetValid)
    );
    assert_eq!(chain.check_alone(at(3600)), Ok(()));
    assert_eq!(chain.check_alone(at(3601)), Err(CertificateFault::Expired));
}

/// B-M05.
#[test]
fn short_keys_and_weak_signatures_are_refused() {
    let check = |text| file(text).check_alone(at(0));
    assert_eq!(check(include_str!("testdata/rsa2048.pem")), Ok(()));
    assert_eq!(check(include_str!("testdata/pss.pem")), Ok(()));
    assert_eq!(
        check(include_str!("testdata/rsa1024.pem")),
        Err(CertificateFault::WeakKey)
    );
    for weak in [
        include_str!("testdata/sha1.pem"),
        include_str!("testdata/md5.pem"),
        include_str!("testdata/pss_sha1.pem"),
    ] {
        assert_eq!(check(weak), Err(CertificateFault::WeakSignature));
    }
}

#[test]
fn the_bits_of_a_modulus_are_counted_and_not_its_bytes() {
    for (number, expected) in [
        (&[][..], 0),
        (&[0, 0], 0),
        (&[1], 1),
        (&[0, 0x80], 8),
        (&[0, 0x7f, 0xff], 15),
    ] {
        assert_eq!(bits(number), expected);
    }
}

/// B-M05.
#[test]
fn a_chain_beyond_the_limits_is_none() {
    let leaf = self_signed(&leaf()).certificates[0].clone();
    let with = |number| CertificateChain::new(&vec![leaf.clone(); number]).map(drop);
    assert_eq!(with(0), Err(CertificateFault::Unreadable));
    assert_eq!(with(10), Ok(()));
    assert_eq!(with(11), Err(CertificateFault::TooLarge));
    assert_eq!(with(100), Err(CertificateFault::TooLarge));
    let bytes = |number| CertificateChain::new(&[CertificateDer::from(vec![0; number])]).map(drop);
    assert_eq!(bytes(MOST_BYTES), Ok(()));
    assert_eq!(bytes(MOST_BYTES + 1), Err(CertificateFault::TooLarge));
    assert_eq!(bytes(1 << 20), Err(CertificateFault::TooLarge));
}

/// 8705-02.
#[test]
fn a_path_to_a_client_ca_holds() {
    let mut path = Path::good();
    assert_eq!(path.check(at(0)), Ok(()));
    path.between = Some(ca("between"));
    assert_eq!(path.check(at(0)), Ok(()));
    // RFC 5280 section 4.2.1.12: a certificate that names no usage is for all.
    path.leaf.extended_key_usages.clear();
    assert_eq!(path.check(at(0)), Ok(()));
}

/// B-M05.
#[test]
fn dates_of_the_whole_path_are_judged() {
    assert_eq!(Path::good().check(at(3601)), Err(CertificateFault::Expired));
    assert_eq!(
        Path::good().check(at(-3601)),
        Err(CertificateFault::NotYetValid)
    );
    let mut path = Path {
        between: Some(ca("between")),
        ..Path::good()
    };
    path.between.as_mut().unwrap().not_after =
        OffsetDateTime::from_unix_timestamp(NOW - 1).unwrap();
    assert!(path.check(at(0)).is_err());
    let mut path = Path::good();
    path.root.not_after = OffsetDateTime::from_unix_timestamp(NOW - 1).unwrap();
    assert!(path.check(at(0)).is_err());
}

/// 8705-02: usage, CA as leaf, path length, name constraints (B-M05).
#[test]
fn what_the_path_does_not_allow_is_refused() {
    let mut path = Path::good();
    path.leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    assert!(is_chain_fault(&path.check(at(0))));

    let mut path = Path::good();
    path.leaf.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    assert!(is_chain_fault(&path.check(at(0))));

    let mut path = Path {
        between: Some(ca("between")),
        ..Path::good()
    };
    path.root.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    assert!(is_chain_fault(&path.check(at(0))));

    let mut path = Path {
        between: Some(params("no CA")),
        ..Path::good()
    };
    assert!(is_chain_fault(&path.check(at(0))));

    path.between = Some(ca("between"));
    let constraints = NameConstraints {
        permitted_subtrees: vec![GeneralSubtree::DnsName("example.org".to_owned())],
        excluded_subtrees: Vec::new(),
    };
    path.between.as_mut().unwrap().name_constraints = Some(constraints);
    path.leaf.subject_alt_names = vec![SanType::DnsName("job.example.com".try_into().unwrap())];
    assert!(is_chain_fault(&path.check(at(0))));
    path.leaf.subject_alt_names = vec![SanType::DnsName("job.example.org".try_into().unwrap())];
    assert_eq!(path.check(at(0)), Ok(()));
}

/// B-M04.
#[test]
fn another_ca_of_the_same_name_is_another_ca() {
    let root = ca("root")
        .self_signed(&KeyPair::generate().unwrap())
        .unwrap();
    let (other, key) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
    let params = ca("root");
    let forged = leaf()
        .signed_by(&key, &Issuer::from_params(&params, &other))
        .unwrap();
    let cas = trusting(&root.pem());
    for chain in [
        vec![forged.der().clone()],
        vec![forged.der().clone(), root.der().clone()],
    ] {
        let chain = CertificateChain::new(&chain).unwrap();
        assert!(is_chain_fault(&cas.check(&chain, at(0))));
    }
    assert!(is_chain_fault(&cas.check(&self_signed(&leaf()), at(0))));
    assert!(is_chain_fault(
        &ClientCas::none().check(&self_signed(&leaf()), at(0))
    ));
}

#[test]
fn a_file_without_certificates_is_no_ca_file() {
    let add = |pem: &str| ClientCas::none().add_pem(pem.as_bytes());
    assert_eq!(add(""), Err(InvalidCas::Empty));
    let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    assert_eq!(add(broken), Err(InvalidCas::Unreadable));
    let mut leaf = leaf();
    leaf.is_ca = IsCa::ExplicitNoCa;
    let leaf = leaf.self_signed(&KeyPair::generate().unwrap()).unwrap();
    assert_eq!(add(&leaf.pem()), Err(InvalidCas::NoCa));
}

fn name(kind: SubjectKind, value: &str) -> SubjectName {
    SubjectName {
        kind,
        value: value.to_owned(),
    }
}

fn bears(chain: &CertificateChain, kind: SubjectKind, value: &str) -> bool {
    chain.check_subject(&name(kind, value)).is_ok()
}

fn with_names(names: Vec<SanType>) -> CertificateChain {
    let mut params = params("dns.example");
    params.subject_alt_names = names;
    self_signed(&params)
}

/// 8705-03.
#[test]
fn alternative_names_are_compared_by_kind_and_whole() {
    let ia5 = |text: &str| text.try_into().unwrap();
    let chain = with_names(vec![
        SanType::DnsName(ia5("job.example")),
        SanType::URI(ia5("spiffe://example.org/job")),
        SanType::IpAddress(IpAddr::from([192, 0, 2, 1])),
        SanType::Rfc822Name(ia5("Job@Example.org")),
    ]);
    for (kind, value) in [
        (SubjectKind::Dns, "job.example"),
        (SubjectKind::Dns, "JOB.example"),
        (SubjectKind::Uri, "spiffe://example.org/job"),
        (SubjectKind::Ip, "192.0.2.1"),
        (SubjectKind::Email, "Job@example.ORG"),
    ] {
        assert!(bears(&chain, kind, value), "{value}");
    }
    for (kind, value) in [
        // Never the common name.
        (SubjectKind::Dns, "dns.example"),
        (SubjectKind::Dns, "example"),
        (SubjectKind::Dns, "spiffe://example.org/job"),
        (SubjectKind::Uri, "spiffe://example.org/job/"),
        (SubjectKind::Uri, "SPIFFE://example.org/job"),
        (SubjectKind::Uri, "job.example"),
        (SubjectKind::Ip, "::ffff:192.0.2.1"),
        (SubjectKind::Email, "job@example.org"),
        (SubjectKind::Email, "example.org"),
    ] {
        assert!(!bears(&chain, kind, value), "{value}");
    }
}

/// B-M04.
#[test]
fn a_wildcard_a_nul_and_a_mapped_address_match_nothing_else() {
    let ia5 = |text: &str| text.try_into().unwrap();
    let chain = with_names(vec![
        SanType::DnsName(ia5("*.example")),
        SanType::DnsName(ia5("job.example\0.evil")),
        SanType::IpAddress(
            "::ffff:192.0.2.1"
                .parse::<std::net::Ipv6Addr>()
                .unwrap()
                .into(),
        ),
    ]);
    assert!(!bears(&chain, SubjectKind::Dns, "job.example"));
    assert!(!bears(&chain, SubjectKind::Dns, "a.example"));
    assert!(!bears(&chain, SubjectKind::Ip, "192.0.2.1"));
    let nul = self_signed(&params("a\0b"));
    assert!(!bears(&nul, SubjectKind::Dn, "CN=a"));
    assert!(bears(&nul, SubjectKind::Dn, r"CN=a\00b"));
}

/// 8705-03 (B-M04).
#[test]
fn a_name_with_more_parts_is_another_name() {
    let two = file(include_str!("testdata/two_names.pem"));
    for (value, expected) in [
        ("CN=a", false),
        ("CN=b", false),
        ("CN=b,CN=a", true),
        ("CN=a,CN=b", false),
    ] {
        assert_eq!(bears(&two, SubjectKind::Dn, value), expected, "{value}");
    }
    let multi = file(include_str!("testdata/multi_valued.pem"));
    for (value, expected) in [
        ("CN=a+OU=b,O=o", true),
        ("OU=b+CN=a,O=o", true),
        ("CN=a,OU=b,O=o", false),
        ("CN=a,O=o", false),
        ("O=o,CN=a+OU=b", false),
    ] {
        assert_eq!(bears(&multi, SubjectKind::Dn, value), expected, "{value}");
    }
}

#[test]
fn what_grantd_dev_makes_is_what_the_server_accepts() {
    use made::{CertificateKey, ThrowAwayCa};
    let key = || CertificateKey::generate().unwrap();
    let ca = ThrowAwayCa::new(key());
    let cas = trusting(&ca.certificate(at(0)).unwrap());
    for (kind, value) in [
        (SubjectKind::Dn, "CN=ledger,OU=Payments,O=Example,C=DE"),
        (SubjectKind::Dns, "job.example"),
        (SubjectKind::Uri, "spiffe://example.org/job"),
        (SubjectKind::Ip, "2001:db8::1"),
        (SubjectKind::Email, "job@example.org"),
    ] {
        let name = name(kind, value);
        let chain = file(&ca.client(&key(), &name, at(0)).unwrap());
        assert_eq!(cas.check(&chain, at(0)), Ok(()), "{value}");
        assert_eq!(chain.check_subject(&name), Ok(()), "{value}");
    }
    let server = file(&ca.server(&key(), &["localhost", "::1"], at(0)).unwrap());
    assert!(is_chain_fault(&cas.check(&server, at(0))));
    let own = file(&key().self_signed("ledger", at(0)).unwrap());
    assert_eq!(own.check_alone(at(0)), Ok(()));
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..8), cut in any::<prop::sample::Index>()) {
        let mut der = self_signed(&leaf()).certificates[0].to_vec();
        for (index, byte) in edits {
            let at = index.index(der.len());
            der[at] = byte;
        }
        der.truncate(cut.index(der.len() + 1));
        let chain = CertificateChain::new(&[CertificateDer::from(der)]).unwrap();
        let _ = chain.check_alone(at(0));
        let _ = chain.check_subject(&name(SubjectKind::Dn, "CN=leaf"));
        let _ = ClientCas::none().check(&chain, at(0));
    }
}
