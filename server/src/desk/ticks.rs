//! Ticking: rules change in the store, then on the board, and what is on the screen is recorded at once as the first sample.

use std::sync::Arc;

use app::{matching::Pattern, model::Kind};

use super::{Desk, DeskError};
use crate::{
    board::{Entry, Layout, Rules},
    sampler::Recording,
    store::TickRule,
};

impl Desk {
    /// Ticks or unticks names and patterns of a box, all or none. Answers how many statistics are recorded then.
    ///
    /// # Errors
    /// When there is no such box or a word is wrong.
    pub async fn tick(&self, box_name: &str, words: &[&str], on: bool) -> Result<usize, DeskError> {
        let changes: Vec<(&str, bool)> = words.iter().map(|&word| (word, on)).collect();
        self.change_ticks(box_name, &changes).await
    }

    /// As [`Self::tick`], with both kinds of change in one.
    ///
    /// # Errors
    /// As [`Self::tick`].
    pub async fn change_ticks(&self, box_name: &str, changes: &[(&str, bool)]) -> Result<usize, DeskError> {
        let entry = self.entry(box_name)?;
        // One change at a time: each reads the rules, changes them and writes them whole.
        let turn = self.sampler.hold().await;
        // What takes long is done on copies: polls and pages need the lock.
        let (id, rules, layout) = {
            let now = entry.lock();
            (now.stored.id, Arc::clone(&now.rules), Arc::clone(&now.layout))
        };
        let mut rules = Rules::clone(&rules);
        for run in changes.chunk_by(|(_, on), (_, next)| on == next) {
            let words: Vec<&str> = run.iter().map(|&(word, _)| word).collect();
            if run.iter().any(|&(_, on)| on) {
                rules.tick(&words)?;
            } else {
                rules.untick(&words, layout.names.iter().map(AsRef::as_ref))?;
            }
        }
        self.check_provided(id, &rules)?;
        self.store.replace_ticks(id, &rules.list()).await?;
        let recording = first_samples(&entry, rules, &layout);
        drop(turn);
        self.board.tell();
        if let Some(recording) = recording {
            let shared = self.sampler.shared();
            if let Err(error) = shared.recorder.record(&entry, &recording).await {
                // The tick stands all the same.
                shared.engine.counts.polls_lost.count();
                tracing::error!(id, at_ms = recording.at_ms, %error, "the first samples of new ticks are lost");
            }
        }
        let now = entry.lock();
        Ok(now.layout.slots.iter().filter(|slot| slot.ticked).count())
    }

    /// What the configuration file ticks cannot be unticked here.
    fn check_provided(&self, id: i64, rules: &Rules) -> Result<(), DeskError> {
        let provided = self.file_ticks.get(&id).map(Vec::as_slice).unwrap_or_default();
        let taken = provided.iter().find(|word| {
            let pattern = Pattern::parse(word);
            let stands = if pattern.is_exact() { rules.ticked(word) } else { rules.stands(word.trim()) };
            !stands || rules.exceptions().any(|full| pattern.matches(full))
        });
        match taken {
            Some(word) => Err(DeskError::ReadOnly(format!("{word} is ticked by the configuration file: untick it there"))),
            None => Ok(()),
        }
    }

    /// The rules of a box, and which of them match nothing the box has named yet.
    ///
    /// # Errors
    /// When there is no such box.
    pub fn ticks(&self, box_name: &str) -> Result<(Vec<TickRule>, Vec<String>), DeskError> {
        let entry = self.entry(box_name)?;
        let now = entry.lock();
        Ok((now.rules.list(), now.unseen()))
    }

    /// Corrects whether a statistic counts; none: as the box or the catalogue says.
    ///
    /// # Errors
    /// When there is no such box or statistic.
    pub async fn set_kind(&self, box_name: &str, full: &str, kind: Option<Kind>) -> Result<(), DeskError> {
        let entry = self.entry(box_name)?;
        let (id, known) = {
            let now = entry.lock();
            (now.stored.id, now.layout.place(full).is_some())
        };
        if !known && !self.store.series_of(id).await?.iter().any(|(_, name)| name == full) {
            return Err(DeskError::NotFound(format!("the box {box_name} has no statistic {full}")));
        }
        self.store.set_kind(id, full, kind).await?;
        self.sampler.reload().await?;
        Ok(())
    }
}

/// Puts new rules on the board; the values on the screen of what is ticked now and was not before are to be recorded, with
/// the time of their poll.
fn first_samples(entry: &Entry, rules: Rules, known: &Arc<Layout>) -> Option<Recording> {
    let layout = known.with_rules(&rules);
    let mut now = entry.lock();
    let before = Arc::clone(&now.layout);
    now.set_rules(rules, known, layout);
    let newly: Vec<_> = now.ticked().into_iter().filter(|&(_, place)| !before.slots[place].ticked).collect();
    let at_ms = now.moment?.at_ms;
    let values: Vec<_> = newly.into_iter().map(|(full, place)| (full, now.values[place].ok())).collect();
    let interval_ms = i64::try_from(now.interval.as_millis()).unwrap_or(i64::MAX);
    let recording =
        Recording { box_id: now.stored.id, at_ms, interval_ms, values, marks: Vec::new(), dropped: Vec::new(), started_ms: None };
    (!recording.values.is_empty()).then_some(recording)
}
