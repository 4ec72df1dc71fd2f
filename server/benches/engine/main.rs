//! `make bench PARTS=engine`: the statistics engine beside the crates that count, and beside a bare atomic.
//!
//! Nothing here is a test: a figure that misses its target is said so in the table, and the program ends well all the same.

#[path = "../figures/client.rs"]
#[expect(dead_code, reason = "other benchmarks need more of it")]
mod client;
mod counting;
mod interface;
mod million;
#[path = "../figures/table.rs"]
#[expect(dead_code, reason = "other benchmarks need more of it")]
mod table;

use std::{error::Error, process::ExitCode};

use table::{
    Table,
    Target::{AtMost, None as Beside},
};

/// What a part brings, or why it could not be measured.
type Outcome<T> = Result<T, Box<dyn Error>>;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("The figures of the engine could not be measured: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Outcome<()> {
    let mut table = Table::default();
    // First, while the process has no memory that others have let go.
    eprintln!("a million statistics, in which four threads count …");
    let million = million::measure()?;
    table.add("A million statistics: making one", million.make, "ns", Beside, None);
    table.add("— reading all in order", million.read, "ms", Beside, None);
    table.add("— memory of each, with its name of 20 bytes, 4 threads", million.memory, "bytes", AtMost(200.0), None);
    for threads in [1, 2] {
        eprintln!("counting on {threads} thread(s) …");
        let held = counting::held(threads)?;
        let mut beside = held.others.iter().map(|(name, spread)| (*name, spread.median));
        let bare = beside.next();
        let target = bare.map_or(Beside, |(_, median)| AtMost(if threads == 1 { median } else { median.min(2.3) }));
        table.add(format!("Counting by a held handle, {threads} thread(s)"), held.own, "ns", target, bare);
        for (name, spread) in &held.others {
            table.add(format!("— {name}"), *spread, "ns", Beside, None);
        }
        let named = counting::by_name(threads)?;
        let quickest = named.others.iter().map(|(_, spread)| spread.median).fold(f64::INFINITY, f64::min);
        table.add(
            format!("Counting by a name of run time, {threads} thread(s)"),
            named.own,
            "ns",
            AtMost(quickest),
            Some(("the quickest crate", quickest)),
        );
        for (name, spread) in &named.others {
            table.add(format!("— {name}"), *spread, "ns", Beside, None);
        }
    }
    for statistics in [1, 200, 10_000] {
        eprintln!("asking for {statistics} statistics …");
        let rate = interface::measure(statistics)?;
        table.add(format!("Answers of {statistics} statistic(s) over HTTP, one connection"), rate, "/s", Beside, None);
    }
    for threads in [1, 2] {
        eprintln!("picking destinations on {threads} thread(s) …");
        let rate = interface::picks_within(threads)?;
        table.add(format!("Picks of 8 destinations by one pattern, {threads} thread(s)"), rate, "/s", Beside, None);
    }
    eprintln!("picking destinations over HTTP …");
    table.add("— over HTTP, one connection", interface::picks()?, "/s", Beside, None);
    let missed = table.print();
    if missed > 0 {
        println!("\n{missed} of the figures miss their target.");
    }
    Ok(())
}
