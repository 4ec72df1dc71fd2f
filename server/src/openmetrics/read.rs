//! Text to samples, a line at a time. It must not know where lines come from.

use std::collections::HashMap;

use app::model::{Kind, Number};

use super::{
    END, GROUP, NAME, STAND_IN,
    line::{Sample, kind, sample, type_line},
};
use crate::source::MAX_NAME_BYTES;

/// Floats hold every whole number up to this.
const EXACT: f64 = 9_007_199_254_740_992.0;
/// Times are up to the year 9999, in seconds: what is later is in milliseconds.
pub(crate) const MAX_SECONDS: i64 = 253_402_300_799;

/// A sample that was read.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// The full name of the statistic.
    pub name: String,
    /// Epoch milliseconds.
    pub at_ms: i64,
    /// None where it is not known.
    pub value: Option<Number>,
    /// The kind, where the text says it.
    pub kind: Option<Kind>,
}

/// What the lines so far said.
#[derive(Debug, Default)]
pub struct Reader {
    types: HashMap<String, String>,
    ended: bool,
}

impl Reader {
    /// Whether the end was told.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.ended
    }

    /// Reads a line; none: it holds no sample.
    ///
    /// # Errors
    /// A sentence: what is wrong with it.
    pub fn line(&mut self, line: &str) -> Result<Option<Row>, String> {
        let line = line.trim();
        if line.is_empty() {
            return Ok(None);
        }
        if self.ended {
            return Err(format!("it stands after {}, which ends the text", END.trim()));
        }
        if line.starts_with('#') {
            self.ended = line == END.trim();
            if let Some((family, word)) = type_line(line) {
                self.types.insert(family.to_owned(), word.to_owned());
            }
            return Ok(None);
        }
        let sample = sample(line).ok_or("it is no sample: a metric, its labels in braces, a value and a time in seconds")?;
        let value = value(sample.value).ok_or_else(|| format!("the value {:?} is not a number", sample.value))?;
        let time = sample.time.ok_or("it has no time: epoch seconds after the value")?;
        let at_ms = time_ms(time).ok_or_else(|| format!("the time {time:?} is not one: epoch seconds are"))?;
        if at_ms.abs() > MAX_SECONDS * 1_000 {
            return Err(format!("the time {time} is after the year 9999: OpenMetrics has seconds, not milliseconds"));
        }
        let name = name(&sample)?;
        if name.len() > MAX_NAME_BYTES {
            return Err(format!("the name is longer than {MAX_NAME_BYTES} bytes"));
        }
        Ok(Some(Row { name, at_ms, value, kind: self.kind(sample.metric) }))
    }

    fn kind(&self, metric: &str) -> Option<Kind> {
        if let Some(own) = self.types.get(metric) {
            return Kind::parse(own);
        }
        let (family, _) = metric.rsplit_once('_')?;
        let word = self.types.get(family)?;
        let types = HashMap::from([(family, word.as_str())]);
        (!matches!(word.as_str(), "unknown" | "untyped")).then(|| kind(metric, &types))
    }
}

fn name(sample: &Sample<'_>) -> Result<String, String> {
    if sample.metric != STAND_IN {
        return Ok(sample.name());
    }
    let (mut group, mut name) = (None, None);
    for (label, value) in &sample.labels {
        match *label {
            GROUP => group = Some(unescaped(value)),
            NAME => name = Some(unescaped(value)),
            other => return Err(format!("{STAND_IN} has the label {other}: {GROUP} and {NAME} make the name of a statistic")),
        }
    }
    match (group, name) {
        (Some(group), Some(name)) => Ok(format!("{group}:{name}")),
        (None, Some(name)) => Ok(name),
        // A name that is empty has a label that is empty, which is not there.
        (None, None) => Ok(String::new()),
        (Some(_), None) => Err(format!("{STAND_IN} has no label {NAME}")),
    }
}

fn unescaped(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    let mut chars = value.chars();
    while let Some(c) = chars.next() {
        match (c, c == '\\') {
            (_, true) => match chars.next() {
                Some('n') => text.push('\n'),
                Some(c @ ('\\' | '"')) => text.push(c),
                other => text.extend(['\\'].into_iter().chain(other)),
            },
            (c, false) => text.push(c),
        }
    }
    text
}

/// A value: none inside where it is not known, none at all where it is no number. Prometheus writes whole numbers with an exponent.
pub(crate) fn value(text: &str) -> Option<Option<Number>> {
    match text {
        "NaN" | "nan" => return Some(None),
        "+Inf" | "Inf" => return Some(Some(Number::Float(f64::INFINITY))),
        "-Inf" => return Some(Some(Number::Float(f64::NEG_INFINITY))),
        _ => {}
    }
    if let Ok(int) = text.parse::<i64>() {
        return Some(Some(Number::Int(int)));
    }
    let is_digit = |c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '.' | 'e' | 'E');
    let float: f64 = text.parse().ok().filter(|float: &f64| float.is_finite() && text.chars().all(is_digit))?;
    let is_whole = text.contains(['e', 'E']) && float.fract() == 0.0 && float.abs() <= EXACT;
    #[expect(clippy::cast_possible_truncation, reason = "a whole number within the bounds")]
    Some(Some(if is_whole { Number::Int(float as i64) } else { Number::Float(float) }))
}

