//! The `grantd` binary.

fn main() {}
