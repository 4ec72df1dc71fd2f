//! Each rule of the registry once, and threads that do everything at once.

use std::{
    sync::{
        Barrier,
        atomic::{AtomicBool, AtomicI64},
    },
    thread,
};

use proptest::prelude::*;

use super::*;

fn names(statistics: &[Statistic]) -> Vec<&str> {
    statistics.iter().map(Statistic::name).collect()
}

fn value(registry: &Registry, full: &str) -> Option<Number> {
    registry.find(full)?.value()
}

#[test]
fn a_group_exists_by_being_named() {
    let registry = Registry::new();
    registry.add("method:INVITE", 1).unwrap();
    registry.add("method:INVITE", 2).unwrap();
    registry.add("calls", 1).unwrap();
    registry.add("method:a:b", 1).unwrap();
    assert_eq!(value(&registry, "method:INVITE"), Some(Number::Int(3)));
    assert_eq!(registry.groups().iter().map(AsRef::as_ref).collect::<Vec<_>>(), ["method", "dynamic"]);
    let odd = registry.find("method:a:b").unwrap();
    assert_eq!((odd.group(), odd.bare_name()), ("method", "a:b"));
    assert_eq!(registry.find_bare("calls").unwrap().name(), "dynamic:calls");
}

#[test]
fn the_order_is_that_of_groups_and_in_them_that_of_making() {
    let registry = Registry::new();
    for full in ["b:2", "a:1", "b:1", "a:2", "b:3"] {
        registry.counter(full).unwrap();
    }
    assert_eq!(names(&registry.statistics()), ["b:2", "b:1", "b:3", "a:1", "a:2"]);
    assert!(registry.remove("b:1") && !registry.remove("b:1"));
    registry.counter("b:1").unwrap();
    assert_eq!(names(&registry.statistics()), ["b:2", "b:3", "b:1", "a:1", "a:2"]);
    assert_eq!(names(&registry.group("a")), ["a:1", "a:2"]);
    assert_eq!(registry.find_bare("1").unwrap().name(), "b:1");
    assert_eq!((registry.len(), registry.group("none").len()), (5, 0));
}

#[test]
fn a_name_must_be_one() {
    let registry = Registry::new();
    for wrong in ["", ":", ":name", "group:", &format!("g:{}", "x".repeat(MAX_NAME_BYTES))] {
        assert_eq!(registry.counter(wrong).err(), Some(RegistryError::Name), "{wrong:.20}");
    }
    let longest = format!("g:{}", "x".repeat(MAX_NAME_BYTES - 2));
    assert_eq!(registry.counter(&longest).unwrap().statistic().bare_name().len(), MAX_NAME_BYTES - 2);
    registry.add("séance: \"ü\"\n", -1).unwrap();
    assert_eq!(value(&registry, "séance: \"ü\"\n"), Some(Number::Int(-1)));
}

#[test]
fn counters_are_exact_over_64_bits() {
    let registry = Registry::new();
    let counter = registry.counter_with("a:b", Traits::COUNTER, i64::MAX - 1).unwrap();
    counter.count();
    assert_eq!(counter.get(), i64::MAX);
    counter.statistic().set(i64::MIN).unwrap();
    counter.add(5);
    assert_eq!(counter.get(), i64::MIN + 5);
    counter.statistic().set(9_007_199_254_740_993).unwrap();
    assert_eq!(value(&registry, "a:b"), Some(Number::Int(9_007_199_254_740_993)));
}

#[test]
fn what_is_reset_and_what_is_not() {
    let registry = Registry::new();
    let counted = registry.counter("a:counted").unwrap();
    let kept = registry.counter_with("a:kept", Traits::COUNTER.not_reset(), 3).unwrap();
    let level = registry.counter_with("a:level", Traits::GAUGE, 4).unwrap();
    let computed = registry.computed("a:computed", Kind::Gauge, || Some(Number::Float(0.5))).unwrap();
    counted.add(2);
    assert_eq!(registry.reset_all(), 1);
    assert_eq!((counted.get(), kept.get(), level.get(), computed.value()), (0, 3, 4, Some(Number::Float(0.5))));
    counted.add(1);
    assert!(counted.statistic().reset() && !computed.reset() && !kept.statistic().reset());
    assert_eq!(counted.get(), 0);
}

#[test]
fn a_computed_statistic_is_asked_when_it_is_read() {
    let (registry, level) = (Registry::new(), Arc::new(AtomicI64::new(1)));
    let seen = Arc::clone(&level);
    registry.computed("queue:depth", Kind::Gauge, move || Some(seen.load(Ordering::Relaxed)).filter(|&n| n > 0).map(Number::Int)).unwrap();
    assert_eq!(value(&registry, "queue:depth"), Some(Number::Int(1)));
    level.store(7, Ordering::Relaxed);
    assert_eq!(value(&registry, "queue:depth"), Some(Number::Int(7)));
    level.store(0, Ordering::Relaxed);
    assert_eq!(value(&registry, "queue:depth"), None);
    let computed = RegistryError::Computed("queue:depth".into());
    assert_eq!(registry.add("queue:depth", 1), Err(computed.clone()));
    assert_eq!(registry.counter("queue:depth").err(), Some(computed));
    assert!(matches!(registry.computed("queue:depth", Kind::Gauge, || None), Err(RegistryError::Taken(_))));
}

