use std::time::Instant;

use super::*;

fn recording(at_ms: i64, samples: usize) -> Recording {
    let names = (0..samples).map(|i| Arc::from(format!("s:{i}"))).collect();
    let values = vec![None; samples];
    let (marks, dropped, anew) = (Vec::new(), Vec::new(), Vec::new());
    Recording { box_id: 1, at_ms, interval_ms: 10, names, values, marks, dropped, anew, started_ms: None, generation: None }
}

fn untroubled() -> watch::Receiver<Option<Trouble>> {
    watch::channel(None).1
}

fn next(drain: &mut Drain) -> Option<(i64, i64)> {
    Some(match drain.work.try_recv().ok()? {
        Work::Samples(recording) => {
            drain.room.budget.give_back(&recording);
            (recording.at_ms, recording.at_ms)
        }
        Work::Gap(gap) => (gap.from_ms, gap.to_ms),
        Work::Spooled(place) => panic!("{place:?} is in a file"),
    })
}

#[test]
fn what_finds_no_room_is_counted_and_told_as_a_gap() {
    let engine = Arc::new(Engine::new(Instant::now()).unwrap());
    let (mut queue, mut drain) = queue((1, "sip1"), Room::default(), Arc::clone(&engine), untroubled());
    let polls = i64::try_from(MAX_WAITING_POLLS).unwrap() + 9;
    (1..=polls).for_each(|at| queue.samples(recording(at, 1)));
    assert_eq!(engine.counts.polls_lost.get(), 10);
    let last = polls - 10;
    for at in 1..=last {
        assert_eq!(next(&mut drain), Some((at, at)));
    }
    assert_eq!(next(&mut drain), None);
    queue.samples(recording(polls + 5, 1));
    assert_eq!(next(&mut drain), Some((last, polls + 5)));
    assert_eq!(next(&mut drain), Some((polls + 5, polls + 5)));
    assert_eq!(next(&mut drain), None);
}

#[test]
fn the_bound_of_samples_is_shared_by_all_boxes() {
    let (engine, room) = (Arc::new(Engine::new(Instant::now()).unwrap()), Room::default());
    let (mut one, mut first) = queue((1, "a"), room.clone(), Arc::clone(&engine), untroubled());
    let (mut other, _second) = queue((2, "b"), room, Arc::clone(&engine), untroubled());
    // A single poll is taken, however large it is.
    one.samples(recording(1, MAX_WAITING_SAMPLES + 1));
    other.samples(recording(1, 1));
    assert_eq!(engine.counts.polls_lost.get(), 1);
    assert_eq!(next(&mut first), Some((1, 1)));
    other.samples(recording(2, 1));
    assert_eq!(engine.counts.polls_lost.get(), 1);
}
