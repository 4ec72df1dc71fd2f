//! What values were a day or a week before polls that come late, for rules that compare with that: read from the history as it is for polls
//! that come in time, and so often at most.

use std::{
    collections::HashMap,
    sync::{Arc, atomic::Ordering},
};

use super::{Stage, recorded::known};
use crate::{
    alerts::{Ready, Watching, before},
    board::Definition,
    desk::{Computing, Question},
    store::{StoreError, StoredBox},
};

/// So often it is read what values were so long before, of all rules and boxes of what came late together.
pub(super) const MAX_READINGS: usize = 10_000;

/// What of the rules compares with what was, as the history computes it.
pub(super) struct Definitions(Vec<(Arc<str>, i64, Definition)>);

impl Definitions {
    pub(super) fn of(rules: &[&Arc<Ready>]) -> Self {
        let of = |ready: &&Arc<Ready>| {
            let (formula, ago_ms) = (ready.formula()?, ready.rule.condition.ago_ms()?);
            Some((Arc::clone(&ready.name), ago_ms, Definition::new("before", formula.clone(), "", "")))
        };
        Self(rules.iter().filter_map(of).collect())
    }
}

/// What values were so long before.
pub(super) struct Before<'a> {
    computing: Computing<'a>,
    questions: Vec<(&'a Arc<str>, i64, Question<'a>)>,
    /// The time of the last reading.
    read_ms: Option<i64>,
}

impl<'a> Before<'a> {
    pub(super) async fn of(stage: &'a Stage, definitions: &'a Definitions, stored: &StoredBox) -> Result<Self, StoreError> {
        let computing = stage.recorded.computing();
        let mut questions = Vec::with_capacity(definitions.0.len());
        for (name, ago_ms, definition) in &definitions.0 {
            if let Some(question) = known(computing.question(&stored.spec.name, definition).await)? {
                questions.push((name, *ago_ms, question));
            }
        }
        Ok(Self { computing, questions, read_ms: None })
    }

    /// Tells the rules what values were so long before an instant, as of the last minute. Where it was read too often, nothing is known.
    pub(super) async fn tell(&mut self, stage: &Stage, watching: &Watching, box_id: i64, at_ms: i64) -> Result<(), StoreError> {
        let is_due = self.read_ms.is_none_or(|read_ms| at_ms.saturating_sub(read_ms) >= before::EVERY_MS);
        if self.questions.is_empty() || !is_due {
            return Ok(());
        }
        self.read_ms = Some(at_ms);
        let mut all = HashMap::new();
        for (name, ago_ms, question) in &self.questions {
            let take = stage.readings.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
            if take == Ok(1) {
                tracing::warn!(MAX_READINGS, "too much came late for rules that compare with earlier values: of the rest they say nothing");
            }
            if take.is_ok()
                && let Some(mean) = known(self.computing.mean_around(question, at_ms - ago_ms, before::HALF_MS).await)?.flatten()
            {
                all.insert((Arc::clone(name), box_id), mean);
            }
        }
        watching.set_before(all);
        Ok(())
    }
}
