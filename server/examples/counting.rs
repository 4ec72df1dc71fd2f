//! The statistics engine by itself: a program that counts calls on several threads and prints its statistics each second.
//!
//!     cargo run --release -p server --example counting

use std::{
    error::Error,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use app::model::{Kind, Number};
use server::engine::{Registry, Traits};

const METHODS: [&str; 4] = ["INVITE", "ACK", "BYE", "OPTIONS"];

fn main() -> Result<(), Box<dyn Error>> {
    let registry = Arc::new(Registry::new());
    let started = Instant::now();
    registry.computed("core:uptime", Kind::Gauge, move || i64::try_from(started.elapsed().as_secs()).ok().map(Number::Int))?;
    // Kept from an earlier run, say, and not to be reset.
    registry.counter_with("core:seen", Traits::COUNTER.not_reset(), 1_000)?;

    let ended = Arc::new(AtomicBool::new(false));
    let workers: Vec<_> = (0..4)
        .map(|number| {
            let (registry, ended) = (Arc::clone(&registry), Arc::clone(&ended));
            thread::spawn(move || work(&registry, number, &ended))
        })
        .collect();
    for second in 1..=3 {
        thread::sleep(Duration::from_secs(1));
        println!("after {second} s");
        for statistic in registry.statistics() {
            match statistic.value() {
                Some(Number::Int(value)) => println!("  {:<24} {value}", statistic.name()),
                Some(Number::Float(value)) => println!("  {:<24} {value:.3}", statistic.name()),
                None => println!("  {:<24} not known", statistic.name()),
            }
        }
    }
    println!("{} counters set to zero", registry.reset_all());
    ended.store(true, Ordering::Relaxed);
    for worker in workers {
        worker.join().map_err(|_| "a worker failed")??;
    }
    Ok(())
}

fn work(registry: &Registry, number: usize, ended: &AtomicBool) -> Result<(), server::engine::RegistryError> {
    // Held: the quickest way.
    let (active, seen) = (registry.counter_with("calls:active", Traits::GAUGE, 0)?, registry.counter("core:seen")?);
    for turn in number.. {
        if ended.load(Ordering::Relaxed) {
            break;
        }
        active.add(1);
        seen.count();
        // By a name that is known only now; the group `method` exists from the first one on.
        registry.add(&format!("method:{}", METHODS[turn % METHODS.len()]), 1)?;
        active.add(-1);
    }
    Ok(())
}
