//! Times at which nobody is told of a rule, again and again: by the week or by a cron expression in a time zone, for a length. As people
//! write them. Pure: it reads no clock.

use crate::{
    config::{check_box_name, parse_duration},
    scripts::Schedule,
};

/// The shortest and the longest.
const LENGTH_MS: std::ops::RangeInclusive<i64> = 60_000..=31 * 24 * 3_600_000;
/// How it is written, for whoever wrote it otherwise.
const SUCH_AS: &str = "write such as \"weekly SAT,SUN 02:00 Europe/Berlin for 4h\" or \"cron 0 2 1 * * UTC for 90m on sip1\"";

/// Such times.
#[derive(Clone, Debug, PartialEq)]
pub struct Quiet {
    schedule: Schedule,
    length_ms: i64,
    box_name: Option<String>,
}

impl Quiet {
    /// Reads `weekly DAYS HH:MM ZONE for LENGTH`, `daily HH:MM ZONE for LENGTH` or `cron EXPRESSION ZONE for LENGTH`, each with `on BOX`
    /// behind it where it is of one box alone.
    ///
    /// # Errors
    /// Names the part that is wrong, and what is allowed.
    pub fn parse(text: &str) -> Result<Self, String> {
        let words: Vec<&str> = text.split_whitespace().collect();
        let at = words.iter().rposition(|word| *word == "for").ok_or_else(|| format!("{text:?} does not say for how long: {SUCH_AS}"))?;
        let (length, box_name) = match &words[at + 1..] {
            [length] => (*length, None),
            [length, "on", name] => (*length, Some(*name)),
            _ => return Err(format!("behind \"for\" stands a time, and \"on\" with a box if it is of one alone: {SUCH_AS}")),
        };
        let length_ms = parse_duration(length).map_err(|why| format!("the time behind \"for\" is wrong: {why}"))?.as_millis();
        let length_ms = i64::try_from(length_ms).ok().filter(|ms| LENGTH_MS.contains(ms));
        let length_ms = length_ms.ok_or_else(|| format!("\"for {length}\" cannot be: 1m to 31d is allowed"))?;
        if let Some(name) = box_name {
            check_box_name(name).map_err(|why| format!("the box behind \"on\" is wrong: {why}"))?;
        }
        let cron = match &words[..at] {
            ["weekly", days, time, zone @ ..] => format!("cron {} * * {days} {}", minute_and_hour(time)?, zone.join(" ")),
            ["daily", time, zone @ ..] => format!("cron {} * * * {}", minute_and_hour(time)?, zone.join(" ")),
            ["cron", ..] => words[..at].join(" "),
            _ => return Err(format!("{text:?} begins with none of weekly, daily and cron: {SUCH_AS}")),
        };
        match Schedule::parse(&cron)? {
            Some(schedule @ Schedule::Cron(..)) => Ok(Self { schedule, length_ms, box_name: box_name.map(str::to_owned) }),
            _ => Err(format!("{text:?} is no time that comes again: {SUCH_AS}")),
        }
    }

    /// Until when nobody is told of something on a box, where that is so now.
    #[must_use]
    pub fn until_ms(&self, box_name: &str, now_ms: i64) -> Option<i64> {
        if self.box_name.as_ref().is_some_and(|of| of != box_name) {
            return None;
        }
        let begun_ms = self.schedule.last_between(now_ms.saturating_sub(self.length_ms), now_ms)?;
        Some(begun_ms.saturating_add(self.length_ms))
    }
}

/// `02:30` as a cron expression begins.
fn minute_and_hour(text: &str) -> Result<String, String> {
    let wrong = || format!("{text:?} is no time of the day: write such as 02:30");
    let (hour, minute) = text.split_once(':').ok_or_else(wrong)?;
    match (hour.parse::<u8>(), minute.parse::<u8>()) {
        (Ok(hour @ 0..=23), Ok(minute @ 0..=59)) => Ok(format!("{minute} {hour}")),
        _ => Err(wrong()),
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Utc};

    use super::*;

    fn ms(text: &str) -> i64 {
        DateTime::parse_from_rfc3339(text).unwrap().timestamp_millis()
    }

    #[track_caller]
    fn check(quiet: &str, now: &str, until: Option<&str>) {
        let quiet = Quiet::parse(quiet).unwrap().until_ms("sip1", ms(now));
        let written = quiet.map(|at| DateTime::<Utc>::from_timestamp_millis(at).unwrap().format("%Y-%m-%dT%H:%M:%SZ").to_string());
        assert_eq!(written.as_deref(), until, "{now}");
    }

    #[test]
    fn it_begins_and_ends_by_the_clocks_there() {
        let weekend = "weekly SAT,SUN 02:00 Europe/Berlin for 4h";
        // The 1st of August 2026 is a Saturday, and two hours ahead there.
        check(weekend, "2026-07-31T23:59:59Z", None);
        check(weekend, "2026-08-01T00:00:00Z", Some("2026-08-01T04:00:00Z"));
        check(weekend, "2026-08-01T03:59:59Z", Some("2026-08-01T04:00:00Z"));
        check(weekend, "2026-08-01T04:00:00Z", None);
        check(weekend, "2026-08-03T01:00:00Z", None);
        check(weekend, "2026-12-05T01:30:00Z", Some("2026-12-05T05:00:00Z"));
        // Over midnight, and the night in which the clocks go forward and that hour is not there.
        check("daily 22:30 for 3h", "2026-08-02T01:00:00Z", Some("2026-08-02T01:30:00Z"));
        check("daily 02:30 Europe/Berlin for 1h", "2026-03-29T01:10:00Z", Some("2026-03-29T02:00:00Z"));
        check("cron 0 0 1 * * UTC for 31d", "2026-01-31T23:00:00Z", Some("2026-02-01T00:00:00Z"));
    }

    #[test]
    fn of_one_box_alone() {
        let of = |name: &str| Quiet::parse("daily 00:00 for 24h on sip1").unwrap().until_ms(name, ms("2026-08-01T12:00:00Z")).is_some();
        assert_eq!((of("sip1"), of("sip2")), (true, false));
    }

    #[test]
    fn the_part_that_is_wrong_is_named() {
        for (text, why) in [
            ("weekly SUN 02:00", "does not say for how long"),
            ("weekly SUN 02:00 for", "behind \"for\" stands a time"),
            ("weekly SUN 02:00 for ever", "the time behind \"for\" is wrong"),
            ("weekly SUN 02:00 for 1s", "\"for 1s\" cannot be: 1m to 31d"),
            ("weekly SUN 25:00 for 1h", "\"25:00\" is no time of the day"),
            ("weekly NEVER 02:00 for 1h", "the cron expression"),
            ("weekly SUN 02:00 Europe/Berln for 1h", "did you mean Europe/Berlin?"),
            ("every 5m for 1h", "begins with none of weekly, daily and cron"),
            ("daily 02:00 for 1h on 1x", "the box behind \"on\" is wrong"),
            ("daily 02:00 for 1h sip1", "behind \"for\" stands a time"),
        ] {
            let said = Quiet::parse(text).unwrap_err();
            assert!(said.contains(why), "{text}: {said}");
        }
    }
}
