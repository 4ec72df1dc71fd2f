//! What the page Settings shows: how long history is kept, and what it takes.

/// `/cp/settings?change=`
#[derive(Clone, Debug, Default)]
pub struct SettingsPage {
    /// The names of all boxes.
    pub boxes: Vec<String>,
    /// How long history is kept, the rule for everything first.
    pub rules: Vec<KeepRow>,
    /// What the history takes, a row a box.
    pub usage: Vec<UsageRow>,
    /// The database with all there is in it, bytes.
    pub file_bytes: u64,
    /// The form, as last filled in.
    pub form: KeepForm,
}

/// A rule, as it is shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeepRow {
    /// The box; empty: all.
    pub box_name: String,
    /// A name or a pattern; empty: all statistics.
    pub pattern: String,
    /// Samples, minutes, hours: `90d`, `ever`; empty: as a less particular rule says.
    pub keep: [String; 3],
    /// It holds where no other does, and nobody made it.
    pub is_default: bool,
}

/// What the history of a box takes: samples, minutes, hours.
#[derive(Clone, Debug, Default)]
pub struct UsageRow {
    /// The box.
    pub box_name: String,
    /// Bytes.
    pub bytes: [i64; 3],
    /// The first instant of each, epoch milliseconds.
    pub from_ms: [Option<i64>; 3],
    /// Bytes a day, lately; none where there is no whole day yet.
    pub bytes_a_day: Option<i64>,
}

/// The fields of a rule as a person typed them, what is wrong with them, and what the rule would free.
#[derive(Clone, Debug, Default)]
pub struct KeepForm {
    /// The rule.
    pub rule: KeepRow,
    /// What is wrong, by the name of the field.
    pub errors: Vec<(&'static str, String)>,
    /// The bytes of each tier that go when it is set; it is asked for before anything goes.
    pub frees: Option<[i64; 3]>,
}
