//! The parts that spans and chunks lie in on a server: one for each month (UTC) of each tier. They are made when something of the month is
//! stored first, and go when nothing of it is kept. It must not know what is in them. A file of SQLite has no parts.

use std::fmt;

use chrono::{DateTime, Datelike, NaiveDate};
use sqlx::{AnyConnection, AssertSqlSafe, Executor};

use super::tier::Tier;

mod give;

pub(super) use give::Given;

/// What begins before 1970 lies in one part, and what begins from 2200 on in another: clocks that are wrong may say anything.
const LATE_MS: i64 = 7_258_118_400_000;

/// Whoever stores spans keeps this lock to the end of the transaction, so that no month goes in which they are about to be.
const WHILE_STORING: &str = "select pg_advisory_xact_lock_shared(hashtext('tickmark months'), hashtext(current_schema()))";

/// Whoever drops a month waits until nobody stores spans, and keeps everybody from it.
const WHILE_DROPPING: &str = "select pg_advisory_xact_lock(hashtext('tickmark months'), hashtext(current_schema()))";

/// One makes a month, and others that want the same wait until it is there.
const WHILE_MAKING: &str = "select pg_advisory_xact_lock(hashtext('tickmark new month'), hashtext(current_schema()))";

/// A month of a tier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Part {
    tier: Tier,
    month: Month,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Month {
    /// All before the first of them.
    Early,
    Of(NaiveDate),
    /// All after the last of them.
    Late,
}

/// Makes the parts that spans and chunks of a tier need which begin at an instant, where they are not there. In the transaction that stores
/// them: nobody drops them before it ends.
pub(super) async fn make(connection: &mut AnyConnection, tier: Tier, start_ms: i64) -> Result<(), sqlx::Error> {
    if connection.backend_name() != "PostgreSQL" {
        return Ok(());
    }
    let part = Part { tier, month: Month::at(start_ms) };
    sqlx::query(WHILE_STORING).execute(&mut *connection).await?;
    if part.is_there(connection).await? {
        return Ok(());
    }
    sqlx::query(WHILE_MAKING).execute(&mut *connection).await?;
    if !part.is_there(connection).await? {
        connection.execute(AssertSqlSafe(part.made())).await?;
    }
    Ok(())
}

/// An instant in the same month that stands for all of it.
pub(super) fn first_ms(start_ms: i64) -> i64 {
    Month::at(start_ms).bounds().0.unwrap_or(i64::MIN)
}

impl Part {
    /// Reads the name of a part of chunks.
    fn of_chunks(name: &str) -> Option<Self> {
        let (tier, month) = name.strip_prefix("chunk_")?.split_once('_')?;
        let tier = Tier::ALL.into_iter().find(|known| known.as_str() == tier)?;
        Some(Self { tier, month: Month::parse(month)? })
    }

    fn name(self, whole: &str) -> String {
        format!("{whole}_{}_{}", self.tier.as_str(), self.month)
    }

    /// Whether it is there: spans and chunks have theirs together.
    async fn is_there(self, connection: &mut AnyConnection) -> Result<bool, sqlx::Error> {
        let there = "select count(*) from pg_catalog.pg_class where relname = $1 \
                     and relnamespace = (select oid from pg_catalog.pg_namespace where nspname = current_schema())";
        let there: i64 = sqlx::query_scalar(there).bind(self.name("chunk")).fetch_one(connection).await?;
        Ok(there > 0)
    }

    /// The statements that make it. A table that stands alone at first is added without keeping readers out, however long they read.
    fn made(self) -> String {
        let (from, to) = self.month.bounds();
        let bound = |at_ms: Option<i64>, open: &str| at_ms.map_or_else(|| open.to_owned(), |at_ms| at_ms.to_string());
        let (from, to) = (bound(from, "minvalue"), bound(to, "maxvalue"));
        let one = |whole: &str| {
            let (tier, part) = (self.tier.as_str(), self.name(whole));
            format!(
                "create table {part} (like {whole}_{tier} including all); \
                 alter table {whole}_{tier} attach partition {part} for values from ({from}) to ({to}); "
            )
        };
        one("span") + one("chunk").as_str()
    }
}

impl Month {
    fn at(ms: i64) -> Self {
        let date = DateTime::from_timestamp_millis(ms).filter(|_| (0..LATE_MS).contains(&ms)).and_then(|at| at.date_naive().with_day(1));
        date.map_or(if ms < 0 { Self::Early } else { Self::Late }, Self::Of)
    }

    fn parse(name: &str) -> Option<Self> {
        match name {
            "early" => Some(Self::Early),
            "late" => Some(Self::Late),
            month => {
                let (year, month) = month.split_once('_')?;
                NaiveDate::from_ymd_opt(year.parse().ok()?, month.parse().ok()?, 1).map(Self::Of)
            }
        }
    }

    /// From when on something may begin in it, and up to when; none: without end.
    fn bounds(self) -> (Option<i64>, Option<i64>) {
        match self {
            Self::Early => (None, Some(0)),
            Self::Late => (Some(LATE_MS), None),
            Self::Of(first) => (Some(start_ms(first)), first.checked_add_months(chrono::Months::new(1)).map(start_ms)),
        }
    }
}

fn start_ms(day: NaiveDate) -> i64 {
    day.and_time(chrono::NaiveTime::MIN).and_utc().timestamp_millis()
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Early => f.write_str("early"),
            Self::Late => f.write_str("late"),
            Self::Of(first) => write!(f, "{:04}_{:02}", first.year(), first.month()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_instant_has_its_month() {
        let all = [
            (i64::MIN, "early", (None, Some(0))),
            (-1, "early", (None, Some(0))),
            (0, "1970_01", (Some(0), Some(2_678_400_000))),
            (2_678_400_000, "1970_02", (Some(2_678_400_000), Some(5_097_600_000))),
            (951_782_400_000, "2000_02", (Some(949_363_200_000), Some(951_868_800_000))),
            (LATE_MS - 1, "2199_12", (Some(7_255_440_000_000), Some(LATE_MS))),
            (LATE_MS, "late", (Some(LATE_MS), None)),
            (i64::MAX, "late", (Some(LATE_MS), None)),
        ];
        for (at_ms, name, bounds) in all {
            let month = Month::at(at_ms);
            assert_eq!((month.to_string().as_str(), month.bounds()), (name, bounds));
            assert_eq!(Part::of_chunks(&format!("chunk_minute_{name}")), Some(Part { tier: Tier::Minutes, month }));
        }
        for name in ["chunk_raw", "chunk_raw_x", "chunk_raw_2000_13", "chunk_week_2000_01", "span_raw_2000_01"] {
            assert_eq!(Part::of_chunks(name), None);
        }
    }
}
