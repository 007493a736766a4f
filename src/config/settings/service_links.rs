//! The variables that Kubernetes puts into a pod for each Service of its namespace, in the form of Docker's links. A
//! Service called `grantd`, or `grantd-postgres`, makes some that begin like ours.

/// Whether a variable is one of these. A mere `…_PORT` is told from a setting that somebody meant by its value, which
/// is a URL there.
pub(super) fn is_service_link(name: &str, value: &str) -> bool {
    if name.contains("__") {
        return false;
    }
    name.ends_with("_SERVICE_HOST")
        || name.ends_with("_SERVICE_PORT")
        || name.contains("_SERVICE_PORT_")
        || (name.ends_with("_PORT") && is_address(value))
        || name
            .rsplit_once("_PORT_")
            .is_some_and(|(_, rest)| is_port(rest))
}

/// `8080_TCP`, `8080_TCP_PROTO`, `8080_TCP_PORT`, `8080_TCP_ADDR`.
fn is_port(rest: &str) -> bool {
    let mut parts = rest.split('_');
    let number = parts.next().is_some_and(|it| it.parse::<u16>().is_ok());
    let protocol = parts
        .next()
        .is_some_and(|it| ["TCP", "UDP", "SCTP"].contains(&it));
    let member = parts
        .next()
        .is_none_or(|it| ["PROTO", "PORT", "ADDR"].contains(&it));
    number && protocol && member && parts.next().is_none()
}

fn is_address(value: &str) -> bool {
    ["tcp://", "udp://", "sctp://"]
        .iter()
        .any(|scheme| value.starts_with(scheme))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_kubernetes_makes_is_told_from_settings() {
        for (name, value) in [
            ("GRANTD_SERVICE_HOST", "10.0.0.1"),
            ("GRANTD_SERVICE_PORT", "8080"),
            ("GRANTD_SERVICE_PORT_HTTP", "8080"),
            ("GRANTD_SERVICE_PORT_HTTP_OPS", "8080"),
            ("GRANTD_PORT", "tcp://10.0.0.1:8080"),
            ("GRANTD_PORT_8080_TCP", "tcp://10.0.0.1:8080"),
            ("GRANTD_PORT_8080_TCP_PROTO", "tcp"),
            ("GRANTD_PORT_8080_TCP_PORT", "8080"),
            ("GRANTD_PORT_8080_TCP_ADDR", "10.0.0.1"),
            ("GRANTD_PORT_53_UDP_ADDR", "10.0.0.1"),
            ("GRANTD_POSTGRES_SERVICE_HOST", "10.0.0.2"),
            ("GRANTD_POSTGRES_PORT", "tcp://10.0.0.2:5432"),
            ("GRANTD_POSTGRES_PORT_5432_TCP_ADDR", "10.0.0.2"),
            ("GRANTD_POSTGRES_RO_PORT_5432_TCP_PORT", "5432"),
        ] {
            assert!(is_service_link(name, value), "{name}");
        }
        for (name, value) in [
            ("GRANTD_PORT", "8080"),
            ("GRANTD_PUBLIC_PORT", "8443"),
            ("GRANTD_PUBLIC__PORT", "tcp://10.0.0.1:8080"),
            ("GRANTD_PUBLIC__SERVICE_HOST", "10.0.0.1"),
            ("GRANTD_ISSUR", "https://auth.example"),
            ("GRANTD_HOST", "auth.example"),
            ("GRANTD_PORT_TCP", "1"),
            ("GRANTD_PORT_8080_HTTP", "1"),
            ("GRANTD_PORT_8080_TCP_NAME", "1"),
            ("GRANTD_PORT_99999_TCP", "1"),
        ] {
            assert!(!is_service_link(name, value), "{name}");
        }
    }
}