/// Epoch milliseconds of epoch seconds, by their digits: a float may not hold them.
fn time_ms(text: &str) -> Option<i64> {
    let (sign, digits) = text.strip_prefix('-').map_or((1, text), |digits| (-1, digits));
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    let are_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if !whole.is_empty() && are_digits(whole) && are_digits(part) {
        let rounds_up = part.as_bytes().get(3).is_some_and(|digit| *digit >= b'5');
        let part: i64 = format!("{part:0<3}")[..3].parse().ok()?;
        let ms = whole.parse::<i64>().ok()?.checked_mul(1_000)?.checked_add(part + i64::from(rounds_up))?;
        return Some(sign * ms);
    }
    let seconds: f64 = text.parse().ok().filter(|seconds: &f64| seconds.abs() < 1e15)?;
    #[expect(clippy::cast_possible_truncation, reason = "within the bounds")]
    Some((seconds * 1_000.0).round() as i64)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{
        openmetrics::{Spelled, Writer},
        store::Samples,
    };

    fn rows(text: &str) -> Vec<Row> {
        let mut reader = Reader::default();
        text.lines().filter_map(|line| reader.line(line).unwrap()).collect()
    }

    fn any_number() -> impl Strategy<Value = Option<Number>> {
        let whole = prop_oneof![any::<i64>(), -1_000_i64..1_000];
        let float = any::<f64>().prop_filter("a number", |float| !float.is_nan());
        prop_oneof![Just(None), whole.prop_map(|int| Some(Number::Int(int))), float.prop_map(|float| Some(Number::Float(float)))]
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(name in "([a-z]{0,3}:)?[a-z_{}=\",\\\\\n é-]{0,12}", value in any_number(), at_ms in -10_i64.pow(13)..10_i64.pow(13)) {
            let (mut text, mut writer, spelled) = (String::new(), Writer::default(), Spelled::of(&name));
            let mut samples = Samples::default();
            samples.push(at_ms, value, 1_000);
            writer.kind(&mut text, &spelled, Some(Kind::Counter));
            Writer::samples(&mut text, &spelled, &samples);
            let expect = Row { name, at_ms, value, kind: Some(Kind::Counter) };
            // Compared as text, in which -0.0 is not 0.0.
            prop_assert_eq!(format!("{:?}", rows(&text)), format!("{:?}", [expect]), "{}", text);
        }

        #[test]
        fn no_line_panics(line in "\\PC{0,60}") {
            let _ = Reader::default().line(&line);
        }
    }

    #[test]
    fn values_and_times_as_prometheus_writes_them() {
        let text = "core:rcv_requests{instance=\"a\",job=\"b\"} 1.0661087e+07 1795418848.223\nup 1 1.7e9\nx NaN 5.0006\nx -0.25 -1.25\n";
        let read: Vec<_> = rows(text).into_iter().map(|row| (row.name, row.at_ms, row.value)).collect();
        let expect = [
            ("core:rcv_requests{instance=\"a\",job=\"b\"}", 1_795_418_848_223, Some(Number::Int(10_661_087))),
            ("up:up", 1_700_000_000_000, Some(Number::Int(1))),
            ("x:x", 5_001, None),
            ("x:x", -1_250, Some(Number::Float(-0.25))),
        ];
        assert_eq!(read, expect.map(|(name, at_ms, value)| (name.to_owned(), at_ms, value)));
    }

    #[test]
    fn kinds_are_those_of_the_types_before() {
        let text = "# TYPE a:b unknown\na:b 1 1\n# TYPE c counter\nc_total 1 1\n# TYPE tickmark_value gauge\ntickmark_value{name=\"x\"} 1 1\n\
                    # TYPE tickmark_value counter\ntickmark_value{name=\"y\"} 1 1\nd:e_total 1 1\n# EOF\n";
        let kinds: Vec<_> = rows(text).into_iter().map(|row| row.kind).collect();
        assert_eq!(kinds, [None, Some(Kind::Counter), Some(Kind::Gauge), Some(Kind::Counter), None]);
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (line, expect) in [
            ("a:b abc 1", "the value \"abc\" is not a number"),
            ("a:b 1e999 1", "is not a number"),
            ("a:b infinity 1", "is not a number"),
            ("a:b 1", "no time"),
            ("a:b", "it is no sample"),
            ("a:b 1 1795418848223", "seconds, not milliseconds"),
            ("tickmark_value{group=\"x\"} 1 1", "no label name"),
            ("tickmark_value{name=\"x\",instance=\"y\"} 1 1", "the label instance"),
        ] {
            let error = Reader::default().line(line).unwrap_err();
            assert!(error.contains(expect), "{line}: {error}");
        }
        let mut reader = Reader::default();
        reader.line("# EOF").unwrap();
        assert!(reader.has_ended() && reader.line("a:b 1 1").unwrap_err().contains("after # EOF"));
    }
}
