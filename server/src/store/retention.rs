//! How long history is kept, and the deletion of what is older: box by box and series by series, in transactions so small that recording
//! never waits for them. It must not know who sets the rules.

use std::collections::HashMap;

use app::matching::Pattern;
use sqlx::AssertSqlSafe;

use super::seal::MAX_SPAN_MS;
use super::tier::Tier;
use super::types::SeriesId;
use super::{DAY_MS, Store, StoreError, locked};

/// What is kept where no rule says otherwise: samples 90 days, minutes 2 years, hours for ever.
pub const DEFAULT_KEEP: Keep = Keep([Some(90 * DAY_MS), Some(730 * DAY_MS), None]);

/// How long each tier is kept, the finest first, in milliseconds; none: for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keep(pub [Option<i64>; 3]);

/// A rule: how long some statistics are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeepRule {
    /// The box; none: all.
    pub box_id: Option<i64>,
    /// A name or a pattern; none: all statistics.
    pub pattern: Option<String>,
    /// How long, tier by tier; none: this rule says nothing of it.
    pub keep: [Option<Kept>; 3],
}

/// How long a tier is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// For so many milliseconds.
    For(i64),
    /// For ever.
    Ever,
}

/// A rule as it is stored: box, pattern, tier, how long.
type RuleRow = (Option<i64>, Option<String>, i64, Option<i64>);

/// All rules.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Retention {
    /// In the order in which they were made.
    pub rules: Vec<KeepRule>,
}

impl Kept {
    /// None: for ever.
    #[must_use]
    pub fn of(keep_ms: Option<i64>) -> Self {
        keep_ms.map_or(Self::Ever, Self::For)
    }

    fn ms(self) -> Option<i64> {
        match self {
            Self::For(ms) => Some(ms),
            Self::Ever => None,
        }
    }
}

impl Retention {
    /// What holds for a statistic of a box: of each tier what the most particular rule says of it. A name goes before a pattern, a longer
    /// pattern before a shorter one, a statistic before a box, and one box before all.
    #[must_use]
    pub fn of(&self, box_id: i64, name: &str) -> Keep {
        let matches = |rule: &&KeepRule| {
            rule.box_id.is_none_or(|of| of == box_id) && rule.pattern.as_ref().is_none_or(|word| Pattern::parse(word).matches(name))
        };
        let mut rules: Vec<&KeepRule> = self.rules.iter().filter(matches).collect();
        rules.sort_by_key(|rule| std::cmp::Reverse(particular(rule)));
        let mut keep = DEFAULT_KEEP;
        for (tier, kept) in keep.0.iter_mut().enumerate() {
            if let Some(said) = rules.iter().find_map(|rule| rule.keep[tier]) {
                *kept = said.ms();
            }
        }
        keep
    }

    /// As long as whatever statistic of whatever box is kept.
    pub(super) fn longest(&self) -> Keep {
        let is_for_all = |rule: &&KeepRule| rule.box_id.is_none() && rule.pattern.is_none();
        let mut longest = DEFAULT_KEEP;
        for (tier, kept) in longest.0.iter_mut().enumerate() {
            let usual = self.rules.iter().filter(is_for_all).find_map(|rule| rule.keep[tier]).map_or(*kept, Kept::ms);
            let all = self.rules.iter().filter_map(|rule| rule.keep[tier]).map(Kept::ms).chain([usual]);
            *kept = all.reduce(|one, other| one.zip(other).map(|(one, other)| one.max(other))).flatten();
        }
        longest
    }
}

/// The more particular, the greater.
fn particular(rule: &KeepRule) -> (bool, bool, usize, bool) {
    let word = rule.pattern.as_deref();
    (word.is_some(), word.is_some_and(|word| Pattern::parse(word).is_exact()), word.map_or(0, str::len), rule.box_id.is_some())
}

