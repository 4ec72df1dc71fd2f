//! Metrics as Prometheus's text format (0.0.4) and OpenMetrics (1.0) write them: one sample a line, kinds in `# TYPE` lines.
//!
//! Which statistic a metric is, `openmetrics` says. Timestamps and exemplars are read past: the time of a sample is that of its poll.

use std::{collections::HashMap, sync::Arc};

use app::model::{Kind, Number};

use super::{
    envelope::{MAX_NAMES, WireError},
    members::Pairs,
};
use crate::{
    openmetrics::{kind, sample, type_line},
    source::{MAX_NAME_BYTES, Reading, Unknown, text::shown},
};

/// Floats hold every whole number up to this.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// Reads a page: names and readings, and what was left out of it.
pub(super) fn read(body: &[u8]) -> Result<Pairs, WireError> {
    let text = String::from_utf8_lossy(body);
    let mut pairs = Pairs::default();
    for line in lines(&text)? {
        match sample(line) {
            Some(sample) => pairs.push(sample.name(), reading(sample.metric, sample.value)),
            None => pairs.not_read(line),
        }
    }
    if pairs.items.is_empty() && pairs.has_unread() {
        let begin = shown(text.lines().next().unwrap_or_default());
        return Err(WireError::Malformed(format!("no line of it is a metric; it begins with {begin}")));
    }
    Ok(pairs)
}

/// Which statistics of a page count, by what its `# TYPE` lines say; all others show a level.
pub(super) fn kinds(body: &[u8]) -> Result<Vec<(Arc<str>, Kind)>, WireError> {
    let text = String::from_utf8_lossy(body);
    let types: HashMap<&str, &str> = text.lines().filter_map(type_line).collect();
    let samples = lines(&text)?.filter_map(sample);
    let kinds = samples.map(|sample| (sample.name().into(), kind(sample.metric, &types)));
    Ok(kinds.filter(|(name, _): &(Arc<str>, Kind)| name.len() <= MAX_NAME_BYTES).take(MAX_NAMES).collect())
}

