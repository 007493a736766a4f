//! The command line, by the real binary, as a new user meets it.

mod administration;
mod catalog_files;
mod check_config;
mod checks;
pub(crate) mod data;
mod files;
mod keys;
mod manners;
mod plan;
mod screen;
mod start;
mod verdicts;

pub(crate) use data::CATALOG;
