//! The few numbers by which the Overview shows a box: those of the catalogue that it has, else those that somebody ticked, else some that
//! move. Once enough are found they stay as long as its names and ticks do: what jumps about cannot be read.

use std::sync::Arc;

use app::model::{Kind, NumberView};

use super::{BoxNow, Layout, SPARK_POINTS};
use crate::catalogue;

/// A tile shows so many.
const MAX_NUMBERS: usize = 4;
/// Of those that move so many: they stand for a box of which nothing better is known.
const MAX_MOVING: usize = 3;

/// What was chosen, and from what.
#[derive(Clone, Debug)]
pub struct Chosen {
    /// The numbers.
    pub numbers: Vec<ChosenNumber>,
    /// The places of all statistics that they are made of.
    pub places: Arc<[u32]>,
    layout: Arc<Layout>,
    /// The answer at which it was chosen.
    answers: u64,
    /// Whether a later answer would bring nothing better.
    settled: bool,
}

/// One of the numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChosenNumber {
    /// What it is called; empty: as the statistic.
    pub label: &'static str,
    /// The place of the statistic.
    pub place: usize,
    /// The place of the one that it is a share of.
    pub of: Option<usize>,
}

impl BoxNow {
    /// The numbers of its tile.
    pub fn chosen(&mut self) -> Arc<Chosen> {
        let before = self.chosen.take();
        let is_good =
            |chosen: &Arc<Chosen>| Arc::ptr_eq(&chosen.layout, &self.layout) && (chosen.settled || chosen.answers == self.answers);
        let chosen = match before {
            Some(chosen) if is_good(&chosen) => chosen,
            before => Arc::new(self.choose(before.as_deref())),
        };
        self.chosen = Some(Arc::clone(&chosen));
        chosen
    }

    /// The numbers of its tile with their values.
    pub fn chosen_numbers(&mut self) -> Vec<NumberView> {
        let chosen = self.chosen();
        let number = |number: &ChosenNumber| NumberView {
            label: number.label,
            row: self.row(number.place),
            of: number.of.map(|of| (self.layout.names[of].to_string(), self.values[of].ok())),
        };
        chosen.numbers.iter().map(number).collect()
    }

    fn choose(&self, before: Option<&Chosen>) -> Chosen {
        let layout = &self.layout;
        let mut numbers: Vec<ChosenNumber> = Vec::new();
        for choice in catalogue::chosen(self.stored.spec.kind) {
            let of = choice.of.and_then(|of| layout.place(of));
            if let Some(place) = layout.place(choice.name).filter(|_| choice.of.is_some() == of.is_some()) {
                numbers.push(ChosenNumber { label: choice.label, place, of });
            }
        }
        let plain = |place: usize| ChosenNumber { label: "", place, of: None };
        let in_order = || layout.sorted.iter().map(|&place| place as usize);
        if numbers.len() < MAX_NUMBERS {
            let known: Vec<usize> = numbers.iter().map(|number| number.place).collect();
            numbers.extend(in_order().filter(|place| layout.slots[*place].ticked && !known.contains(place)).take(MAX_NUMBERS).map(plain));
        }
        numbers.truncate(MAX_NUMBERS);
        let mut settled = !numbers.is_empty();
        if numbers.is_empty() {
            numbers = self.moving(before).into_iter().map(plain).collect();
            settled = numbers.len() == MAX_MOVING || self.answers >= SPARK_POINTS as u64;
        }
        let mut places: Vec<u32> = Vec::new();
        for place in numbers.iter().flat_map(|number| std::iter::once(number.place).chain(number.of)) {
            places.extend(u32::try_from(place));
        }
        places.sort_unstable();
        places.dedup();
        Chosen { numbers, places: places.into(), layout: Arc::clone(layout), answers: self.answers, settled }
    }

    /// The places of some that move: those that did before, then the liveliest.
    fn moving(&self, before: Option<&Chosen>) -> Vec<usize> {
        let names = before.map(|before| before.numbers.iter().filter_map(|number| before.layout.names.get(number.place)));
        let mut moving: Vec<usize> = names.into_iter().flatten().filter_map(|name| self.layout.place(name)).collect();
        let mut lively: Vec<(usize, usize)> = Vec::new();
        for place in self.layout.sorted.iter().map(|&place| place as usize).filter(|place| !moving.contains(place)) {
            let steps = self.steps(place);
            if steps > 0 {
                lively.push((place, steps));
            }
        }
        // A stable order: of those that are as lively, the first by name. A clock moves always and tells nothing.
        let is_clock = |place: usize| self.layout.slots[place].kind == Kind::Gauge && is_clock(&self.layout.names[place]);
        lively.sort_by_key(|&(place, steps)| (is_clock(place), std::cmp::Reverse(steps)));
        moving.extend(lively.into_iter().map(|(place, _)| place));
        moving.truncate(MAX_MOVING);
        moving
    }

