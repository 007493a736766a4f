//! Against published vectors and another implementation.

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED_SIGNING, ECDSA_P521_SHA512_FIXED_SIGNING,
    ED25519, KeyPair as _, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA384, RSA_PKCS1_SHA512,
    RSA_PSS_2048_8192_SHA256, RSA_PSS_SHA384, RsaEncoding, RsaKeyPair, RsaPublicKeyComponents,
    UnparsedPublicKey,
};

use super::*;
use crate::crypto::compact::CompactJws;
use crate::crypto::digest::decode_base64url;

/// RFC 7515 appendix A.2: RS256.
const A2_KEY: &str = r#"{"kty":"RSA","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ","e":"AQAB"}"#;
const A2: &str = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw";
/// RFC 7515 appendix A.3: ES256.
const A3_KEY: &str = r#"{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}"#;
const A3: &str = "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
/// RFC 8037 appendix A.4: `EdDSA`. Its payload is no JSON.
const A4_KEY: &str =
    r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
const A4: &str = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";

const VECTORS: [(SigningAlgorithm, &str, &str); 3] = [
    (SigningAlgorithm::Rs256, A2_KEY, A2),
    (SigningAlgorithm::Es256, A3_KEY, A3),
    (SigningAlgorithm::EdDsa, A4_KEY, A4),
];

fn split(jws: &str) -> (&[u8], Vec<u8>) {
    let (input, signature) = jws.rsplit_once('.').unwrap();
    (input.as_bytes(), decode_base64url(signature).unwrap())
}

fn verifier(algorithm: SigningAlgorithm, key: &str) -> Verifier {
    Verifier::new(algorithm, &PublicJwk::parse(key).unwrap()).unwrap()
}

#[test]
fn the_standards_signatures_verify_and_no_flipped_bit_does() {
    for (algorithm, key, jws) in VECTORS {
        let verifier = verifier(algorithm, key);
        let (input, signature) = split(jws);
        assert!(verifier.verify(input, &signature), "{algorithm}");
        for place in (0..signature.len() * 8).step_by(7) {
            let mut flipped = signature.clone();
            flipped[place / 8] ^= 1 << (place % 8);
            assert!(!verifier.verify(input, &flipped), "{algorithm} {place}");
        }
        let mut other = input.to_vec();
        other[30] ^= 1;
        assert!(!verifier.verify(&other, &signature));
        assert!(!verifier.verify(&[], &[]));
    }
}

/// JOSE-08.
#[test]
fn an_es256_signature_is_64_octets_in_range() {
    let verifier = verifier(SigningAlgorithm::Es256, A3_KEY);
    let (input, signature) = split(A3);
    let (r, s) = signature.split_at(32);
    let integer = |n: &[u8]| {
        let zero = usize::from(n[0] >= 0x80);
        [
            &[2, u8::try_from(n.len() + zero).unwrap()],
            &vec![0; zero][..],
            n,
        ]
        .concat()
    };
    let body = [integer(r), integer(s)].concat();
    let der = [&[0x30, u8::try_from(body.len()).unwrap()], &body[..]].concat();
    assert!(!verifier.verify(input, &der));
    // The order n of P-256, FIPS 186-4 D.1.2.3.
    let order = decode_base64url("_____wAAAAD__________7zm-q2nF56E87nKwvxjJVE").unwrap();
    for wrong in [
        signature[..63].to_vec(),
        [&signature[..], &[0]].concat(),
        [&[0], &signature[..]].concat(),
        vec![0; 64],
        [&[0; 32], s].concat(),
        [r, &[0; 32]].concat(),
        [order.as_slice(), s].concat(),
        [r, order.as_slice()].concat(),
        vec![0xff; 64],
    ] {
        assert!(!verifier.verify(input, &wrong), "{} octets", wrong.len());
    }
}

