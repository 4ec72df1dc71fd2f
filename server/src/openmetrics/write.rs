//! Samples to text. It must not know where they come from.

use std::fmt::Write as _;

use app::model::{Kind, Number, split_name};

use super::{GROUP, NAME, STAND_IN, line::sample};
use crate::store::Samples;

/// The media type of what is written.
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
/// What stands at the end: without it, readers take the text for one that was cut off.
pub const END: &str = "# EOF\n";

/// A statistic's name as OpenMetrics spells it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Spelled {
    metric: String,
    /// With their braces; empty where there is none.
    labels: String,
}

impl Spelled {
    /// Of a full name.
    #[must_use]
    pub fn of(full: &str) -> Self {
        as_it_stands(full).unwrap_or_else(|| {
            let labels = match split_name(full) {
                (group, name) if !group.is_empty() && !name.is_empty() => {
                    format!("{{{GROUP}=\"{}\",{NAME}=\"{}\"}}", escaped(group), escaped(name))
                }
                // A label that is empty is one that is not there.
                _ => format!("{{{NAME}=\"{}\"}}", escaped(full)),
            };
            Self { metric: STAND_IN.to_owned(), labels }
        })
    }

    /// The metric.
    #[must_use]
    pub fn metric(&self) -> &str {
        &self.metric
    }

    /// The name of its family: that of a counter does not have the `_total` of its samples.
    fn family(&self, kind: Option<Kind>) -> &str {
        let counted = if kind == Some(Kind::Counter) { self.metric.strip_suffix("_total") } else { None };
        counted.filter(|family| is_metric(family)).unwrap_or(&self.metric)
    }
}

/// A name that is read back as it is, by whoever keeps to the rules.
fn as_it_stands(full: &str) -> Option<Spelled> {
    let line = format!("{full} 1");
    let read = sample(&line)?;
    let sound = full.contains(':') && read.name() == full && is_metric(read.metric) && !full.contains(['\n', '\r', '\0']);
    let labels = read.labels.iter().all(|(label, value)| is_label(label) && is_escaped(value));
    let apart = read.labels.is_sorted_by(|(one, _), (next, _)| one < next);
    let spelled = || Spelled { metric: read.metric.to_owned(), labels: full[read.metric.len()..].to_owned() };
    (sound && labels && apart).then(spelled)
}

fn is_metric(text: &str) -> bool {
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | ':');
    text.chars().all(is_part) && text.starts_with(|c: char| !c.is_ascii_digit())
}

fn is_label(text: &str) -> bool {
    // Two underscores are for the readers' own.
    is_metric(text) && !text.contains(':') && !text.starts_with("__")
}

