//! A scrape as its reader sees it.

use std::collections::{BTreeMap, BTreeSet};

/// Each sample, named with its labels, and its value.
#[derive(Debug, PartialEq)]
pub(super) struct Scrape(BTreeMap<String, f64>);

impl Scrape {
    pub(super) fn of(text: &str) -> Self {
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        let sample = |line: &str| {
            let (name, value) = line.rsplit_once(' ').unwrap();
            (name.to_owned(), value.parse().unwrap())
        };
        let samples: Vec<(String, f64)> = lines.map(sample).collect();
        let number = samples.len();
        let this = Self(samples.into_iter().collect());
        assert_eq!(this.0.len(), number, "no series stands twice");
        this
    }

    /// The value of a series; nothing where it is not there.
    pub(super) fn get(&self, series: &str) -> Option<f64> {
        self.0.get(series).copied()
    }

    /// The values of a metric, without its name.
    pub(super) fn all(&self, name: &str) -> Vec<(&str, f64)> {
        let series = self.0.iter();
        let of = series.filter_map(|(series, value)| Some((series.strip_prefix(name)?, *value)));
        of.filter(|(labels, _)| labels.is_empty() || labels.starts_with('{'))
            .collect()
    }

    /// The names of all metrics.
    pub(super) fn names(&self) -> BTreeSet<&str> {
        let name = |series: &'_ String| series.split('{').next().unwrap().len();
        self.0.keys().map(|it| &it[..name(it)]).collect()
    }

    /// The labels of the metric `name`.
    pub(super) fn labels(&self, name: &str) -> BTreeSet<String> {
        let inner = |labels: &str| labels.trim_matches(['{', '}']).to_owned();
        let series = self.all(name).into_iter().map(|(labels, _)| inner(labels));
        let labels = series.flat_map(|it| it.split("\",").map(str::to_owned).collect::<Vec<_>>());
        labels
            .filter_map(|label| Some(label.split_once('=')?.0.to_owned()))
            .collect()
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}
