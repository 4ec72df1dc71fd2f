use app::model::{Number, ResetCause};

use super::*;
use crate::sampler::recorder::Anew;

const DATABASE: &str = "tm at localhost";

fn recording(names: &Arc<[Arc<str>]>, at_ms: i64) -> Recording {
    let values = [None, Some(Number::Int(i64::MIN)), Some(Number::Float(-0.5)), Some(Number::Int(at_ms))];
    Recording {
        box_id: 7,
        at_ms,
        interval_ms: 200,
        names: Arc::clone(names),
        values: values.into_iter().cycle().take(names.len()).collect(),
        marks: vec![ResetCause::Restart, ResetCause::Clock],
        dropped: vec!["core:a".into()],
        anew: vec![Anew { full: "core:b".into(), cause: ResetCause::Person, by: Some("ann".into()) }],
        started_ms: Some(at_ms - 5),
        generation: Some(3),
    }
}

fn names(count: usize) -> Arc<[Arc<str>]> {
    (0..count).map(|i| Arc::from(format!("core:{i}"))).collect()
}

fn gap() -> Gap {
    Gap { from_ms: 1, to_ms: 9, reason: "it was away".to_owned() }
}

#[track_caller]
fn check_poll(spooled: Option<&Spooled>, expected: &Recording) {
    let Some(Spooled::Poll(poll)) = spooled else { panic!("a poll was put there") };
    assert_eq!(format!("{poll:?}"), format!("{expected:?}"));
}

/// Everything that files have.
fn read_all(spool: &Spool, files: &[PathBuf]) -> Vec<Spooled> {
    files.iter().flat_map(|path| spool.read(path).unwrap()).collect()
}

#[test]
fn what_was_put_comes_back_and_its_file_goes_with_the_last() {
    let folder = tempfile::tempdir().unwrap();
    let base = folder.path().join("tickmark.key.panel");
    let (spool, left_before) = Spool::open(&base, DATABASE);
    assert!(left_before.is_empty());
    let (few, many) = (names(3), names(400));
    let (one, other) = (recording(&few, 1_000), recording(&many, 2_000));
    let places = [spool.put(&one).unwrap(), spool.put(&other).unwrap(), spool.put_gap(7, &gap()).unwrap()];
    check_poll(spool.get(&places[1]).as_ref(), &other);
    check_poll(spool.get(&places[0]).as_ref(), &one);
    assert!(matches!(spool.get(&places[2]), Some(Spooled::Gap(7, found)) if found == gap()));
    spool.sync();
    // As a process finds it that begins while, or after, this one is there.
    let (next, found) = Spool::open(&base, DATABASE);
    let all = read_all(&next, &found);
    check_poll(all.first(), &one);
    check_poll(all.get(1), &other);
    assert!(all.len() == 3 && matches!(all[2], Spooled::Gap(7, _)));
    places.iter().for_each(|place| spool.settle(place));
    assert!(left(&base).is_empty(), "nothing waits any more");
    assert!(spool.put(&one).is_some());
}

#[test]
fn a_file_of_another_database_is_not_taken() {
    let folder = tempfile::tempdir().unwrap();
    let base = folder.path().join("tickmark.key.panel");
    Spool::open(&base, DATABASE).0.put_gap(7, &gap()).unwrap();
    let (other, left) = Spool::open(&base, "other at localhost");
    assert!(other.read(&left[0]).is_err_and(|error| error.to_string().contains("another database")));
    // What it puts itself does not go over it.
    other.put_gap(8, &gap()).unwrap();
    let (again, left) = Spool::open(&base, DATABASE);
    assert_eq!(left.len(), 2);
    assert!(matches!(*again.read(&left[0]).unwrap(), [Spooled::Gap(7, _)]));
}

#[test]
fn whatever_becomes_of_a_file_no_wrong_number_comes_out_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let base = folder.path().join("tickmark.key.panel");
    let (spool, _) = Spool::open(&base, DATABASE);
    // Two sets of names as long as each other: mixed up, they would pass.
    let sets = [names(2), Arc::from(["sl:x".into(), "sl:y".into()])];
    let all: Vec<Recording> = (0..6).map(|i| recording(&sets[i % 2], 1_000 + i as i64)).collect();
    for one in &all {
        spool.put(one).unwrap();
    }
    let path = left(&base).remove(0).1;
    let whole = fs::read(&path).unwrap();
    let good: Vec<String> = all.iter().map(|one| format!("{one:?}")).collect();
    let check = |bytes: &[u8], fewest: usize| {
        fs::write(&path, bytes).unwrap();
        let Ok(read) = spool.read(&path) else { return };
        assert!(read.len() >= fewest, "{} of {fewest}", read.len());
        for one in read {
            let Spooled::Poll(poll) = one else { panic!("no gap was put there") };
            assert!(good.contains(&format!("{poll:?}")));
        }
    };
    for end in 0..=whole.len() {
        check(&whole[..end], 0);
    }
    for place in 0..whole.len() {
        let mut bytes = whole.clone();
        bytes[place] ^= 0x40;
        check(&bytes, 0);
    }
    check(&whole, all.len());
}

#[test]
fn a_disk_that_fails_leaves_it_to_memory() {
    let folder = tempfile::tempdir().unwrap();
    let (spool, _) = Spool::open(&folder.path().join("gone").join("tickmark.key.panel"), DATABASE);
    assert!(spool.put(&recording(&names(2), 1)).is_none());
    assert!(Spool::default().put_gap(1, &gap()).is_none());
}
