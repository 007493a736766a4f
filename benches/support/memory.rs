//! The memory that a process holds.

use std::fs;

use crate::support::Running;

/// Its resident set, in MiB; no number where the system does not tell.
pub(crate) fn mebibytes(running: &Running) -> f64 {
    let status = fs::read_to_string(format!("/proc/{}/status", running.0.id()));
    let status = status.unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kibibytes = line.and_then(|line| line.trim().strip_suffix(" kB")?.trim().parse().ok());
    kibibytes.map_or(f64::NAN, |number: f64| number / 1024.0)
}