/// Whether every backslash begins what readers know.
fn is_escaped(value: &str) -> bool {
    let mut chars = value.chars();
    while let Some(c) = chars.next() {
        if c == '\\' && !matches!(chars.next(), Some('\\' | '"' | 'n')) {
            return false;
        }
    }
    true
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

/// Writes series one after the other. Those of one metric come together, in the order of their [`Spelled`].
#[derive(Debug, Default)]
pub struct Writer {
    /// The family and the kind that were told last.
    told: Option<(String, Option<Kind>)>,
}

impl Writer {
    /// Tells the kind of the samples that come next; none: not known.
    pub fn kind(&mut self, text: &mut String, name: &Spelled, kind: Option<Kind>) {
        let family = name.family(kind);
        if self.told.as_ref().is_some_and(|(told, of)| told == family && *of == kind) {
            return;
        }
        // Writing to a string cannot fail.
        let _ = writeln!(text, "# TYPE {family} {}", kind.map_or("unknown", Kind::as_str));
        self.told = Some((family.to_owned(), kind));
    }

    /// Writes samples in the order of their times, which recording leaves where a clock is set back. Of an instant that the clock ran
    /// through twice, there can be only one sample: the one that was recorded last.
    pub fn samples(text: &mut String, Spelled { metric, labels }: &Spelled, samples: &Samples) {
        let mut order: Vec<usize> = (0..samples.at_ms.len()).collect();
        order.sort_by_key(|&i| samples.at_ms[i]);
        for (place, &i) in order.iter().enumerate() {
            let at_ms = samples.at_ms[i];
            if order.get(place + 1).is_some_and(|&next| samples.at_ms[next] == at_ms) {
                continue;
            }
            let _ = write!(text, "{metric}{labels} ");
            // A float is written so that it is read as one.
            let _ = match samples.values.get(i) {
                None => write!(text, "NaN"),
                Some(Number::Int(int)) => write!(text, "{int}"),
                Some(Number::Float(float)) if float.is_infinite() => write!(text, "{}Inf", if float > 0.0 { '+' } else { '-' }),
                Some(Number::Float(float)) => write!(text, "{float:?}"),
            };
            let (sign, ms) = (if at_ms < 0 { "-" } else { "" }, at_ms.unsigned_abs());
            let _ = match ms % 1_000 {
                0 => writeln!(text, " {sign}{}", ms / 1_000),
                part => writeln!(text, " {sign}{}.{part:03}", ms / 1_000),
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(full: &str, expect: &str) {
        let Spelled { metric, labels } = Spelled::of(full);
        assert_eq!(format!("{metric}{labels}"), expect, "{full}");
    }

    #[test]
    fn names_stay_as_they_are_where_they_can() {
        for name in ["core:rcv_requests", "http:requests_total{code=\"200\",method=\"GET\"}", ":x", "a:b{x=\"say \\\"}\\\" \\n é\"}"] {
            check(name, name);
        }
    }

    #[test]
    fn the_rest_has_a_stand_in() {
        check("load:load-proc-3", "tickmark_value{group=\"load\",name=\"load-proc-3\"}");
        check("a:b{y=\"1\",x=\"2\"}", "tickmark_value{group=\"a\",name=\"b{y=\\\"1\\\",x=\\\"2\\\"}\"}");
        check("a:b{x=\"\"}", "tickmark_value{group=\"a\",name=\"b{x=\\\"\\\"}\"}");
        check("a:b{x=\"1\",x=\"2\"}", "tickmark_value{group=\"a\",name=\"b{x=\\\"1\\\",x=\\\"2\\\"}\"}");
        check("a:b{__name__=\"1\"}", "tickmark_value{group=\"a\",name=\"b{__name__=\\\"1\\\"}\"}");
        check("a:b{x=\"\\q\"}", "tickmark_value{group=\"a\",name=\"b{x=\\\"\\\\q\\\"}\"}");
        check("script:a b", "tickmark_value{group=\"script\",name=\"a b\"}");
        check("1:2", "tickmark_value{group=\"1\",name=\"2\"}");
        check("a:b\nc", "tickmark_value{group=\"a\",name=\"b\\nc\"}");
        // Without a colon, these would come back as other names.
        for whole in ["up", "", "a-b", ":a-b", "a-b:", "tickmark_value"] {
            check(whole, &format!("tickmark_value{{name=\"{whole}\"}}"));
        }
    }

    #[test]
    fn samples_are_exact_in_order_and_one_an_instant() {
        let mut samples = Samples::default();
        let values = [
            (5_000, Some(Number::Int(i64::MAX))),
            (1_500, None),
            (-1_250, Some(Number::Float(5.0))),
            (7, Some(Number::Float(-0.0))),
            (8, Some(Number::Float(f64::NEG_INFINITY))),
            (5_000, Some(Number::Float(1e300))),
        ];
        values.iter().for_each(|&(at_ms, value)| samples.push(at_ms, value, 1_000));
        let (mut text, name) = (String::new(), Spelled::of("a:b"));
        Writer::samples(&mut text, &name, &samples);
        assert_eq!(text, "a:b 5.0 -1.250\na:b -0.0 0.007\na:b -Inf 0.008\na:b NaN 1.500\na:b 1e300 5\n");
    }

    #[test]
    fn a_family_is_told_once_for_each_kind() {
        let (mut text, mut writer) = (String::new(), Writer::default());
        let told = [
            ("a:b", None),
            ("a:b_total", Some(Kind::Counter)),
            ("a:b_total{x=\"1\"}", Some(Kind::Counter)),
            ("a:c_total", Some(Kind::Gauge)),
            ("a:-", Some(Kind::Gauge)),
            ("a:--", Some(Kind::Counter)),
        ];
        told.iter().for_each(|(name, kind)| writer.kind(&mut text, &Spelled::of(name), *kind));
        let expect =
            "# TYPE a:b unknown\n# TYPE a:b counter\n# TYPE a:c_total gauge\n# TYPE tickmark_value gauge\n# TYPE tickmark_value counter\n";
        assert_eq!(text, expect);
    }
}
