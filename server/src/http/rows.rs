//! The rows of Realtime Statistics: which of a box fit on a page, and their drawing, which everybody shares who looks at the same answer.
//! It must not know what is around them.

use std::{
    cmp::Ordering,
    collections::HashMap,
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::Instant,
};

use app::{
    format,
    matching::Query,
    model::{By, Choice, GroupView, Numbers, Processes, Show, Sort, split_name},
};

use crate::board::{BoxNow, Layout};

/// A page draws so many rows: beyond, a search finds the rest.
const MAX_ROWS: usize = 2_000;
/// A group takes about the room of so many rows.
const GROUP_ROWS: usize = 3;
/// The names on a page have so many bytes. Each comes up to nine times into a form that saves all ticks.
const MAX_NAME_BYTES: usize = 128 << 10;
/// Names longer than this have a room of their own, so that they take none from the others.
const LONG_BYTES: usize = 1 << 10;
/// The long names on a page have so many bytes.
const MAX_LONG_BYTES: usize = 256 << 10;

/// The rows of so many boxes, choices and ways to write numbers are kept.
const MAX_KEPT: usize = 8;

/// The groups of a page. Each keeps the HTML of its rows once it is drawn.
pub(super) type Groups = Arc<[GroupView]>;

/// The rows that were drawn last, without a search.
#[derive(Default)]
pub struct Rows {
    kept: Mutex<HashMap<(i64, Choice, Numbers), Kept>>,
}

/// Rows, and what they were made of: as long as these stay, so do they.
struct Kept {
    box_name: String,
    layout: Arc<Layout>,
    moment: Option<Instant>,
    processes: Arc<Processes>,
    groups: Groups,
    left_out: usize,
}

impl Rows {
    /// The rows that match, by group, each in the order that was chosen; and how many are left out. A group's counts are of all that is
    /// in it.
    pub(super) fn of(&self, now: &BoxNow, search: &str, choice: Choice) -> (Groups, usize) {
        if !search.is_empty() {
            return groups(now, &Query::search(search), choice);
        }
        let (key, moment) = ((now.stored.id, choice, format::numbers()), now.moment.map(|moment| moment.instant));
        let mut all = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let is_same = |kept: &&Kept| {
            let of_same = Arc::ptr_eq(&kept.layout, &now.layout) && Arc::ptr_eq(&kept.processes, &now.processes);
            of_same && kept.moment == moment && kept.box_name == now.stored.spec.name
        };
        if let Some(kept) = all.get(&key).filter(is_same) {
            return (Arc::clone(&kept.groups), kept.left_out);
        }
        let (groups, left_out) = groups(now, &Query::search(""), choice);
        if all.len() >= MAX_KEPT && !all.contains_key(&key) {
            all.clear();
        }
        let box_name = now.stored.spec.name.clone();
        let (layout, processes) = (Arc::clone(&now.layout), Arc::clone(&now.processes));
        all.insert(key, Kept { box_name, layout, moment, processes, groups: Arc::clone(&groups), left_out });
        (groups, left_out)
    }
}

/// What a page still has room for.
pub(super) struct Room {
    rows: usize,
    bytes: usize,
    long_bytes: usize,
}

impl Room {
    /// Room for so many rows.
    pub(super) fn of(rows: usize) -> Self {
        Self { rows, bytes: MAX_NAME_BYTES, long_bytes: MAX_LONG_BYTES }
    }

    /// Takes the room of something with a name, if it is there.
    pub(super) fn take(&mut self, rows: usize, name: &str) -> bool {
        let bytes = if name.len() > LONG_BYTES { &mut self.long_bytes } else { &mut self.bytes };
        let fits = rows <= self.rows && name.len() <= *bytes;
        if fits {
            *bytes -= name.len();
            self.rows -= rows;
        }
        fits
    }
}

