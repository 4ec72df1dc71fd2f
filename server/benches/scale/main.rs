//! `make bench PARTS=scale`: how Tickmark bears many boxes and long histories, beside Prometheus where that can do the same work.
//!
//! Nothing here is a test: a figure that misses its target is said so in the table, and the program ends well all the same.
//! Words after `--` choose parts: compared, boxes, ingest, day, year, page.

#[path = "../figures/client.rs"]
#[expect(dead_code, reason = "other benchmarks need more of it")]
mod client;
#[path = "../figures/clocks.rs"]
#[expect(dead_code, reason = "other benchmarks need more of it")]
mod clocks;
mod cluster;
#[path = "../figures/day.rs"]
#[expect(dead_code, reason = "other benchmarks need more of it")]
mod day;
mod fleet;
mod history;
mod ingest;
#[path = "../figures/page.rs"]
#[expect(dead_code, reason = "other benchmarks need more of it")]
mod page;
#[path = "../figures/panel.rs"]
mod panel;
mod polls;
mod process;
mod prometheus;
#[path = "../figures/roles.rs"]
#[expect(dead_code, reason = "other benchmarks need more of it")]
mod roles;
#[path = "../figures/table.rs"]
mod table;
#[path = "../figures/traffic.rs"]
mod traffic;
mod writing;

use std::{error::Error, path::Path, process::ExitCode, thread, time::Instant};

use cluster::Cluster;
use polls::Window;
use table::{
    Spread, Table,
    Target::{AtLeast, AtMost, None as Beside},
};

/// What a part brings, or why it could not be measured.
type Outcome<T> = Result<T, Box<dyn Error>>;

/// What can be chosen.
const PARTS: [&str; 6] = ["compared", "boxes", "ingest", "day", "year", "page"];
/// So many boxes are compared with Prometheus.
const COMPARED: usize = 200;
/// So many the targets are for.
const MANY: usize = 1_000;
/// So many are tried then, as long as they are sustained.
const STEPS: [usize; 6] = [1_500, 2_000, 3_000, 4_000, 6_000, 8_000];

fn main() -> ExitCode {
    // Cargo says `--bench` to every benchmark.
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let played = match arguments.as_slice() {
        [role, name, ..] if role == roles::ROLE && name == fleet::FLEET => Some(alone(fleet::serve())),
        _ => None,
    };
    let unknown = arguments.iter().find(|word| !PARTS.contains(&word.as_str()));
    if let (None, Some(unknown)) = (&played, unknown) {
        eprintln!("There is no part named {unknown}; there are {}.", PARTS.join(", "));
        return ExitCode::FAILURE;
    }
    match played.unwrap_or_else(|| whole(Bench::new(arguments).run())) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("The figures could not be measured: {error}");
            ExitCode::FAILURE
        }
    }
}

/// On this thread: boxes take as little as they can.
fn alone(work: impl Future<Output = Outcome<()>>) -> Outcome<()> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(work)
}

/// On the threads that the panel has too.
fn whole(work: impl Future<Output = Outcome<()>>) -> Outcome<()> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(work)
}

/// A run.
struct Bench {
    begun: Instant,
    chosen: Vec<String>,
    table: Table,
    /// Why there is no Prometheus.
    without: Option<&'static str>,
}

impl Bench {
    fn new(chosen: Vec<String>) -> Self {
        Self { begun: Instant::now(), chosen, table: Table::default(), without: prometheus::is_missing() }
    }

    fn has(&self, part: &str) -> bool {
        self.chosen.is_empty() || self.chosen.iter().any(|word| word == part)
    }

    /// Says what is going on, on standard error: standard output has the table alone.
    fn say(&self, what: &str) {
        eprintln!("{:>5.0} s  {what}", self.begun.elapsed().as_secs_f64());
    }

