//! How long adding one takes: ours, others', and a bare atomic. Each of several threads does the same to the same counters.

use std::{
    hint::black_box,
    sync::{
        Barrier,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::Instant,
};

use metrics_util::registry::{AtomicStorage, Registry as MetricsRegistry};
use prometheus_client::metrics::{counter::Counter as ClientCounter, family::Family};
use server::engine::Registry;

use crate::{Outcome, table::Spread};

/// Additions of one measurement, by each thread.
const ADDITIONS: usize = 4_000_000;
/// Measurements of each.
const ROUNDS: usize = 11;
/// Counters that are counted by name in turn: a group of methods, say.
const NAMES: usize = 16;

/// Ours and what stands beside it.
pub(crate) struct Beside {
    pub(crate) own: Spread,
    pub(crate) others: Vec<(&'static str, Spread)>,
}

/// Nanoseconds an addition takes each thread.
fn spread(threads: usize, additions: usize, add: impl Fn(usize) + Sync) -> Spread {
    let round = || {
        let begin = Barrier::new(threads);
        let work = || {
            begin.wait();
            let begun = Instant::now();
            for turn in 0..additions {
                add(turn);
            }
            begun.elapsed().as_secs_f64() * 1e9
        };
        let took: f64 = thread::scope(|scope| {
            let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
            workers.into_iter().filter_map(|worker| worker.join().ok()).sum()
        });
        #[expect(clippy::cast_precision_loss, reason = "some millions")]
        let all = (threads * additions) as f64;
        took / all
    };
    round();
    Spread::of((0..ROUNDS).map(|_| round()).collect())
}

/// Through handles that are held.
pub(crate) fn held(threads: usize) -> Outcome<Beside> {
    let bare = AtomicU64::new(0);
    let own = Registry::new().counter("calls:answered")?;
    let prometheus = prometheus::IntCounter::new("answered", "calls")?;
    let client: ClientCounter = ClientCounter::default();
    let metrics = metrics::Counter::from_arc(std::sync::Arc::new(AtomicU64::new(0)));
    let others = vec![
        (
            "a bare AtomicU64",
            spread(threads, ADDITIONS, |_| {
                black_box(&bare).fetch_add(1, Ordering::Relaxed);
            }),
        ),
        ("crate prometheus", spread(threads, ADDITIONS, |_| black_box(&prometheus).inc())),
        (
            "crate prometheus-client",
            spread(threads, ADDITIONS, |_| {
                black_box(&client).inc();
            }),
        ),
        ("crate metrics", spread(threads, ADDITIONS, |_| black_box(&metrics).increment(1))),
    ];
    Ok(Beside { own: spread(threads, ADDITIONS, |_| black_box(&own).count()), others })
}

/// By names that are worked out at run time.
pub(crate) fn by_name(threads: usize) -> Outcome<Beside> {
    let names: Vec<String> = (0..NAMES).map(|number| format!("method:METHOD_{number}")).collect();
    let name = |turn: usize| black_box(names[turn % NAMES].as_str());
    let registry = Registry::new();
    let prometheus = prometheus::IntCounterVec::new(prometheus::Opts::new("method", "calls"), &["name"])?;
    let client: Family<[(&str, String); 1], ClientCounter> = Family::default();
    let metrics = MetricsRegistry::new(AtomicStorage);
    let additions = ADDITIONS / 4;
    let others = vec![
        ("crate prometheus", spread(threads, additions, |turn| prometheus.with_label_values(&[name(turn)]).inc())),
        (
            "crate prometheus-client",
            spread(threads, additions, |turn| {
                client.get_or_create(&[("name", name(turn).to_owned())]).inc();
            }),
        ),
        (
            "crate metrics",
            spread(threads, additions, |turn| {
                let key = metrics::Key::from_name(name(turn).to_owned());
                metrics.get_or_create_counter(&key, |counter| counter.fetch_add(1, Ordering::Relaxed));
            }),
        ),
    ];
    let own = spread(threads, additions, |turn| {
        // The names can be names, and none is computed.
        let _ = registry.add(name(turn), 1);
    });
    Ok(Beside { own, others })
}
