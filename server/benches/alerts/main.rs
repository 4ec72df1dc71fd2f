//! What alerts cost: 10,000 rules over 100,000 series, each box polled once a second. Processor time, of one core. And how long it takes from
//! the sample that breaks a rule to the webhook.

#![expect(clippy::unwrap_used, reason = "a figure that cannot be measured is none")]

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use app::model::{BoxKind, Number};
use rustix::time::{ClockId, clock_gettime};
use server::{
    alerts::{Across, Boxes, Condition, Rule, Severity, Watching},
    board::{BoxNow, Rules},
    source::Answer,
    store::{BoxSpec, StoredBox},
};

mod delivered;

const BOXES: i64 = 200;
const SERIES: usize = 500;
const RULES: usize = 10_000;
const SECONDS: u32 = 20;

fn main() {
    rules();
    delivered::measure();
}

fn rules() {
    let names: Arc<[Arc<str>]> = (0..SERIES).map(|n| format!("group{}:name_{n}", n % 10).into()).collect();
    let (watching, mut changes) = Watching::new();
    let mut boxes: Vec<BoxNow> = (1..=BOXES).map(a_box).collect();
    watching.set_rules((0..RULES).map(|n| (format!("rule_{n}"), rule(n))).collect(), &[]);
    for id in 1..=BOXES {
        watching.take_up(id, HashMap::new());
    }
    let start = Instant::now();
    let mut took = Duration::ZERO;
    for second in 0..SECONDS {
        for now in &mut boxes {
            let values = (0..SERIES).map(|n| Ok(Number::Int(i64::from(second) * 7 + i64::try_from(n).unwrap()))).collect();
            let at_ms = i64::from(second) * 1_000;
            let answer = Answer { at_ms, took: Duration::ZERO, started_at_ms: None, names: Arc::clone(&names), values, left_out: None };
            now.apply(&answer, None, start + Duration::from_secs(second.into()));
            let before = cpu();
            watching.look(now, at_ms, &Across::default());
            // The first second puts formulas to names.
            if second > 0 {
                took += cpu() - before;
            }
        }
    }
    let mut changed = 0;
    while changes.try_recv().is_ok() {
        changed += 1;
    }
    let share = took.as_secs_f64() / f64::from(SECONDS - 1) * 100.0;
    println!(
        "alerts  {RULES} rules over {} series at 1 s: {share:.2} % of one core ({changed} changes)",
        SERIES * usize::try_from(BOXES).unwrap()
    );
}

fn cpu() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap())
}

fn a_box(id: i64) -> BoxNow {
    let spec = BoxSpec { interval_ms: Some(1_000), ..BoxSpec::new(format!("sip{id}"), BoxKind::Prometheus, "http://127.0.0.1:1/mi") };
    BoxNow::new(StoredBox { id, spec }, Rules::default(), Vec::new(), 1_000)
}

/// Each looks at a ratio of two rates, or at a value, of one box.
fn rule(n: usize) -> Rule {
    let name = |n: usize| format!("group{}:name_{}", n % SERIES % 10, n % SERIES);
    let formula = match n % 2 {
        0 => format!("100 * rate({{{}}}) / rate({{{}}})", name(n), name(n + 1)),
        _ => format!("{{{}}}", name(n)),
    };
    Rule {
        formula,
        condition: Condition::Above { threshold: 1_000.0, clear: None },
        hold: "10s".into(),
        severity: Severity::Warning,
        boxes: Boxes { names: vec![format!("sip{}", n % usize::try_from(BOXES).unwrap() + 1)], labels: [].into() },
        text: String::new(),
        destinations: Vec::new(),
        repeat: String::new(),
        silences: Vec::new(),
        paused: false,
    }
}
