//! The rows of Realtime Statistics: which of a box fit on a page, and their drawing, which everybody shares who looks at the same answer.
//! It must not know what is around them.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::Instant,
};

use app::{
    matching::Query,
    model::{GroupView, Show, split_name},
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

/// The rows of so many boxes and choices are kept.
const MAX_KEPT: usize = 8;

/// The groups of a page. Each keeps the HTML of its rows once it is drawn.
pub(super) type Groups = Arc<[GroupView]>;

/// The rows that were drawn last, without a search.
#[derive(Default)]
pub struct Rows {
    kept: Mutex<HashMap<(i64, Show), Kept>>,
}

/// Rows, and what they were made of: as long as these stay, so do they.
struct Kept {
    box_name: String,
    layout: Arc<Layout>,
    moment: Option<Instant>,
    groups: Groups,
    left_out: usize,
}

impl Rows {
    /// The rows that match, by group, in the order of their names; and how many are left out. A group's counts are of all that is in it.
    pub(super) fn of(&self, now: &BoxNow, search: &str, show: Show) -> (Groups, usize) {
        if !search.is_empty() {
            return groups(now, &Query::search(search), show);
        }
        let (key, moment) = ((now.stored.id, show), now.moment.map(|moment| moment.instant));
        let mut all = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let is_same =
            |kept: &&Kept| kept.moment == moment && Arc::ptr_eq(&kept.layout, &now.layout) && kept.box_name == now.stored.spec.name;
        if let Some(kept) = all.get(&key).filter(is_same) {
            return (Arc::clone(&kept.groups), kept.left_out);
        }
        let (groups, left_out) = groups(now, &Query::search(""), show);
        if all.len() >= MAX_KEPT && !all.contains_key(&key) {
            all.clear();
        }
        let box_name = now.stored.spec.name.clone();
        all.insert(key, Kept { box_name, layout: Arc::clone(&now.layout), moment, groups: Arc::clone(&groups), left_out });
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

fn groups(now: &BoxNow, query: &Query, show: Show) -> (Groups, usize) {
    let mut groups: Vec<GroupView> = Vec::new();
    let mut room = Room::of(MAX_ROWS);
    let mut left_out = 0;
    for &place in now.layout.sorted.iter() {
        let place = place as usize;
        let name = &now.layout.names[place];
        let ticked = now.layout.slots[place].ticked;
        let (group, _) = split_name(name);
        if groups.last().is_none_or(|last| last.name != group) {
            // Nothing of the group before is shown: then it is not either.
            groups.pop_if(|last| last.rows.is_empty());
            groups.push(GroupView { name: group.to_owned(), total: 0, recorded: 0, rows: Vec::new(), table: OnceLock::new() });
        }
        let Some(last) = groups.last_mut() else { continue };
        last.total += 1;
        last.recorded += usize::from(ticked);
        let shown = match show {
            Show::All => true,
            Show::Recorded => ticked,
            Show::Moving => now.moved[place],
        };
        if shown && query.matches(name) {
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use app::model::{BoxKind, Number, Origin};

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
        let spec = BoxSpec {
            name: "sip1".into(),
            address: "http://127.0.0.1:1/mi".into(),
            kind: BoxKind::Opensips,
            interval_ms: Some(1_000),
            labels: [].into(),
            paused: false,
            origin: Origin::Panel,
            user: None,
            password_sealed: None,
        };
        BoxNow::new(StoredBox { id: 7, spec }, Rules::default(), Vec::new(), 10_000)
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
        let all = |now: &BoxNow| rows.of(now, "", Show::All).0;
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
        assert_eq!(rows.of(&now, "", Show::Recorded).0[0].rows.len(), 1);
        assert_eq!(rows.of(&now, "count", Show::All).0[0].rows.len(), 1);
        let named = all(&now);
        now.stored.spec.name = "sip2".into();
        assert!(!Arc::ptr_eq(&named, &all(&now)), "its links name the box");
    }
}
