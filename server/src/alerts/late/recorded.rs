//! What is recorded of the boxes, read once for all polls that came late together; and whether that tells all of what a rule names. Where it
//! does not, a rule is not put to those polls: a sum of what happens to be recorded would be a number, and a wrong one.

use std::sync::Arc;

use crate::{
    board::{Board, Definition, Entry, Rules},
    config::BUILTIN_BOX,
    desk::{Computing, DeskError},
    engine,
    formula::{Formula, Reference},
    store::{Store, StoreError},
};

/// The boxes as they are stored; none of them is asked.
pub(super) struct Recorded {
    pub(super) board: Board,
    pub(super) definitions: Vec<Definition>,
    store: Store,
    /// What the panel's own box has, recorded or not.
    own: Vec<String>,
}

impl Recorded {
    pub(super) async fn read(store: &Store, default_interval_ms: i64) -> Result<Self, StoreError> {
        let board = Board::new(default_interval_ms);
        for stored in store.boxes().await? {
            let rules = Rules::new(store.ticks(stored.id).await?);
            let kinds = store.kinds(stored.id).await?;
            board.put(stored, rules, kinds);
        }
        let definitions: Vec<Definition> = store.derived().await?.iter().filter_map(Definition::of_stored).collect();
        board.define(definitions.clone());
        board.settle();
        let pushed = store.custom().await?.into_iter().map(|pushed| pushed.name);
        let own = engine::own_names().chain(pushed).collect();
        Ok(Self { board, definitions, store: store.clone(), own })
    }

    /// The panel's own box.
    pub(super) fn builtin(&self) -> Option<Arc<Entry>> {
        self.board.find(BUILTIN_BOX)
    }

    /// What computes formulas of what is stored.
    pub(super) fn computing(&self) -> Computing<'_> {
        Computing { board: &self.board, store: &self.store }
    }

    /// Whether all patterns that a formula has of statistics of this box itself stand for what is recorded as a whole.
    pub(super) fn tells_patterns(&self, formula: &Formula, entry: &Entry) -> bool {
        formula.references().iter().filter(|reference| reference.name.is_pattern()).all(|reference| self.tells(reference, entry))
    }

    /// Whether of every box that a formula over several names, all that it names of it is recorded.
    pub(super) fn tells_across(&self, formula: &Formula) -> bool {
        let entries = self.board.all();
        formula
            .references()
            .iter()
            .all(|reference| entries.iter().filter(|entry| names(reference, entry)).all(|entry| self.tells(reference, entry)))
    }

    /// Whether what a box has of a reference is recorded: whatever is not in its history, it did not have.
    fn tells(&self, reference: &Reference, entry: &Entry) -> bool {
        let now = entry.lock();
        let is_recorded = match reference.name.exact() {
            Some(full) => now.layout.records(&full),
            None => now.layout.records_all(&reference.name),
        };
        is_recorded || (now.is_builtin() && !self.own.iter().any(|full| reference.name.matches(full)))
    }
}

/// Whether a reference of a formula over several boxes names this one.
pub(super) fn names(reference: &Reference, entry: &Entry) -> bool {
    let now = entry.lock();
    reference.boxes.as_ref().map_or_else(|| now.is_builtin(), |boxes| boxes.matches(&now.stored.spec.name))
}

/// What is known; none where something is not there any more.
pub(super) fn known<T>(outcome: Result<T, DeskError>) -> Result<Option<T>, StoreError> {
    match outcome {
        Ok(known) => Ok(Some(known)),
        Err(DeskError::Store(error)) => Err(error),
        Err(_) => Ok(None),
    }
}
