//! grantd: an OAuth 2.0 authorization server for machines.
//!
//! The modules stand in the order of their dependence; each imports only what stands above it
//! (`tests/it/layering` holds them to it).

pub mod domain;

pub mod clock;

pub mod crypto;

pub mod config;

pub mod telemetry;

pub mod fetch;

pub mod store;

pub mod operations;

pub mod http;

pub mod server;

pub mod control;

pub mod cli;
