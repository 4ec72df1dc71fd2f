//! Durations as people write them: `500ms`, `10s`, `5m`, `24h`, `7d`, `1y` (365 days), and instants. Pure; the API, forms, flags and the file
//! all read them here.

use std::time::Duration;

use chrono::DateTime;

/// The shortest interval at which a box may be asked.
pub const MIN_INTERVAL: Duration = Duration::from_millis(200);
/// The longest interval at which a box may be asked.
pub const MAX_INTERVAL: Duration = Duration::from_secs(60 * 60);
/// The longest duration that is read, a hundred years: adding it to a time cannot overflow.
pub const MAX_DURATION: Duration = Duration::from_secs(36_500 * 24 * 60 * 60);

/// The units, largest first, in milliseconds.
const UNITS: [(&str, u64); 6] = [("y", 365 * 86_400_000), ("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

/// Reads a whole number and its unit.
///
/// # Errors
/// A sentence that names what was written and what is allowed.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    let trimmed = text.trim();
    let unit_at = trimmed.find(|c: char| !c.is_ascii_digit()).unwrap_or(trimmed.len());
    let (digits, unit) = trimmed.split_at(unit_at);
    let unit = UNITS.iter().find(|(name, _)| *name == unit.trim_start());
    let (Some((_, unit_ms)), false) = (unit, digits.is_empty()) else {
        return Err(format!("{trimmed:?} is no duration: write a whole number and its unit, such as 500ms, 10s, 5m, 24h, 7d or 1y"));
    };
    let duration = digits.parse::<u64>().ok().and_then(|count| count.checked_mul(*unit_ms)).map(Duration::from_millis);
    match duration {
        Some(duration) if duration <= MAX_DURATION => Ok(duration),
        _ => Err(format!("{trimmed:?} is too long: at most {} is allowed", format_duration(MAX_DURATION))),
    }
}

/// Reads an instant: RFC 3339, or epoch milliseconds. Answers epoch milliseconds.
///
/// # Errors
/// What was written and what is allowed.
pub fn parse_instant(text: &str) -> Result<i64, String> {
    if let Ok(ms) = text.parse() {
        return Ok(ms);
    }
    let time = DateTime::parse_from_rfc3339(text).map(|time| time.timestamp_millis());
    time.map_err(|_| format!("is {text:?}; allowed are RFC 3339 such as 2026-11-24T08:00:00Z, and epoch milliseconds"))
}

/// Reads how often a box is asked: a duration within [`MIN_INTERVAL`] and [`MAX_INTERVAL`].
///
/// # Errors
/// As [`parse_duration`], and when it is out of these bounds.
pub fn parse_interval(text: &str) -> Result<Duration, String> {
    let interval = parse_duration(text)?;
    if (MIN_INTERVAL..=MAX_INTERVAL).contains(&interval) {
        return Ok(interval);
    }
    let (min, max) = (format_duration(MIN_INTERVAL), format_duration(MAX_INTERVAL));
    Err(format!("{:?} is no interval: {min} to {max} is allowed", text.trim()))
}

/// Writes a duration in the largest unit that needs no fraction; a day is `24h`, as people say. What is below a millisecond is left out.
#[must_use]
pub fn format_duration(duration: Duration) -> String {
    let ms = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    if ms == 0 {
        return "0s".to_owned();
    }
    for (unit, unit_ms) in UNITS {
        if ms.is_multiple_of(unit_ms) && !(unit == "d" && ms == unit_ms) {
            return format!("{}{unit}", ms / unit_ms);
        }
    }
    format!("{ms}ms")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(text: &str, ms: u64, written: &str) {
        let duration = parse_duration(text).unwrap();
        assert_eq!(duration, Duration::from_millis(ms), "{text}");
        assert_eq!(format_duration(duration), written, "{text}");
    }

    #[test]
    fn reads_and_writes() {
        check("500ms", 500, "500ms");
        check("10s", 10_000, "10s");
        check(" 10 s ", 10_000, "10s");
        check("1500ms", 1_500, "1500ms");
        check("60s", 60_000, "1m");
        check("5m", 300_000, "5m");
        check("90m", 5_400_000, "90m");
        check("24h", 86_400_000, "24h");
        check("1d", 86_400_000, "24h");
        check("7d", 604_800_000, "7d");
        check("0s", 0, "0s");
        check("36500d", 3_153_600_000_000, "100y");
    }

    #[test]
    fn refuses_with_the_value_and_what_is_allowed() {
        for wrong in ["", "10", "s", "1.5s", "-1s", "10 sec", "1h30m", "10S", "٣s"] {
            let error = parse_duration(wrong).unwrap_err();
            assert!(error.contains(&format!("{:?}", wrong.trim())) && error.contains("500ms"), "{error}");
        }
        assert_eq!(parse_duration("36501d").unwrap_err(), "\"36501d\" is too long: at most 100y is allowed");
        assert!(parse_duration("99999999999999999999d").unwrap_err().contains("too long"));
        assert!(parse_duration("18446744073709551615d").unwrap_err().contains("too long"));
    }

    #[test]
    fn intervals_have_bounds() {
        assert_eq!(parse_interval("200ms"), Ok(MIN_INTERVAL));
        assert_eq!(parse_interval("1h"), Ok(MAX_INTERVAL));
        assert_eq!(parse_interval("199ms").unwrap_err(), "\"199ms\" is no interval: 200ms to 1h is allowed");
        assert!(parse_interval("61m").unwrap_err().contains("200ms to 1h"));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(ms in 0..=36_500 * 86_400_000_u64) {
            let duration = Duration::from_millis(ms);
            prop_assert_eq!(parse_duration(&format_duration(duration)), Ok(duration));
        }

        #[test]
        fn nothing_panics(text in ".*") {
            let _ = parse_interval(&text);
        }
    }
}
