//! What a decision rests on: on proofs, where a client sent a request, or on assumptions, where nobody did and an operator
//! asks what would come of it (OPERATING section 1).
//!
//! The same code decides on both, and is generic in this. What it decides carries the type along, so that nothing is
//! signed on an assumption: signing takes what rests on [`Proven`], and that is made of proofs alone. A client that is
//! assumed is none that has proved itself, and nothing makes one of the other:
//!
//! ```compile_fail
//! # use grantd::operations::authenticate_client::{AssumedClient, AuthenticatedClient};
//! fn as_if_proven(client: AssumedClient) -> AuthenticatedClient {
//!     client
//! }
//! ```

use std::fmt;

use super::caller::ClientCertificate;
use super::dpop::FreshProof;

/// [`Proven`] or [`Assumed`]; there is no third.
pub trait Basis: Copy + fmt::Debug + sealed::Sealed {
    /// What the client holds that a token may be bound to.
    type Held<'a>: Held;
}

/// What a client holds; each is a thumbprint.
pub trait Held {
    /// `x5t#S256` of the certificate on the connection (RFC 8705 section 3.1).
    fn certificate(&self) -> Option<&str>;
    /// `jkt` of the key of a DPoP proof (RFC 9449 section 6.1).
    fn key(&self) -> Option<&str>;
}

/// A client proved it.
#[derive(Clone, Copy, Debug)]
pub enum Proven {}

/// An operator assumes it.
#[derive(Clone, Copy, Debug)]
pub enum Assumed {}

/// What a client showed to hold: by the handshake of its connection, and by a proof that was never used before.
#[derive(Clone, Copy)]
pub struct Shown<'a> {
    /// On the connection.
    pub certificate: Option<&'a ClientCertificate>,
    /// With the request.
    pub proof: Option<&'a FreshProof>,
}

/// What a client is assumed to hold.
#[derive(Clone, Debug, Default)]
pub struct AssumedToHold {
    /// The thumbprint of a certificate, or words in its place where nobody knows it.
    pub certificate: Option<String>,
    /// The thumbprint of a key, or words in its place.
    pub key: Option<String>,
}

impl Basis for Proven {
    type Held<'a> = Shown<'a>;
}

impl Basis for Assumed {
    type Held<'a> = AssumedToHold;
}

impl Held for Shown<'_> {
    fn certificate(&self) -> Option<&str> {
        self.certificate.map(|it| it.chain.thumbprint())
    }

    fn key(&self) -> Option<&str> {
        self.proof.map(|it| it.key().as_str())
    }
}

impl Held for AssumedToHold {
    fn certificate(&self) -> Option<&str> {
        self.certificate.as_deref()
    }

    fn key(&self) -> Option<&str> {
        self.key.as_deref()
    }
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for super::Proven {}
    impl Sealed for super::Assumed {}
}
