//! When a script runs by itself: so often, by a cron expression in a time zone, or when something happens. As people write it, and its
//! due times. Pure: it reads no clock.

use std::{fmt, str::FromStr as _, time::Duration};

use chrono::{DateTime, TimeZone as _, Utc};
use chrono_tz::Tz;
use croner::{
    Cron,
    parser::{CronParser, Seconds, Year},
};

use crate::config::{check_box_name, format_duration, nearest, parse_duration};

/// The shortest time between two runs.
const MIN_EVERY: Duration = Duration::from_secs(1);
/// The longest.
const MAX_EVERY: Duration = Duration::from_secs(366 * 86_400);
/// Occurrences are first looked for in so long before now: a panel that was down for a year need not go through all of it.
const RECENT_MS: i64 = 3 * 86_400_000;
/// So many occurrences are gone through at most.
const MAX_STEPS: usize = 10_000;

/// What becomes of due times while nobody was there to run the script.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Missed {
    /// It runs once, late, for the last of them.
    #[default]
    Late,
    /// They are skipped.
    Skip,
}

/// What happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Happening {
    /// A box gives no answer any more.
    BoxDown,
    /// It does again.
    BoxUp,
    /// A box restarted.
    Restart,
    /// An alert began, ended or was acknowledged.
    Alert,
}

impl Happening {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::BoxDown, Self::BoxUp, Self::Restart, Self::Alert];

    /// The word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::BoxDown => "box_down",
            Self::BoxUp => "box_up",
            Self::Restart => "restart",
            Self::Alert => "alert",
        }
    }
}

/// When a script runs by itself.
#[derive(Clone, Debug)]
pub enum Schedule {
    /// At each multiple of this since 1970, UTC: `every 24h` is midnight UTC.
    Every(Duration, Missed),
    /// By a cron expression, as it was written, in a time zone.
    Cron(Box<Cron>, String, Tz, Missed),
    /// When something happens, to any box or to one.
    On(Happening, Option<String>),
}

impl PartialEq for Schedule {
    fn eq(&self, other: &Self) -> bool {
        self.to_string() == other.to_string()
    }
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let missed = match self {
            Self::Every(every, missed) => {
                write!(f, "every {}", format_duration(*every))?;
                missed
            }
            Self::Cron(_, text, zone, missed) => {
                write!(f, "cron {text} {zone}")?;
                missed
            }
            Self::On(what, of_box) => {
                write!(f, "on {}", what.as_str())?;
                return of_box.as_ref().map_or(Ok(()), |of_box| write!(f, " {of_box}"));
            }
        };
        if *missed == Missed::Skip { f.write_str(" skip") } else { Ok(()) }
    }
}

impl Schedule {
    /// Reads `every 10m`, `cron 0 0 * * * Europe/Berlin`, `on box_down sip1`; the first two may end with `late` or `skip`. Empty: none.
    ///
    /// # Errors
    /// Names the part that is wrong, and what is allowed.
    pub fn parse(text: &str) -> Result<Option<Self>, String> {
        let mut words: Vec<&str> = text.split_whitespace().collect();
        let Some(&first) = words.first() else { return Ok(None) };
        let missed = match words.last() {
            Some(&"late") => Some(Missed::Late),
            Some(&"skip") => Some(Missed::Skip),
            _ => None,
        };
        if missed.is_some() {
            words.pop();
        }
        let rest = &words[words.len().min(1)..];
        let parsed = match first {
            "every" => every(rest, missed.unwrap_or_default()),
            "cron" => cron(rest, missed.unwrap_or_default()),
            "on" if missed.is_some() => Err("late and skip are for every and cron: what happens is not missed for later".to_owned()),
            "on" => on(rest),
            other => {
                let hint = nearest(other, ["every", "cron", "on"]).map(|near| format!(", did you mean {near}?"));
                Err(format!(
                    "{other:?} begins no schedule{} write such as \"every 10m\", \"cron 0 0 * * * Europe/Berlin\" or \"on box_down\"",
                    hint.unwrap_or_else(|| ":".to_owned())
                ))
            }
        };
        parsed.map(Some)
    }

    /// What becomes of due times while nobody was there.
    #[must_use]
    pub fn missed(&self) -> Missed {
        match self {
            Self::Every(_, missed) | Self::Cron(.., missed) => *missed,
            Self::On(..) => Missed::Skip,
        }
    }

    /// The first due time after an instant, epoch milliseconds; none where it runs when something happens.
    #[must_use]
    pub fn next_after(&self, after_ms: i64) -> Option<i64> {
        match self {
            Self::Every(every, _) => {
                let every = i64::try_from(every.as_millis()).ok()?;
                after_ms.div_euclid(every).checked_add(1)?.checked_mul(every)
            }
            Self::Cron(cron, _, zone, _) => {
                let after = zone.from_utc_datetime(&DateTime::<Utc>::from_timestamp_millis(after_ms)?.naive_utc());
                cron.find_next_occurrence(&after, false).ok().map(|next| next.timestamp_millis()).filter(|next| *next > after_ms)
            }
            Self::On(..) => None,
        }
    }

