//! C02: what Wycheproof's vectors do to signatures of RSA (RFC 8017), done to a real assertion and sent.

use grantd::crypto::digest::decode_base64url;
use grantd::domain::algorithm::SigningAlgorithm;
use openssl::bn::BigNum;
use openssl::hash::{MessageDigest, hash};
use openssl::pkey::{PKey, Private};
use openssl::rsa::{Padding, Rsa};
use openssl::sign::Signer;

use super::mutations::{flipped, input, with};
use super::signer::{Key, assert_refused, catalog, token};
use crate::harness::{Env, Replica, on_both};
use crate::wycheproof::{Vector, signature_vectors};

/// What `assert_refused` takes at once.
const AT_ONCE: usize = 99;
/// Octets of a modulus of 2048 bits.
const OCTETS: usize = 256;

/// A replica that knows `worker` by an RSA key for RS256 and PS256, and the key without any padding.
async fn rsa_worker(env: &Env) -> (Replica, Key, Rsa<Private>) {
    let key = Key::new(SigningAlgorithm::Rs256);
    env.apply(&catalog(&[&key], "")).await;
    let raw = PKey::private_key_from_pkcs8(key.private())
        .unwrap()
        .rsa()
        .unwrap();
    (env.replica().await, key, raw)
}

/// The signature that comes back as `encoded` when it is verified.
fn unpadded(key: &Rsa<Private>, encoded: &[u8]) -> Vec<u8> {
    let mut signature = vec![0; OCTETS];
    key.private_encrypt(encoded, &mut signature, Padding::NONE)
        .unwrap();
    signature
}

fn sha256(bytes: &[u8]) -> Vec<u8> {
    hash(MessageDigest::sha256(), bytes).unwrap().to_vec()
}

/// What the signature of a vector comes back as, with the hash of `input` in the place of its own, or of as much of
/// that as is left at its beginning or its end; and whether anything was left.
fn transplanted(vector: &Vector, input: &str) -> (Vec<u8>, bool) {
    let number = |name: &str| {
        let octets = decode_base64url(vector.key[name].as_str().unwrap()).unwrap();
        BigNum::from_slice(&octets).unwrap()
    };
    let key = Rsa::from_public_components(number("n"), number("e")).unwrap();
    let (signed, signature) = vector.jws.rsplit_once('.').unwrap();
    let mut encoded = vec![0; OCTETS];
    let signature = decode_base64url(signature).unwrap();
    key.public_decrypt(&signature, &mut encoded, Padding::NONE)
        .unwrap();
    let (theirs, ours) = (sha256(signed.as_bytes()), sha256(input.as_bytes()));
    let most = (8..=32)
        .rev()
        .flat_map(|length| [(0, length), (32 - length, 32)]);
    for (from, to) in most {
        let part = &theirs[from..to];
        if let Some(place) = encoded
            .windows(part.len())
            .position(|window| window == part)
        {
            encoded[place..place + part.len()].copy_from_slice(&ours[from..to]);
            return (encoded, true);
        }
    }
    (encoded, false)
}

/// EMSA-PSS of RFC 8017 section 9.1.1, each step of which can be done in another way.
struct Pss {
    /// What is hashed first; eight zeros by rights.
    zeros: [u8; 8],
    message_hash: Vec<u8>,
    salt: Vec<u8>,
    /// The hash of all, and the one that makes the mask.
    hashes: [MessageDigest; 2],
    /// Changes the block before it is masked.
    block: fn(&mut [u8]),
    /// Changes the result.
    result: fn(&mut [u8]),
}

impl Pss {
    fn of(input: &str) -> Self {
        Self {
            zeros: [0; 8],
            message_hash: sha256(input.as_bytes()),
            salt: vec![7; 32],
            hashes: [MessageDigest::sha256(); 2],
            block: |_| (),
            result: |_| (),
        }
    }

