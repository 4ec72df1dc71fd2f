//! What a run sees and changes: statistics of the panel and of boxes, history, HTTP, the log. In a dry run it changes nothing, and sees what
//! it would have changed. It must not know the language.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use app::model::{Mode, Number, Series, split_name};
use serde::Serialize;
use tokio::runtime::Handle;

use super::{Parts, Stop, values::Item};
use crate::{board::Entry, clock, config::BUILTIN_BOX, desk::SeriesAsk, engine::Engine};

/// No run writes more, in bytes.
const MAX_OUTPUT: usize = 64 << 10;
/// So many changes of a run are told one by one.
const MAX_CHANGES: usize = 1_000;
/// A run may post so often.
const MAX_POSTS: usize = 100;
/// And notify so often, each time in so many bytes.
const MAX_NOTICES: usize = 100;
const MAX_NOTICE: usize = 2_000;
/// And ask others so often.
const MAX_GETS: usize = 50;
/// No body that is posted is larger.
const MAX_BODY: usize = 512 << 10;
/// So often a host that fails is asked again, each time after a longer wait.
const GET_TRIES: u32 = 3;

mod changing;

/// What a run changed, or a dry one would have.
#[derive(Clone, Debug, Serialize, serde::Deserialize, PartialEq, utoipa::ToSchema)]
#[schema(as = ScriptChange)]
pub struct Change {
    /// `update_stat`, `set_stat`, `reset_stat`, `pick`, `release`, `http_post` or `notify`.
    pub what: String,
    /// The box, where it is of one.
    #[serde(rename = "box", skip_serializing_if = "Option::is_none")]
    pub box_name: Option<String>,
    /// The statistic, the address, or the text.
    pub name: String,
    /// The value before the run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<Number>,
    /// The value after it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<Number>,
}

/// What a run came to.
#[derive(Default)]
pub(super) struct Told {
    pub(super) output: String,
    pub(super) changed: Vec<Change>,
    places: HashMap<(&'static str, Option<String>, String), usize>,
    /// In a dry run: the values that statistics would have.
    values: HashMap<String, i64>,
    posts: usize,
    gets: usize,
    notices: usize,
}

/// One run.
pub(super) struct Host {
    pub(super) parts: Arc<Parts>,
    pub(super) name: String,
    pub(super) dry: bool,
    pub(super) deadline: Instant,
    pub(super) stop: Stop,
    pub(super) runtime: Handle,
    pub(super) told: Mutex<Told>,
}

/// The outcome of a word.
pub(super) type Said<T> = Result<T, String>;

impl Host {
    fn lock(&self) -> MutexGuard<'_, Told> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn engine(&self) -> &Engine {
        &self.parts.engine
    }

    fn by(&self) -> String {
        format!("script {}", self.name)
    }

    /// Waits for something, no longer than the run may take.
    fn wait<T>(&self, work: impl Future<Output = T>) -> Said<T> {
        let until = tokio::time::Instant::from_std(self.deadline);
        let stopped = async {
            while !self.stop.is_stopped() {
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            }
        };
        self.runtime.block_on(async {
            tokio::select! {
                done = work => Ok(done),
                () = tokio::time::sleep_until(until) => Err(format!("it was stopped after {} s", super::TIME_LIMIT.as_secs())),
                () = stopped => Err("it was stopped: the panel ends".to_owned()),
            }
        })
    }

    /// Writes a line.
    pub(super) fn write(&self, line: &str) {
        let mut told = self.lock();
        if told.output.len() >= MAX_OUTPUT {
            return;
        }
        let room = MAX_OUTPUT - told.output.len();
        if line.len() < room {
            told.output.push_str(line);
            told.output.push('\n');
        } else {
            let end = line.floor_char_boundary(room);
            told.output.push_str(&line[..end]);
            told.output.push_str("\n… what follows is left out");
        }
    }

