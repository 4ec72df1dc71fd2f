//! Boxes as pages, the API and the live stream tell them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What kind of server a box is, hence which dialect is spoken with it; over what it is asked, its address says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "utoipa", derive(utoipa::ToSchema))]
pub enum BoxKind {
    /// OpenSIPS 3.x and 4.x: JSON-RPC over HTTP, a FIFO or datagrams, or XML-RPC.
    Opensips,
    /// OpenSIPS 2.x: JSON over HTTP, text over a FIFO or datagrams, or XML-RPC.
    Opensips2,
    /// Kamailio: JSON-RPC over HTTP, a FIFO or datagrams (module jsonrpcs).
    Kamailio,
    /// Anything that tells its metrics as Prometheus or OpenMetrics writes them.
    Prometheus,
    /// The panel itself and its host; there is exactly one.
    Tickmark,
}

impl BoxKind {
    /// Those that are asked at an address, in the order people are offered them.
    pub const REMOTE: [Self; 4] = [Self::Opensips, Self::Opensips2, Self::Kamailio, Self::Prometheus];

    /// The word used in the API, in forms and in the store.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Opensips => "opensips",
            Self::Opensips2 => "opensips2",
            Self::Kamailio => "kamailio",
            Self::Prometheus => "prometheus",
            Self::Tickmark => "tickmark",
        }
    }

    /// The kind that a word of the API, a form or the store names.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "opensips" => Some(Self::Opensips),
            "opensips2" => Some(Self::Opensips2),
            "kamailio" => Some(Self::Kamailio),
            "prometheus" => Some(Self::Prometheus),
            "tickmark" => Some(Self::Tickmark),
            _ => None,
        }
    }
}

/// Who provides a box: decides where it can be changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "utoipa", derive(utoipa::ToSchema))]
pub enum Origin {
    /// Added in the panel, by the API or by `tickmark box add`.
    Panel,
    /// From the configuration file: read-only in the panel.
    Config,
    /// The built-in box `tickmark`.
    Builtin,
}

impl Origin {
    /// The word used in the API and in the store.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Panel => "panel",
            Self::Config => "config",
            Self::Builtin => "builtin",
        }
    }
}

/// How a box does at this moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "utoipa", derive(utoipa::ToSchema))]
pub enum BoxState {
    /// Not polled yet.
    Waiting,
    /// The last poll was answered.
    Up,
    /// The last poll failed; `reason` says how.
    Down,
    /// Not polled, by an operator's choice.
    Paused,
}

/// One box with its state.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "utoipa", derive(utoipa::ToSchema))]
pub struct BoxView {
    /// Its number, which never changes.
    pub id: i64,
    /// Its name: `[A-Za-z][A-Za-z0-9_.-]*`.
    pub name: String,
    /// Where it is asked, such as `http://10.0.0.5:8888/mi`; never with a password.
    pub address: String,
    /// Which dialect it speaks.
    pub kind: BoxKind,
    /// How often it is asked, such as `10s`.
    pub interval: String,
    /// The operator's own labels.
    pub labels: BTreeMap<String, String>,
    /// Whether it is left alone.
    pub paused: bool,
    /// Who provides it.
    pub origin: Origin,
    /// The user name for Basic auth.
    pub user: Option<String>,
    /// Whether a password is kept for it; the password itself is never shown.
    pub has_password: bool,
    /// How it does.
    pub state: BoxState,
    /// What it calls itself, such as `OpenSIPS 4.0.1`.
    pub server: Option<String>,
    /// How many statistics its last answer had.
    pub statistics: usize,
    /// How many of them are recorded.
    pub recorded: usize,
    /// When it started, epoch milliseconds.
    pub started_at: Option<i64>,
    /// The time of its last answer, epoch milliseconds.
    pub at: Option<i64>,
    /// How old that answer is, in milliseconds.
    pub age_ms: Option<i64>,
    /// Why it is down, in a sentence a person can act on.
    pub reason: Option<String>,
    /// What of its last answer was left out, or could not be recorded, and why; `null` when there is nothing to say.
    #[serde(default)]
    pub notice: Option<String>,
}

/// What an address turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "utoipa", derive(utoipa::ToSchema))]
pub enum Verdict {
    /// An OpenSIPS that answers.
    Opensips,
    /// A Kamailio that answers.
    Kamailio,
    /// An exporter of metrics that answers.
    Prometheus,
    /// Something answers, but no SIP server's management interface.
    NotSip,
    /// Nothing answers.
    Unreachable,
    /// A SIP server, but not at this path.
    WrongPath,
    /// It wants a user name and a password, or other ones.
    NeedsPassword,
}

/// What `POST boxes/probe` found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "utoipa", derive(utoipa::ToSchema))]
pub struct ProbeReport {
    /// The address that works; when none does, the one that was asked.
    pub address: String,
    /// What it is.
    pub verdict: Verdict,
    /// The kind to add it as, when it is a SIP server that answers.
    pub kind: Option<BoxKind>,
    /// What it calls itself, such as `OpenSIPS 4.0.1`.
    pub server: Option<String>,
    /// How many statistics it has.
    pub statistics: Option<usize>,
    /// A sentence that says what was found and what to do.
    pub message: String,
}
