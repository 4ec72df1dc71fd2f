//! Samples as they were recorded, for spreadsheets and scripts. Read and written a day at a time, whatever the span.

use std::{fmt::Write as _, io, sync::Arc};

use app::model::{Kind, Number, Series, Wanted};
use axum::{body::Body, extract::State, http::header, response::IntoResponse};
use chrono::{DateTime, SecondsFormat};

use super::{
    Ask,
    ask::wrong,
    charts::{self, ChartQuery},
    series::DEFAULT_POINTS,
};
use crate::{
    clock,
    http::App,
    openmetrics::{CONTENT_TYPE, END, Spelled, Writer},
    problem::Problem,
    store::Samples,
};

/// What a spreadsheet takes for the begin of a formula; and the apostrophe, so that the one put before can be told from the name's own.
const GUARDED: [char; 12] = ['=', '+', '-', '@', '\t', '\r', '\n', '\'', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}'];
/// The longest name of a file, before its ending.
const MAX_FILE_NAME: usize = 120;
/// So much is read at once.
const SLICE_MS: i64 = 24 * 3_600 * 1_000;

/// The samples of one statistic as CSV (`time,box,name,value`; an unknown value is empty), or as OpenMetrics, which Prometheus's tools and
/// `tickmark import openmetrics` read: a metric is named as the statistic is, or is `tickmark_value{group=…,name=…}` where OpenMetrics has
/// no such names; an unknown value is NaN. In CSV a name that a spreadsheet would take for a
/// formula (it begins with `=`, `+`, `-`, `@`, one of their full-width forms, a tab or a line break) or that begins with an apostrophe
/// has an apostrophe put before it; without that one it is the name. Values are plain numbers.
#[utoipa::path(get, path = "/export", tag = "history", params(
    ("box" = String, Query, description = "Name or number"), ("name" = String, Query, description = "`group:name`"),
    ("from" = Option<String>, Query, description = "RFC 3339 or epoch milliseconds"),
    ("to" = Option<String>, Query, description = "RFC 3339 or epoch milliseconds; now when left out"),
    ("span" = Option<String>, Query, description = "Instead of `from`: `1h`, `24h`, `7d`; `24h` when left out"),
    ("format" = Option<String>, Query, description = "`csv`, or `openmetrics`; `csv` when left out")),
    responses((status = 200, content((String = "text/csv"), (String = "application/openmetrics-text"))), (status = 404, description = "No such box or statistic")))]
pub(super) async fn export(State(app): State<Arc<App>>, ask: Ask) -> Result<impl IntoResponse, Problem> {
    let format = Format::asked(&ask)?;
    let (from_ms, to_ms) = ask.span(clock::now_ms())?;
    let (asked, name) = (ask.need("box")?.to_owned(), ask.need("name")?.to_owned());
    let (box_name, kind) = {
        let entry = app.desk.entry(&asked)?;
        let now = entry.lock();
        (now.stored.spec.name.clone(), now.kind_of(&name))
    };
    // Read the first slice before the answer begins, so that a wrong question gets an error and not an empty file.
    let mut slice_end = from_ms.saturating_add(SLICE_MS).min(to_ms);
    app.desk.samples(&asked, &name, from_ms, to_ms.min(from_ms.saturating_add(1))).await?;
    let file = format!("attachment; filename=\"{}.{}\"", file_name(&box_name, &name), format.ending());
    let spelled = Spelled::of(&name);
    let rows = async_stream::stream! {
        yield Ok::<_, io::Error>(format.begin(&spelled, kind));
        let mut slice_start = from_ms;
        while slice_start < to_ms {
            match app.desk.samples(&asked, &name, slice_start, slice_end).await {
                Ok(samples) => yield Ok(match format {
                    Format::Csv => csv(&box_name, &name, &samples),
                    Format::Openmetrics => openmetrics(&spelled, &samples),
                }),
                Err(error) => {
                    tracing::error!(%error, "an export was cut short");
                    // The connection breaks, so that nobody takes the part for the whole.
                    yield Err(io::Error::other("the export was cut short"));
                    return;
                }
            }
            slice_start = slice_end;
            slice_end = slice_end.saturating_add(SLICE_MS).min(to_ms);
        }
        yield Ok(format.end().to_owned());
    };
    Ok(([(header::CONTENT_TYPE, format.content_type().to_owned()), (header::CONTENT_DISPOSITION, file)], Body::from_stream(rows)))
}

