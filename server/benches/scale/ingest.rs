//! How quickly polls become durable: those that are decoded, at the most that a database takes; and those that come as bytes, at the
//! pace of a panel, counted in processor time.

use std::{sync::Arc, time::Instant};

use app::model::{BoxKind, Origin};
use futures::future::try_join_all;
use server::{
    board::{Board, Rules},
    sampler::{Recorder, Recording},
    source::Replies,
    store::{BoxSpec, Store, StoredBox, TickRule},
};

use crate::{
    Outcome, clocks,
    fleet::STATISTICS,
    table::Spread,
    traffic::{self, Traffic},
    writing::{self, Writing},
};

/// The boxes whose polls are recorded as quickly as may be, and how many polls of each at a time.
const BOXES: usize = 100;
const POLLS: i64 = 60;
const ROUNDS: i64 = 5;
/// So many polls come within the time in which they may share a transaction: those of a thousand boxes.
const TOGETHER: usize = 50;
const TURNS: usize = 120;
const START_MS: i64 = 1_760_000_000_000;

/// Million samples a second, of wall time, until they are durable.
pub(crate) async fn most(url: &str) -> Outcome<Spread> {
    let store = Store::open(url).await?;
    let mut writing = Writing::new(&store, BOXES, STATISTICS, "127.0.0.1:9").await?;
    let mut rates = Vec::new();
    for round in 0..=ROUNDS {
        let polls = writing.some(POLLS, START_MS + round * POLLS * 1_000, 1_000);
        let begun = Instant::now();
        writing::record(&store, polls).await?;
        store.sync().await?;
        let took = begun.elapsed().as_secs_f64();
        #[expect(clippy::cast_precision_loss, reason = "some millions")]
        let samples = (BOXES * STATISTICS) as f64 * POLLS as f64;
        if round > 0 {
            rates.push(samples / took / 1e6);
        }
        while store.seal_due(i64::MAX).await? {}
    }
    store.close().await;
    Ok(Spread::of(rates))
}

/// Microseconds of processor time for a statistic, from the bytes of the answer that it came in until it is recorded.
pub(crate) async fn from_bytes(url: &str) -> Outcome<Spread> {
    let store = Store::open(url).await?;
    let board = Arc::new(Board::new(1_000));
    let recorder = Recorder::new(store.clone(), Arc::clone(&board));
    let mut boxes = Vec::with_capacity(TOGETHER);
    for number in 0..TOGETHER {
        let stored = a_box(&store, number).await?;
        let id = stored.id;
        let all = TickRule { pattern: "*".to_owned(), except: false, origin: Origin::Panel };
        board.put(stored, Rules::new(vec![all]), Vec::new());
        boxes.push((board.by_id(id).ok_or("the box is not on the board")?, Replies::new(BoxKind::Opensips)));
    }
    let (names, mut traffic) = (traffic::names(STATISTICS), Traffic::new(STATISTICS));
    let (mut at_ms, mut instant) = (START_MS, Instant::now());
    let mut took = Vec::with_capacity(TURNS);
    for turn in 0..TURNS {
        let body = traffic::reply(&names, traffic.next(), 1_000 + turn as u64, "1");
        at_ms += 1_000;
        instant += std::time::Duration::from_secs(1);
        let begun = clocks::process_us();
        let mut recordings = Vec::with_capacity(TOGETHER);
        for (entry, replies) in &mut boxes {
            let answer = replies.read(body.as_bytes(), 1, at_ms)?;
            let mut now = entry.lock();
            let applied = now.apply(&answer, None, instant);
            let names = Arc::clone(&now.layout.ticked_names);
            let recording = Recording::of(&now, at_ms, &applied, &names);
            drop(now);
            recordings.push((entry, recording));
        }
        try_join_all(recordings.iter().map(|(entry, recording)| recorder.record(entry, recording))).await?;
        #[expect(clippy::cast_precision_loss, reason = "thousands")]
        let each = (clocks::process_us() - begun) / (TOGETHER * STATISTICS) as f64;
        // Series are made in the first turns.
        if turn >= TURNS / 6 {
            took.push(each);
        }
    }
    store.close().await;
    Ok(Spread::of(took))
}

async fn a_box(store: &Store, number: usize) -> Outcome<StoredBox> {
    let spec = BoxSpec { interval_ms: Some(1_000), ..BoxSpec::new(format!("sip{number}"), BoxKind::Opensips, "http://127.0.0.1:9/mi") };
    Ok(StoredBox { id: store.add_box(&spec, 1).await?, spec })
}