impl Keep {
    /// What ended before these instants may go, tier by tier. What no coarser tier has stands for that tier too, and is kept as long.
    /// Nothing goes that was not merged yet: of that there are no hours so far.
    pub(super) fn cutoffs(self, now_ms: i64, merged_ms: Option<i64>) -> Cutoffs {
        let merged_ms = merged_ms.unwrap_or(i64::MIN);
        let cutoff = |tiers: &[Option<i64>]| {
            let longest = tiers.iter().try_fold(0, |longest: i64, keep| Some(longest.max((*keep)?)));
            longest.map_or(i64::MIN, |longest| now_ms.saturating_sub(longest).min(merged_ms))
        };
        let keep = self.0;
        Cutoffs([
            vec![(cutoff(&keep[..1]), Some(Tier::Minutes)), (cutoff(&keep[..2]), Some(Tier::Hours)), (cutoff(&keep), None)],
            vec![(cutoff(&keep[1..2]), Some(Tier::Hours)), (cutoff(&keep[1..]), None)],
            vec![(cutoff(&keep[2..]), None)],
        ])
    }
}

/// Of each tier: what ended before an instant may go where the other tier has it; none: whatever there is.
pub(super) struct Cutoffs([Vec<(i64, Option<Tier>)>; 3]);

impl Cutoffs {
    /// What of a tier ended before this instant may go where the other tier has it; none: whatever there is.
    pub(super) fn before(&self, tier: Tier, other: Option<Tier>) -> i64 {
        self.0[place(tier)].iter().find(|(_, of)| *of == other).map_or(i64::MIN, |&(at_ms, _)| at_ms)
    }

    /// The latest instant before which something of a tier may go.
    pub(super) fn latest(&self, tier: Tier) -> i64 {
        self.0[place(tier)].iter().map(|&(at_ms, _)| at_ms).max().unwrap_or(i64::MIN)
    }

    /// The instant before which nothing of any tier stays.
    fn last(&self) -> i64 {
        self.0[0].last().map_or(i64::MIN, |&(at_ms, _)| at_ms)
    }
}

fn place(tier: Tier) -> usize {
    usize::try_from(tier.number()).unwrap_or_default()
}

