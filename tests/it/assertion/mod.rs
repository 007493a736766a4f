//! `private_key_jwt`: RFC 7521, RFC 7523, and the attacks on assertions.

mod claims;
mod durability;
mod floods;
mod flow;
mod jose;
mod keys;
mod killed;
mod mutations;
mod replay;
mod rsa_mutations;
mod sha384;
mod signature;
pub(crate) mod signer;
