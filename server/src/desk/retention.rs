//! How long history is kept: rules that people set, what they would free, and what the history takes.

use app::{matching::Pattern, shown::short};

use super::{Desk, DeskError};
use crate::{
    clock,
    config::{format_duration, parse_duration},
    store::{KeepRule, Kept, Retention, StoreError, Usage},
};

/// The word for a tier that is kept for ever.
const EVER: &str = "ever";
/// A shorter time would delete what has just been recorded, as it is sealed and merged after a day.
const SHORTEST_MS: i64 = 2 * 86_400_000;
/// So many rules are enough for anyone, and each is looked at for each statistic.
const MAX_RULES: usize = 100;

/// A rule as people write it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeepInput {
    /// The box; empty: all.
    pub box_name: String,
    /// A name or a pattern; empty: all statistics.
    pub pattern: String,
    /// How long samples, minutes and hours are kept: `90d`, `2y`, `ever`; empty: the rule says nothing of it.
    pub keep: [String; 3],
}

/// The fields of [`KeepInput::keep`], as the API and the form name them.
pub const KEEP_FIELDS: [&str; 3] = ["raw", "minute", "hour"];

impl Desk {
    /// The rules.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn retention(&self) -> Result<Retention, DeskError> {
        Ok(self.store.retention().await?)
    }

    /// What the history takes.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn usage(&self) -> Result<Vec<Usage>, DeskError> {
        Ok(self.store.usage(clock::now_ms()).await?)
    }

    /// How many bytes of samples, minutes and hours would go with this rule that stay without it.
    ///
    /// # Errors
    /// As [`Self::set_retention`].
    pub async fn would_free(&self, input: &KeepInput) -> Result<[i64; 3], DeskError> {
        let rule = self.rule(input)?;
        let now_ms = clock::now_ms();
        let retention = self.store.retention().await?;
        let before = self.store.would_free(&retention, now_ms).await?;
        let mut changed = retention;
        changed.rules.retain(|other| (other.box_id, &other.pattern) != (rule.box_id, &rule.pattern));
        changed.rules.push(rule);
        let after = self.store.would_free(&changed, now_ms).await?;
        Ok([0, 1, 2].map(|tier| (after[tier] - before[tier]).max(0)))
    }

    /// Sets a rule in place of the one for the same statistics; one that says nothing is removed.
    ///
    /// # Errors
    /// When a field is wrong, there is no such box, or there are too many rules.
    pub async fn set_retention(&self, input: &KeepInput) -> Result<(), DeskError> {
        let rule = self.rule(input)?;
        let rules = self.store.retention().await?.rules;
        let is_new = !rules.iter().any(|other| (other.box_id, &other.pattern) == (rule.box_id, &rule.pattern));
        if is_new && rules.len() >= MAX_RULES {
            return Err(DeskError::Full(format!("there are {MAX_RULES} rules already: remove one, or write one for more statistics")));
        }
        self.store.set_retention(&rule).await.map_err(|error| match error {
            StoreError::Missing(what) => DeskError::NotFound(format!("{what} does not exist")),
            other => other.into(),
        })
    }

    fn rule(&self, input: &KeepInput) -> Result<KeepRule, DeskError> {
        let box_id = match input.box_name.trim() {
            "" => None,
            name => Some(self.entry(name)?.lock().stored.id),
        };
        let pattern = input.pattern.trim();
        if pattern.contains(char::is_whitespace) {
            let message = format!("{:?} is more than one: make a rule for each", short(pattern));
            return Err(DeskError::invalid("match", message));
        }
        if pattern.len() > 256 {
            return Err(DeskError::invalid("match", "a name or pattern has at most 256 bytes"));
        }
        // What is read in another way than it is written would surprise.
        let pattern = (!pattern.is_empty()).then(|| pattern.to_owned()).filter(|word| !Pattern::parse(word).covers(&Pattern::parse("*")));
        let mut keep = [None; 3];
        for (place, text) in input.keep.iter().enumerate() {
            keep[place] = kept(text).map_err(|message| DeskError::invalid(KEEP_FIELDS[place], message))?;
        }
        Ok(KeepRule { box_id, pattern, keep })
    }
}

fn kept(text: &str) -> Result<Option<Kept>, String> {
    match text.trim() {
        "" => Ok(None),
        EVER => Ok(Some(Kept::Ever)),
        text => {
            let duration = parse_duration(text).map_err(|error| format!("{error}, or {EVER}"))?;
            let ms = i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
            if ms < SHORTEST_MS {
                return Err(format!("{text:?} is too short: 2d and more is allowed, since a day is put together after it is over"));
            }
            Ok(Some(Kept::For(ms)))
        }
    }
}

/// How long, as people write it.
#[must_use]
pub fn written(kept: Kept) -> String {
    match kept {
        Kept::Ever => EVER.to_owned(),
        Kept::For(ms) => format_duration(std::time::Duration::from_millis(ms.unsigned_abs())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_and_written() {
        assert_eq!(kept(" 90d "), Ok(Some(Kept::For(90 * 86_400_000))));
        assert_eq!((kept("ever"), kept("")), (Ok(Some(Kept::Ever)), Ok(None)));
        assert!(kept("1h").unwrap_err().contains("2d and more"));
        assert!(kept("long").unwrap_err().ends_with("or ever"));
        assert_eq!([Kept::Ever, Kept::For(730 * 86_400_000)].map(written), ["ever", "2y"]);
    }
}
