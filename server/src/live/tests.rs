use app::{
    course,
    model::{BoxKind, Kind, Number},
};
use proptest::prelude::*;

use super::*;
use crate::{
    board::{MAX_RECENT, Rules},
    source::{Answer, Unknown},
    store::{BoxSpec, StoredBox},
};

/// A row's value, its rate and the points of its course.
type Row = (Option<Number>, Option<f64>, Vec<Option<f32>>);

/// What a page shows of each statistic, and the answer it says to be of.
struct Page {
    at_ms: i64,
    rows: HashMap<String, Row>,
    counters: HashSet<String>,
}

impl Page {
    /// As the server draws it, and the browser reads it.
    fn of(now: &BoxNow) -> Self {
        let rows = (0..now.values.len()).map(|place| now.row(place)).map(|row| {
            let told = course::range(&row.spark);
            let (low, high) = told.split_once(' ').unwrap_or((&told, &told));
            let points = course::points(&course::path(&row.spark), (low.parse().unwrap(), high.parse().unwrap()));
            (row.name, (row.value, row.rate, points))
        });
        let counters = (0..now.values.len()).map(|place| now.row(place)).filter(|row| row.kind == Kind::Counter).map(|row| row.name);
        Self { at_ms: now.moment.unwrap().at_ms, rows: rows.collect(), counters: counters.collect() }
    }

    /// What the browser does with it: see `islands/realtime/rows.rs`.
    fn take(&mut self, news: &LiveValues) {
        assert!(!news.snapshot);
        for (name, (value, rate, points)) in &mut self.rows {
            let mut push = |point| {
                points.remove(0);
                points.push(point);
            };
            let Some(told) = news.statistics.iter().find(|told| told.name == *name) else {
                let last = *points.last().unwrap();
                (0..news.missed.max(1)).for_each(|_| {
                    points.remove(0);
                    points.push(last);
                });
                continue;
            };
            (*value, *rate) = (told.value, told.rate);
            #[expect(clippy::cast_possible_truncation, reason = "a spark line is 18 pixels high")]
            let newest = if self.counters.contains(name) { told.rate } else { told.value.map(Number::as_f64) }.map(|point| point as f32);
            match &told.spark {
                Some(spark) => spark.points().into_iter().for_each(&mut push),
                None => push(newest),
            }
        }
        self.at_ms = news.at;
    }
}

fn a_box() -> BoxNow {
    let spec = BoxSpec { interval_ms: Some(1_000), ..BoxSpec::new("sip1", BoxKind::Opensips, "http://127.0.0.1:1/mi") };
    let mut now = BoxNow::new(StoredBox { id: 7, spec }, Rules::default(), Vec::new(), 10_000);
    let kinds = [("a:count", Kind::Counter), ("a:other", Kind::Counter), ("a:level", Kind::Gauge), ("a:still", Kind::Gauge)];
    let planned = now.plan_kinds(kinds.map(|(name, kind)| (name.into(), kind)).to_vec());
    now.set_kinds(planned());
    now
}

/// A poll: values by the order of the names, and whether the names are another list by now.
fn poll() -> impl Strategy<Value = (Vec<Option<i8>>, bool)> {
    (prop::collection::vec(prop::option::weighted(0.9, 0..5_i8), 4), prop::bool::weighted(0.02))
}

proptest! {
    /// Whoever has an answer and hears what changed since has what a page shows that is opened then: values and rates exactly, courses as near as
    /// they are told. It never takes an answer for another one.
    #[test]
    fn what_changed_since_an_answer_makes_the_newest(polls in prop::collection::vec(poll(), 2..60), had_at in any::<prop::sample::Index>(), until in 0..20_usize) {
        let had_at = had_at.index(polls.len());
        let (mut now, begun) = (a_box(), Instant::now());
        let mut names: Arc<[Arc<str>]> = ["a:count", "a:other", "a:level", "a:still"].map(Arc::from).into();
        let mut page = None;
        let mut is_other = false;
        for (second, (values, new_names)) in polls.iter().enumerate().take(had_at + until + 1) {
            if *new_names {
                names = names.iter().rev().cloned().collect();
                is_other = true;
            }
            let values = values.iter().map(|value| value.map(|value| Number::Int(value.into())).ok_or(Unknown::NotTold)).collect();
            let at_ms = 1_000 * i64::try_from(second).unwrap();
            let answer = Answer { at_ms, took: Duration::from_millis(1), started_at_ms: None, names: Arc::clone(&names), values, left_out: None };
            now.apply(&answer, None, begun + Duration::from_secs(second as u64));
            if second == had_at {
                page = Some((Page::of(&now), second));
                is_other = false;
            }
        }
        let (mut page, second) = page.unwrap();
        let behind = polls.len().min(had_at + until + 1) - 1 - second;
        let Some((id, told)) = had(&now, &Shown::default(), page.at_ms) else {
            prop_assert!(is_other || behind >= MAX_RECENT);
            return Ok(());
        };
        prop_assert!(!is_other && behind < MAX_RECENT);
        prop_assert_eq!(id, 7);
        let ranges: HashMap<String, f32> = page.rows.iter().map(|(name, (.., points))| (name.clone(), range(points))).collect();
        if behind == 0 {
            prop_assert_eq!(told.answers, now.answers, "there is nothing to tell");
        } else {
            let at_ms = now.moment.unwrap().at_ms;
            let news = values(&now, Some(&told), &now.layout.sorted, at_ms);
            prop_assert_eq!(news.missed, behind);
            page.take(&news);
        }
        let newest = Page::of(&now);
        prop_assert_eq!(page.at_ms, newest.at_ms);
        for (name, (value, rate, points)) in &page.rows {
            let (now_value, now_rate, now_points) = &newest.rows[name];
            prop_assert_eq!((value, rate), (now_value, now_rate), "{}", name);
            let step = ranges[name].max(range(points)).max(range(now_points)) / 63.0;
            for (point, now_point) in points.iter().zip(now_points) {
                let near = point.zip(*now_point).is_some_and(|(point, now_point)| (point - now_point).abs() <= step * 1.001);
                prop_assert!(near || point == now_point, "{}: {:?} for {:?}", name, points, now_points);
            }
        }
    }
}

/// From the lowest to the highest.
fn range(points: &[Option<f32>]) -> f32 {
    let known = || points.iter().flatten().copied();
    known().reduce(f32::max).unwrap_or_default() - known().reduce(f32::min).unwrap_or_default()
}