    async fn run(mut self) -> Outcome<()> {
        if let Some(why) = self.without {
            self.say(&format!("{why}: nothing is compared with it"));
        }
        if self.has("compared") {
            self.compared()?;
        }
        if self.has("boxes") {
            self.boxes()?;
        }
        let folder = tempfile::tempdir()?;
        if self.has("ingest") {
            self.ingest(folder.path()).await?;
        }
        if self.has("day") {
            self.day(folder.path()).await?;
        }
        if self.has("year") {
            self.say("year: one series each ten seconds, stored …");
            let year = history::year().await?;
            self.table.add("A year at 10 s of one series, drawn, over HTTP", year, "ms", AtMost(5.0), None);
        }
        if self.has("page") {
            self.page().await?;
        }
        self.say("done");
        let missed = self.table.print();
        let cpu = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let model = cpu.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or_default();
        let cores = thread::available_parallelism().map_or(0, std::num::NonZero::get);
        println!("\nMeasured on {cores} cores ({}), Tickmark {}.", model.trim_start_matches(['\t', ' ', ':']), env!("CARGO_PKG_VERSION"));
        if missed > 0 {
            println!("{missed} of the figures miss their target.");
        }
        Ok(())
    }

    /// Boxes asked each second, beside Prometheus.
    fn compared(&mut self) -> Outcome<()> {
        let folder = tempfile::tempdir()?;
        self.say(&format!("compared: {COMPARED} boxes of {} statistics, each second …", fleet::STATISTICS));
        let ours = polls::tickmark(folder.path(), COMPARED)?;
        let theirs = match self.without {
            None => {
                self.say(&format!("compared: Prometheus at the same {COMPARED} …"));
                Some(polls::prometheus(COMPARED)?)
            }
            Some(_) => None,
        };
        let beside = |of: fn(&Window) -> f64| theirs.as_ref().map(|window| ("Prometheus", of(window)));
        let what = format!("CPU a statistic with its HTTP poll, {COMPARED} boxes at 1 s");
        self.table.add(what, Spread::exact(ours.us_each), "µs", AtMost(0.25), beside(|window| window.us_each));
        self.table.add("— of a core", Spread::exact(ours.cores * 100.0), "%", Beside, beside(|window| window.cores * 100.0));
        self.table.add("— memory", Spread::exact(ours.memory_mb), "MB", Beside, beside(|window| window.memory_mb));
        Ok(())
    }

    /// Very many boxes, then more.
    fn boxes(&mut self) -> Outcome<()> {
        let folder = tempfile::tempdir()?;
        self.say(&format!("boxes: {MANY} …"));
        let many = polls::tickmark(folder.path(), MANY)?;
        self.table.add(format!("{MANY} boxes of 400 at 1 s, of a core"), Spread::exact(many.cores * 100.0), "%", AtMost(15.0), None);
        self.table.add("— polls on time, within 0.1 s", Spread::exact(many.on_time), "%", AtLeast(99.9), None);
        self.table.add("— recorded of what was answered", Spread::exact(many.recorded), "%", Beside, None);
        self.table.add("— CPU a statistic", Spread::exact(many.us_each), "µs", AtMost(0.25), None);
        self.table.add("— resident memory, all ticked", Spread::exact(many.memory_mb), "MB", AtMost(300.0), None);
        let mut most = many.is_sustained().then_some(many);
        for boxes in STEPS {
            if most.is_none_or(|most| most.boxes * 2 < boxes) {
                break;
            }
            self.say(&format!("boxes: {boxes} …"));
            let window = polls::tickmark(folder.path(), boxes)?;
            self.say(&format!(
                "boxes: {boxes}: {:.2} % on time, {:.2} % recorded, {:.2} cores",
                window.on_time, window.recorded, window.cores
            ));
            if !window.is_sustained() {
                break;
            }
            most = Some(window);
        }
        #[expect(clippy::cast_precision_loss, reason = "thousands")]
        let boxes = most.map_or(0.0, |most| most.boxes as f64);
        self.table.add("The most boxes of those tried that were sustained", Spread::exact(boxes), "boxes", Beside, None);
        if let Some(most) = most {
            self.table.add("— of a core then", Spread::exact(most.cores * 100.0), "%", Beside, None);
        }
        Ok(())
    }

