//! The address of the client in `X-Forwarded-For` and `Forwarded` (RFC 7239): hops from the farthest to the nearest.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use super::pairs;
use crate::domain::forwarded_fault::ForwardedFault;
use crate::domain::proxy::TrustedProxies;

/// The hops of all lines of `X-Forwarded-For`; empty ones are left out (RFC 9110 section 5.6.1).
///
/// # Errors
/// [`ForwardedFault::Address`] if a line is not text.
pub fn list<'h>(lines: impl Iterator<Item = &'h [u8]>) -> Result<Vec<String>, ForwardedFault> {
    let mut hops = Vec::new();
    for line in lines {
        let line = std::str::from_utf8(line).map_err(|_| ForwardedFault::Address)?;
        let named = line.split(',').map(str::trim).filter(|hop| !hop.is_empty());
        hops.extend(named.map(ToOwned::to_owned));
    }
    Ok(hops)
}

/// The `for` of each element of all lines of `Forwarded`; an element without one is an empty hop.
///
/// # Errors
/// [`ForwardedFault::Address`] where a line has another form.
pub fn elements<'h>(lines: impl Iterator<Item = &'h [u8]>) -> Result<Vec<String>, ForwardedFault> {
    let mut hops = Vec::new();
    for line in lines {
        for element in pairs::elements(line).map_err(|_| ForwardedFault::Address)? {
            let hop = pairs::only(&element, "for").map_err(|_| ForwardedFault::Address)?;
            hops.push(hop.unwrap_or_default().to_owned());
        }
    }
    Ok(hops)
}

/// The hop nearest to us that is not a proxy, or the farthest if all are proxies. Hops beyond it were written by
/// strangers and are ignored.
///
/// # Errors
/// [`ForwardedFault::NoAddress`] without hops, and [`ForwardedFault::Address`] at one that is not an address.
pub fn last_stranger(
    hops: Vec<String>,
    proxies: &TrustedProxies,
) -> Result<IpAddr, ForwardedFault> {
    let mut farthest = Err(ForwardedFault::NoAddress);
    for hop in hops.into_iter().rev() {
        let address = parse(&hop).ok_or(ForwardedFault::Address)?;
        farthest = Ok(address);
        if !proxies.includes(address) {
            break;
        }
    }
    farthest
}

/// `192.0.2.1`, `192.0.2.1:443`, `2001:db8::1`, `[2001:db8::1]`, `[2001:db8::1]:443`.
fn parse(hop: &str) -> Option<IpAddr> {
    let bracketed = || {
        hop.strip_prefix('[')?
            .strip_suffix(']')?
            .parse::<Ipv6Addr>()
            .ok()
    };
    let address = hop.parse().ok().or_else(|| bracketed().map(IpAddr::from));
    let address = address.or_else(|| hop.parse().ok().map(|with_port: SocketAddr| with_port.ip()));
    Some(address?.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::proxy::{AddressHeader, CertificateHeader};

    fn proxies() -> TrustedProxies {
        TrustedProxies {
            networks: vec!["10.0.0.0/8".parse().unwrap(), "fd00::/8".parse().unwrap()],
            thumbprints: Vec::new(),
            secret: None,
            certificate_header: CertificateHeader::None,
            address_header: AddressHeader::XForwardedFor,
        }
    }

    fn x_forwarded_for(lines: &[&str]) -> Result<String, ForwardedFault> {
        let source = last_stranger(list(lines.iter().map(|line| line.as_bytes()))?, &proxies());
        source.map(|address| address.to_string())
    }

    fn forwarded(lines: &[&str]) -> Result<String, ForwardedFault> {
        let source = last_stranger(
            elements(lines.iter().map(|line| line.as_bytes()))?,
            &proxies(),
        );
        source.map(|address| address.to_string())
    }

    #[test]
    fn the_nearest_hop_outside_the_proxies_is_the_source() {
        for (lines, source) in [
            (&["203.0.113.7"] as &[_], "203.0.113.7"),
            (&["192.0.2.1, 203.0.113.7"], "203.0.113.7"),
            (&["192.0.2.1, 203.0.113.7, 10.1.1.1"], "203.0.113.7"),
            (
                &["192.0.2.1", "203.0.113.7", "10.1.1.1, 10.2.2.2"],
                "203.0.113.7",
            ),
            (&["10.9.9.9, 10.1.1.1"], "10.9.9.9"),
            (&["garbage, 203.0.113.7,,"], "203.0.113.7"),
            (&["203.0.113.7:4711"], "203.0.113.7"),
            (&["::ffff:203.0.113.7"], "203.0.113.7"),
            (&["203.0.113.7, ::ffff:10.1.1.1"], "203.0.113.7"),
            (&["2001:db8::1, fd00::1"], "2001:db8::1"),
            (&["[2001:db8::1]:443"], "2001:db8::1"),
            (&["[2001:db8::1]"], "2001:db8::1"),
        ] {
            assert_eq!(x_forwarded_for(lines).unwrap(), source, "{lines:?}");
        }
    }

    #[test]
    fn no_hop_and_one_that_is_no_address_are_faults() {
        assert_eq!(x_forwarded_for(&[]), Err(ForwardedFault::NoAddress));
        assert_eq!(x_forwarded_for(&["", ","]), Err(ForwardedFault::NoAddress));
        for line in [
            "unknown",
            "203.0.113.7, x",
            "1.2.3",
            "[::1",
            "fe80::1%eth0",
            "x, 10.1.1.1",
        ] {
            assert_eq!(
                x_forwarded_for(&[line]),
                Err(ForwardedFault::Address),
                "{line}"
            );
        }
    }

    /// RFC 7239 section 4.
    #[test]
    fn forwarded_is_read_by_its_for() {
        for (lines, source) in [
            (
                &["for=203.0.113.7;proto=https;by=10.1.1.1"] as &[_],
                "203.0.113.7",
            ),
            (
                &["for=192.0.2.1, For=\"[2001:db8::17]:4711\""],
                "2001:db8::17",
            ),
            (&["for=203.0.113.7", "for=10.1.1.1"], "203.0.113.7"),
        ] {
            assert_eq!(forwarded(lines).unwrap(), source, "{lines:?}");
        }
        for line in [
            "for=unknown",
            "for=_hidden",
            "proto=https",
            "for=a;for=b",
            "for=\"1.2.3.4",
        ] {
            assert_eq!(forwarded(&[line]), Err(ForwardedFault::Address), "{line}");
        }
        // What a stranger left open swallows what the proxy adds: a fault, never the stranger's word.
        for open in ["x=\"", "\"x=", "\"", "x=\"\\"] {
            let line = format!("for=192.0.2.1;{open}, for=203.0.113.7");
            assert_eq!(forwarded(&[&line]), Err(ForwardedFault::Address), "{line}");
        }
    }
}
