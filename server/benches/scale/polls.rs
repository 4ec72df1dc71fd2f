//! What it costs to ask boxes each second and to record all they say: the whole panel, its CPU apart from that of the boxes, and
//! Prometheus at the same boxes.

use std::{
    fmt::Write as _,
    net::SocketAddr,
    path::Path,
    thread,
    time::{Duration, Instant},
};

use crate::{
    Outcome,
    client::{Client, get, post},
    clocks::memory_of_mb,
    fleet::{FLEET, STATISTICS, Tally},
    panel::Panel,
    process::cpu_us,
    prometheus::Prometheus,
    roles::Role,
};

/// So long it is measured.
const WINDOW: Duration = Duration::from_secs(20);
/// What a start left to be done is done after this.
const SETTLES: Duration = Duration::from_secs(8);
/// So long it is looked whether what is answered is recorded as quickly, which it is not while series are made.
const LOOK: Duration = Duration::from_secs(4);
/// All boxes are asked, and their series are made, within this.
const LIMIT: Duration = Duration::from_secs(120);

/// What a window brought.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Window {
    /// Boxes that were to be asked.
    pub(crate) boxes: usize,
    /// Cores that were busy for it.
    pub(crate) cores: f64,
    /// Microseconds of processor time for each statistic that was asked for.
    pub(crate) us_each: f64,
    /// Of a hundred polls that were due, so many came within a tenth of a second.
    pub(crate) on_time: f64,
    /// Of a hundred statistics that were answered, so many were recorded; unknown of Prometheus.
    pub(crate) recorded: f64,
    /// Megabytes of memory.
    pub(crate) memory_mb: f64,
}

impl Window {
    /// Whether 99.9 % of the polls were on time, and all that was answered is recorded, as far as two counts that begin and end at
    /// other instants can tell.
    pub(crate) fn is_sustained(&self) -> bool {
        self.on_time >= 99.9 && self.recorded >= 98.0
    }
}

/// The boxes, in a process of their own.
fn fleet() -> Outcome<Role> {
    Role::start(FLEET, 0)
}

/// Tickmark with so many boxes, all of which is ticked, over what is in a folder.
pub(crate) fn tickmark(folder: &Path, boxes: usize) -> Outcome<Window> {
    let fleet = fleet()?;
    let mut config = String::new();
    for number in 1..=boxes {
        let address = fleet.address;
        write!(
            config,
            "[[box]]\nname = \"sip{number}\"\nkind = \"opensips\"\naddress = \"http://{address}/{number}/mi\"\ninterval = \"1s\"\nticks = [\"*\"]\n"
        )?;
    }
    let panel = Panel::start_in(folder, &config, "10s")?;
    let all = format!("\"recorded\":{STATISTICS},");
    until("all boxes are asked", || Ok(ask(panel.address, "/cp/api/v1/boxes", &panel.header)?.matches(&all).count() >= boxes))?;
    let recorded = || -> Outcome<Counted> {
        Client::connect(panel.address)?.ask(&post("/cp/api/v1/boxes/tickmark/refresh", &panel.header, ""))?;
        let said = ask(panel.address, "/cp/api/v1/boxes/tickmark/statistics?match==store:samples", &panel.header)?;
        let value = said.split("\"value\":").nth(1).and_then(|rest| rest.split([',', '}']).next()).ok_or("no count of samples")?;
        Ok(Counted { samples: value.parse()?, at: Instant::now() })
    };
    let begun = Instant::now();
    loop {
        let before = recorded()?;
        ask(fleet.address, "/begin", "")?;
        thread::sleep(LOOK);
        let answered = samples(tally(fleet.address)?.answered) / LOOK.as_secs_f64();
        // One that never keeps up is measured all the same.
        if recorded()?.since(&before) > 0.97 * answered || begun.elapsed() > LIMIT {
            break;
        }
    }
    thread::sleep(SETTLES);
    let before = recorded()?;
    let mut window = measure(fleet.address, panel.pid(), boxes)?;
    window.window.recorded = recorded()?.since(&before) / (samples(window.answered) / window.took_s) * 100.0;
    Ok(window.window)
}

/// Prometheus with so many.
pub(crate) fn prometheus(boxes: usize) -> Outcome<Window> {
    let fleet = fleet()?;
    let prometheus = Prometheus::scraping(fleet.address, boxes)?;
    until("all boxes are scraped", || Ok(tally(fleet.address)?.boxes >= boxes))?;
    thread::sleep(SETTLES);
    Ok(measure(fleet.address, prometheus.pid(), boxes)?.window)
}

#[expect(clippy::cast_precision_loss, reason = "some millions")]
fn samples(polls: u64) -> f64 {
    polls as f64 * STATISTICS as f64
}

struct Measured {
    window: Window,
    answered: u64,
    took_s: f64,
}

/// How many samples a panel says it has recorded, and when it said so.
struct Counted {
    samples: f64,
    at: Instant,
}

impl Counted {
    /// Samples a second.
    fn since(&self, before: &Self) -> f64 {
        (self.samples - before.samples) / (self.at - before.at).as_secs_f64()
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of some seconds")]
fn measure(fleet: SocketAddr, pid: u32, boxes: usize) -> Outcome<Measured> {
    ask(fleet, "/begin", "")?;
    let (begun, before) = (Instant::now(), cpu_us(pid)?);
    thread::sleep(WINDOW);
    let (tally, used_us, took) = (tally(fleet)?, cpu_us(pid)? - before, begun.elapsed());
    let silent = boxes.saturating_sub(tally.boxes) as f64 * took.as_secs_f64();
    let due = (tally.answered + tally.missed) as f64 + silent;
    let window = Window {
        boxes,
        cores: used_us / took.as_secs_f64() / 1e6,
        us_each: used_us / samples(tally.answered),
        on_time: tally.answered.saturating_sub(tally.late) as f64 / due * 100.0,
        recorded: 100.0,
        memory_mb: memory_of_mb(pid, "VmRSS")?,
    };
    Ok(Measured { window, answered: tally.answered, took_s: took.as_secs_f64() })
}

fn tally(fleet: SocketAddr) -> Outcome<Tally> {
    Tally::read(&ask(fleet, "/tally", "")?)
}

fn ask(address: SocketAddr, path: &str, headers: &str) -> Outcome<String> {
    let mut client = Client::connect(address)?;
    client.ask(&get(path, headers))?;
    Ok(String::from_utf8_lossy(&client.body).into_owned())
}

fn until(what: &str, is_so: impl Fn() -> Outcome<bool>) -> Outcome<()> {
    let begun = Instant::now();
    while begun.elapsed() < LIMIT {
        if is_so()? {
            return Ok(());
        }
        thread::sleep(Duration::from_millis(200));
    }
    Err(format!("{what}: that did not come about in {LIMIT:?}").into())
}
