//! What the panel tells the islands, read from its JSON. Of a box no more is read than a page shows. A field that is missing or of
//! another kind makes the whole unreadable: nothing is guessed.

use crate::{
    format,
    json::Json,
    model::{
        AlertMark, BoxKind, BoxState, ChartLines, Columns, Fault, Fired, Gap, LiveStatistic, LiveValues, Mode, Note, Number, ProbeReport,
        Recorded, Removed, Reset, ResetCause, Series, Spark, Verdict,
    },
};

/// What can be read.
pub(crate) trait Read: Sized {
    /// Reads it; `None` when the JSON is of something else.
    fn read(json: &Json<'_>) -> Option<Self>;
}

/// Reads a whole answer or event.
pub(crate) fn read<T: Read>(text: &str) -> Option<T> {
    T::read(&Json::parse(text)?)
}

/// How a box does: the part of [`crate::model::BoxView`] that open pages follow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BoxNews {
    pub(crate) id: i64,
    pub(crate) name: String,
    pub(crate) interval: String,
    pub(crate) state: BoxState,
    pub(crate) statistics: i64,
    pub(crate) recorded: i64,
    pub(crate) started_at: Option<i64>,
    pub(crate) at: Option<i64>,
    pub(crate) age_ms: Option<i64>,
    pub(crate) reason: Option<String>,
    pub(crate) notice: Option<String>,
}

/// The boxes that `GET boxes` lists.
pub(crate) struct BoxList(pub(crate) Vec<BoxNews>);

/// What a refused request says of itself.
pub(crate) struct Problem(pub(crate) String);

/// `null` as nothing; anything else must be readable.
fn maybe<'a, 'b, T>(json: &'a Json<'b>, read: impl FnOnce(&'a Json<'b>) -> Option<T>) -> Option<Option<T>> {
    if *json == Json::Null { Some(None) } else { read(json).map(Some) }
}

fn all<'a, 'b, T>(json: &'a Json<'b>, read: impl FnMut(&'a Json<'b>) -> Option<T>) -> Option<Vec<T>> {
    json.list()?.iter().map(read).collect()
}

fn text(json: &Json<'_>) -> Option<String> {
    json.text().map(str::to_owned)
}

/// Whole numbers stay exact over the whole of 64 bits.
fn number(json: &Json<'_>) -> Option<Number> {
    json.int().map(Number::Int).or_else(|| json.float().map(Number::Float))
}

/// The value that a page writes so, as near as it writes it; none where it writes that none is known.
pub(crate) fn written(text: &str) -> Option<Number> {
    let digits = format::bare(text).replace(format::MINUS, "-");
    number(&Json::Number(digits.trim_end_matches([format::THIN, '%'])))
}

impl Read for BoxNews {
    fn read(json: &Json<'_>) -> Option<Self> {
        let states = [BoxState::Waiting, BoxState::Up, BoxState::Down, BoxState::Paused];
        let state = json.get("state").text()?;
        Some(Self {
            id: json.get("id").int()?,
            name: text(json.get("name"))?,
            interval: text(json.get("interval"))?,
            state: states.into_iter().find(|one| crate::wording::state_key(*one) == state)?,
            statistics: json.get("statistics").int()?,
            recorded: json.get("recorded").int()?,
            started_at: maybe(json.get("started_at"), Json::int)?,
            at: maybe(json.get("at"), Json::int)?,
            age_ms: maybe(json.get("age_ms"), Json::int)?,
            reason: maybe(json.get("reason"), text)?,
            notice: maybe(json.get("notice"), text)?,
        })
    }
}

impl Read for BoxList {
    fn read(json: &Json<'_>) -> Option<Self> {
        all(json.get("items"), BoxNews::read).map(Self)
    }
}

impl Read for Fault {
    fn read(json: &Json<'_>) -> Option<Self> {
        Some(Self { message: maybe(json.get("message"), text)? })
    }
}

impl Read for Problem {
    fn read(json: &Json<'_>) -> Option<Self> {
        text(json.get("detail")).map(Self)
    }
}

impl Read for Removed {
    fn read(json: &Json<'_>) -> Option<Self> {
        Some(Self { box_name: text(json.get("box"))? })
    }
}

impl Read for Recorded {
    fn read(json: &Json<'_>) -> Option<Self> {
        Some(Self { box_name: text(json.get("box"))?, at: json.get("at").int()? })
    }
}

impl Read for LiveValues {
    fn read(json: &Json<'_>) -> Option<Self> {
        Some(Self {
            box_name: text(json.get("box"))?,
            at: json.get("at").int()?,
            snapshot: json.get("snapshot").bool()?,
            left_out: maybe(json.get("left_out"), |count| count.int()?.try_into().ok())?.unwrap_or_default(),
            missed: maybe(json.get("missed"), |count| count.int()?.try_into().ok())?.unwrap_or_default(),
            statistics: all(json.get("statistics"), LiveStatistic::read)?,
        })
    }
}

