//! Keys, hashes, signatures and the strict reading of JOSE: one file per package that it wraps.

pub mod certificates;
pub mod client_key;
pub mod compact;
pub mod digest;
pub mod dpop_proof;
pub mod hashing_pool;
pub mod jws;
pub mod key_set;
pub mod opaque_token;
pub mod process_key;
pub mod public_jwk;
pub mod public_key_pem;
pub mod random;
pub mod rsa_weakness;
pub mod sealing;
pub mod secret_hash;
pub mod strict_json;