fn groups(now: &BoxNow, query: &Query, choice: Choice) -> (Groups, usize) {
    let mut groups: Vec<GroupView> = Vec::new();
    let mut room = Room::of(MAX_ROWS);
    let mut left_out = 0;
    for &place in sorted(now, choice.sort).iter() {
        let place = place as usize;
        let name = &now.layout.names[place];
        let ticked = now.layout.slots[place].ticked;
        let (group, _) = split_name(name);
        if groups.last().is_none_or(|last| last.name != group) {
            // Nothing of the group before is shown: then it is not either.
            groups.pop_if(|last| last.rows.is_empty());
            groups.push(GroupView {
                name: group.to_owned(),
                total: 0,
                recorded: 0,
                rows: Vec::new(),
                processes: Arc::clone(&now.processes),
                table: OnceLock::new(),
            });
        }
        let Some(last) = groups.last_mut() else { continue };
        last.total += 1;
        last.recorded += usize::from(ticked);
        let shown = match choice.show {
            Show::All => true,
            Show::Recorded => ticked,
            Show::Moving => now.moved[place],
        };
        if shown && !(choice.hide.still && now.never_moved(place)) && query.matches(name) {
            let rows = if last.rows.is_empty() { 1 + GROUP_ROWS } else { 1 };
            if room.take(rows, name) {
                last.rows.push(now.row(place));
            } else {
                left_out += 1;
            }
        }
    }
    groups.pop_if(|last| last.rows.is_empty());
    (groups.into(), left_out)
}

/// All places, group by group, each sorted; what is alike stays in the order of the names.
fn sorted(now: &BoxNow, sort: Sort) -> Arc<[u32]> {
    if sort == Sort::default() {
        return Arc::clone(&now.layout.sorted);
    }
    let mut places = now.layout.sorted.to_vec();
    let group = |place: u32| split_name(&now.layout.names[place as usize]).0;
    for members in places.chunk_by_mut(|&one, &other| group(one) == group(other)) {
        if sort.by == By::Name {
            members.reverse();
        } else {
            members.sort_by(|&one, &other| compare(key(now, sort.by, one as usize), key(now, sort.by, other as usize), sort));
        }
    }
    places.into()
}

/// By what a statistic is sorted; none where it has nothing of the kind.
fn key(now: &BoxNow, by: By, place: usize) -> Option<f64> {
    match by {
        By::Name => None,
        By::Value => now.values[place].ok().map(app::model::Number::as_f64),
        By::Rate => now.rates[place],
        #[expect(clippy::cast_precision_loss, reason = "polls are counted, and fewer than 2^53")]
        By::Moved => (!now.never_moved(place)).then(|| now.changed_at[place] as f64),
    }
}