/// A chart of one or several statistics as CSV: a row for each point in the order of time, with the mean of each line in it, and the last
/// value where there is no mean; empty where there is none. A line is called `box/group:name`, by the rules of names above.
#[utoipa::path(get, path = "/chart.csv", tag = "history", params(ChartQuery),
    responses((status = 200, body = String, content_type = "text/csv"), (status = 404, description = "No such box or statistic")))]
pub(super) async fn lines(State(app): State<Arc<App>>, ask: Ask) -> Result<impl IntoResponse, Problem> {
    let spec = charts::spec(&ask)?;
    let all = app.desk.chart(&spec, &charts::question(&ask, &spec, DEFAULT_POINTS, false)?).await?;
    let title = if spec.title.is_empty() { "statistics" } else { &spec.title };
    let file = format!("attachment; filename=\"{}.csv\"", file_name("chart", title));
    Ok(([(header::CONTENT_TYPE, Format::Csv.content_type().to_owned()), (header::CONTENT_DISPOSITION, file)], table(&all.lines)))
}

/// The lines of a chart beside each other.
fn table(lines: &[Series]) -> String {
    // As a chart's words name them; what several come to together has no box.
    let label = |line: &Series| {
        if line.box_name.is_empty() { line.name.clone() } else { Wanted::one(&line.box_name, &line.name).to_string() }
    };
    let mut text = format!("time,{}\n", lines.iter().map(|line| quoted(&label(line))).collect::<Vec<_>>().join(","));
    let mut times: Vec<i64> = lines.iter().flat_map(|line| line.columns.t.iter().copied()).collect();
    times.sort_unstable();
    times.dedup();
    // Where each line is: points are taken as time goes on.
    let mut places = vec![0; lines.len()];
    for at_ms in times {
        text.push_str(&instant(at_ms));
        for (line, place) in lines.iter().zip(&mut places) {
            text.push(',');
            if line.columns.t.get(*place) == Some(&at_ms) {
                let pick = |column: &[Option<Number>]| column.get(*place).copied().flatten();
                if let Some(number) = pick(&line.columns.mean).or_else(|| pick(&line.columns.last)) {
                    push(&mut text, number);
                }
                *place += 1;
            }
        }
        text.push('\n');
    }
    text
}

/// How samples are written.
#[derive(Clone, Copy)]
enum Format {
    Csv,
    Openmetrics,
}

impl Format {
    fn asked(ask: &Ask) -> Result<Self, Problem> {
        match ask.get("format") {
            None | Some("csv") => Ok(Self::Csv),
            Some("openmetrics") => Ok(Self::Openmetrics),
            Some("ndjson") => Err(wrong("format", "csv and openmetrics are there now; ndjson comes in a later version")),
            Some(other) => Err(wrong("format", &format!("is {other:?}; allowed are csv and openmetrics"))),
        }
    }

    fn content_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8",
            Self::Openmetrics => CONTENT_TYPE,
        }
    }

    fn ending(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Openmetrics => "txt",
        }
    }

    fn begin(self, name: &Spelled, kind: Kind) -> String {
        let mut text = String::new();
        match self {
            Self::Csv => text.push_str("time,box,name,value\n"),
            Self::Openmetrics => Writer::default().kind(&mut text, name, Some(kind)),
        }
        text
    }

    fn end(self) -> &'static str {
        match self {
            Self::Csv => "",
            Self::Openmetrics => END,
        }
    }
}

fn openmetrics(name: &Spelled, samples: &Samples) -> String {
    let mut text = String::with_capacity(samples.at_ms.len() * 48);
    Writer::samples(&mut text, name, samples);
    text
}

