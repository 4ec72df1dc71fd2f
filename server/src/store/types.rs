//! The store's words: what it is given and what it answers. They must not know SQL.

use std::collections::BTreeMap;

use app::model::{BoxKind, Number, Origin, ResetCause};

use super::StoreError;

/// A box as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredBox {
    /// Its number, which never changes.
    pub id: i64,
    /// Everything else.
    pub spec: BoxSpec,
}

/// What a box is, apart from its number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BoxSpec {
    /// Unique among the boxes that are not removed.
    pub name: String,
    /// The address as entered, without a password.
    pub address: String,
    /// The dialect.
    pub kind: BoxKind,
    /// The interval in milliseconds; none: the panel's default.
    pub interval_ms: Option<i64>,
    /// The operator's labels.
    pub labels: BTreeMap<String, String>,
    /// Whether it is left alone.
    pub paused: bool,
    /// Who provides it.
    pub origin: Origin,
    /// The user name for Basic auth.
    pub user: Option<String>,
    /// The password, sealed with the key file.
    pub password_sealed: Option<Vec<u8>>,
}

impl BoxSpec {
    /// A box of which nothing more is said: asked as often as by default, without a password, by whoever uses the panel.
    #[must_use]
    pub fn new(name: impl Into<String>, kind: BoxKind, address: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            address: address.into(),
            kind,
            interval_ms: None,
            labels: BTreeMap::new(),
            paused: false,
            origin: Origin::Panel,
            user: None,
            password_sealed: None,
        }
    }

    /// Whether a changed box is still the same server, as far as the panel can tell.
    #[must_use]
    pub fn is_same_server(&self, other: &Self) -> bool {
        self.kind == other.kind && self.address == other.address
    }

    /// Whether a changed box is still asked in the same way and under the same name, however often.
    #[must_use]
    pub fn is_asked_like(&self, other: &Self) -> bool {
        self.is_same_server(other) && self.user == other.user && self.password_sealed == other.password_sealed && self.name == other.name
    }
}

/// One rule of what is recorded of a box.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TickRule {
    /// A full name, or a pattern.
    pub pattern: String,
    /// An exception: this full name is not recorded, though a pattern matches it.
    pub except: bool,
    /// Who made it.
    pub origin: Origin,
}

/// An account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Its number.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// The argon2id hash of its password, in PHC form.
    pub password_hash: String,
    /// Who provides it.
    pub origin: Origin,
    /// What it may: `read`, `tick` or `admin`.
    pub scope: String,
    /// How its pages look, JSON.
    pub taste: String,
}

/// A token for tools; its secret is not kept, only its hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// Its name, unique.
    pub name: String,
    /// `read`, `tick`, `push` or `admin`.
    pub scope: String,
    /// When it was made, epoch milliseconds.
    pub created_ms: i64,
}

/// The number of a series.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SeriesId(pub i64);

/// The samples of one poll of one box: stored whole or not at all.
#[derive(Clone, Debug, PartialEq)]
pub struct PollRecord {
    /// The box.
    pub box_id: i64,
    /// The poll's time, epoch milliseconds. After a clock was set back it may lie before earlier records: both are kept.
    /// One poll may be recorded in parts of the same time, each of other series.
    pub at_ms: i64,
    /// The interval the box was polled at, milliseconds.
    pub interval_ms: i64,
    /// A value, or none where it was not known, per ticked series; no series twice. A float that is no number counts as unknown.
    pub values: Vec<(SeriesId, Option<Number>)>,
    /// Instants at which counters began anew, stored with them.
    pub marks: Vec<Mark>,
    /// When the box started, epoch milliseconds, where that is news: a later start of this process compares with it.
    pub started_ms: Option<i64>,
    /// The generation of the lease in which it was polled, where panels share the database: of an older one it is refused.
    pub generation: Option<i64>,
}

/// A counter, or all of a box's, began anew.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// The series; none: the whole box.
    pub series: Option<SeriesId>,
    /// When it was seen, epoch milliseconds.
    pub at_ms: i64,
    /// Why.
    pub cause: ResetCause,
    /// Who did it.
    pub by: Option<String>,
}

/// What was recorded last of a box.
#[derive(Clone, Debug, PartialEq)]
pub struct LastKnown {
    /// The time of the last poll, epoch milliseconds.
    pub at_ms: i64,
    /// When the box started, as far as its polls told, epoch milliseconds.
    pub started_ms: Option<i64>,
    /// The statistics of that poll, by full name, in the order in which they were first recorded; none where it was not known.
    pub values: Vec<(std::sync::Arc<str>, Option<Number>)>,
}

/// What `tickmark check` found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CheckReport {
    /// Series that exist.
    pub series: u64,
    /// Sealed chunks that were read back.
    pub chunks: u64,
    /// Samples in them.
    pub chunk_samples: u64,
    /// Rows of the head that were read back.
    pub head_rows: u64,
    /// Samples in them.
    pub head_samples: u64,
    /// What is wrong, each with its place.
    pub faults: Vec<String>,
}

/// Sizes and counts for the panel's own statistics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StoreStats {
    /// Bytes of the database file and its log, or of the database on a server, as it was last told.
    pub size_bytes: u64,
    /// Polls waiting to be committed.
    pub queue_depth: u64,
    /// Polls dropped since the start because the queue was full.
    pub dropped_polls: u64,
    /// Samples committed since the start.
    pub samples: u64,
    /// Commits since the start.
    pub commits: u64,
    /// Chunks sealed since the start.
    pub chunks_sealed: u64,
}

/// The origin that a word of the database names; `owner` says whose it is.
pub(super) fn origin_of(word: &str, owner: impl FnOnce() -> String) -> Result<Origin, StoreError> {
    let origin = [Origin::Panel, Origin::Config, Origin::Builtin].into_iter().find(|origin| origin.as_str() == word);
    origin.ok_or_else(|| StoreError::Damaged(format!("{} has the origin {word}, which this version does not know", owner())))
}
