//! `GET /metrics` of the operations listener: OpenMetrics where it is asked for, else the text format 0.0.4.

use axum::body::Body;
use axum::extract::State;
use axum::http::header::{ACCEPT, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::Response;

use super::health::HealthState;
use crate::telemetry::metrics::{Exposition, Format, Kind};

/// All numbers of this process.
pub(super) async fn get(State(state): State<HealthState>, headers: HeaderMap) -> Response {
    let format = format(&headers);
    let mut to = Exposition::new(format);
    to.family(
        Kind::Gauge,
        "grantd_ready",
        "1 where this replica may be sent requests, as /readyz says.",
    )
    .sample(&[], u8::from(state.is_ready()));
    state.grantd.expose(&mut to);
    state.server.expose(&mut to);
    let mut response = Response::new(Body::from(to.finish()));
    let content_type = HeaderValue::from_static(format.content_type());
    response.headers_mut().insert(CONTENT_TYPE, content_type);
    response
}

/// The one of the two that `Accept` prefers (RFC 9110 section 12.5.1); OpenMetrics of two that weigh the same, because
/// who does not know it does not name it.
fn format(headers: &HeaderMap) -> Format {
    let ranges = headers.get_all(ACCEPT).iter();
    let ranges = ranges.filter_map(|value| value.to_str().ok());
    let ranges = ranges.flat_map(|value| value.split(','));
    let (mut openmetrics, mut text) = (0.0_f32, 0.0_f32);
    for (name, weight) in ranges.map(weighed) {
        if name.eq_ignore_ascii_case("application/openmetrics-text") {
            openmetrics = openmetrics.max(weight);
        } else if name.eq_ignore_ascii_case("text/plain") {
            text = text.max(weight);
        }
    }
    if openmetrics > 0.0 && openmetrics >= text {
        Format::OpenMetrics
    } else {
        Format::Text
    }
}

/// A media range and its weight.
fn weighed(range: &str) -> (&str, f32) {
    let mut parts = range.split(';').map(str::trim);
    let name = parts.next().unwrap_or_default();
    let weight = parts.find_map(|part| part.strip_prefix("q="));
    (name, weight.map_or(1.0, |it| it.parse().unwrap_or(0.0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn openmetrics_is_given_where_it_is_asked_for_and_not_less_than_the_other() {
        let prometheus = "application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;version=0.0.1;\
                          q=0.4,text/plain;version=1.0.0;q=0.3,text/plain;version=0.0.4;q=0.2,*/*;q=0.1";
        for (accept, expected) in [
            (prometheus, Format::OpenMetrics),
            ("application/openmetrics-text", Format::OpenMetrics),
            (
                "Application/OpenMetrics-Text; version=1.0.0",
                Format::OpenMetrics,
            ),
            (
                "text/plain, application/openmetrics-text",
                Format::OpenMetrics,
            ),
            (
                "application/openmetrics-text;q=0.2,text/plain;q=0.5",
                Format::Text,
            ),
            ("application/openmetrics-text;q=0", Format::Text),
            ("application/openmetrics-text;q=x", Format::Text),
            ("text/plain;version=0.0.4", Format::Text),
            ("*/*", Format::Text),
            ("", Format::Text),
        ] {
            let headers = [(ACCEPT, HeaderValue::from_str(accept).unwrap())];
            let headers = headers.into_iter().collect();
            assert_eq!(format(&headers), expected, "{accept}");
        }
        assert_eq!(format(&HeaderMap::new()), Format::Text);
    }
}
