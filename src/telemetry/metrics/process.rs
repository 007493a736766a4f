//! `process_*`, as every Prometheus client library has them: read from `/proc`, so on Linux alone.

use std::fs;

use super::{Exposition, Kind};
use crate::domain::timestamp::Timestamp;

/// Kernels count processor time in these, whatever they tick with (`USER_HZ`, fixed on all of Linux' usual machines).
const TICKS_PER_SECOND: f64 = 100.0;

/// Writes what the system knows of this process; what it does not say is left out.
pub fn expose_process(started: Timestamp, to: &mut Exposition) {
    to.family(
        Kind::Gauge,
        "process_start_time_seconds",
        "When the process started, in Unix seconds.",
    )
    .sample(&[], started.unix());
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    if let Some(seconds) = processor_seconds(&stat) {
        to.family(
            Kind::Counter,
            "process_cpu_seconds_total",
            "Processor time that the process used.",
        )
        .sample(&[], seconds);
    }
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let of_status = [
        (
            "process_resident_memory_bytes",
            "VmRSS:",
            1024,
            "Memory that the process holds.",
        ),
        (
            "process_virtual_memory_bytes",
            "VmSize:",
            1024,
            "Address space of the process.",
        ),
        ("process_threads", "Threads:", 1, "Threads of the process."),
    ];
    for (name, field, unit, help) in of_status {
        if let Some(number) = number_after(&status, field) {
            to.family(Kind::Gauge, name, help)
                .sample(&[], number * unit);
        }
    }
    expose_descriptors(to);
}

fn expose_descriptors(to: &mut Exposition) {
    if let Ok(open) = fs::read_dir("/proc/self/fd") {
        // One of them is the directory that is being read.
        let number = open.count().saturating_sub(1);
        to.family(
            Kind::Gauge,
            "process_open_fds",
            "File descriptors that are open.",
        )
        .sample(&[], number);
    }
    let limits = fs::read_to_string("/proc/self/limits").unwrap_or_default();
    if let Some(most) = number_after(&limits, "Max open files") {
        to.family(
            Kind::Gauge,
            "process_max_fds",
            "File descriptors that may be open.",
        )
        .sample(&[], most);
    }
}

/// The first number of the line that begins with `field`; nothing for `unlimited`.
fn number_after(text: &str, field: &str) -> Option<u64> {
    let mut lines = text.lines();
    let rest = lines.find_map(|line| line.strip_prefix(field))?;
    rest.split_whitespace().next()?.parse().ok()
}

/// User and system time: the 14th and 15th field. The second one, the program's name, may hold blanks and parentheses.
fn processor_seconds(stat: &str) -> Option<f64> {
    let (_, after_name) = stat.rsplit_once(')')?;
    let mut times = after_name.split_whitespace().skip(11);
    let mut next = || times.next()?.parse::<u32>().ok();
    Some((f64::from(next()?) + f64::from(next()?)) / TICKS_PER_SECOND)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fields_of_proc_are_found() {
        let stat = "4242 (a ) b) S 1 2 3 4 5 6 7 8 9 10 250 50 0 0 20 0 9 0 12345";
        assert_eq!(processor_seconds(stat), Some(3.0));
        assert_eq!(processor_seconds(""), None);
        let limits =
            "Max cpu time   unlimited unlimited seconds\nMax open files   1024   524288   files\n";
        assert_eq!(number_after(limits, "Max open files"), Some(1024));
        assert_eq!(number_after(limits, "Max cpu time"), None);
    }
}