    /// Polls that become durable.
    async fn ingest(&mut self, folder: &Path) -> Outcome<()> {
        self.say("ingest: from the bytes of answers …");
        let url = |name: &str| format!("sqlite:{}", folder.join(name).display());
        let each = ingest::from_bytes(&url("bytes.db")).await?;
        self.table.add("CPU a statistic, a poll's bytes to recorded (50 polls a commit)", each, "µs", AtMost(0.1), None);
        self.say("ingest: decoded polls into SQLite …");
        let most = ingest::most(&url("ingest.db")).await?;
        self.table.add("Ingest, decoded polls to durable, SQLite", most, "M samples/s", AtLeast(5.0), None);
        match Cluster::start().await? {
            Some(cluster) => {
                self.say("ingest: decoded polls into PostgreSQL …");
                let most = ingest::most(&cluster.database()).await?;
                self.table.add("— PostgreSQL, by its socket, fsync on", most, "M samples/s", AtLeast(1.0), None);
            }
            None => self.say("ingest: PostgreSQL's server is not installed: left out"),
        }
        Ok(())
    }

    /// A day at one second.
    async fn day(&mut self, folder: &Path) -> Outcome<()> {
        self.say("day: 200 series each second, stored and merged …");
        let large = day::build(folder, day::Plan { series: 200, other_boxes: 0, earlier_days: 0 }).await?;
        self.say("day: 20 series …");
        let small = day::build(folder, day::Plan { series: 20, other_boxes: 0, earlier_days: 0 }).await?;
        let theirs = tempfile::tempdir()?;
        let blocks = match self.without {
            None => {
                self.say("day: the same 20 as blocks of Prometheus …");
                #[expect(clippy::cast_precision_loss, reason = "some millions")]
                let bytes = prometheus::blocks_of(&small.path, day::BOX, theirs.path())? as f64 / (20.0 * 86_400.0);
                Some(("Prometheus's blocks, of 20", bytes))
            }
            Some(_) => None,
        };
        let grown = Spread::exact(large.bytes_a_sample);
        self.table.add("Growth by a day of 200 series at 1 s, merged", grown, "B/sample", AtMost(0.45), blocks);
        for (what, bytes) in ["— of it samples", "— of it minutes", "— of it hours"].into_iter().zip(large.tiers) {
            self.table.add(what, Spread::exact(bytes), "B/sample", Beside, None);
        }
        self.table.add("Sealing with its roll-ups", large.sealing, "M samples/s/core", AtLeast(20.0), None);
        self.say("day: to columns …");
        let columns = history::columns(&large.path).await?;
        self.table.add("24 h at 1 s of one of 200 series to columns, just opened", columns.cold, "ms", AtMost(0.6), None);
        self.table.add("— again", columns.warm, "ms", Beside, None);
        self.table.add("— from the minutes, 680 points", columns.minutes, "ms", AtMost(0.1), None);
        self.say("day: over HTTP …");
        let panel = tempfile::tempdir()?;
        std::fs::rename(&small.path, panel.path().join("tickmark.db"))?;
        let ours = history::over_http(panel).await?;
        let theirs = if self.without.is_none() { Some(history::by_prometheus(theirs)?) } else { None };
        let beside = theirs.as_ref().map(|theirs| ("Prometheus's range query", theirs.samples.median));
        self.table.add("— over HTTP, 1,200 points of rates", ours.samples, "ms", AtMost(1.0), beside);
        let beside = theirs.as_ref().map(|theirs| ("Prometheus's range query", theirs.minutes.median));
        self.table.add("— over HTTP, 680 points, from the minutes", ours.minutes, "ms", AtMost(1.0), beside);
        Ok(())
    }

    /// A page among very many series.
    async fn page(&mut self) -> Outcome<()> {
        self.say("page: 10,000 series, of which 400 have a day at 1 s, without history …");
        let young = history::page(0).await?;
        self.say("page: the same after a year of a poll an hour …");
        let old = history::page(364).await?;
        let beside = Some(("without the year", young.all.median));
        self.table.add("20 charts of 24 h at 1 s, 10,000 series, a year of a poll an hour", old.all, "ms", AtMost(25.0), beside);
        self.table.add("— of it the page itself", old.html, "ms", Beside, Some(("without the year", young.html.median)));
        let beside = Some(("without the year", young.start));
        self.table.add("— start, until it is ready", Spread::exact(old.start), "ms", AtMost(1_000.0), beside);
        #[expect(clippy::cast_precision_loss, reason = "sizes of files")]
        let (old, young) = (old.bytes as f64 / 1e6, young.bytes as f64 / 1e6);
        self.table.add("— the database", Spread::exact(old), "MB", Beside, Some(("without the year", young)));
        Ok(())
    }
}