    /// The last due time after one instant and not after another.
    #[must_use]
    pub fn last_between(&self, after_ms: i64, until_ms: i64) -> Option<i64> {
        if let Self::Every(every, _) = self {
            let every = i64::try_from(every.as_millis()).ok()?;
            return Some(until_ms.div_euclid(every) * every).filter(|due| *due > after_ms);
        }
        let walk = |from_ms: i64| {
            let due = std::iter::successors(self.next_after(from_ms), |due| self.next_after(*due));
            due.take_while(|due| *due <= until_ms).take(MAX_STEPS).last()
        };
        // One that is due rarely has none lately, and few before.
        Some(until_ms - RECENT_MS).filter(|recent| *recent > after_ms).and_then(walk).or_else(|| walk(after_ms))
    }
}

fn every(words: &[&str], missed: Missed) -> Result<Schedule, String> {
    let [word] = words else { return Err("every takes one time, such as every 10m or every 86400 (seconds)".to_owned()) };
    let every = match word.parse::<u64>() {
        Ok(seconds) => Ok(Duration::from_secs(seconds)),
        Err(_) => parse_duration(word),
    };
    let every = every.map_err(|why| format!("the time of every is wrong: {why}"))?;
    if !(MIN_EVERY..=MAX_EVERY).contains(&every) {
        return Err(format!("every {word} cannot be: {} to {} is allowed", format_duration(MIN_EVERY), format_duration(MAX_EVERY)));
    }
    Ok(Schedule::Every(every, missed))
}

fn cron(words: &[&str], missed: Missed) -> Result<Schedule, String> {
    // What fields consist of is no zone, and the other way round: MON or L stand in the fifth place.
    let named = words.len() == 6 || words.len() == 2;
    let (fields, zone) = match words {
        [fields @ .., zone] if named => {
            let parsed = Tz::from_str(zone).map_err(|_| {
                let hint = nearest(zone, chrono_tz::TZ_VARIANTS.iter().map(|zone| zone.name()));
                let hint = hint.map(|near| format!(", did you mean {near}?")).unwrap_or_default();
                format!("{zone:?} is no time zone{hint} write a name such as Europe/Berlin or UTC")
            });
            (fields, parsed?)
        }
        fields => (fields, Tz::UTC),
    };
    let is_nickname = fields.len() == 1 && fields[0].starts_with('@');
    if fields.len() != 5 && !is_nickname {
        return Err(format!(
            "cron takes five fields (minute, hour, day of the month, month, day of the week) and a time zone, such as \
             cron 0 0 * * * Europe/Berlin; there are {}",
            fields.len()
        ));
    }
    let text = fields.join(" ");
    let parser = CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build();
    let parsed = parser.parse(&text).map_err(|why| format!("the cron expression {text:?} is wrong: {why}"))?;
    let schedule = Schedule::Cron(Box::new(parsed), text, zone, missed);
    // From a leap year on, so that the 29th of February is found.
    if schedule.next_after(1_800_000_000_000).is_none() {
        return Err("the cron expression fits no day there is: look at the day of the month and the month".to_owned());
    }
    Ok(schedule)
}

