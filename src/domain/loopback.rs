//! Which hosts are this machine alone.

use std::net::IpAddr;

/// Whether a host, an IPv6 address with or without brackets, is this machine: `localhost`, or an address of 127.0.0.0/8
/// or `::1`, also where that is written as IPv6.
///
/// Names below `localhost` are not: RFC 6761 section 6.3 says they are, and not every resolver keeps to it.
#[must_use]
pub fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let address = bare.parse::<IpAddr>();
    host.eq_ignore_ascii_case("localhost")
        || address.is_ok_and(|it| it.to_canonical().is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_loopback() {
        for own in [
            "localhost",
            "LOCALHOST",
            "127.0.0.1",
            "127.8.9.1",
            "[::1]",
            "::1",
            "[::ffff:127.0.0.1]",
        ] {
            assert!(is_loopback(own), "{own}");
        }
        for other in [
            "",
            "localhost.example",
            "x.localhost",
            "notlocalhost",
            "127.0.0.1.example",
            "10.0.0.1",
            "0.0.0.0",
            "[::2]",
            "[::]",
            "[::ffff:10.0.0.1]",
        ] {
            assert!(!is_loopback(other), "{other}");
        }
    }
}