    /// How often its spark line changed its height.
    fn steps(&self, place: usize) -> usize {
        let known: Vec<f32> = self.sparks.line(place).flatten().collect();
        known.windows(2).filter(|pair| pair[0].total_cmp(&pair[1]).is_ne()).count()
    }
}

fn is_clock(name: &str) -> bool {
    name.contains("timestamp") || name.contains("uptime") || name.ends_with("_time") || name.ends_with("_seconds")
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use app::model::{BoxKind, Number, Origin};

    use super::*;
    use crate::{
        board::Rules,
        source::Answer,
        store::{BoxSpec, StoredBox, TickRule},
    };

    fn a_box(kind: BoxKind, ticks: &[&str]) -> BoxNow {
        let spec = BoxSpec { interval_ms: Some(1_000), ..BoxSpec::new("one", kind, "http://127.0.0.1:1/mi") };
        let rule = |word: &&str| TickRule { pattern: (*word).to_owned(), except: false, origin: Origin::Panel };
        let levels = ["c:level", "d:level", "f:level", "b:uptime"].map(|name| (name.to_owned(), Kind::Gauge));
        BoxNow::new(StoredBox { id: 7, spec }, Rules::new(ticks.iter().map(rule).collect()), levels.to_vec(), 10_000)
    }

    fn shared(names: &[&str]) -> Arc<[Arc<str>]> {
        names.iter().map(|&name| name.into()).collect()
    }

    /// Polls with these values.
    fn polls(now: &mut BoxNow, names: &Arc<[Arc<str>]>, polls: &[&[i64]]) {
        let begun = Instant::now();
        for (at, values) in (1_u32..).zip(polls) {
            let values = values.iter().map(|&value| Ok(Number::Int(value))).collect();
            let took = Duration::from_millis(1);
            let answer =
                Answer { at_ms: i64::from(at) * 1_000, took, started_at_ms: None, names: Arc::clone(names), values, left_out: None };
            now.apply(&answer, None, begun + Duration::from_secs(at.into()));
        }
    }

    fn names(now: &mut BoxNow) -> Vec<String> {
        now.chosen_numbers().into_iter().map(|number| number.row.name).collect()
    }

    #[test]
    fn those_of_the_catalogue_come_first_then_what_is_ticked() {
        let mut now = a_box(BoxKind::Opensips, &["tm:2xx_transactions", "core:rcv_requests"]);
        let all = ["shmem:total_size", "tm:2xx_transactions", "shmem:used_size", "core:rcv_requests", "core:drop_requests"];
        polls(&mut now, &shared(&all), &[&[100, 1, 25, 9, 0]]);
        let numbers = now.chosen_numbers();
        let told: Vec<_> = numbers.iter().map(|number| (number.label, number.row.name.as_str(), number.of.clone())).collect();
        let whole = Some(("shmem:total_size".to_owned(), Some(Number::Int(100))));
        assert_eq!(
            told,
            [("requests", "core:rcv_requests", None), ("shared memory", "shmem:used_size", whole), ("", "tm:2xx_transactions", None)]
        );
        assert_eq!(*now.chosen().places, [0, 1, 2, 3]);
    }

    #[test]
    fn a_share_of_nothing_is_not_chosen() {
        let mut now = a_box(BoxKind::Kamailio, &[]);
        polls(&mut now, &shared(&["shmem:used_size"]), &[&[5]]);
        assert_eq!(names(&mut now), Vec::<String>::new());
    }

    #[test]
    fn else_what_moves_and_it_stays() {
        let mut now = a_box(BoxKind::Prometheus, &[]);
        let all = shared(&["a:still", "b:uptime", "c:level", "d:level", "e:still", "f:level"]);
        polls(&mut now, &all, &[&[1, 1, 1, 1, 1, 1]]);
        assert_eq!(names(&mut now), Vec::<String>::new());
        polls(&mut now, &all, &[&[1, 2, 1, 1, 1, 5], &[1, 4, 1, 1, 1, 1]]);
        assert_eq!(names(&mut now), ["f:level", "b:uptime"]);
        polls(&mut now, &all, &[&[1, 8, 2, 3, 1, 1], &[1, 16, 4, 9, 1, 2], &[1, 32, 1, 1, 1, 3], &[1, 64, 2, 1, 1, 4]]);
        let three = names(&mut now);
        // Those that were there stay where they were; the livelier one of the others came.
        assert_eq!(three, ["f:level", "b:uptime", "c:level"]);
        let settled = now.chosen();
        polls(&mut now, &all, &[&[9, 9, 9, 9, 9, 9]]);
        assert!(Arc::ptr_eq(&settled, &now.chosen()));
    }
}
