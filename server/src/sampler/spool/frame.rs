//! How what waits is written to a file: frames, each with its length and check sum, so that one that was cut off or damaged is known.
//! It must not know files.

use std::sync::Arc;

use app::model::{Number, ResetCause};
use serde::{Deserialize, Serialize};

use crate::sampler::{
    continuity::Gap,
    recorder::{Anew, Recording},
};

/// What this program writes; another version of it may read no other.
const FORMAT: u32 = 1;
/// The length and the check sum, four bytes each.
const HEAD_BYTES: usize = 8;
/// A longer frame is none: the largest poll that a source lets in has two hundred thousand values.
const MAX_BYTES: usize = 64 << 20;

/// One frame.
#[derive(Serialize, Deserialize)]
pub(super) enum Frame {
    /// The first of a file: the format, and the database that it is for.
    Begin(u32, String),
    /// The names of the polls that say so, by their place. Were it left to the order of the frames, a damaged one would give wrong names.
    Names(u32, Vec<String>),
    Poll(Poll),
    Gap(Hole),
}

/// A poll of one box, by the place of its names.
#[derive(Serialize, Deserialize)]
pub(super) struct Poll {
    pub(super) names: u32,
    box_id: i64,
    at_ms: i64,
    interval_ms: i64,
    values: Vec<Value>,
    marks: Vec<String>,
    dropped: Vec<String>,
    anew: Vec<(String, String, Option<String>)>,
    started_ms: Option<i64>,
    generation: Option<i64>,
}

/// A span without values.
#[derive(Serialize, Deserialize)]
pub(super) struct Hole {
    box_id: i64,
    from_ms: i64,
    to_ms: i64,
    reason: String,
}

#[derive(Serialize, Deserialize)]
enum Value {
    Unknown,
    Int(i64),
    Float(f64),
}

impl Frame {
    pub(super) fn begin(database: &str) -> Self {
        Self::Begin(FORMAT, database.to_owned())
    }

    /// Whether it begins a file that this program can read, for this database.
    pub(super) fn is_begin_of(&self, database: &str) -> bool {
        matches!(self, Self::Begin(FORMAT, of) if of == database)
    }

    pub(super) fn names(place: u32, names: &[Arc<str>]) -> Self {
        Self::Names(place, names.iter().map(|name| name.to_string()).collect())
    }

    pub(super) fn poll(recording: &Recording, names: u32) -> Self {
        let value = |value: &Option<Number>| match *value {
            None => Value::Unknown,
            Some(Number::Int(int)) => Value::Int(int),
            Some(Number::Float(float)) => Value::Float(float),
        };
        let anew = |anew: &Anew| (anew.full.to_string(), anew.cause.as_str().to_owned(), anew.by.as_deref().map(str::to_owned));
        Self::Poll(Poll {
            names,
            box_id: recording.box_id,
            at_ms: recording.at_ms,
            interval_ms: recording.interval_ms,
            values: recording.values.iter().map(value).collect(),
            marks: recording.marks.iter().map(|cause| cause.as_str().to_owned()).collect(),
            dropped: recording.dropped.iter().map(|name| name.to_string()).collect(),
            anew: recording.anew.iter().map(anew).collect(),
            started_ms: recording.started_ms,
            generation: recording.generation,
        })
    }

    pub(super) fn gap(box_id: i64, gap: &Gap) -> Self {
        Self::Gap(Hole { box_id, from_ms: gap.from_ms, to_ms: gap.to_ms, reason: gap.reason.clone() })
    }

    /// Its bytes, with length and check sum; none where it is too long.
    pub(super) fn encode(&self) -> Option<Vec<u8>> {
        let mut bytes = postcard::to_extend(self, vec![0; HEAD_BYTES]).ok()?;
        let body = bytes.get(HEAD_BYTES..).filter(|body| body.len() <= MAX_BYTES)?;
        let (length, sum) = (u32::try_from(body.len()).ok()?, crc32fast::hash(body));
        bytes[..4].copy_from_slice(&length.to_le_bytes());
        bytes[4..HEAD_BYTES].copy_from_slice(&sum.to_le_bytes());
        Some(bytes)
    }
}

impl Poll {
    /// The poll, whose values have these names; none where that cannot be.
    pub(super) fn into_recording(self, names: &Arc<[Arc<str>]>) -> Option<Recording> {
        let value = |value: &Value| match *value {
            Value::Unknown => None,
            Value::Int(int) => Some(Number::Int(int)),
            Value::Float(float) => Some(Number::Float(float)),
        };
        let anew = |(full, cause, by): (String, String, Option<String>)| {
            Some(Anew { full: full.into(), cause: ResetCause::parse(&cause)?, by: by.map(Into::into) })
        };
        Some(Recording {
            box_id: self.box_id,
            at_ms: self.at_ms,
            interval_ms: self.interval_ms,
            names: Arc::clone(names),
            values: self.values.iter().map(value).collect(),
            marks: self.marks.iter().map(|cause| ResetCause::parse(cause)).collect::<Option<_>>()?,
            dropped: self.dropped.into_iter().map(Into::into).collect(),
            anew: self.anew.into_iter().map(anew).collect::<Option<_>>()?,
            started_ms: self.started_ms,
            generation: self.generation,
        })
        .filter(|recording| recording.values.len() == names.len())
    }
}

impl Hole {
    pub(super) fn into_gap(self) -> (i64, Gap) {
        (self.box_id, Gap { from_ms: self.from_ms, to_ms: self.to_ms, reason: self.reason })
    }
}

/// What a frame's bytes say.
pub(super) enum Decoded {
    Frame(Frame),
    Damaged,
}

/// Takes the first frame off `bytes`; none where they end, or are cut off.
pub(super) fn decode(bytes: &mut &[u8]) -> Option<Decoded> {
    let length = usize::try_from(u32::from_le_bytes(*bytes.first_chunk::<4>()?)).ok().filter(|&length| length <= MAX_BYTES)?;
    let sum = u32::from_le_bytes(*bytes.get(4..)?.first_chunk::<4>()?);
    let body = bytes.get(HEAD_BYTES..HEAD_BYTES + length)?;
    *bytes = &bytes[HEAD_BYTES + length..];
    let frame = (crc32fast::hash(body) == sum).then(|| postcard::from_bytes(body).ok()).flatten();
    Some(frame.map_or(Decoded::Damaged, Decoded::Frame))
}