/// What has no key stands last, whichever way round.
fn compare(one: Option<f64>, other: Option<f64>, sort: Sort) -> Ordering {
    match (one, other) {
        (Some(one), Some(other)) if sort.is_ascending() => one.total_cmp(&other),
        (Some(one), Some(other)) => other.total_cmp(&one),
        (one, other) => other.is_some().cmp(&one.is_some()),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use app::model::{BoxKind, Hide, Kind, Number, Origin};

    use super::*;
    use crate::{
        board::Rules,
        source::Answer,
        store::{BoxSpec, StoredBox, TickRule},
    };

    #[test]
    fn long_names_take_no_room_from_the_others() {
        let mut room = Room::of(2_000);
        let long = "x".repeat(16 << 10);
        assert_eq!((0..100).filter(|_| room.take(1, &long)).count(), MAX_LONG_BYTES / long.len());
        assert_eq!((0..3_000).filter(|_| room.take(1, "core:rcv_requests")).count(), 2_000 - MAX_LONG_BYTES / long.len());
    }

    fn a_box() -> BoxNow {
        let spec = BoxSpec { interval_ms: Some(1_000), ..BoxSpec::new("sip1", BoxKind::Opensips, "http://127.0.0.1:1/mi") };
        BoxNow::new(StoredBox { id: 7, spec }, Rules::default(), Vec::new(), 10_000)
    }

    #[test]
    fn rows_are_sorted_within_their_groups_and_what_never_moved_can_be_left_out() {
        let mut now = a_box();
        let names: Arc<[Arc<str>]> = ["g:level", "g:low", "g:high", "g:zero", "core:x"].map(Arc::from).into();
        let begun = Instant::now();
        for (second, values) in [(1, [5, 1, 70, 0, 3]), (2, [5, 2, 90, 0, 3]), (3, [5, 3, 90, 0, 3]), (4, [5, 4, 90, 0, 3])] {
            let values = values.map(|value| Ok(Number::Int(value))).to_vec();
            let took = Duration::from_millis(1);
            let answer = Answer { at_ms: second * 1_000, took, started_at_ms: None, names: Arc::clone(&names), values, left_out: None };
            now.apply(&answer, None, begun + Duration::from_secs(second.unsigned_abs()));
        }
        let mut kinds = ["g:low", "g:high", "g:zero", "core:x"].map(|name| (name.into(), Kind::Counter)).to_vec();
        kinds.push(("g:level".into(), Kind::Gauge));
        let planned = now.plan_kinds(kinds)();
        now.set_kinds(planned);
        let check = |sort: &str, hide: &str, expect: &[&str]| {
            let choice = Choice { hide: Hide::parse(hide), sort: Sort::parse(sort), ..Choice::default() };
            let (groups, _) = groups(&now, &Query::search(""), choice);
            let names: Vec<&str> = groups.iter().flat_map(|group| &group.rows).map(|row| row.name.as_str()).collect();
            assert_eq!(names, expect, "{sort} {hide}");
        };
        check("", "", &["core:x", "g:high", "g:level", "g:low", "g:zero"]);
        check("-name", "", &["core:x", "g:zero", "g:low", "g:level", "g:high"]);
        check("value", "", &["core:x", "g:high", "g:level", "g:low", "g:zero"]);
        check("-value", "", &["core:x", "g:zero", "g:low", "g:level", "g:high"]);
        // What moved last comes first, and what never moved last, whichever way round.
        check("moved", "still", &["core:x", "g:low", "g:high"]);
        check("-moved", "", &["core:x", "g:high", "g:low", "g:level", "g:zero"]);
    }

    #[test]
    fn rows_are_shared_until_something_changes() {
        let (mut now, rows, begun) = (a_box(), Rows::default(), Instant::now());
        let names: Arc<[Arc<str>]> = Arc::new(["a:count".into(), "a:level".into()]);
        let answer = |now: &mut BoxNow, value| {
            let values = vec![Ok(Number::Int(value)), Ok(Number::Int(value))];
            let took = Duration::from_millis(1);
            let answer = Answer { at_ms: value * 1_000, took, started_at_ms: None, names: Arc::clone(&names), values, left_out: None };
            now.apply(&answer, None, begun + Duration::from_secs(value.unsigned_abs()));
        };
        let all = |now: &BoxNow| rows.of(now, "", Choice::default()).0;
        let value = |groups: &Groups| groups[0].rows[0].value;
        answer(&mut now, 1);
        let first = all(&now);
        assert!(Arc::ptr_eq(&first, &all(&now)));
        answer(&mut now, 2);
        let second = all(&now);
        assert_eq!((value(&first), value(&second)), (Some(Number::Int(1)), Some(Number::Int(2))));

        let tick = TickRule { pattern: "a:level".into(), except: false, origin: Origin::Panel };
        let rules = Arc::new(Rules::new(vec![tick]));
        let layout = now.layout.with_rules(BoxKind::Opensips, Arc::clone(&rules));
        now.set_rules(rules, layout);
        assert_eq!(all(&now)[0].recorded, 1);
        assert_eq!(rows.of(&now, "", Choice { show: Show::Recorded, ..Choice::default() }).0[0].rows.len(), 1);
        assert_eq!(rows.of(&now, "count", Choice::default()).0[0].rows.len(), 1);
        let named = all(&now);
        now.stored.spec.name = "sip2".into();
        assert!(!Arc::ptr_eq(&named, &all(&now)), "its links name the box");
    }
}