#[test]
fn what_was_removed_counts_into_the_void_and_its_cells_begin_anew_for_others() {
    let registry = Registry::new();
    let changes = registry.changes();
    let old = registry.counter("a:old").unwrap();
    old.add(1_000);
    assert!(registry.remove("a:old") && old.statistic().is_removed());
    old.add(1);
    assert_eq!((old.get(), value(&registry, "a:old")), (1_001, None));
    let again = registry.counter("a:old").unwrap();
    assert_eq!((again.get(), registry.changes() - changes), (0, 3));
    drop(old);
    // Whichever of these gets the cells of the old one.
    let new: Vec<_> = (0..1_000).map(|number| registry.counter(&format!("b:{number}")).unwrap()).collect();
    assert!(new.iter().all(|counter| counter.get() == 0));
}

#[test]
fn groups_that_come_and_go_leave_nothing_behind() {
    let registry = Registry::new();
    registry.counter("stays:here").unwrap();
    for number in 0..10_000 {
        let full = format!("g{number}:x");
        registry.counter(&full).unwrap();
        assert!(registry.remove(&full));
    }
    let order = registry.order.read().unwrap();
    assert!(order.groups.len() <= 2 && order.places.len() <= 2 && order.count == 1);
}

#[test]
fn threads_that_count_set_read_make_and_remove_at_once() {
    const ADDERS: usize = 6;
    const ADDITIONS: i64 = 20_000;
    let (registry, begin, done) = (Registry::new(), Barrier::new(ADDERS + 3), AtomicBool::new(false));
    let held = registry.counter("a:held").unwrap();
    thread::scope(|scope| {
        let adders: Vec<_> = (0..ADDERS)
            .map(|number| {
                let (registry, begin, held) = (&registry, &begin, &held);
                scope.spawn(move || {
                    begin.wait();
                    for turn in 0..ADDITIONS {
                        held.count();
                        registry.add("a:named", 1).unwrap();
                        registry.add(&format!("made:{number}_{}", turn % 97), 1).unwrap();
                    }
                })
            })
            .collect();
        // A counter that only grows is never seen to fall.
        scope.spawn(|| {
            begin.wait();
            let mut last = 0;
            while !done.load(Ordering::Relaxed) {
                let now = held.get();
                assert!(now >= last, "{now} after {last}");
                last = now;
            }
        });
        scope.spawn(|| {
            begin.wait();
            while !done.load(Ordering::Relaxed) {
                registry.counter("b:comes").unwrap().add(1);
                registry.remove("b:comes");
                assert!(registry.statistics().iter().all(|statistic| statistic.value().is_some()));
            }
        });
        begin.wait();
        for adder in adders {
            adder.join().unwrap();
        }
        done.store(true, Ordering::Relaxed);
    });
    let all = i64::try_from(ADDERS).unwrap() * ADDITIONS;
    assert_eq!((held.get(), value(&registry, "a:named")), (all, Some(Number::Int(all))));
    let made: f64 = registry.group("made").iter().filter_map(Statistic::value).map(Number::as_f64).sum();
    #[expect(clippy::cast_precision_loss, reason = "some thousands")]
    let expect = all as f64;
    assert!((made - expect).abs() < 0.5);
}

#[test]
fn a_reader_never_sees_what_was_set_and_counted_twice() {
    let registry = Registry::new();
    let counter = registry.counter("a:b").unwrap();
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            for _ in 0..50_000 {
                counter.add(100);
                counter.statistic().set(0).unwrap();
            }
            done.store(true, Ordering::Relaxed);
        });
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                let now = counter.get();
                assert!(now == 0 || now == 100, "{now}");
            }
        });
    });
}

/// One step of a program that uses a registry.
#[derive(Clone, Debug)]
enum Act {
    Add(u8, i64),
    Set(u8, i64),
    Reset(u8),
    Remove(u8),
}

fn act() -> impl Strategy<Value = Act> {
    let number = 0..6_u8;
    prop_oneof![
        (number.clone(), any::<i64>()).prop_map(|(of, by)| Act::Add(of, by)),
        (number.clone(), any::<i64>()).prop_map(|(of, to)| Act::Set(of, to)),
        number.clone().prop_map(Act::Reset),
        number.prop_map(Act::Remove),
    ]
}

proptest! {
    /// Whatever is done, the registry says what a plain list would.
    #[test]
    fn it_is_a_list_of_names_with_values(acts in prop::collection::vec(act(), 0..200)) {
        let registry = Registry::new();
        let mut list: Vec<(String, i64)> = Vec::new();
        for act in acts {
            let (Act::Add(of, _) | Act::Set(of, _) | Act::Reset(of) | Act::Remove(of)) = act;
            let full = format!("g:{of}");
            let place = list.iter().position(|(name, _)| *name == full);
            match act {
                Act::Add(_, by) => {
                    registry.add(&full, by).unwrap();
                    let place = place.unwrap_or_else(|| { list.push((full, 0)); list.len() - 1 });
                    list[place].1 = list[place].1.wrapping_add(by);
                }
                Act::Set(_, to) => {
                    prop_assert_eq!(registry.find(&full).is_some_and(|found| found.set(to).is_ok()), place.is_some());
                    if let Some(place) = place { list[place].1 = to; }
                }
                Act::Reset(_) => {
                    prop_assert_eq!(registry.find(&full).is_some_and(|found| found.reset()), place.is_some());
                    if let Some(place) = place { list[place].1 = 0; }
                }
                Act::Remove(_) => {
                    prop_assert_eq!(registry.remove(&full), place.is_some());
                    if let Some(place) = place { list.remove(place); }
                }
            }
            let told: Vec<_> = registry.statistics().iter().map(|one| (one.name().to_owned(), one.value())).collect();
            let expect: Vec<_> = list.iter().map(|(name, value)| (name.clone(), Some(Number::Int(*value)))).collect();
            prop_assert_eq!(told, expect);
        }
    }
}
