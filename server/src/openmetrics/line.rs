//! One line of the text that Prometheus and OpenMetrics write, and the statistic that a metric is. It must not know where a line comes
//! from.
//!
//! A metric is one statistic for each set of labels. Its group is what stands before the first `_` of its name, its name the rest with
//! the labels in the order of the alphabet: `http_requests_total{method="GET",code="200"}` is
//! `http:requests_total{code="200",method="GET"}`. A name without `_` is its own group (`up` is `up:up`), and one
//! with a colon stays as it is. A label that is empty is one that is not there.

use std::collections::HashMap;

use app::model::Kind;

/// One sample.
pub(crate) struct Sample<'a> {
    /// The metric's name as it stands there.
    pub(crate) metric: &'a str,
    /// Sorted by name, none empty; values as they stand there.
    pub(crate) labels: Vec<(&'a str, &'a str)>,
    /// As it stands there.
    pub(crate) value: &'a str,
    /// As it stands there, if it does.
    pub(crate) time: Option<&'a str>,
}

/// `# TYPE name kind`.
pub(crate) fn type_line(line: &str) -> Option<(&str, &str)> {
    let mut words = line.strip_prefix('#')?.split_ascii_whitespace();
    if words.next() != Some("TYPE") {
        return None;
    }
    Some((words.next()?, words.next()?))
}

/// Reads a line that holds a sample; none where it is none.
pub(crate) fn sample(line: &str) -> Option<Sample<'_>> {
    let end = line.find(|c: char| c == '{' || c.is_ascii_whitespace())?;
    let (metric, rest) = line.split_at(end);
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | ':' | '.' | '-');
    if metric.is_empty() || metric.starts_with(|c: char| c.is_ascii_digit()) || !metric.chars().all(is_name) {
        return None;
    }
    let (mut labels, rest) = match rest.trim_start().strip_prefix('{') {
        Some(rest) => labels(rest)?,
        None => (Vec::new(), rest),
    };
    labels.sort_unstable();
    // An exemplar follows a `#`.
    let mut words = rest.split('#').next().unwrap_or_default().split_ascii_whitespace();
    let value = words.next()?;
    let time = words.next();
    let is_time = |word: &str| word.parse::<f64>().is_ok();
    (time.is_none_or(is_time) && words.next().is_none()).then_some(Sample { metric, labels, value, time })
}

/// Labels up to the closing brace, and what follows it.
fn labels(mut rest: &str) -> Option<(Vec<(&str, &str)>, &str)> {
    let mut labels = Vec::new();
    loop {
        rest = rest.trim_start();
        if let Some(rest) = rest.strip_prefix('}') {
            return Some((labels, rest));
        }
        let (name, value) = rest.split_once('=')?;
        let value = value.trim_start().strip_prefix('"')?;
        let mut escaped = false;
        let end = value.find(|c| {
            let closes = c == '"' && !escaped;
            escaped = c == '\\' && !escaped;
            closes
        })?;
        if end > 0 {
            labels.push((name.trim(), &value[..end]));
        }
        rest = value[end + 1..].trim_start();
        rest = match rest.strip_prefix(',') {
            Some(rest) => rest,
            None if rest.starts_with('}') => rest,
            None => return None,
        };
    }
}

impl Sample<'_> {
    /// The full name of the statistic: `group:name{labels}`.
    pub(crate) fn name(&self) -> String {
        let full = match self.metric.split_once('_') {
            _ if self.metric.contains(':') => self.metric.to_owned(),
            Some((group, name)) if !group.is_empty() && !name.is_empty() => format!("{group}:{name}"),
            _ => format!("{0}:{0}", self.metric),
        };
        let labels: Vec<String> = self.labels.iter().map(|(label, value)| format!("{label}=\"{value}\"")).collect();
        if labels.is_empty() { full } else { format!("{full}{{{}}}", labels.join(",")) }
    }
}

/// Whether a metric counts, by the type of its family.
pub(crate) fn kind(metric: &str, types: &HashMap<&str, &str>) -> Kind {
    let counts = |is_counter: bool| if is_counter { Kind::Counter } else { Kind::Gauge };
    if let Some(&own) = types.get(metric) {
        // Without a suffix: a counter itself, but the quantiles of a summary.
        return counts(own == "counter");
    }
    let Some((family, suffix)) = metric.rsplit_once('_') else { return Kind::Gauge };
    match (types.get(family).copied(), suffix) {
        (Some("counter"), "total") | (Some("histogram"), "bucket" | "count" | "sum") | (Some("summary"), "count" | "sum") => Kind::Counter,
        (Some(_), _) => Kind::Gauge,
        // A page without types, such as Kamailio's, is read by what names promise.
        (None, _) => counts(matches!(suffix, "total" | "bucket" | "count")),
    }
}
