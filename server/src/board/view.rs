//! What the API and the pages read of a box: plain data, taken under the lock and then free of it.

use std::{borrow::Cow, sync::Arc, time::Instant};

use app::{
    matching::Query,
    model::{BoxView, Kind, RowView, Statistic, Statistics},
};

use super::{
    BoxNow, Layout,
    derived::{Around, why_not_computed},
};
use crate::{config::format_duration, source::Reading};

/// The newest answer of a box, taken under its lock in a moment, to be read without it for as long as that takes.
pub struct Picture {
    /// The names, and what is known of each.
    pub layout: Arc<Layout>,
    /// The values, in the layout's order.
    pub values: Vec<Reading>,
    rates: Vec<Option<f64>>,
    around: Vec<Around>,
    at_ms: Option<i64>,
    age_ms: Option<i64>,
}

impl Picture {
    /// The statistics that match, in the order of their names.
    #[must_use]
    pub fn statistics(&self, query: &Query) -> Statistics {
        let places = self.layout.sorted.iter().map(|&place| place as usize);
        let matching = places.filter(|&place| query.matches(&self.layout.names[place]));
        let statistic = |place: usize| {
            let told = statistic(&self.layout, place, self.values[place], self.rates[place]);
            let why = why_not_computed(&self.layout, place, &self.values, &self.rates, &self.around);
            Statistic { reason: why.or(told.reason), ..told }
        };
        Statistics { at: self.at_ms, age_ms: self.age_ms, statistics: matching.map(statistic).collect() }
    }
}

fn statistic(layout: &Layout, place: usize, reading: Reading, rate: Option<f64>) -> Statistic {
    let (slot, name) = (&layout.slots[place], &layout.names[place]);
    Statistic {
        name: name.to_string(),
        group: app::model::split_name(name).0.to_owned(),
        value: reading.ok(),
        rate,
        kind: slot.kind,
        unit: slot.unit.clone().into_owned(),
        ticked: slot.ticked,
        description: slot.description.clone().into_owned(),
        reason: reading.err().map(|unknown| unknown.sentence().to_owned()),
    }
}

impl BoxNow {
    /// The box and its state.
    #[must_use]
    pub fn view(&self, instant: Instant) -> BoxView {
        let spec = &self.stored.spec;
        BoxView {
            id: self.stored.id,
            name: spec.name.clone(),
            address: spec.address.clone(),
            kind: spec.kind,
            interval: format_duration(self.interval),
            labels: spec.labels.clone(),
            paused: spec.paused,
            origin: spec.origin,
            user: spec.user.clone(),
            has_password: spec.password_sealed.is_some(),
            state: self.state,
            server: self.server.clone(),
            statistics: self.values.len(),
            recorded: self.layout.ticked.len(),
            started_at: self.started_at_ms,
            at: self.moment.map(|moment| moment.at_ms),
            age_ms: self.age_ms(instant),
            reason: self.reason.clone(),
            notice: self.notice(),
        }
    }

    /// What of the newest answer is not as one would expect, in a sentence.
    fn notice(&self) -> Option<String> {
        let sentences: Vec<&str> = [&self.left_out, &self.unrecorded].into_iter().flatten().map(String::as_str).collect();
        (!sentences.is_empty()).then(|| sentences.join("; "))
    }

    /// How old the newest answer is, in milliseconds.
    #[must_use]
    pub fn age_ms(&self, instant: Instant) -> Option<i64> {
        self.age(instant).map(|age| i64::try_from(age.as_millis()).unwrap_or(i64::MAX))
    }

    /// The newest answer, to be read without the lock.
    #[must_use]
    pub fn picture(&self, instant: Instant) -> Picture {
        Picture {
            layout: Arc::clone(&self.layout),
            values: self.values.clone(),
            rates: self.rates.clone(),
            around: self.around.clone(),
            at_ms: self.moment.map(|moment| moment.at_ms),
            age_ms: self.age_ms(instant),
        }
    }

    /// One row of Realtime Statistics.
    #[must_use]
    pub fn row(&self, place: usize) -> RowView {
        let Statistic { name, value, rate, kind, unit, ticked, description, reason, .. } =
            statistic(&self.layout, place, self.values[place], self.rates[place]);
        let reason = self.why_not_computed(place).or(reason);
        RowView { name, value, rate, kind, unit, ticked, moved: self.moved[place], description, reason, spark: self.spark(place) }
    }

    /// Whether a statistic stands where it always stood, as far as is known: a counter at zero, or a level that has not changed since it
    /// was first seen. A counter above zero moved once, whoever saw it.
    #[must_use]
    pub fn never_moved(&self, place: usize) -> bool {
        let counted = self.layout.slots[place].kind == Kind::Counter && self.values[place].is_ok_and(|value| value.as_f64() != 0.0);
        !self.ever_moved[place] && !counted
    }

    /// Ticked names and patterns that the newest answer has nothing for.
    #[must_use]
    pub fn unseen(&self) -> Vec<String> {
        self.layout.unseen.clone()
    }

    /// How often it is asked, milliseconds.
    #[must_use]
    pub fn interval_ms(&self) -> i64 {
        i64::try_from(self.interval.as_millis()).unwrap_or(i64::MAX)
    }

    /// The points of a spark line, oldest first.
    #[must_use]
    pub fn spark(&self, place: usize) -> Vec<Option<f32>> {
        self.sparks.line(place).collect()
    }

    /// The unit and the meaning of a statistic, also of one that the newest answer does not name.
    #[must_use]
    pub fn meaning(&self, full: &str) -> (Kind, Cow<'static, str>, Cow<'static, str>) {
        if let Some(definition) = self.derived(full) {
            return (Kind::Gauge, definition.unit.clone().into(), definition.meaning.clone().into());
        }
        let (group, name) = app::model::split_name(full);
        let known = super::layout::known(self.stored.spec.kind, group, name);
        (self.kind_of(full), known.map_or("", |known| known.1).into(), known.map_or("", |known| known.2).into())
    }
}
