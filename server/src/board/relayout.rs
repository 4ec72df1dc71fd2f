//! What a box shows under other names, ticks, kinds or derived statistics: values, rates and spark lines move along with their names.

use std::sync::Arc;

use super::{
    BoxNow, Definition, Layout,
    derived::{Around, Extra},
    layout::OfBox,
};
use crate::source::{Reading, Unknown};

/// Spark lines are kept for so many statistics of a box: beyond that they would cost more memory than they tell.
const MAX_SPARKS: usize = 4_096;

impl BoxNow {
    /// Looks ticks and kinds up anew, when the layout was not made from these.
    pub(super) fn relayout(&mut self) {
        let of = self.of_box();
        if self.layout.is_of(&of) {
            return;
        }
        let layout = Arc::new(self.layout.with(&of));
        if Arc::ptr_eq(&layout.names, &self.layout.names) {
            self.layout = layout;
            return;
        }
        // Watchers are shown what is derived now as they are shown an answer.
        self.answers += 1;
        self.carry_over(layout);
        self.compute();
    }

    /// Takes what of the derived statistics concerns it.
    pub(super) fn set_extra(&mut self, extra: Extra) {
        if *self.extra != extra {
            self.extra = Arc::new(extra);
            self.relayout();
            self.changes += 1;
        }
    }

    /// Takes what was computed of several boxes.
    pub(super) fn set_around(&mut self, across: Vec<Arc<Definition>>, around: Vec<Around>) {
        self.around = around;
        self.set_extra(Extra { across, ..Extra::clone(&self.extra) });
    }

    pub(super) fn of_box(&self) -> OfBox {
        OfBox {
            name: self.stored.spec.name.clone(),
            system: self.stored.spec.kind,
            kinds: Arc::clone(&self.kinds),
            rules: Arc::clone(&self.rules),
            extra: Arc::clone(&self.extra),
        }
    }

    /// A layout of new names: values, rates and spark lines move along with their names. Says whether a name is new.
    pub(super) fn carry_over(&mut self, layout: Arc<Layout>) -> bool {
        let before = std::mem::replace(&mut self.layout, layout);
        let places: Vec<Option<usize>> = self.layout.names.iter().map(|full| before.place(full)).collect();
        let unseen: Reading = Err(Unknown::NotTold);
        self.values = places.iter().map(|place| place.map_or(unseen, |place| self.values[place])).collect();
        self.moved = vec![false; places.len()];
        self.rates = places.iter().map(|place| place.and_then(|place| self.rates[place])).collect();
        self.ever_moved = places.iter().map(|place| place.is_some_and(|place| self.ever_moved[place])).collect();
        self.changed_at = vec![self.answers; places.len()];
        self.recent.clear();
        self.sparks = self.sparks.moved(places.iter().copied().take(MAX_SPARKS));
        places[..self.layout.asked.len()].iter().any(Option::is_none)
    }
}
