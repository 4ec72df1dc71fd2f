//! Boxes whose history is written as the panel writes it, with the time passed in.

use std::ops::Range;

use app::model::{BoxKind, Number, Origin};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use server::store::{BoxSpec, KeepRule, Kept, PollRecord, SeriesId, Store, TickRule};

use crate::{
    Outcome,
    traffic::{self, Traffic},
};

/// So many polls wait to be recorded at once: some transactions of them.
const WAITING: usize = 768;

/// Boxes, and how their statistics move.
pub(crate) struct Writing {
    boxes: Vec<Box>,
}

struct Box {
    id: i64,
    series: Vec<SeriesId>,
    traffic: Traffic,
}

/// Polls over a span, and how often they are sealed.
#[derive(Clone, Copy)]
pub(crate) struct Plan {
    pub(crate) from_ms: i64,
    pub(crate) to_ms: i64,
    pub(crate) interval_ms: i64,
    pub(crate) seal_every_ms: i64,
}

impl Writing {
    /// So many boxes of so many series, all ticked; each is polled at its own path of an address.
    pub(crate) async fn new(store: &Store, boxes: usize, series: usize, address: &str) -> Outcome<Self> {
        let names = traffic::names(series);
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let mut made = Vec::with_capacity(boxes);
        for number in 1..=boxes {
            let spec = BoxSpec {
                interval_ms: Some(1_000),
                ..BoxSpec::new(format!("sip{number}"), BoxKind::Opensips, format!("http://{address}/{number}/mi"))
            };
            let id = store.add_box(&spec, 1).await?;
            store.replace_ticks(id, &[TickRule { pattern: "*".to_owned(), except: false, origin: Origin::Panel }]).await?;
            made.push(Box { id, series: store.series_ids(id, &names).await?, traffic: Traffic::new(series) });
        }
        Ok(Self { boxes: made })
    }

    /// The polls of some boxes at an instant.
    fn polls(&mut self, boxes: Range<usize>, at_ms: i64, interval_ms: i64) -> impl Iterator<Item = PollRecord> {
        self.boxes[boxes].iter_mut().map(move |one| {
            let values = one.traffic.next().iter().map(|&value| Some(Number::Int(value)));
            let values = one.series.iter().copied().zip(values).collect();
            let at_ms = at_ms + one.traffic.jitter_ms();
            PollRecord { box_id: one.id, at_ms, interval_ms, values, marks: Vec::new(), started_ms: None, generation: None }
        })
    }

    /// So many polls of each box, as they wait to be recorded.
    pub(crate) fn some(&mut self, rounds: i64, from_ms: i64, interval_ms: i64) -> Vec<PollRecord> {
        let all = 0..self.boxes.len();
        (0..rounds).flat_map(|round| self.polls(all.clone(), from_ms + round * interval_ms, interval_ms).collect::<Vec<_>>()).collect()
    }

    /// Records and seals the polls of some boxes over a span.
    pub(crate) async fn write(&mut self, store: &Store, boxes: Range<usize>, plan: Plan) -> Outcome<()> {
        let (mut at_ms, mut sealed_ms) = (plan.from_ms, plan.from_ms);
        while at_ms < plan.to_ms {
            let mut polls = Vec::with_capacity(WAITING);
            while at_ms < plan.to_ms && polls.len() < WAITING && at_ms - sealed_ms < plan.seal_every_ms {
                polls.extend(self.polls(boxes.clone(), at_ms, plan.interval_ms));
                at_ms += plan.interval_ms;
            }
            record(store, polls).await?;
            if at_ms - sealed_ms >= plan.seal_every_ms || at_ms >= plan.to_ms {
                sealed_ms = at_ms;
                while store.seal_due(i64::MAX).await? {}
            }
        }
        Ok(())
    }
}

/// Records polls, as many at once as may wait.
pub(crate) async fn record(store: &Store, polls: Vec<PollRecord>) -> Outcome<()> {
    Ok(stream::iter(polls).map(|poll| store.record(poll)).buffer_unordered(WAITING).try_collect::<()>().await?)
}

/// Keeps all for ever: what is measured is older than what is kept by default.
pub(crate) async fn keep_all(store: &Store) -> Outcome<()> {
    let rule = KeepRule { box_id: None, pattern: None, keep: [Some(Kept::Ever); 3] };
    Ok(store.set_retention(&rule).await?)
}
