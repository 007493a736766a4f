//! `private_key_jwt`: RFC 7521, RFC 7523, and the attacks on assertions.

mod flow;
mod replay;
pub(crate) mod signer;
