//! What an operator writes: the server's settings and the catalog. Both are strict, and every fault
//! names its file and line.

pub mod absent_secrets;
pub mod catalog;
mod document;
pub mod fault;
pub mod file;
mod json_document;
pub mod settings;
mod shaped;
mod value;

pub use fault::{ConfigError, Fault, Place, Problem};
