//! Numbers, units, ages and times as people read them. It knows no clock, and of what people like only how numbers are written, which both
//! halves tell it: so they write the same words.

use std::cell::Cell;

use crate::model::{Number, Numbers};

/// What stands before a percent sign: a thin space.
pub(crate) const THIN: char = '\u{2009}';
/// The minus of typography, as wide as a plus.
pub(crate) const MINUS: char = '\u{2212}';
/// The steps of decimal prefixes.
const DECIMAL: [&str; 7] = ["", "k", "M", "G", "T", "P", "E"];
/// The steps of binary prefixes.
const BINARY: [&str; 7] = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
/// So many bytes are no longer read off their digits: a gibibyte.
const LARGE_BYTES: f64 = 1_073_741_824.0;
/// The abbreviated months.
const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
/// The abbreviated days, from that of 1970-01-01.
const WEEKDAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
/// Milliseconds in a day.
pub(crate) const DAY_MS: i64 = 86_400_000;

thread_local! {
    /// How numbers are written on this thread.
    static NUMBERS: Cell<Numbers> = const { Cell::new(Numbers::Spaces) };
}

/// How numbers are written on this thread now.
#[must_use]
pub fn numbers() -> Numbers {
    NUMBERS.get()
}

/// Has numbers written so on this thread from now on: a browser has one reader.
pub fn write_numbers(numbers: Numbers) {
    NUMBERS.set(numbers);
}

/// Has numbers written so while `act` runs: a server has many readers.
pub fn with_numbers<T>(numbers: Numbers, act: impl FnOnce() -> T) -> T {
    /// Whatever ends it, what was before comes back.
    struct Before(Numbers);
    impl Drop for Before {
        fn drop(&mut self) {
            NUMBERS.set(self.0);
        }
    }
    let _before = Before(NUMBERS.replace(numbers));
    act()
}

/// A written number as tools read it: digits, and a dot where its fraction begins.
#[must_use]
pub fn bare(written: &str) -> String {
    let numbers = numbers();
    let digits = written.chars().filter(|letter| Some(*letter) != numbers.between_thousands());
    digits.map(|letter| if letter == numbers.before_fraction() { '.' } else { letter }).collect()
}

/// A value in full: integers exactly with parted thousands, floats with as many digits as tell something.
/// The unit is not appended, except a percent sign.
#[must_use]
pub fn value(n: Number, unit: &str) -> String {
    let text = match n {
        Number::Int(whole) => {
            let digits = grouped(&whole.unsigned_abs().to_string());
            if whole < 0 { format!("{MINUS}{digits}") } else { digits }
        }
        Number::Float(real) => plain(real),
    };
    if is_percent(unit) { format!("{text}{THIN}%") } else { text }
}

/// How much a value of bytes is in words that one can read, from a gibibyte on: `≈ 15.9 GiB`. It never stands instead of the value.
#[must_use]
pub fn reading(n: Number, unit: &str) -> Option<String> {
    (unit == "bytes" && n.as_f64().abs() >= LARGE_BYTES).then(|| format!("≈ {}", short(n.as_f64(), unit)))
}

/// An increase per second: `+184/s`.
#[must_use]
pub fn rate(r: f64) -> String {
    if !r.is_finite() {
        return "–".to_owned();
    }
    let text = plain(r);
    if text.starts_with(MINUS) { format!("{text}/s") } else { format!("+{text}/s") }
}

/// A span of time in its largest unit: `3 min`.
#[must_use]
pub fn age(ms: i64) -> String {
    let seconds = ms.max(0) / 1000;
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min", seconds / 60),
        3600..86_400 => format!("{} h", seconds / 3600),
        _ => format!("{} d", seconds / 86_400),
    }
}

/// An instant in full: `2026-11-23 17:12:40 UTC`.
#[must_use]
pub fn utc(ms: i64) -> String {
    let (year, month, day) = civil(ms.div_euclid(DAY_MS));
    format!("{year:04}-{month:02}-{day:02} {} UTC", clock(ms, true))
}