/// Rows in the order of their times, which recording leaves where a clock is set back.
fn csv(box_name: &str, name: &str, samples: &Samples) -> String {
    let mut text = String::with_capacity(samples.at_ms.len() * 48);
    let labels = format!(",{},{},", quoted(box_name), quoted(name));
    let mut order: Vec<usize> = (0..samples.at_ms.len()).collect();
    order.sort_by_key(|&i| samples.at_ms[i]);
    for (at_ms, value) in order.into_iter().map(|i| (samples.at_ms[i], samples.values.get(i))) {
        text.push_str(&instant(at_ms));
        text.push_str(&labels);
        if let Some(value) = value {
            push(&mut text, value);
        }
        text.push('\n');
    }
    text
}

/// An instant in RFC 3339.
fn instant(at_ms: i64) -> String {
    let time = DateTime::from_timestamp_millis(at_ms).map(|time| time.to_rfc3339_opts(SecondsFormat::Millis, true));
    time.unwrap_or_else(|| at_ms.to_string())
}

/// Adds a number as tools read it.
fn push(text: &mut String, number: Number) {
    // Writing to a string cannot fail.
    let _ = match number {
        Number::Int(value) => write!(text, "{value}"),
        Number::Float(value) => write!(text, "{value}"),
    };
}

/// A CSV field that is text: quoted when it must be, and never taken for a formula by a spreadsheet.
fn quoted(text: &str) -> String {
    let guarded = text.starts_with(GUARDED);
    if !guarded && !text.contains(['"', ',', '\n', '\r']) {
        return text.to_owned();
    }
    format!("\"{}{}\"", if guarded { "'" } else { "" }, text.replace('"', "\"\""))
}

/// A file name that is one on every system.
fn file_name(box_name: &str, name: &str) -> String {
    let safe = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.') { c } else { '_' };
    format!("{box_name}-{name}").chars().map(safe).take(MAX_FILE_NAME).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_exact_and_unknown_is_empty() {
        let mut samples = Samples::default();
        for (at_ms, value) in [(1_000, Some(Number::Int(i64::MAX))), (2_500, None), (3_000, Some(Number::Float(0.5)))] {
            samples.push(at_ms, value, 1_000);
        }
        let expect = "1970-01-01T00:00:01.000Z,sip1,\"a:b,\"\"c\"\"\",9223372036854775807\n\
                      1970-01-01T00:00:02.500Z,sip1,\"a:b,\"\"c\"\"\",\n\
                      1970-01-01T00:00:03.000Z,sip1,\"a:b,\"\"c\"\"\",0.5\n";
        assert_eq!(csv("sip1", "a:b,\"c\"", &samples), expect);
    }

    #[test]
    fn rows_are_in_the_order_of_their_times() {
        let mut samples = Samples::default();
        for (at_ms, value) in [(1_000, 1), (3_000, 2), (2_000, 3), (3_000, 4)] {
            samples.push(at_ms, Some(Number::Int(value)), 1_000);
        }
        let text = csv("sip1", "a:b", &samples);
        let rows: Vec<&str> = text.lines().map(|row| &row[17..]).collect();
        assert_eq!(rows, ["01.000Z,sip1,a:b,1", "02.000Z,sip1,a:b,3", "03.000Z,sip1,a:b,2", "03.000Z,sip1,a:b,4"]);
    }

    #[test]
    fn a_name_is_no_formula_and_no_path() {
        assert_eq!(quoted("=cmd()"), "\"'=cmd()\"");
        assert_eq!(quoted("'=cmd()"), "\"''=cmd()\"");
        assert_eq!(quoted("\u{ff1d}1+1"), "\"'\u{ff1d}1+1\"");
        assert_eq!(quoted("\t=1"), "\"'\t=1\"");
        assert_eq!(quoted("core:-1"), "core:-1");
        assert_eq!(file_name("sip1", &"é".repeat(10_000)).len(), MAX_FILE_NAME);
        assert_eq!(file_name("sip1", "../a:b\"\n"), "sip1-.._a_b__");
    }
}
