//! What grantd decides, as pure functions and types: no async, no clock, no HTTP, no SQL, no JOSE.

pub mod access_token;
pub mod algorithm;
pub mod audience;
pub mod certificate_fault;
pub mod client;
pub mod client_assertion;
pub mod confirmation;
pub mod credential;
pub mod decision;
pub mod distinguished_name;
pub mod dpop_fault;
pub mod grant_decision;
pub mod identifier;
pub mod issuer;
pub mod known_client;
pub mod numeric_date;
pub mod policy;
pub mod presented;
pub mod profile;
pub mod refusal;
pub mod scope;
pub mod secret_format;
pub mod signing_key;
pub mod target_uri;
pub mod timestamp;
pub mod token_request;