/// An instant as a field for one has it: `2026-11-23T17:12:40`.
#[must_use]
pub fn for_field(ms: i64) -> String {
    let (year, month, day) = civil(ms.div_euclid(DAY_MS));
    format!("{year:04}-{month:02}-{day:02}T{}", clock(ms, true))
}

/// A span of local times: `27 Nov 10:02 to 10:14`, with seconds where it is short; with its length, where asked for.
#[must_use]
pub fn span(from: i64, to: i64, with_length: bool) -> String {
    let seconds = to.saturating_sub(from) < 10 * 60_000;
    let begin = format!("{} {}", day(from), clock(from, seconds));
    let end = if from.div_euclid(DAY_MS) == to.div_euclid(DAY_MS) { String::new() } else { format!("{} ", day(to)) };
    let length = if with_length { format!(" · {}", age(to.saturating_sub(from))) } else { String::new() };
    format!("{begin} to {end}{}{length}", clock(to, seconds))
}

/// How long before, in words: `a day before`.
#[must_use]
pub fn before(ms: i64) -> String {
    match ms {
        3_600_000 => "an hour before".to_owned(),
        DAY_MS => "a day before".to_owned(),
        ms if ms == 7 * DAY_MS => "a week before".to_owned(),
        ms => format!("{} before", age(ms)),
    }
}

/// An instant among others: `23 Nov 17:12:40`, as local as the instant.
#[must_use]
pub fn day_and_clock(local_ms: i64) -> String {
    format!("{} {}", day(local_ms), clock(local_ms, true))
}

/// A number for an axis, short and with its unit: `1.6k`, `200/s`, `61 MiB`, `12 %`.
#[must_use]
pub fn short(v: f64, unit: &str) -> String {
    short_digits(v, unit, 3)
}

/// A number between the plot and the head of a chart: bytes short, all else in full.
#[must_use]
pub fn fact(n: Number, unit: &str) -> String {
    if is_bytes(unit) { short(n.as_f64(), unit) } else { value(n, unit) }
}

/// As [`short`], with the significant digits that keep neighbouring ticks apart.
pub(crate) fn short_digits(v: f64, unit: &str, digits: usize) -> String {
    if !v.is_finite() {
        return "–".to_owned();
    }
    let bytes = is_bytes(unit);
    let (base, names) = if bytes { (1024.0, &BINARY) } else { (1000.0, &DECIMAL) };
    let mut size = v.abs();
    let mut power = 0;
    // What would be written as 1000 of one step is 1 of the next.
    let almost = base - 0.5 / if digits > 3 { 100.0 } else { 1.0 };
    while size >= almost && power + 1 < names.len() {
        size /= base;
        power += 1;
    }
    let number = if size >= base { with_fraction(exponential(size, 1)) } else { significant(size, digits) };
    // Zero is zero in every unit.
    if number == "0" {
        return number;
    }
    let sign = if v < 0.0 { MINUS.to_string() } else { String::new() };
    let name = names.get(power).copied().unwrap_or_default();
    let space = if bytes { " " } else { "" };
    let percent = if is_percent(unit) { " %" } else { "" };
    let per = if is_rate(unit) { "/s" } else { "" };
    format!("{sign}{number}{space}{name}{percent}{per}")
}

/// Whether a unit counts bytes, so that its steps are binary.
pub(crate) fn is_bytes(unit: &str) -> bool {
    matches!(unit.strip_suffix("/s").unwrap_or(unit), "bytes" | "byte" | "B")
}

/// Whether a unit is a share of a hundred.
pub(crate) fn is_percent(unit: &str) -> bool {
    matches!(unit, "percent" | "%")
}

/// Whether a unit is a rate.
pub(crate) fn is_rate(unit: &str) -> bool {
    unit.ends_with("/s")
}

/// The year, month and day of a day since 1970-01-01, by Howard Hinnant's `civil_from_days`.
pub(crate) fn civil(days: i64) -> (i64, u32, u32) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_index = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_index + 2) / 5 + 1;
    let month = if month_index < 10 { month_index + 3 } else { month_index - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, u32::try_from(month).unwrap_or(1), u32::try_from(day).unwrap_or(1))
}

