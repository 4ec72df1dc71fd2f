//! `make bench`: the figures that Tickmark promises, measured on this machine, with what the machine itself does beside them.
//!
//! Nothing here is a test: a figure that misses its target is said so in the table, and the program ends well all the same.
//! Words after `--` choose parts: chart, poll, page, memory.

mod baseline;
mod chart;
mod client;
mod clocks;
mod day;
mod memory;
mod page;
#[expect(dead_code, reason = "the bench of scale needs more of it")]
mod panel;
mod poll;
mod roles;
mod table;
mod traffic;

use std::{error::Error, process::ExitCode, thread, time::Instant};

use client::Load;
use day::Plan;
use memory::Memory;
use roles::Role;
use table::{
    Spread, Table,
    Target::{AtLeast, AtMost, None as Beside},
};

/// What a part brings, or why it could not be measured.
type Outcome<T> = Result<T, Box<dyn Error>>;

/// What can be chosen.
const PARTS: [&str; 4] = ["chart", "poll", "page", "memory"];

#[tokio::main]
async fn main() -> ExitCode {
    // Cargo says `--bench` to every benchmark.
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    if let Some(played) = roles::play(&arguments).await {
        return played.map_or(ExitCode::FAILURE, |()| ExitCode::SUCCESS);
    }
    if let Some(unknown) = arguments.iter().find(|word| !PARTS.contains(&word.as_str())) {
        eprintln!("There is no part named {unknown}; there are {}.", PARTS.join(", "));
        return ExitCode::FAILURE;
    }
    match Bench::new(arguments).run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("The figures could not be measured: {error}");
            ExitCode::FAILURE
        }
    }
}

/// A run.
struct Bench {
    begun: Instant,
    chosen: Vec<String>,
    table: Table,
}

impl Bench {
    fn new(chosen: Vec<String>) -> Self {
        Self { begun: Instant::now(), chosen, table: Table::default() }
    }

    fn has(&self, part: &str) -> bool {
        self.chosen.is_empty() || self.chosen.iter().any(|word| word == part)
    }

    /// Says what is going on, on standard error: standard output has the table alone.
    fn say(&self, what: &str) {
        eprintln!("{:>5.0} s  {what}", self.begun.elapsed().as_secs_f64());
    }

    async fn run(mut self) -> Outcome<()> {
        let folder = tempfile::tempdir()?;
        // What is measured there mostly waits: it goes on while the databases of the charts are made.
        let memory = if self.has("memory") { Some(self.begin_memory().await?) } else { None };
        let days = if self.has("chart") { self.build_days(folder.path()).await? } else { Vec::new() };
        if let Some(memory) = memory {
            self.say("waiting for the hour of polls to end …");
            let memory = memory.join().map_err(|_| "the thread that measures memory failed")??;
            self.add_memory(&memory);
        }
        if !days.is_empty() {
            self.charts(&days).await?;
        }
        if self.has("poll") {
            self.polls(folder.path()).await?;
        }
        if self.has("page") {
            self.pages()?;
        }
        self.say("done");
        let missed = self.table.print();
        println!("\n{}", machine());
        if missed > 0 {
            println!("{missed} of the figures miss their target.");
        }
        Ok(())
    }

    async fn begin_memory(&self) -> Outcome<thread::JoinHandle<Result<Memory, String>>> {
        self.say("memory: a panel with one box, and an hour of polls, as quickly as they are committed one by one …");
        let fake = Role::a_box(page::STATISTICS)?;
        let folder = memory::prepare(&fake).await?;
        Ok(thread::spawn(move || memory::measure(folder, &fake).map_err(|error| error.to_string())))
    }

    async fn build_days(&self, folder: &std::path::Path) -> Outcome<Vec<(Plan, day::Day)>> {
        let plans = [
            Plan { series: 2, other_boxes: 0, earlier_days: 0 },
            Plan { series: 200, other_boxes: 0, earlier_days: 0 },
            Plan { series: 2_000, other_boxes: 10, earlier_days: 3 },
        ];
        let mut days = Vec::new();
        for plan in plans {
            self.say(&format!("storing a day of {} series, polled each second …", plan.series));
            days.push((plan, day::build(folder, plan).await?));
        }
        Ok(days)
    }