impl Store {
    /// The rules, in the order in which they were made.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn retention(&self) -> Result<Retention, StoreError> {
        let select = "select box_id, pattern, tier, keep_ms from retention order by retention_id";
        let rows: Vec<RuleRow> = sqlx::query_as(select).fetch_all(&self.inner.read).await?;
        let mut rules: Vec<KeepRule> = Vec::new();
        for (box_id, pattern, tier, keep_ms) in rows {
            let Some(tier) = Tier::of_number(tier) else { continue };
            let known = rules.iter().position(|rule| rule.box_id == box_id && rule.pattern == pattern);
            let rule = known.unwrap_or_else(|| {
                rules.push(KeepRule { box_id, pattern, keep: [None; 3] });
                rules.len() - 1
            });
            rules[rule].keep[place(tier)] = Some(Kept::of(keep_ms));
        }
        Ok(Retention { rules })
    }

    /// Sets a rule in place of the one for the same statistics; one that says nothing is removed. What may go then goes soon.
    ///
    /// # Errors
    /// When the database fails, such as for a box that is not there.
    pub async fn set_retention(&self, rule: &KeepRule) -> Result<(), StoreError> {
        let mut change = self.begin_change().await?;
        let delete = "delete from retention where coalesce(box_id, 0) = coalesce($1, 0) and coalesce(pattern, '') = coalesce($2, '')";
        sqlx::query(delete).bind(rule.box_id).bind(rule.pattern.as_deref()).execute(&mut *change).await?;
        for tier in Tier::ALL {
            if let Some(kept) = rule.keep[place(tier)] {
                let insert = "insert into retention (box_id, pattern, tier, keep_ms) values ($1, $2, $3, $4)";
                let insert = sqlx::query(insert).bind(rule.box_id).bind(rule.pattern.as_deref()).bind(tier.number());
                insert.bind(kept.ms()).execute(&mut *change).await?;
            }
        }
        // All boxes are looked at anew.
        sqlx::query("update box set retained_ms = null where box_id = coalesce($1, box_id)")
            .bind(rule.box_id)
            .execute(&mut *change)
            .await?;
        Ok(change.commit().await?)
    }

    /// Deletes what is older than the rules say, of the next box that was not looked at for a day; says whether there was one.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn retain_due(&self, now_ms: i64) -> Result<bool, StoreError> {
        let next = "select box_id from box where purging = 0 and (retained_ms is null or retained_ms <= $1 or retained_ms > $2) \
                    order by box_id";
        let next = sqlx::query_scalar(next).bind(now_ms.saturating_sub(DAY_MS)).bind(now_ms);
        let next: Vec<i64> = next.fetch_all(&self.inner.read).await?;
        let Some(box_id) = next.into_iter().find(|&box_id| self.tends(box_id)) else { return Ok(false) };
        let retention = self.retention().await?;
        self.drop_old_months(&retention, now_ms).await?;
        self.retain(box_id, &retention, now_ms).await?;
        // Another panel may have looked at other boxes.
        locked(&self.inner.raw_from).clear();
        let done = sqlx::query("update box set retained_ms = $1 where box_id = $2").bind(now_ms).bind(box_id);
        done.execute(&self.inner.write).await?;
        Ok(true)
    }

    async fn retain(&self, box_id: i64, retention: &Retention, now_ms: i64) -> Result<(), StoreError> {
        let oldest = self.oldest_spans(box_id).await?;
        let merged_ms = self.merged_ms(box_id).await?;
        let (mut latest, mut last) = ([i64::MIN; 3], i64::MAX);
        for (series, name) in self.series_of(box_id).await? {
            let cutoffs = retention.of(box_id, &name).cutoffs(now_ms, merged_ms);
            last = last.min(cutoffs.last());
            for tier in Tier::ALL {
                let cutoff = cutoffs.latest(tier);
                latest[place(tier)] = latest[place(tier)].max(cutoff);
                if let Some(&oldest) = oldest.get(&tier).filter(|&&oldest| oldest < cutoff) {
                    self.retain_series((box_id, series), tier, &cutoffs, oldest).await?;
                }
            }
        }
        for (tier, oldest) in oldest {
            let empty = "delete from span where box_id = $1 and tier = $2 and end_ms < $3 and start_ms < $3 and start_ms >= $4 and not exists \
                         (select 1 from series join chunk on chunk.series_id = series.series_id and chunk.tier = $2 \
                         and chunk.start_ms = span.start_ms and chunk.seq = span.seq and chunk.start_ms < $3 and chunk.start_ms >= $4 \
                         where series.box_id = $1)";
            let empty = sqlx::query(empty).bind(box_id).bind(tier.number()).bind(latest[place(tier)]).bind(oldest);
            empty.execute(&self.inner.write).await?;
        }
        if last > i64::MIN && last < i64::MAX {
            for delete in ["delete from gap where box_id = $1 and to_ms < $2", "delete from mark where box_id = $1 and at_ms < $2"] {
                sqlx::query(delete).bind(box_id).bind(last).execute(&self.inner.write).await?;
            }
        }
        Ok(())
    }

    async fn merged_ms(&self, box_id: i64) -> Result<Option<i64>, StoreError> {
        let select = sqlx::query_scalar("select merged_ms from box where box_id = $1").bind(box_id);
        let merged_ms: Option<Option<i64>> = select.fetch_optional(&self.inner.read).await?;
        Ok(merged_ms.flatten())
    }

    /// The start of the oldest span of each tier that has any.
    async fn oldest_spans(&self, box_id: i64) -> Result<HashMap<Tier, i64>, StoreError> {
        let oldest = "select tier, min(start_ms) from span where box_id = $1 group by tier";
        let oldest: Vec<(i64, i64)> = sqlx::query_as(oldest).bind(box_id).fetch_all(&self.inner.read).await?;
        Ok(oldest.into_iter().filter_map(|(tier, at_ms)| Some((Tier::of_number(tier)?, at_ms))).collect())
    }

    /// Deletes what may go of a series of a box and began not before `oldest`.
    async fn retain_series(&self, (box_id, series): (i64, SeriesId), tier: Tier, cutoffs: &Cutoffs, oldest: i64) -> Result<(), StoreError> {
        let mut change = self.begin_write().await?;
        self.lock_box(&mut change, box_id).await?;
        let delete = format!("delete from chunk where {GOES} returning start_ms, seq, length(payload)");
        let delete = bind_goes(sqlx::query_as(AssertSqlSafe(delete)), series, tier, cutoffs, oldest);
        let gone: Vec<(i64, i64, i64)> = delete.fetch_all(&mut *change).await?;
        for &(start_ms, seq, bytes) in &gone {
            let less = "update span set bytes = bytes - $1 where box_id = $2 and tier = $3 and start_ms = $4 and seq = $5";
            let less = sqlx::query(less).bind(bytes).bind(box_id).bind(tier.number()).bind(start_ms).bind(seq);
            less.execute(&mut *change).await?;
        }
        if gone.is_empty() {
            change.rollback().await?;
            return Ok(());
        }
        if tier == Tier::Raw {
            let from = "update box set raw_from_ms = $1 where box_id = $2 and coalesce(raw_from_ms, $3) < $1";
            let from = sqlx::query(from).bind(cutoffs.latest(tier)).bind(box_id).bind(i64::MIN);
            from.execute(&mut *change).await?;
        }
        change.commit().await?;
        self.inner.given.note_deletion();
        Ok(())
    }

    /// How many bytes of each tier go when these rules hold, the finest first: counted chunk by chunk, and nothing is deleted.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn would_free(&self, retention: &Retention, now_ms: i64) -> Result<[i64; 3], StoreError> {
        let mut freed = [0; 3];
        let boxes: Vec<i64> = sqlx::query_scalar("select box_id from box where purging = 0").fetch_all(&self.inner.read).await?;
        for box_id in boxes {
            let (oldest, merged_ms) = (self.oldest_spans(box_id).await?, self.merged_ms(box_id).await?);
            for (series, name) in self.series_of(box_id).await? {
                let cutoffs = retention.of(box_id, &name).cutoffs(now_ms, merged_ms);
                for tier in Tier::ALL {
                    if let Some(&oldest) = oldest.get(&tier).filter(|&&oldest| oldest < cutoffs.latest(tier)) {
                        let bytes = format!("select cast(coalesce(sum(length(payload)), 0) as bigint) from chunk where {GOES}");
                        let bytes = bind_goes(sqlx::query_as(AssertSqlSafe(bytes)), series, tier, &cutoffs, oldest);
                        let (bytes,): (i64,) = bytes.fetch_one(&self.inner.read).await?;
                        freed[place(tier)] += bytes;
                    }
                }
            }
        }
        Ok(freed)
    }

    /// Whether samples of a series in a span are gone, and what they came to in minutes or hours is there.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn are_samples_gone(&self, series: SeriesId, from_ms: i64, to_ms: i64) -> Result<bool, StoreError> {
        let Some(box_id) = self.box_of(series).await? else { return Ok(false) };
        let known = locked(&self.inner.raw_from).get(&box_id).copied();
        let raw_from_ms = match known {
            Some(known) => known,
            None => {
                let select = sqlx::query_scalar("select raw_from_ms from box where box_id = $1").bind(box_id);
                let from: Option<Option<i64>> = select.fetch_optional(&self.inner.read).await?;
                locked(&self.inner.raw_from).insert(box_id, from.flatten());
                from.flatten()
            }
        };
        // Nearly always nothing of the box is gone since then.
        if raw_from_ms.is_none_or(|raw_from_ms| from_ms >= raw_from_ms) {
            return Ok(false);
        }
        let rolled = "select count(*) from chunk where series_id = $1 and tier > 0 and start_ms >= $2 and start_ms < $3 and end_ms >= $4 \
                      and not exists (select 1 from chunk raw where raw.series_id = $1 and raw.tier = 0 \
                      and raw.start_ms >= $2 and raw.start_ms < $3 and raw.start_ms = chunk.start_ms and raw.seq = chunk.seq)";
        let rolled = sqlx::query_scalar(rolled).bind(series.0).bind(from_ms.saturating_sub(MAX_SPAN_MS)).bind(to_ms).bind(from_ms);
        let rolled: i64 = rolled.fetch_one(&self.inner.read).await?;
        Ok(rolled > 0)
    }
}

