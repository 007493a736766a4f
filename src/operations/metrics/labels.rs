//! The values of labels that several families have.

/// Of everything past a bound.
pub(in crate::operations) const OTHER: &str = "(other)";
/// The endpoints, as a decision names them.
pub(in crate::operations) const TOKEN: &str = "token";
pub(super) const INTROSPECTION: &str = "introspection";
pub(super) const REVOCATION: &str = "revocation";
