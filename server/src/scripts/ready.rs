//! Scripts that are ready to be added. Each says in its first lines what it does and what to change.

/// One of them.
#[derive(Clone, Copy, Debug)]
pub struct Ready {
    /// The name that it is added by.
    pub name: &'static str,
    /// What it does.
    pub about: &'static str,
    /// When it runs.
    pub schedule: &'static str,
    /// What it says.
    pub source: &'static str,
}

/// All of them.
pub const READY: [Ready; 6] = [
    Ready {
        name: "daily_stat_push",
        about: "The daily tally: every member of the groups method and packet as one JSON document by POST, then set to zero.",
        schedule: "cron 0 0 * * * UTC",
        source: include_str!("ready/daily_stat_push.rhai"),
    },
    Ready {
        name: "nightly_reset",
        about: "Chosen counters of chosen boxes are set to zero each night.",
        schedule: "cron 0 0 * * * UTC",
        source: include_str!("ready/nightly_reset.rhai"),
    },
    Ready {
        name: "weekly_report",
        about: "A CSV report of the last week by POST: lowest, mean and highest value and total of chosen statistics.",
        schedule: "cron 0 6 * * MON UTC",
        source: include_str!("ready/weekly_report.rhai"),
    },
    Ready {
        name: "heartbeat",
        about: "Says each minute that the panel lives, and how many polls failed.",
        schedule: "every 1m skip",
        source: include_str!("ready/heartbeat.rhai"),
    },
    Ready {
        name: "call_durations",
        about: "A tally of call durations: how many calls ended, how long they took together, and the mean of each hour.",
        schedule: "every 1h skip",
        source: include_str!("ready/call_durations.rhai"),
    },
    Ready {
        name: "growth_today",
        about: "The growth of a counter since midnight, as a statistic of its own.",
        schedule: "every 1m skip",
        source: include_str!("ready/growth_today.rhai"),
    },
];