    /// Writes a line to the panel's log as well.
    pub(super) fn log(&self, level: &str, text: &str) -> Said<()> {
        let script = self.name.as_str();
        let is_full = self.lock().output.len() >= MAX_OUTPUT;
        let level = level.to_ascii_lowercase();
        match level.trim_start_matches("l_") {
            _ if is_full => {}
            "alert" | "crit" | "err" | "error" => tracing::error!(script, "{text}"),
            "warn" | "warning" => tracing::warn!(script, "{text}"),
            "notice" | "info" => tracing::info!(script, "{text}"),
            "dbg" | "debug" => tracing::debug!(script, "{text}"),
            _ => return Err(format!("{level:?} is no level: L_ERR, L_WARN, L_NOTICE, L_INFO and L_DBG are")),
        }
        self.write(text);
        Ok(())
    }

    /// Notes a change; several of the same are one, from the first value to the last.
    fn changed(&self, what: &'static str, box_name: Option<&str>, name: &str, from: Option<Number>, to: Option<Number>) {
        let mut told = self.lock();
        let key = (what, box_name.map(str::to_owned), name.to_owned());
        if let Some(&place) = told.places.get(&key).filter(|_| to.is_some()) {
            told.changed[place].to = to;
        } else if told.changed.len() < MAX_CHANGES {
            let place = told.changed.len();
            told.places.insert(key, place);
            told.changed.push(Change { what: what.to_owned(), box_name: box_name.map(str::to_owned), name: name.to_owned(), from, to });
        }
    }

    /// The box of a name, unless it is the panel's own and counted here.
    fn entry(&self, box_name: &str) -> Said<Option<Arc<Entry>>> {
        if box_name == BUILTIN_BOX && self.engine().counts_pushed() {
            return Ok(None);
        }
        self.parts.desk.entry(box_name).map(Some).map_err(|_| format!("there is no box {box_name:?}"))
    }

    /// A value of the panel's own box.
    fn own(&self, name: &str) -> Option<(String, Option<Number>)> {
        let full = if name.contains(':') { name.to_owned() } else { format!("{}:{name}", crate::engine::DEFAULT_GROUP) };
        if let Some(value) = self.lock().values.get(&full) {
            return Some((full, Some(Number::Int(*value))));
        }
        self.engine().find(name).map(|statistic| (statistic.name().to_owned(), statistic.value()))
    }

    /// Where a statistic is that was named without its box, and its full name there: on the panel's own box, else on the one that has it.
    fn place(&self, name: &str) -> Said<(Option<Arc<Entry>>, String)> {
        if self.engine().counts_pushed()
            && let Some((full, _)) = self.own(name)
        {
            return Ok((None, full));
        }
        let mut found: Vec<(Arc<Entry>, String, String)> = Vec::new();
        for entry in self.parts.desk.board.all() {
            let now = entry.lock();
            let full = full_on(&now.layout.names, name);
            let of = (now.stored.spec.name.clone(), full);
            drop(now);
            if let (box_name, Some(full)) = of {
                found.push((entry, full, box_name));
            }
        }
        match found.len() {
            0 => Err(format!("there is no statistic {name}: neither here nor on a box")),
            1 => Ok(found.swap_remove(0)).map(|(entry, full, _)| (Some(entry), full)),
            _ => {
                let names: Vec<&str> = found.iter().map(|(.., name)| name.as_str()).take(3).collect();
                Err(format!(
                    "{} boxes have {name} ({}): say which, as in stat(\"{}\", \"{name}\")",
                    found.len(),
                    names.join(", "),
                    names[0]
                ))
            }
        }
    }

    fn located(&self, box_name: Option<&str>, name: &str) -> Said<(Option<Arc<Entry>>, String)> {
        let Some(box_name) = box_name else { return self.place(name) };
        let entry = self.entry(box_name)?;
        let full = match &entry {
            None => self.own(name).map(|(full, _)| full),
            Some(entry) => full_on(&entry.lock().layout.names, name),
        };
        full.map(|full| (entry, full)).ok_or_else(|| format!("the box {box_name} has no statistic {name}"))
    }

    /// A statistic's value; none where the box gave none.
    pub(super) fn stat(&self, box_name: Option<&str>, name: &str) -> Said<Option<Number>> {
        let (entry, full) = self.located(box_name, name)?;
        Ok(match entry {
            None => self.own(&full).and_then(|(_, value)| value),
            Some(entry) => {
                let now = entry.lock();
                now.layout.place(&full).and_then(|place| now.values.get(place).copied()?.ok())
            }
        })
    }