/// Of a series ($1) and a tier ($2) what may go: what ended before $3, before $4 where minutes have it, before $5 where hours do;
/// all of it from $7 on, so that of parts that lie elsewhere nothing is looked at.
const GOES: &str = "series_id = $1 and tier = $2 and start_ms < $6 and start_ms >= $7 and (end_ms < $3 \
    or (end_ms < $4 and exists (select 1 from chunk other where other.series_id = $1 and other.tier = 1 and other.start_ms < $6 and other.start_ms >= $7 \
        and other.start_ms = chunk.start_ms and other.seq = chunk.seq)) \
    or (end_ms < $5 and exists (select 1 from chunk other where other.series_id = $1 and other.tier = 2 and other.start_ms < $6 and other.start_ms >= $7 \
        and other.start_ms = chunk.start_ms and other.seq = chunk.seq)))";

/// A question whose answer has the columns of `O`.
type Asked<'q, O> = sqlx::query::QueryAs<'q, sqlx::Any, O, sqlx::any::AnyArguments>;

fn bind_goes<'q, O>(query: Asked<'q, O>, series: SeriesId, tier: Tier, cutoffs: &Cutoffs, oldest: i64) -> Asked<'q, O> {
    let before = |other: Option<Tier>| cutoffs.before(tier, other);
    let query = query.bind(series.0).bind(tier.number()).bind(before(None)).bind(before(Some(Tier::Minutes)));
    query.bind(before(Some(Tier::Hours))).bind(cutoffs.latest(tier)).bind(oldest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(box_id: Option<i64>, pattern: Option<&str>, keep: [Option<Kept>; 3]) -> KeepRule {
        KeepRule { box_id, pattern: pattern.map(str::to_owned), keep }
    }

    #[test]
    fn the_most_particular_rule_holds() {
        let of = |ms| Some(Kept::For(ms));
        let rules = vec![
            rule(None, None, [of(10), None, of(11)]),
            rule(Some(1), None, [of(20), None, None]),
            rule(None, Some("core:"), [of(30), None, None]),
            rule(Some(1), Some("core:rcv_*"), [of(40), None, None]),
            rule(None, Some("core:rcv_requests"), [Some(Kept::Ever), None, None]),
        ];
        let retention = Retention { rules };
        let raw = |box_id, name| retention.of(box_id, name).0[0];
        assert_eq!(raw(2, "tm:x"), Some(10));
        assert_eq!(raw(1, "tm:x"), Some(20));
        assert_eq!(raw(1, "core:drop"), Some(30), "a statistic goes before a box");
        assert_eq!(raw(1, "core:rcv_replies"), Some(40));
        assert_eq!(raw(1, "core:rcv_requests"), None, "a name goes before a pattern");
        assert_eq!(retention.of(1, "core:rcv_requests").0[1..], [DEFAULT_KEEP.0[1], Some(11)]);
        assert_eq!(Retention::default().of(1, "x:y"), DEFAULT_KEEP);
    }

    #[test]
    fn what_no_coarser_tier_has_is_kept_as_long_as_that_one() {
        let cutoffs = Keep([Some(10), Some(100), None]).cutoffs(1_000, Some(5_000));
        assert_eq!(cutoffs.0[0], [(990, Some(Tier::Minutes)), (900, Some(Tier::Hours)), (i64::MIN, None)]);
        assert_eq!(cutoffs.0[1], [(900, Some(Tier::Hours)), (i64::MIN, None)]);
        assert_eq!(cutoffs.0[2], [(i64::MIN, None)]);
        assert_eq!((cutoffs.latest(Tier::Raw), cutoffs.last()), (990, i64::MIN));
        let cutoffs = Keep([Some(10), Some(100), Some(500)]).cutoffs(1_000, Some(700));
        assert_eq!((cutoffs.latest(Tier::Raw), cutoffs.last()), (700, 500), "what is not merged stays");
        assert_eq!(Keep([Some(10); 3]).cutoffs(1_000, None).latest(Tier::Raw), i64::MIN);
    }
}