fn on(words: &[&str]) -> Result<Schedule, String> {
    let all = || Happening::ALL.map(Happening::as_str).join(", ");
    let (what, of_box) = match words {
        [what] => (what, None),
        [what, of_box] => (what, Some(*of_box)),
        _ => return Err(format!("on takes what happens, and a box if it is of one alone: {}", all())),
    };
    let found = Happening::ALL.into_iter().find(|known| known.as_str() == *what);
    let found = found.ok_or_else(|| format!("{what:?} does not happen: {} do", all()))?;
    if let Some(name) = of_box {
        check_box_name(name).map_err(|why| format!("the box of on is wrong: {why}"))?;
    }
    Ok(Schedule::On(found, of_box.map(str::to_owned)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(text: &str) -> i64 {
        DateTime::parse_from_rfc3339(text).unwrap().timestamp_millis()
    }

    fn parsed(text: &str) -> Schedule {
        Schedule::parse(text).unwrap().unwrap()
    }

    /// All due times after one instant and up to another.
    fn due(schedule: &str, from: &str, to: &str) -> Vec<String> {
        let schedule = parsed(schedule);
        let times = std::iter::successors(schedule.next_after(ms(from)), |due| schedule.next_after(*due));
        let text = |due: i64| DateTime::<Utc>::from_timestamp_millis(due).unwrap().format("%m-%d %H:%M").to_string();
        times.take_while(|due| *due <= ms(to)).map(text).collect()
    }

    #[test]
    fn it_is_written_as_it_is_read() {
        for (text, written) in [
            ("every 10m", "every 10m"),
            ("  every   86400 late", "every 24h"),
            ("every 90s skip", "every 90s skip"),
            ("cron 0 0 * * *", "cron 0 0 * * * UTC"),
            ("cron 0 0 * * * Europe/Berlin", "cron 0 0 * * * Europe/Berlin"),
            ("cron */5 8-18 * * MON-FRI America/New_York skip", "cron */5 8-18 * * MON-FRI America/New_York skip"),
            ("cron @daily Europe/Berlin", "cron @daily Europe/Berlin"),
            ("cron 0 0 29 2 *", "cron 0 0 29 2 * UTC"),
            ("on box_down", "on box_down"),
            ("on restart sip1", "on restart sip1"),
        ] {
            let schedule = parsed(text);
            assert_eq!(schedule.to_string(), written);
            assert_eq!(parsed(written), schedule);
        }
        assert_eq!(Schedule::parse("  "), Ok(None));
    }

    #[test]
    fn the_part_that_is_wrong_is_named() {
        for (text, part) in [
            ("evry 10m", "\"evry\" begins no schedule, did you mean every?"),
            ("10m", "begins no schedule"),
            ("every", "every takes one time"),
            ("every soon", "the time of every is wrong: \"soon\" is no duration"),
            ("every 0", "every 0 cannot be: 1s to"),
            ("every 900d", "cannot be"),
            ("cron 0 0 * *", "there are 4"),
            ("cron 61 0 * * *", "the cron expression \"61 0 * * *\" is wrong"),
            ("cron 0 0 * * * Europe/Berln", "\"Europe/Berln\" is no time zone, did you mean Europe/Berlin?"),
            ("cron 0 0 31 2 *", "fits no day"),
            ("cron 0 0 * * * * *", "there are 7"),
            ("on", "on takes what happens"),
            ("on fire", "\"fire\" does not happen: box_down, box_up, restart, alert do"),
            ("on box_down 1x", "the box of on is wrong"),
            ("on box_down late", "late and skip"),
        ] {
            let why = Schedule::parse(text).unwrap_err();
            assert!(why.contains(part), "{text}: {why}");
        }
    }

    #[test]
    fn every_so_often_is_counted_from_1970() {
        assert_eq!(due("every 24h", "2026-03-01T00:00:00Z", "2026-03-03T00:00:00Z"), ["03-02 00:00", "03-03 00:00"]);
        let schedule = parsed("every 10m");
        assert_eq!(schedule.last_between(0, 1_900_000), Some(1_800_000));
        assert_eq!((schedule.last_between(1_800_000, 1_900_000), schedule.next_after(-1)), (None, Some(0)));
    }

    #[test]
    fn midnight_comes_once_a_day_also_when_the_clocks_change() {
        let berlin = "cron 0 0 * * * Europe/Berlin";
        assert_eq!(due(berlin, "2026-03-27T23:00:00Z", "2026-03-31T00:00:00Z"), ["03-28 23:00", "03-29 22:00", "03-30 22:00"]);
        assert_eq!(due(berlin, "2026-10-23T22:00:00Z", "2026-10-27T00:00:00Z"), ["10-24 22:00", "10-25 23:00", "10-26 23:00"]);
        // Here the clocks go from midnight to one, and from midnight back to eleven.
        let beirut = "cron 0 0 * * * Asia/Beirut";
        assert_eq!(due(beirut, "2026-03-27T22:00:00Z", "2026-03-30T12:00:00Z"), ["03-28 22:00", "03-29 21:00"]);
        assert_eq!(due(beirut, "2026-10-23T21:00:00Z", "2026-10-26T12:00:00Z"), ["10-24 22:00", "10-25 22:00"]);
        let havana = "cron 30 0 * * * America/Havana";
        assert_eq!(due(havana, "2026-11-01T00:00:00Z", "2026-11-02T12:00:00Z").len(), 2);
    }

    #[test]
    fn an_hour_that_is_not_there_or_there_twice_runs_once() {
        let half_past_two = "cron 30 2 * * * Europe/Berlin";
        assert_eq!(due(half_past_two, "2026-03-28T12:00:00Z", "2026-03-30T12:00:00Z"), ["03-29 01:00", "03-30 00:30"]);
        assert_eq!(due(half_past_two, "2026-10-24T12:00:00Z", "2026-10-26T12:00:00Z"), ["10-25 00:30", "10-26 01:30"]);
        // What runs each quarter of an hour goes on through both.
        assert_eq!(due("cron */15 * * * * Europe/Berlin", "2026-10-24T22:00:00Z", "2026-10-25T22:00:00Z").len(), 96);
    }

    #[test]
    fn of_what_was_missed_the_last_is_found_however_long_ago_it_began() {
        let (from, to) = (ms("2020-01-01T00:00:00Z"), ms("2026-05-05T05:05:05Z"));
        for (text, last) in [
            ("cron * * * * *", "2026-05-05T05:05:00Z"),
            ("cron 0 0 1 1 *", "2026-01-01T00:00:00Z"),
            ("cron 0 0 29 2 *", "2024-02-29T00:00:00Z"),
            ("cron 0 0 * * * Europe/Berlin", "2026-05-04T22:00:00Z"),
        ] {
            assert_eq!(parsed(text).last_between(from, to), Some(ms(last)), "{text}");
            assert_eq!(parsed(text).last_between(ms(last), to), None, "{text}");
        }
        assert_eq!(parsed("on restart").last_between(0, to), None);
    }
}