    fn encoded(&self) -> Vec<u8> {
        let hashed = [&self.zeros[..], &self.message_hash, &self.salt].concat();
        let hashed = hash(self.hashes[0], &hashed).unwrap();
        let length = OCTETS - hashed.len() - 1;
        let mut block = vec![0; length - self.salt.len() - 1];
        block.push(1);
        block.extend(&self.salt);
        (self.block)(&mut block);
        let mask = (0_u32..).flat_map(|counter| {
            let seed = [&hashed[..], &counter.to_be_bytes()].concat();
            hash(self.hashes[1], &seed).unwrap().to_vec()
        });
        let mut encoded: Vec<u8> = block
            .iter()
            .zip(mask)
            .map(|(octet, mask)| octet ^ mask)
            .collect();
        encoded[0] &= 0x7f;
        encoded.extend(&*hashed);
        encoded.push(0xbc);
        (self.result)(&mut encoded);
        encoded
    }
}

/// Encodings for PS256 that a lenient verifier may take.
fn wrong_pss(input: &str) -> Vec<Pss> {
    let good = || Pss::of(input);
    let message_hash = sha256(input.as_bytes());
    let mut wrong: Vec<Pss> = [(0, 1), (3, 0x80), (16, 0xff), (31, 1)]
        .map(|(place, mask)| Pss {
            message_hash: flipped(&message_hash, place, mask),
            ..good()
        })
        .into();
    wrong.extend([0, 1, 20, 31, 33, 48, 64].map(|length| Pss {
        salt: vec![7; length],
        ..good()
    }));
    wrong
        .extend([[1; 8], [0, 0, 0, 0, 0, 0, 0, 1], [0xff; 8]].map(|zeros| Pss { zeros, ..good() }));
    for other in [
        MessageDigest::sha1(),
        MessageDigest::sha384(),
        MessageDigest::sha512(),
    ] {
        let message_hash = hash(other, input.as_bytes()).unwrap().to_vec();
        wrong.push(Pss {
            message_hash: message_hash.clone(),
            ..good()
        });
        wrong.push(Pss {
            hashes: [MessageDigest::sha256(), other],
            ..good()
        });
        wrong.push(Pss {
            hashes: [other; 2],
            ..good()
        });
        wrong.push(Pss {
            hashes: [other; 2],
            message_hash,
            ..good()
        });
    }
    let blocks: [fn(&mut [u8]); 8] = [
        |block| block[0] |= 1,
        |block| block[1] = 1,
        |block| block[100] = 0xff,
        |block| block[189] = 1,
        |block| block[190] = 0,
        |block| block[190] = 2,
        |block| block[191] ^= 1,
        |block| block[222] ^= 1,
    ];
    wrong.extend(blocks.map(|block| Pss { block, ..good() }));
    let results: [fn(&mut [u8]); 7] = [
        |encoded| encoded[5] ^= 1,
        |encoded| encoded[222] ^= 1,
        |encoded| encoded[223] ^= 1,
        |encoded| encoded[254] ^= 1,
        |encoded| encoded[255] = 0xcc,
        |encoded| encoded[255] = 0xbd,
        |encoded| encoded[255] = 0,
    ];
    wrong.extend(results.map(|result| Pss { result, ..good() }));
    wrong
}

/// Numbers and lengths that no RSA signature has; `good` is one that is right.
fn wrong_numbers(key: &Rsa<Private>, good: &[u8]) -> Vec<Vec<u8>> {
    let modulus = key.n().to_vec();
    let mut before = modulus.clone();
    before[OCTETS - 1] -= 1;
    let not_reduced = &BigNum::from_slice(good).unwrap() + key.n();
    let padded = |value: u8| [vec![0; OCTETS - 1], vec![value]].concat();
    vec![
        padded(0),
        padded(1),
        before,
        modulus,
        not_reduced.to_vec(),
        [&[0], good].concat(),
        [&[0, 0], good].concat(),
        [good, &[0]].concat(),
        [good, &[0, 0]].concat(),
        good[..OCTETS - 2].to_vec(),
        good[1..].to_vec(),
        vec![0; 1],
    ]
}