    /// Its increase per second, as pages show it.
    pub(super) fn rate(&self, box_name: Option<&str>, name: &str) -> Said<Option<f64>> {
        let (entry, full) = self.located(box_name, name)?;
        let entry = match entry {
            Some(entry) => entry,
            None => self.parts.desk.entry(BUILTIN_BOX).map_err(|error| error.to_string())?,
        };
        let now = entry.lock();
        Ok(now.layout.place(&full).and_then(|place| now.rates.get(place).copied()?))
    }

    /// The members that a group has now.
    pub(super) fn group(&self, box_name: Option<&str>, group: &str) -> Said<Vec<Item>> {
        let group = group.trim_end_matches(':');
        let own = || {
            let mut items: Vec<Item> =
                self.engine().group(group).iter().map(|one| one.name().to_owned()).map(|name| self.item(name)).collect();
            let made: Vec<String> = self.lock().values.keys().filter(|full| split_name(full).0 == group).cloned().collect();
            let new: Vec<String> = made.into_iter().filter(|full| !items.iter().any(|item| item.name == *full)).collect();
            items.extend(new.into_iter().map(|name| self.item(name)));
            items
        };
        let of_entry = |entry: &Entry| {
            let now = entry.lock();
            let members = now.layout.names.iter().zip(&now.values).filter(|(name, _)| split_name(name).0 == group);
            let item = |(name, value): (&Arc<str>, &crate::source::Reading)| Item {
                box_name: Some(now.stored.spec.name.clone()),
                name: name.to_string(),
                value: value.ok(),
            };
            members.map(item).collect::<Vec<Item>>()
        };
        if let Some(box_name) = box_name {
            return Ok(self.entry(box_name)?.map_or_else(own, |entry| of_entry(&entry)));
        }
        let here = if self.engine().counts_pushed() { own() } else { Vec::new() };
        if !here.is_empty() {
            return Ok(here);
        }
        let mut others: Vec<Vec<Item>> =
            self.parts.desk.board.all().iter().map(|entry| of_entry(entry)).filter(|items| !items.is_empty()).collect();
        match others.len() {
            // Nothing was counted in it by then: there is nothing to go through.
            0 => Ok(Vec::new()),
            1 => Ok(others.swap_remove(0)),
            many => Err(format!("{many} boxes have a group {group}: say which, as in stat_iter(\"sip1\", \"{group}\")")),
        }
    }

    fn item(&self, name: String) -> Item {
        let value = self.own(&name).and_then(|(_, value)| value);
        Item { box_name: None, name, value }
    }

    /// What was recorded of a statistic up to now, as one bucket: of counters by their rates, of gauges by their values.
    pub(super) fn history(&self, box_name: Option<&str>, name: &str, span_ms: i64) -> Said<(Series, Mode)> {
        let (entry, full) = match self.located(box_name, name) {
            Ok(found) => found,
            // It may be gone by now, and its history is not.
            Err(why) => match box_name {
                Some(box_name) => (Some(self.parts.desk.entry(box_name).map_err(|_| why)?), name.to_owned()),
                None => return Err(why),
            },
        };
        let of_box = entry.map_or_else(|| BUILTIN_BOX.to_owned(), |entry| entry.lock().stored.spec.name.clone());
        let to_ms = clock::now_ms();
        let from_ms = to_ms.saturating_sub(span_ms.max(1));
        let ask = SeriesAsk { box_name: of_box, name: full, from_ms, to_ms, points: 1, ..SeriesAsk::default() };
        let series = self.wait(self.parts.desk.series(&ask))?.map_err(|error| error.to_string())?;
        let mode = series.mode;
        Ok((series, mode))
    }
}

/// The full name among those of a box; of a bare one, the first that has it in its group.
fn full_on(names: &[Arc<str>], name: &str) -> Option<String> {
    let found = if name.contains(':') {
        names.iter().find(|full| full.as_ref() == name)
    } else {
        names.iter().find(|full| split_name(full).1 == name)
    };
    found.map(ToString::to_string)
}