impl Read for LiveStatistic {
    fn read(json: &Json<'_>) -> Option<Self> {
        Some(Self {
            name: text(json.get("name"))?,
            value: maybe(json.get("value"), number)?,
            rate: maybe(json.get("rate"), Json::float)?,
            spark: maybe(json.get("spark"), Spark::read)?,
        })
    }
}

impl Read for Spark {
    #[expect(clippy::cast_possible_truncation, reason = "they were written as such floats")]
    fn read(json: &Json<'_>) -> Option<Self> {
        let [low, high, points] = json.list()? else { return None };
        Some(Self { low: low.float()? as f32, high: high.float()? as f32, points: text(points)? })
    }
}

fn gap(gap: &Json<'_>) -> Option<Gap> {
    Some(Gap { from: gap.get("from").int()?, to: gap.get("to").int()?, reason: text(gap.get("reason"))? })
}

fn reset(reset: &Json<'_>) -> Option<Reset> {
    let cause = ResetCause::parse(reset.get("cause").text()?)?;
    Some(Reset { at: reset.get("at").int()?, cause, by: maybe(reset.get("by"), text)? })
}

fn note(note: &Json<'_>) -> Option<Note> {
    let (from, to) = (note.get("from").int()?, note.get("to").int()?);
    Some(Note { id: note.get("id").int()?, from, to, text: text(note.get("text"))?, by: text(note.get("by"))? })
}

fn alert(alert: &Json<'_>) -> Option<AlertMark> {
    Some(AlertMark {
        rule: text(alert.get("rule"))?,
        unit: text(alert.get("unit"))?,
        above: maybe(alert.get("above"), Json::float)?,
        below: maybe(alert.get("below"), Json::float)?,
        fired: all(alert.get("fired"), |span| Some(Fired { from: span.get("from").int()?, to: span.get("to").int()? }))?,
    })
}

/// A chart of several lines, or one series, which is a chart of one.
impl Read for ChartLines {
    fn read(json: &Json<'_>) -> Option<Self> {
        if *json.get("lines") == Json::Null {
            let line = Series::read(json)?;
            return Some(Self {
                gaps: line.gaps.clone(),
                resets: line.resets.clone(),
                notes: line.notes.clone(),
                alerts: line.alerts.clone(),
                lines: vec![line],
            });
        }
        Some(Self {
            lines: all(json.get("lines"), Series::read)?,
            gaps: all(json.get("gaps"), gap)?,
            resets: all(json.get("resets"), reset)?,
            notes: all(json.get("notes"), note)?,
            alerts: all(json.get("alerts"), alert)?,
        })
    }
}

impl Read for Series {
    fn read(json: &Json<'_>) -> Option<Self> {
        let columns = json.get("columns");
        let column = |name: &str| all(columns.get(name), |one| maybe(one, number));
        Some(Self {
            box_name: text(json.get("box"))?,
            name: text(json.get("name"))?,
            mode: Mode::parse(json.get("mode").text()?)?,
            of: maybe(json.get("of"), text)?,
            every_ms: maybe(json.get("every_ms"), Json::int)?,
            unit: text(json.get("unit"))?,
            from: json.get("from").int()?,
            to: json.get("to").int()?,
            tier: text(json.get("tier"))?,
            columns: Columns {
                t: all(columns.get("t"), Json::int)?,
                first: column("first")?,
                min: column("min")?,
                max: column("max")?,
                mean: column("mean")?,
                last: column("last")?,
            },
            gaps: all(json.get("gaps"), gap)?,
            total: maybe(json.get("total"), number)?,
            resets: all(json.get("resets"), reset)?,
            notes: all(json.get("notes"), note)?,
            alerts: all(json.get("alerts"), alert)?,
            of_means: *json.get("of_means") == Json::Bool(true),
        })
    }
}

impl Read for ProbeReport {
    fn read(json: &Json<'_>) -> Option<Self> {
        let verdict = match json.get("verdict").text()? {
            "opensips" => Verdict::Opensips,
            "kamailio" => Verdict::Kamailio,
            "not_sip" => Verdict::NotSip,
            "unreachable" => Verdict::Unreachable,
            "wrong_path" => Verdict::WrongPath,
            "needs_password" => Verdict::NeedsPassword,
            _ => return None,
        };
        Some(Self {
            address: text(json.get("address"))?,
            verdict,
            kind: maybe(json.get("kind"), |kind| BoxKind::parse(kind.text()?))?,
            server: maybe(json.get("server"), text)?,
            statistics: maybe(json.get("statistics"), |count| count.int()?.try_into().ok())?,
            message: text(json.get("message"))?,
        })
    }
}

#[cfg(test)]
mod tests;