#[test]
fn a_key_verifies_only_its_own_algorithm_and_its_own_signatures() {
    for (algorithm, key, _) in VECTORS {
        let key = PublicJwk::parse(key).unwrap();
        for other in AcceptedAlgorithm::ALL
            .into_iter()
            .filter(|other| !key.fits(*other))
        {
            assert_eq!(
                Verifier::new(other, &key).unwrap_err(),
                JwsError::PublicKey(other)
            );
        }
        let new = generate(algorithm).unwrap();
        let signer = Signer::from_private(algorithm, &new.kid, &new.private).unwrap();
        let jws = signer.sign_compact(JwtTyp::Jwt, b"{}").unwrap();
        let (input, signature) = split(&jws);
        assert!(
            !Verifier::new(algorithm, &key)
                .unwrap()
                .verify(input, &signature)
        );
    }
    // One RSA key, two algorithms: the padding tells them apart.
    let (input, signature) = split(A2);
    assert!(!verifier(SigningAlgorithm::Ps256, A2_KEY).verify(input, &signature));
}

#[test]
fn a_point_beside_the_curve_is_no_key() {
    let beside = PublicJwk::P256 {
        x: [1; 32],
        y: [1; 32],
    };
    let made = Verifier::new(SigningAlgorithm::Es256, &beside);
    assert_eq!(
        made.unwrap_err(),
        JwsError::PublicKey(SigningAlgorithm::Es256.into())
    );
}

/// Whether an implementation other than josekit accepts it.
fn verified_by_aws_lc(algorithm: SigningAlgorithm, key: &PublicJwk, jws: &str) -> bool {
    let (input, signature) = split(jws);
    match key {
        PublicJwk::P256 { x, y } => {
            let point = [&[4], x.as_slice(), y].concat();
            let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point);
            key.verify(input, &signature).is_ok()
        }
        PublicJwk::P384 { .. } | PublicJwk::P521 { .. } => unreachable!("no key of ours"),
        PublicJwk::Ed25519 { x } => UnparsedPublicKey::new(&ED25519, x)
            .verify(input, &signature)
            .is_ok(),
        PublicJwk::Rsa { n, e } => {
            let parameters = match algorithm {
                SigningAlgorithm::Ps256 => &RSA_PSS_2048_8192_SHA256,
                _ => &RSA_PKCS1_2048_8192_SHA256,
            };
            RsaPublicKeyComponents { n, e }
                .verify(parameters, input, &signature)
                .is_ok()
        }
    }
}

#[test]
fn what_is_signed_is_verified_by_another_implementation() {
    for algorithm in SigningAlgorithm::ALL {
        let new = generate(algorithm).unwrap();
        assert_eq!(new.kid, new.public_jwk.thumbprint());
        let signer = Signer::from_private(algorithm, &new.kid, &new.private).unwrap();
        let verifier = Verifier::new(algorithm, &new.public_jwk).unwrap();
        for typ in [JwtTyp::AccessToken, JwtTyp::Jwt] {
            let text = signer.sign_compact(typ, br#"{"sub":"a"}"#).unwrap();
            assert!(
                verified_by_aws_lc(algorithm, &new.public_jwk, &text),
                "{algorithm}"
            );
            let read = CompactJws::parse(&text).unwrap();
            assert!(verifier.verify(read.signing_input(), read.signature()));
            assert_eq!(read.alg(), algorithm.as_str());
            assert_eq!(read.kid(), Some(new.kid.as_str()));
            assert_eq!(read.typ(), Some(typ.as_str()));
            assert_eq!(read.header().len(), 3);
            assert_eq!(read.claims()["sub"], "a");
        }
    }
}

/// FED-19: what others sign with SHA-384 and SHA-512, made by AWS-LC; the padding, the hash and the curve tell them
/// apart.
#[test]
fn signatures_with_longer_hashes_verify_under_their_own_algorithm_only() {
    let input = b"header.claims";
    let random = SystemRandom::new();
    let pair = EcdsaKeyPair::generate(&ECDSA_P384_SHA384_FIXED_SIGNING).unwrap();
    let (x, y) = pair.public_key().as_ref()[1..].split_at(48);
    let on_curve = PublicJwk::P384 {
        x: x.try_into().unwrap(),
        y: y.try_into().unwrap(),
    };
    let longer = EcdsaKeyPair::generate(&ECDSA_P521_SHA512_FIXED_SIGNING).unwrap();
    let (x, y) = longer.public_key().as_ref()[1..].split_at(66);
    let on_longest = PublicJwk::P521 {
        x: x.try_into().unwrap(),
        y: y.try_into().unwrap(),
    };
    let new = generate(SigningAlgorithm::Rs256).unwrap();
    let rsa = RsaKeyPair::from_pkcs8(&new.private).unwrap();
    let by_rsa = |padding: &'static dyn RsaEncoding| {
        let mut signature = vec![0; rsa.public_modulus_len()];
        rsa.sign(padding, &random, input, &mut signature).unwrap();
        signature
    };
    let made = [
        (
            AcceptedAlgorithm::Es384,
            &on_curve,
            pair.sign(&random, input).unwrap().as_ref().to_vec(),
        ),
        (
            AcceptedAlgorithm::Rs384,
            &new.public_jwk,
            by_rsa(&RSA_PKCS1_SHA384),
        ),
        (
            AcceptedAlgorithm::Ps384,
            &new.public_jwk,
            by_rsa(&RSA_PSS_SHA384),
        ),
        (
            AcceptedAlgorithm::Es512,
            &on_longest,
            longer.sign(&random, input).unwrap().as_ref().to_vec(),
        ),
        (
            AcceptedAlgorithm::Rs512,
            &new.public_jwk,
            by_rsa(&RSA_PKCS1_SHA512),
        ),
    ];
    for (algorithm, key, signature) in &made {
        for other in AcceptedAlgorithm::ALL
            .into_iter()
            .filter(|it| key.fits(*it))
        {
            let verifier = Verifier::new(other, key).unwrap();
            assert_eq!(
                verifier.verify(input, signature),
                other == *algorithm,
                "{algorithm} {other}"
            );
            assert!(!verifier.verify(b"header.other", signature));
        }
    }
}