on_both! {
    /// C02: the 213 paddings of RSA PKCS #1 that are not to the letter, most of which Bleichenbacher's attack of 2006
    /// and its heirs need.
    async fn no_other_padding_of_pkcs1_is_taken(env) {
        let (replica, key, raw) = rsa_worker(&env).await;
        let input = input(&key, "RS256", "1");
        let vectors = signature_vectors();
        let of_rs256 = |it: &&Vector| it.group == "rs256" && it.flags == ["ModifiedPadding"];
        let encodings: Vec<(Vec<u8>, bool)> =
            vectors.iter().filter(of_rs256).map(|vector| transplanted(vector, &input)).collect();
        let without_hash = encodings.iter().filter(|(_, has_hash)| !has_hash).count();
        // Ten end before the digest, or have another element in its place: nothing is left that could be ours.
        assert_eq!((encodings.len(), without_hash), (213, 10));
        let wrong: Vec<String> = encodings
            .iter()
            .map(|(encoded, _)| with(&input, &unpadded(&raw, encoded)))
            .collect();
        for some in wrong.chunks(AT_ONCE) {
            assert_refused(&replica, some).await;
        }
        let right = vectors.iter().find(|it| it.group == "rs256" && it.is_valid).unwrap();
        let right = with(&input, &unpadded(&raw, &transplanted(right, &input).0));
        assert_eq!(token(&replica, &right).await.status, 200, "it is the padding alone");
    }

    /// C02: each step of PSS done in another way, with a salt of any other length, and numbers out of range.
    async fn no_other_encoding_of_pss_is_taken(env) {
        let (replica, key, raw) = rsa_worker(&env).await;
        let text = input(&key, "PS256", "1");
        let mut wrong: Vec<String> = wrong_pss(&text)
            .iter()
            .map(|pss| with(&text, &unpadded(&raw, &pss.encoded())))
            .collect();
        let good = unpadded(&raw, &Pss::of(&text).encoded());
        wrong.extend(wrong_numbers(&raw, &good).iter().map(|number| with(&text, number)));
        assert_refused(&replica, &wrong).await;
        assert_eq!(token(&replica, &with(&text, &good)).await.status, 200);
        for (jti, octet) in [("2", 0), ("3", 0xff)] {
            let text = input(&key, "PS256", jti);
            let pss = Pss { salt: vec![octet; 32], ..Pss::of(&text) };
            let good = with(&text, &unpadded(&raw, &pss.encoded()));
            assert_eq!(token(&replica, &good).await.status, 200, "a salt is any");
        }
    }

    /// C02 JOSE-13: numbers out of range for RS256, and the algorithms of RSA that are none of ours, under their own
    /// names and under those of ours.
    async fn an_rsa_signature_of_another_kind_is_refused(env) {
        let (replica, key, raw) = rsa_worker(&env).await;
        let text = input(&key, "RS256", "1");
        let good = key.sign_bytes(text.as_bytes());
        let mut wrong: Vec<String> =
            wrong_numbers(&raw, &good).iter().map(|number| with(&text, number)).collect();
        let pair = PKey::from_rsa(raw).unwrap();
        for (bits, digest) in [
            ("384", MessageDigest::sha384()),
            ("512", MessageDigest::sha512()),
            ("1", MessageDigest::sha1()),
        ] {
            for (name, padding) in [("RS", Padding::PKCS1), ("PS", Padding::PKCS1_PSS)] {
                let own = format!("{name}{bits}");
                // Under their own names RS384 and PS384 are ours.
                let own = (bits != "384").then_some(own.as_str());
                for alg in own.into_iter().chain(["RS256", "PS256"]) {
                    let text = input(&key, alg, "1");
                    let mut signer = Signer::new(digest, &pair).unwrap();
                    signer.set_rsa_padding(padding).unwrap();
                    wrong.push(with(&text, &signer.sign_oneshot_to_vec(text.as_bytes()).unwrap()));
                }
            }
        }
        assert_refused(&replica, &wrong).await;
        assert_eq!(token(&replica, &with(&text, &good)).await.status, 200);
    }
}
