//! Ticking: rules change in the store, then on the board, and what is on the screen is recorded at once as the first sample.

use std::{borrow::Cow, collections::HashMap, sync::Arc};

use app::{
    matching::{Pattern, word_of},
    model::{BoxKind, Kind},
    shown::short,
};

use super::{Desk, DeskError};
use crate::{
    board::{Entry, Layout, Rules},
    sampler::Recording,
    store::TickRule,
};

/// What is to be ticked or unticked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Word<'a> {
    /// One statistic, as rows and addresses name it: taken whole when the box has it, whatever it looks like. Else it is a word.
    Name(&'a str),
    /// A name or a pattern, as one types it.
    Pattern(&'a str),
}

impl Desk {
    /// Ticks or unticks names and patterns of a box, all or none. Answers how many statistics are recorded then.
    ///
    /// # Errors
    /// When there is no such box or a word is wrong.
    pub async fn tick(&self, box_name: &str, words: &[Word<'_>], on: bool) -> Result<usize, DeskError> {
        let changes: Vec<(Word<'_>, bool)> = words.iter().map(|&word| (word, on)).collect();
        self.change_ticks(box_name, &changes).await
    }

    /// As [`Self::tick`], with both kinds of change in one.
    ///
    /// # Errors
    /// As [`Self::tick`].
    pub async fn change_ticks(&self, box_name: &str, changes: &[(Word<'_>, bool)]) -> Result<usize, DeskError> {
        let entry = self.entry(box_name)?;
        // One change at a time: each reads the rules, changes them and writes them whole.
        let turn = self.sampler.hold().await;
        // What takes long is done on copies: polls and pages need the lock.
        let (id, before, layout) = {
            let now = entry.lock();
            (now.stored.id, Arc::clone(&now.rules), Arc::clone(&now.layout))
        };
        let mut named = Named { layout: &layout, rules: &before, broken: None };
        let changes: Vec<(Cow<'_, str>, bool)> = changes.iter().map(|&(word, on)| (named.word(word), on)).collect();
        let mut rules = Rules::clone(&before);
        for run in changes.chunk_by(|(_, on), (_, next)| on == next) {
            let words: Vec<&str> = run.iter().map(|(word, _)| &**word).collect();
            if run.iter().any(|&(_, on)| on) {
                rules.tick(&words)?;
            } else {
                rules.untick(&words, layout.names.iter().map(AsRef::as_ref))?;
            }
        }
        self.check_provided(id, &rules)?;
        let rules = Arc::new(rules);
        let system = entry.lock().stored.spec.kind;
        check_derived(&changes, &before, &rules, &layout, system)?;
        self.store.replace_ticks(id, &rules.list()).await?;
        // The panel that polls the box records it.
        let lease = self.store.lease(id);
        let recording = first_samples(&entry, rules, &layout, lease).filter(|_| lease.is_some());
        drop(turn);
        if system == BoxKind::Tickmark {
            // What is ticked of several boxes is recorded of each.
            self.board.settle();
        }
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
        Ok(now.layout.ticked.len())
    }

    /// What the configuration file ticks cannot be unticked here.
    fn check_provided(&self, id: i64, rules: &Rules) -> Result<(), DeskError> {
        let provided = self.file_ticks.get(&id).map(Vec::as_slice).unwrap_or_default();
        let taken = provided.iter().find(|word| {
            let pattern = Pattern::parse(word);
            let stands = pattern.exact().map_or_else(|| rules.stands(word.trim()), |full| rules.ticked(full));
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
        let (id, rules, layout) = {
            let now = entry.lock();
            (now.stored.id, Arc::clone(&now.rules), Arc::clone(&now.layout))
        };
        let full = Named { layout: &layout, rules: &rules, broken: None }.full(full);
        if layout.place(&full).is_none() && self.store.series_id(id, &full).await?.is_none() {
            return Err(DeskError::NotFound(format!(
                "the box {box_name} has no statistic {}: GET boxes/{box_name}/statistics lists those it has",
                short(&full)
            )));
        }
        self.store.set_kind(id, &full, kind).await?;
        self.sampler.reload().await?;
        Ok(())
    }
}

/// One that is recorded only since something derived from it is ticked cannot be unticked alone: it would stay, and nobody knew why.
fn check_derived(
    changes: &[(Cow<'_, str>, bool)],
    before: &Rules,
    rules: &Arc<Rules>,
    layout: &Layout,
    system: BoxKind,
) -> Result<(), DeskError> {
    let unticked = changes.iter().filter(|(_, on)| !on).filter_map(|(word, _)| Some(Pattern::parse(word).exact()?.to_owned()));
    let mut unmoved = unticked.filter(|full| !before.ticked(full) && layout.records(full)).peekable();
    if unmoved.peek().is_none() {
        return Ok(());
    }
    let after = layout.with_rules(system, Arc::clone(rules));
    match unmoved.find(|full| after.records(full)) {
        Some(full) => {
            let of = after.recorded_for(&full).map_or_else(|| "a derived statistic of several boxes".to_owned(), |of| of.to_string());
            let full = short(&full);
            Err(DeskError::ReadOnly(format!("{full} is recorded because {of} is ticked, which is computed from it: untick that")))
        }
        None => Ok(()),
    }
}

/// The names of a box, to tell which of them somebody means.
struct Named<'b> {
    layout: &'b Layout,
    rules: &'b Rules,
    /// Names that hold line breaks, by how a form sends them.
    broken: Option<HashMap<String, Arc<str>>>,
}

impl Named<'_> {
    /// The word that a change means.
    fn word<'a>(&mut self, word: Word<'a>) -> Cow<'a, str> {
        let name = match word {
            Word::Pattern(word) => return Cow::Borrowed(word),
            Word::Name(name) => self.full(name),
        };
        if self.layout.place(&name).is_none() && !self.rules.names_one(&name) {
            return name;
        }
        match name {
            Cow::Borrowed(name) => word_of(name),
            Cow::Owned(name) => Cow::Owned(word_of(&name).into_owned()),
        }
    }

    /// The name as the box has it: browsers send every line break in a form as CR LF.
    fn full<'a>(&mut self, name: &'a str) -> Cow<'a, str> {
        if !name.contains("\r\n") || self.layout.place(name).is_some() {
            return Cow::Borrowed(name);
        }
        let sent = |full: &Arc<str>| full.replace("\r\n", "\n").replace('\r', "\n").replace('\n', "\r\n");
        let with_breaks = self.layout.names.iter().filter(|full| full.contains(['\r', '\n']));
        let broken = self.broken.get_or_insert_with(|| with_breaks.map(|full| (sent(full), Arc::clone(full))).collect());
        broken.get(name).map_or(Cow::Borrowed(name), |full| Cow::Owned(full.to_string()))
    }
}

/// Puts new rules on the board; the values on the screen of what is ticked now and was not before are to be recorded, with
/// the time of their poll.
fn first_samples(entry: &Entry, rules: Arc<Rules>, known: &Layout, lease: Option<i64>) -> Option<Recording> {
    let system = entry.lock().stored.spec.kind;
    let layout = known.with_rules(system, Arc::clone(&rules));
    let mut now = entry.lock();
    let before = Arc::clone(&now.layout);
    now.set_rules(rules, layout);
    let at_ms = now.moment?.at_ms;
    let newly = now.ticked().filter(|&(_, place)| !before.slots[place].ticked);
    let (names, values): (Vec<_>, Vec<_>) = newly.map(|(full, place)| (Arc::clone(full), now.values[place].ok())).unzip();
    let interval_ms = now.interval_ms();
    let (box_id, names) = (now.stored.id, names.into());
    let (marks, dropped, anew) = (Vec::new(), Vec::new(), Vec::new());
    let recording = Recording { box_id, at_ms, interval_ms, names, values, marks, dropped, anew, started_ms: None, generation: lease };
    (!recording.values.is_empty()).then_some(recording)
}