/// JOSE-02: about one P-256 key in 128 has a coordinate with a leading zero octet.
#[test]
fn every_new_key_has_coordinates_in_full_width() {
    for _ in 0..500 {
        let new = generate(SigningAlgorithm::Es256).unwrap();
        let json = new.public_jwk.to_json(&new.kid, SigningAlgorithm::Es256);
        assert_eq!(json["x"].as_str().unwrap().len(), 43);
        assert_eq!(json["y"].as_str().unwrap().len(), 43);
    }
}

#[test]
fn the_private_key_is_pkcs8_and_hidden() {
    for algorithm in SigningAlgorithm::ALL {
        let new = generate(algorithm).unwrap();
        // SEQUENCE, then the version 0 and the algorithm's SEQUENCE.
        let version = new
            .private
            .windows(4)
            .position(|bytes| bytes == [2, 1, 0, 0x30]);
        assert!(version.is_some_and(|place| place <= 4), "{algorithm}");
        let signer = Signer::from_private(algorithm, &new.kid, &new.private).unwrap();
        assert!(!format!("{new:?} {signer:?}").contains("private"));
    }
    for garbage in [b"".as_slice(), b"garbage", &[0x30, 0x80], &[0xff; 64]] {
        for algorithm in SigningAlgorithm::ALL {
            let made = Signer::from_private(algorithm, "kid", garbage);
            assert_eq!(made.unwrap_err(), JwsError::PrivateKey(algorithm));
        }
    }
}

#[test]
fn a_private_key_serves_only_its_algorithm() {
    let new = generate(SigningAlgorithm::EdDsa).unwrap();
    for other in [
        SigningAlgorithm::Es256,
        SigningAlgorithm::Rs256,
        SigningAlgorithm::Ps256,
    ] {
        assert!(Signer::from_private(other, &new.kid, &new.private).is_err());
    }
}

const fn is_shared<T: Send + Sync>() {}
const _: () = is_shared::<Signer>();
const _: () = is_shared::<Verifier>();

/// One thumbprint in 64 does.
#[test]
fn no_kid_begins_with_a_hyphen() {
    for _ in 0..500 {
        let new = generate(SigningAlgorithm::EdDsa).unwrap();
        assert!(!new.kid.starts_with('-'), "{}", new.kid);
    }
}
