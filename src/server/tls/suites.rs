//! The cipher suites of each profile (RFC 9325 section 4.2, FAPI 2.0 Security Profile section 5.2.2).

use rustls::CipherSuite;
use rustls::crypto::{CryptoProvider, aws_lc_rs};

use crate::domain::profile::Profile;

/// What RFC 9325 section 4.2 recommends for TLS 1.2.
const RECOMMENDED: [CipherSuite; 4] = [
    CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
    CipherSuite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
    CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
    CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
];

/// rustls's suites, which all have forward secrecy and authenticated encryption.
///
/// FAPI permits a server of TLS 1.2 no suite but the recommended ones. That leaves out `ChaCha20-Poly1305`, which the
/// RFC allows and other servers lose nothing by: clients without AES in hardware choose it. TLS 1.3 has all of its
/// suites in both profiles.
pub(super) fn provider(profile: Profile) -> CryptoProvider {
    let mut provider = aws_lc_rs::default_provider();
    if profile == Profile::Fapi2 {
        provider
            .cipher_suites
            .retain(|suite| suite.tls13().is_some() || RECOMMENDED.contains(&suite.suite()));
    }
    provider
}

#[cfg(test)]
mod tests {
    use super::*;

    fn suites(profile: Profile) -> Vec<String> {
        let suites = provider(profile).cipher_suites;
        let mut names: Vec<_> = suites
            .iter()
            .filter_map(|it| it.suite().as_str().map(str::to_owned))
            .collect();
        assert_eq!(names.len(), suites.len());
        names.sort();
        names
    }

    #[test]
    fn fapi2_has_the_recommended_suites_of_tls12_and_all_of_tls13() {
        let both = [
            "TLS13_AES_128_GCM_SHA256",
            "TLS13_AES_256_GCM_SHA384",
            "TLS13_CHACHA20_POLY1305_SHA256",
            "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
            "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
            "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
            "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
        ];
        assert_eq!(suites(Profile::Fapi2), both);
        let others: Vec<_> = suites(Profile::Default)
            .into_iter()
            .filter(|suite| !both.contains(&suite.as_str()))
            .collect();
        assert_eq!(
            others,
            [
                "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
                "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
            ]
        );
    }
}