/// The time of day of a local instant: `17:12`, or `17:12:40`.
pub(crate) fn clock(local_ms: i64, seconds: bool) -> String {
    let second = local_ms.rem_euclid(DAY_MS) / 1000;
    let (h, m, s) = (second / 3600, second / 60 % 60, second % 60);
    if seconds { format!("{h:02}:{m:02}:{s:02}") } else { format!("{h:02}:{m:02}") }
}

/// The day of a local instant: `23 Nov`.
pub(crate) fn day(local_ms: i64) -> String {
    let (_, month, day) = civil(local_ms.div_euclid(DAY_MS));
    format!("{day} {}", MONTHS.get(month as usize - 1).copied().unwrap_or_default())
}

/// The weekday of a local instant: `Mon`.
pub(crate) fn weekday(local_ms: i64) -> &'static str {
    let index = usize::try_from(local_ms.div_euclid(DAY_MS).rem_euclid(7)).unwrap_or(0);
    WEEKDAYS.get(index).copied().unwrap_or_default()
}

/// A float as a person would note it down.
fn plain(v: f64) -> String {
    if !v.is_finite() {
        return "–".to_owned();
    }
    let size = v.abs();
    let text = if size >= 1e15 {
        with_fraction(exponential(size, 3))
    } else if size >= 100.0 {
        grouped(&fixed(size, 0))
    } else {
        significant(size, 3)
    };
    if v < 0.0 && text != "0" { format!("{MINUS}{text}") } else { text }
}

/// A number of at least zero with so many significant digits at most, and no zeros at its end.
fn significant(v: f64, digits: usize) -> String {
    if v == 0.0 {
        return "0".to_owned();
    }
    if v < 1e-4 {
        return exponential(v, 0);
    }
    // By comparing: a logarithm may differ in its last bit between the halves.
    let steps = [1e-3, 1e-2, 1e-1, 1.0, 10.0, 100.0, 1000.0];
    let decimals = (digits + 3).saturating_sub(steps.into_iter().filter(|step| v >= *step).count());
    let text = fixed(v, decimals);
    if text.contains('.') { with_fraction(text.trim_end_matches('0').trim_end_matches('.').to_owned()) } else { text }
}

/// A number from zero to 1e15 with so many digits after the dot. By whole numbers: what the standard library brings for it is six kilobytes
/// of the client.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within what an integer holds")]
fn fixed(v: f64, decimals: usize) -> String {
    let tens = 10_u64.pow(u32::try_from(decimals).unwrap_or(0));
    #[expect(clippy::cast_precision_loss, reason = "a power of ten that a float has exactly")]
    let scaled = (v * tens as f64).round() as u64;
    let (whole, rest) = (scaled / tens, scaled % tens);
    if decimals == 0 { whole.to_string() } else { format!("{whole}.{rest:0decimals$}") }
}

/// A number above zero with one digit before the dot, so many after it, and its power of ten.
fn exponential(v: f64, decimals: usize) -> String {
    let (mut digits, mut power) = (v, 0);
    while digits >= 10.0 {
        digits /= 10.0;
        power += 1;
    }
    while digits < 1.0 {
        digits *= 10.0;
        power -= 1;
    }
    let text = fixed(digits, decimals);
    // What rounds up to ten is one of the next power.
    match text.strip_prefix("10") {
        Some(rest) => format!("1{rest}e{}", power + 1),
        None => format!("{text}e{power}"),
    }
}

/// A number with a dot before its fraction, as its reader likes it.
fn with_fraction(text: String) -> String {
    match numbers().before_fraction() {
        '.' => text,
        _ => text.replace('.', ","),
    }
}

/// Digits parted in threes.
fn grouped(digits: &str) -> String {
    let Some(between) = numbers().between_thousands() else { return digits.to_owned() };
    let mut out = String::with_capacity(digits.len() + digits.len());
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(between);
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests;
