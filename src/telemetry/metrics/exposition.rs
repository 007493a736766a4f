//! The text of a scrape: OpenMetrics 1.0, or the text format 0.0.4 that every Prometheus reads.

use std::fmt::{Display, Write as _};

use super::Histogram;

/// The last line of OpenMetrics: without it a text is cut short.
const END: &str = "# EOF\n";
/// The end of a counter's name, which the family does not have in OpenMetrics.
const TOTAL: &str = "_total";

/// Which of the two texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// The text format 0.0.4.
    Text,
    /// OpenMetrics 1.0.
    OpenMetrics,
}

impl Format {
    /// The value of `Content-Type`.
    #[must_use]
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Text => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }
}

/// What kind of number a metric is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It only grows; its name ends in `_total`.
    Counter,
    /// It goes up and down.
    Gauge,
    /// How many were at most so large.
    Histogram,
}

/// A text that is being written.
#[derive(Debug)]
pub struct Exposition {
    format: Format,
    text: String,
}

/// One metric of it, whose samples follow.
#[derive(Debug)]
pub struct Family<'e> {
    name: &'static str,
    text: &'e mut String,
}

impl Exposition {
    /// Nothing is written yet.
    #[must_use]
    pub const fn new(format: Format) -> Self {
        Self {
            format,
            text: String::new(),
        }
    }

    /// Begins a metric. `help` is one sentence without quotation marks and backslashes.
    pub fn family(&mut self, kind: Kind, name: &'static str, help: &str) -> Family<'_> {
        let title = match self.format {
            Format::OpenMetrics => name.strip_suffix(TOTAL).unwrap_or(name),
            Format::Text => name,
        };
        let kind = match kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram => "histogram",
        };
        write(
            &mut self.text,
            format_args!("# HELP {title} {help}\n# TYPE {title} {kind}\n"),
        );
        Family {
            name,
            text: &mut self.text,
        }
    }

    /// The whole text.
    #[must_use]
    pub fn finish(mut self) -> String {
        if self.format == Format::OpenMetrics {
            self.text.push_str(END);
        }
        self.text
    }
}

impl Family<'_> {
    /// One number, with its labels.
    pub fn sample(&mut self, labels: &[(&str, &str)], value: impl Display) {
        self.line("", labels, None, value);
    }

    /// All numbers of a histogram.
    pub fn histogram(&mut self, labels: &[(&str, &str)], histogram: &Histogram) {
        let mut below = 0;
        for (bound, count) in histogram.buckets() {
            below += count;
            // A float in both formats, so that a series has one name.
            let bound = bound.map_or_else(|| "+Inf".to_owned(), |bound| format!("{bound:?}"));
            self.line("_bucket", labels, Some(&bound), below);
        }
        self.line("_sum", labels, None, histogram.sum());
        self.line("_count", labels, None, below);
    }

    fn line(
        &mut self,
        suffix: &str,
        labels: &[(&str, &str)],
        bound: Option<&str>,
        value: impl Display,
    ) {
        self.text.push_str(self.name);
        self.text.push_str(suffix);
        let labels = labels.iter().copied();
        let mut opening = '{';
        for (name, value) in labels.chain(bound.map(|bound| ("le", bound))) {
            self.text.push(opening);
            self.text.push_str(name);
            self.text.push_str("=\"");
            escape(self.text, value);
            self.text.push('"');
            opening = ',';
        }
        if opening == ',' {
            self.text.push('}');
        }
        write(self.text, format_args!(" {value}\n"));
    }
}

/// Both formats escape these three, and nothing else.
fn escape(text: &mut String, value: &str) {
    for character in value.chars() {
        match character {
            '\\' => text.push_str("\\\\"),
            '"' => text.push_str("\\\""),
            '\n' => text.push_str("\\n"),
            other => text.push(other),
        }
    }
}

fn write(text: &mut String, arguments: std::fmt::Arguments<'_>) {
    // Writing to a String does not fail.
    let _ = text.write_fmt(arguments);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(format: Format) -> String {
        let mut to = Exposition::new(format);
        to.family(Kind::Counter, "a_total", "Of a.")
            .sample(&[("client", "x\"\\\n y")], 3);
        to.family(Kind::Gauge, "b_seconds", "Of b.")
            .sample(&[], 0.5);
        let histogram = Histogram::new(&[0.5, 2.0]);
        for value in [0.25, 0.5, 1.0, 5.0] {
            histogram.observe(value);
        }
        to.family(Kind::Histogram, "c", "Of c.")
            .histogram(&[("endpoint", "token")], &histogram);
        to.finish()
    }

    #[test]
    fn the_text_format_names_a_counter_whole_and_has_no_end() {
        let expected = "# HELP a_total Of a.\n# TYPE a_total counter\na_total{client=\"x\\\"\\\\\\n y\"} 3\n\
             # HELP b_seconds Of b.\n# TYPE b_seconds gauge\nb_seconds 0.5\n\
             # HELP c Of c.\n# TYPE c histogram\n\
             c_bucket{endpoint=\"token\",le=\"0.5\"} 2\n\
             c_bucket{endpoint=\"token\",le=\"2.0\"} 3\n\
             c_bucket{endpoint=\"token\",le=\"+Inf\"} 4\n\
             c_sum{endpoint=\"token\"} 6.75\n\
             c_count{endpoint=\"token\"} 4\n";
        assert_eq!(written(Format::Text), expected);
    }

    #[test]
    fn openmetrics_names_the_family_of_a_counter_without_its_suffix_and_ends() {
        let text = written(Format::OpenMetrics);
        assert!(text.starts_with("# HELP a Of a.\n# TYPE a counter\na_total{"));
        assert!(text.ends_with("\n# EOF\n"));
    }
}
