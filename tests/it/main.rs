//! All integration tests, as one binary: linking is most of what such a binary costs.

// Under `cfg(test)` clippy knows the functions that serve tests as test code, too.
#[cfg(test)]
mod abuse;
#[cfg(test)]
mod access_matrix;
#[cfg(test)]
mod apply;
#[cfg(test)]
mod assertion;
#[cfg(test)]
mod audit;
#[cfg(test)]
mod background;
#[cfg(test)]
mod caching_verifier;
#[cfg(test)]
mod captured_log;
#[cfg(test)]
mod catalogs;
#[cfg(test)]
mod chaos_proxy;
#[cfg(test)]
mod cli;
#[cfg(test)]
mod clocks;
#[cfg(test)]
mod cluster;
#[cfg(test)]
mod commands;
#[cfg(test)]
mod control;
#[cfg(test)]
mod decision;
#[cfg(test)]
mod deployment;
#[cfg(test)]
mod dpop;
#[cfg(test)]
mod exchange;
#[cfg(test)]
mod explain;
#[cfg(test)]
mod export;
#[cfg(test)]
mod extra_claims;
#[cfg(test)]
mod fapi2;
#[cfg(test)]
mod federation;
#[cfg(test)]
mod forgery;
#[cfg(test)]
mod harness;
#[cfg(test)]
mod identities;
#[cfg(test)]
mod introspect;
#[cfg(test)]
mod issuers;
#[cfg(test)]
mod jwks;
#[cfg(test)]
mod key_sources;
#[cfg(test)]
mod keys;
#[cfg(test)]
mod killed_tokens;
#[cfg(test)]
mod last_look;
#[cfg(test)]
mod layering;
#[cfg(test)]
mod metadata;
#[cfg(test)]
mod metrics;
#[cfg(test)]
mod mtls;
#[cfg(test)]
mod opaque;
#[cfg(test)]
mod outage;
#[cfg(test)]
mod page_block;
#[cfg(test)]
mod page_code;
#[cfg(test)]
mod page_output;
#[cfg(test)]
mod pages;
#[cfg(test)]
mod place;
#[cfg(test)]
mod process;
#[cfg(test)]
mod raw_sql;
#[cfg(test)]
mod readme;
#[cfg(test)]
mod redaction;
#[cfg(test)]
mod resilience;
#[cfg(test)]
mod resource_server;
#[cfg(test)]
mod restore;
#[cfg(test)]
mod revoke;
#[cfg(test)]
mod runbooks;
#[cfg(test)]
mod running;
#[cfg(test)]
mod serve;
#[cfg(test)]
mod signed_introspection;
#[cfg(test)]
mod site;
#[cfg(test)]
mod source_tree;
#[cfg(test)]
mod standards;
#[cfg(test)]
mod stop;
#[cfg(test)]
mod store;
#[cfg(test)]
mod token;
#[cfg(test)]
mod usage;
#[cfg(test)]
mod vectors;
#[cfg(test)]
mod verify_api;
#[cfg(test)]
mod whole_answers;
#[cfg(test)]
mod workloads;
#[cfg(test)]
mod wycheproof;