/// The lines that hold samples.
fn lines(text: &str) -> Result<impl Iterator<Item = &str>, WireError> {
    let begin = text.trim_start();
    if begin.starts_with('<') {
        return Err(WireError::Malformed("it is a web page".into()));
    }
    // A last line that does not end may have been cut off within its number.
    if !begin.is_empty() && !text.ends_with('\n') {
        return Err(WireError::Malformed("it breaks off".into()));
    }
    Ok(text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')))
}

/// A value: whole numbers exactly, as long as the digits are exact.
fn reading(metric: &str, text: &str) -> Reading {
    if let Ok(value) = text.parse::<i64>() {
        return Ok(Number::Int(value));
    }
    // OpenSIPS's values are unsigned: from 2^63 on they are negative, and its digits are exact.
    if let (true, Ok(value)) = (metric.starts_with("opensips_"), text.parse::<u64>()) {
        return Ok(Number::Int(value.cast_signed()));
    }
    match text.parse::<f64>() {
        // Exporters write many whole numbers as floats, such as 1.234567e+06.
        #[expect(clippy::cast_possible_truncation, reason = "a whole number within the bounds")]
        Ok(value) if value.fract() == 0.0 && value.abs() <= EXACT => Ok(Number::Int(value as i64)),
        Ok(value) if value.is_finite() => Ok(Number::Float(value)),
        _ => Err(Unknown::NotANumber),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(text: &str) -> Vec<(String, Reading)> {
        read(text.as_bytes()).unwrap().items
    }

    #[track_caller]
    fn check(line: &str, name: &str, expect: Reading) {
        assert_eq!(page(&format!("{line}\n")), [(name.to_owned(), expect)]);
    }

    const fn int(value: i64) -> Reading {
        Ok(Number::Int(value))
    }

    #[test]
    fn names_have_groups_and_sorted_labels() {
        check("node_load1 0.25", "node:load1", Ok(Number::Float(0.25)));
        check("up 1", "up:up", int(1));
        check("_x 1", "_x:_x", int(1));
        check("job:requests:rate5m 1", "job:requests:rate5m", int(1));
        check(r#"http_requests_total{method="GET",code="200"} 5 1795418848223"#, r#"http:requests_total{code="200",method="GET"}"#, int(5));
        check(r#"http_requests_total{code="200",method="GET",} 5"#, r#"http:requests_total{code="200",method="GET"}"#, int(5));
        check(r#"a_b{x="",y="1"} 5"#, r#"a:b{y="1"}"#, int(5));
        check(r#"a_b{ x = "1" , y="}" } 5"#, r#"a:b{x="1",y="}"}"#, int(5));
        check(r#"a_b{x="say \"}\" \\"} 5"#, r#"a:b{x="say \"}\" \\"}"#, int(5));
        check(r#"a_b{} 5"#, "a:b", int(5));
        check("a_bucket{le=\"0.1\"} 8 # {trace_id=\"x\"} 0.067 1520879607.789", "a:bucket{le=\"0.1\"}", int(8));
        check("kamailio_core_rcv_replies 7 1795418848223", "kamailio:core_rcv_replies", int(7));
    }

    #[test]
    fn numbers_are_exact_where_their_digits_are() {
        check("a_b 9223372036854775807", "a:b", int(i64::MAX));
        check("a_b 1.234567e+06", "a:b", int(1_234_567));
        check("a_b 5.0", "a:b", int(5));
        check("a_b -0.5", "a:b", Ok(Number::Float(-0.5)));
        check("a_b 1e300", "a:b", Ok(Number::Float(1e300)));
        check("a_b 18446744073709551615", "a:b", Ok(Number::Float(18_446_744_073_709_551_615.0)));
        check("opensips_x{group=\"g\"} 18446744073709551615", "opensips:x{group=\"g\"}", int(-1));
        for no in ["NaN", "+Inf", "-Inf", "x"] {
            check(&format!("a_b {no}"), "a:b", Err(Unknown::NotANumber));
        }
    }

    #[test]
    fn kinds_come_from_types() {
        let text = "# HELP a_total Of a.\n# TYPE a_total counter\na_total 1\n# TYPE b counter\nb_total 1\nb_created 1\n# TYPE c gauge\nc 1\n\
                    # TYPE d histogram\nd_bucket{le=\"+Inf\"} 1\nd_count 1\nd_sum 1\n# TYPE e summary\ne{quantile=\"0.5\"} 1\ne_count 1\n\
                    # TYPE f untyped\nf_count 1\ng_total 1\ng_level 1\n# TYPE h gaugehistogram\nh_bucket{le=\"1\"} 1\n# EOF\n";
        let counters: Vec<_> = kinds(text.as_bytes()).unwrap().into_iter().filter(|(_, kind)| *kind == Kind::Counter).collect();
        let names: Vec<&str> = counters.iter().map(|(name, _)| &**name).collect();
        assert_eq!(names, ["a:total", "b:total", "d:bucket{le=\"+Inf\"}", "d:count", "d:sum", "e:count", "g:total"]);
        assert_eq!(page(text).len(), kinds(text.as_bytes()).unwrap().len());
    }

    #[test]
    fn a_line_that_cannot_be_read_costs_no_other() {
        let pairs = read(b"a_b 1\na_b{x=\"1\n{} 2\n5 6\na_c\na_d 1 2 3\na_e 2\n").unwrap();
        assert_eq!(pairs.items.len(), 2);
        assert!(pairs.left_out().unwrap().contains("5 lines"), "{:?}", pairs.left_out());
    }

    #[test]
    fn what_is_no_page() {
        for (body, expect) in
            [("<html>\n", "web page"), ("a_b 12", "breaks off"), ("hello\n", "begins with hello"), ("{\"a\":1}\n", "begins")]
        {
            let error = read(body.as_bytes()).err().unwrap().to_string();
            assert!(error.contains(expect), "{body}: {error}");
        }
        assert!(page("").is_empty() && page("# nothing yet\n").is_empty());
    }
}