    async fn charts(&mut self, days: &[(Plan, day::Day)]) -> Outcome<()> {
        self.say("drawing a day of one series …");
        let pco = baseline::packing()?;
        for (plan, day) in days {
            let times = chart::measure(&day.path).await?;
            let beside = Some(("pco alone decodes its values in", pco.decode_ms.median));
            let what = match plan.series {
                2 => "Chart of a day at 1 s, SQLite to SVG; 1 other series".to_owned(),
                200 => "… 200 other series".to_owned(),
                series => format!("… {series} other series, {} other boxes, {} days more", plan.other_boxes, plan.earlier_days),
            };
            self.table.add(what, times.counter, "ms", AtMost(1.5), beside);
            if plan.series == 200 {
                self.table.add("— of it reading", times.read, "ms", Beside, None);
                self.table.add("— of it columns", times.columns, "ms", Beside, None);
                self.table.add("— of it drawing", times.draw, "ms", Beside, None);
                self.table.add("— a level instead of a rate", times.level, "ms", Beside, None);
            }
            if plan.series > 200 {
                self.table.add("— the first after a start, which reads the head", Spread::exact(times.first), "ms", Beside, None);
            }
        }
        if let Some((_, day)) = days.iter().find(|(plan, _)| plan.series == 200) {
            self.table.add("Sealing", day.sealing, "M samples/s/core", AtLeast(20.0), Some(("pco alone encodes", pco.encode)));
            let grown = Spread::exact(day.bytes_a_sample);
            self.table.add(
                "Growth by a day of 200 series at 1 s",
                grown,
                "B/sample",
                AtMost(0.55),
                Some(("pco alone, hour by hour", pco.bytes)),
            );
            for (what, bytes) in ["— of it samples", "— of it minutes", "— of it hours"].into_iter().zip(day.tiers) {
                self.table.add(what, Spread::exact(bytes), "B/sample", Beside, None);
            }
            self.table.add("Recording a poll of 200, 256 in a transaction", Spread::exact(day.recording_us), "µs CPU", Beside, None);
        }
        Ok(())
    }

    async fn polls(&mut self, folder: &std::path::Path) -> Outcome<()> {
        self.say("polls: from bytes to the board …");
        let parsing = baseline::parsing()?;
        let beside = Some(("serde_json into a map", parsing.median));
        self.table.add("Poll of 400, bytes to board", poll::to_board()?, "µs CPU", AtMost(10.0), beside);
        let fake = Role::a_box(poll::STATISTICS)?;
        let exchanging = baseline::exchanging(fake.address).await?;
        let committing = baseline::committing(folder).await?;
        drop(fake);
        let bare = exchanging.median + committing.median;
        for (boxes, what) in [(1, "Poll of 400 over HTTP, stored; one box, 5 a second"), (50, "… 50 boxes, 250 a second")] {
            self.say(&format!("polls: {boxes} boxes each 200 ms …"));
            self.table.add(what, poll::whole(boxes)?, "µs CPU", AtMost(150.0), Some(("a bare exchange and a bare commit", bare)));
        }
        self.table.add("— a bare exchange (reqwest)", exchanging, "µs CPU", Beside, None);
        self.table.add("— a bare commit (SQLite)", committing, "µs CPU", Beside, None);
        let syncing = baseline::syncing(folder)?;
        self.table.add("— 4 kB to the disk itself", syncing, "µs", Beside, None);
        self.table.add("— copying memory", baseline::copying(), "GB/s", Beside, None);
        Ok(())
    }

    fn pages(&mut self) -> Outcome<()> {
        self.say("pages: Realtime Statistics over 8 connections …");
        let loads = page::measure()?;
        let kilobytes = |load: &Load| format!("{} kB", table::short(load.bytes / 1e3));
        let plain = format!("Realtime page of 187, {}", kilobytes(&loads.plain));
        let bare_page = ("a bare server, as many bytes", loads.bare_page.per_second.median);
        self.table.add(plain, loads.plain.per_second, "requests/s", AtLeast(2_000.0), Some(bare_page));
        let brotli = format!("— as brotli, {}", kilobytes(&loads.brotli));
        self.table.add(brotli, loads.brotli.per_second, "requests/s", Beside, None);
        let gzip = format!("— as gzip, {}", kilobytes(&loads.gzip));
        self.table.add(gzip, loads.gzip.per_second, "requests/s", Beside, None);
        self.table.add("— a bare server, two letters", loads.bare.per_second, "requests/s", Beside, None);
        #[expect(clippy::cast_precision_loss, reason = "some hundred thousand bytes")]
        let kilobytes = |bytes: u64| Spread::exact(bytes as f64 / 1e3);
        self.table.add("First visit, everything", kilobytes(loads.visit.all), "kB", AtMost(200.0), None);
        self.table.add("— of it the client", kilobytes(loads.visit.client), "kB", AtMost(140.0), None);
        Ok(())
    }

    fn add_memory(&mut self, memory: &Memory) {
        let beside = Some(("of it the program's file", memory.of_file));
        self.table.add("Memory with one box of 187", Spread::exact(memory.at_rest), "MB", AtMost(30.0), beside);
        let after = Spread::exact(memory.after_an_hour);
        self.table.add("— after 3,600 polls more", after, "MB", AtMost(30.0), Some(("before them", memory.at_rest)));
        self.table.add("— the most it ever had", Spread::exact(memory.peak), "MB", Beside, None);
    }
}

/// Where this was measured.
fn machine() -> String {
    let cpu = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu.lines().find_map(|line| line.strip_prefix("model name")).map_or("", |rest| rest.trim_start_matches(['\t', ' ', ':']));
    let cores = thread::available_parallelism().map_or(0, std::num::NonZero::get);
    format!("Measured on {cores} cores ({model}), Tickmark {}.", env!("CARGO_PKG_VERSION"))
}
