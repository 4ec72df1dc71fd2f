//! A day of one box, polled each second, recorded and sealed as the panel does it, with the time passed in. It knows the store by
//! its public face only.

use std::path::{Path, PathBuf};

use app::model::{BoxKind, Number};
use futures::future::join_all;
use server::store::{BoxSpec, MAX_BATCH_POLLS, PollRecord, SeriesId, Store, Tier, Usage};

use crate::{
    Outcome, clocks,
    table::Spread,
    traffic::{self, Traffic},
};

/// The charted counter.
pub(crate) const COUNTER: &str = "core:rcv_requests";
/// The charted level.
pub(crate) const LEVEL: &str = "dialog:active_dialogs";
/// The box.
pub(crate) const BOX: &str = "sip1";
/// When the day begins, epoch milliseconds: at midnight, as days are what is merged.
pub(crate) const DAY_START_MS: i64 = 1_760_054_400_000;
/// Its length.
pub(crate) const DAY_MS: i64 = 86_400_000;

/// What is stored beside the charted series.
#[derive(Clone, Copy)]
pub(crate) struct Plan {
    /// Series of the box.
    pub(crate) series: usize,
    /// Other boxes, each with the same day of fifty series at ten seconds.
    pub(crate) other_boxes: usize,
    /// Days before, at a minute.
    pub(crate) earlier_days: i64,
}

/// What came out.
pub(crate) struct Day {
    /// The database.
    pub(crate) path: PathBuf,
    /// Bytes by which the file grew, checkpointed, for each sample of the day.
    pub(crate) bytes_a_sample: f64,
    /// Of them: the samples themselves, their minutes and their hours, without what the file needs around them.
    pub(crate) tiers: [f64; 3],
    /// Million samples sealed in a second of processor time, at each sealing.
    pub(crate) sealing: Spread,
    /// Microseconds of processor time to record a poll, when 256 share a transaction.
    pub(crate) recording_us: f64,
}

/// Records and seals a day in a new database.
pub(crate) async fn build(folder: &Path, plan: Plan) -> Outcome<Day> {
    let path = folder.join(format!("{}-series.db", plan.series));
    let url = format!("sqlite:{}", path.display());
    let store = Store::open(&url).await?;
    let mut writing = Writing::new(&store, BOX, plan.series, 1_000).await?;
    let mut others = Vec::new();
    for number in 0..plan.other_boxes {
        others.push(Writing::new(&store, &format!("other{number}"), 50, 10_000).await?);
    }
    store.close().await;
    let empty_bytes = std::fs::metadata(&path)?.len();

    let store = Store::open(&url).await?;
    let earlier = DAY_START_MS - plan.earlier_days * DAY_MS;
    writing.write(&store, (earlier, DAY_START_MS), 60_000).await?;
    for other in &mut others {
        other.write(&store, (DAY_START_MS, DAY_START_MS + DAY_MS), 10_000).await?;
    }
    while store.seal_due(i64::MAX).await? {}
    (writing.sealed, writing.recording_us, writing.polls, writing.unsealed) = (Vec::new(), 0.0, 0, 0);
    writing.write(&store, (DAY_START_MS, DAY_START_MS + DAY_MS), 1_000).await?;
    while store.seal_due(i64::MAX).await? {}
    while store.merge_due(i64::MAX).await? {}
    while store.give_back(i64::MAX).await? {}
    #[expect(clippy::cast_precision_loss, reason = "sizes and counts of samples")]
    let of_tier = |tier, usage: &[Usage]| {
        let bytes = usage.iter().filter(|usage| usage.box_id == writing.box_id && usage.tier == tier).map(|usage| usage.bytes).sum::<i64>();
        bytes as f64 / (writing.polls * plan.series) as f64
    };
    let usage = store.usage(DAY_START_MS).await?;
    let tiers = Tier::ALL.map(|tier| of_tier(tier, &usage));
    store.close().await;

    #[expect(clippy::cast_precision_loss, reason = "sizes of files and counts of samples")]
    let bytes_a_sample = (std::fs::metadata(&path)?.len() - empty_bytes) as f64 / (writing.polls * plan.series) as f64;
    #[expect(clippy::cast_precision_loss, reason = "a day of polls")]
    let recording_us = writing.recording_us / writing.polls as f64;
    Ok(Day { path, bytes_a_sample, tiers, sealing: Spread::of(writing.sealed), recording_us })
}

/// The database of one box as it grows.
struct Writing {
    box_id: i64,
    series: Vec<SeriesId>,
    traffic: Traffic,
    sealed: Vec<f64>,
    recording_us: f64,
    polls: usize,
    /// Polls since the last sealing.
    unsealed: usize,
}

impl Writing {
    async fn new(store: &Store, name: &str, count: usize, interval_ms: i64) -> Outcome<Self> {
        // Nobody asks it.
        let spec =
            BoxSpec { interval_ms: Some(interval_ms), paused: true, ..BoxSpec::new(name, BoxKind::Opensips, "http://127.0.0.1:9/mi") };
        let box_id = store.add_box(&spec, 1).await?;
        let traffic = Traffic::new(count);
        let mut names: Vec<String> = (0..count).map(|place| format!("script:counter_{place}")).collect();
        COUNTER.clone_into(&mut names[traffic::COUNTER]);
        LEVEL.clone_into(&mut names[traffic::LEVEL]);
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let series = store.series_ids(box_id, &names).await?;
        Ok(Self { box_id, series, traffic, sealed: Vec::new(), recording_us: 0.0, polls: 0, unsealed: 0 })
    }

    /// Records polls over a span, as many in a transaction as may be, and seals whenever the panel would.
    async fn write(&mut self, store: &Store, (from_ms, to_ms): (i64, i64), interval_ms: i64) -> Outcome<()> {
        let mut due = from_ms;
        while due < to_ms {
            let mut polls = Vec::with_capacity(MAX_BATCH_POLLS);
            while due < to_ms && polls.len() < MAX_BATCH_POLLS {
                let at_ms = (due + 10 + self.traffic.jitter_ms()).max(from_ms);
                let values = self.series.iter().copied().zip(self.traffic.next().iter().map(|&value| Some(Number::Int(value)))).collect();
                polls.push(PollRecord {
                    box_id: self.box_id,
                    at_ms,
                    interval_ms,
                    values,
                    marks: Vec::new(),
                    started_ms: None,
                    generation: None,
                });
                due += interval_ms;
            }
            self.polls += polls.len();
            self.unsealed += polls.len();
            let begun = clocks::process_us();
            join_all(polls.into_iter().map(|poll| store.record(poll))).await.into_iter().collect::<Result<Vec<()>, _>>()?;
            self.recording_us += clocks::process_us() - begun;
            self.seal(store, due).await?;
        }
        Ok(())
    }

    /// Seals what is due, and notes how quick it was.
    #[expect(clippy::cast_precision_loss, reason = "an hour of samples")]
    async fn seal(&mut self, store: &Store, now_ms: i64) -> Outcome<()> {
        let chunks = store.stats().await?.chunks_sealed;
        let begun = clocks::process_us();
        store.seal_due(now_ms).await?;
        let took_us = clocks::process_us() - begun;
        if store.stats().await?.chunks_sealed > chunks {
            self.sealed.push((self.unsealed * self.series.len()) as f64 / took_us);
            self.unsealed = 0;
        }
        Ok(())
    }
}
