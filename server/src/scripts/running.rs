//! Runs of scripts, from what began them to what is noted of them. It must not know the language, nor when a script is due.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use rhai::Dynamic;

use super::{
    Began, Done, Happened, Schedule, ScriptError, Scripts, TIME_LIMIT, Waiting,
    host::{Host, Told},
    sandbox, words,
};
use crate::{
    clock,
    store::{ScriptRun, StoreError, StoredScript},
};

/// A run that did not end so long after its time was interrupted.
const GIVEN_UP_AFTER: Duration = Duration::from_secs(15);

impl Scripts {
    /// Runs a script to its end, also when whoever asked does not wait for it.
    ///
    /// # Errors
    /// When there is none of this name, or it runs already. What goes wrong within it is part of what it came to.
    pub async fn run(self: &Arc<Self>, name: &str, began: Began) -> Result<Done, ScriptError> {
        let script = self.get(name).await?;
        let scripts = Arc::clone(self);
        let run = self.tasks.spawn(async move { scripts.perform(&script, &began).await });
        // It does not panic; were it to, the run is noted as interrupted later.
        run.await.unwrap_or_else(|_| Err(ScriptError::Store(StoreError::Closed)))
    }

    /// What a script would change, as it is stored or as it is being written; it changes nothing.
    ///
    /// # Errors
    /// When it is too long to be looked at. What goes wrong within it is part of what it came to.
    pub async fn dry_run(&self, name: &str, source: String, began: &Began) -> Result<Done, ScriptError> {
        self.parts.take_hosts().await?;
        // It is only closed at the end of the program.
        let _room = self.room.acquire().await.map_err(|_| StoreError::Closed)?;
        Ok(self.execute(name, source, began, true).await)
    }

    async fn perform(&self, script: &StoredScript, began: &Began) -> Result<Done, ScriptError> {
        let store = &self.parts.store;
        let _room = self.room.acquire().await.map_err(|_| StoreError::Closed)?;
        let started_ms = clock::now_ms();
        let run = noted(script, began, started_ms, "running");
        let busy = i64::try_from((TIME_LIMIT + GIVEN_UP_AFTER).as_millis()).unwrap_or(i64::MAX);
        let Some(id) = store.begin_run(script.id, &run, started_ms + busy).await? else {
            return Err(ScriptError::Busy(script.name.clone()));
        };
        self.parts.take_hosts().await?;
        let done = self.execute(&script.name, script.source.clone(), began, false).await;
        if let Some(fault) = &done.error {
            tracing::warn!(script = script.name, line = fault.line, column = fault.column, error = fault.message, "a script failed");
        }
        let place = |number: Option<usize>| number.and_then(|number| i64::try_from(number).ok());
        let run = ScriptRun {
            id,
            took_ms: Some(done.took_ms),
            outcome: if done.error.is_none() { "ok" } else { "failed" }.to_owned(),
            output: storable(&done.output),
            changed: serde_json::to_string(&done.changed).unwrap_or_default(),
            error_line: place(done.error.as_ref().and_then(|fault| fault.line)),
            error_column: place(done.error.as_ref().and_then(|fault| fault.column)),
            error_message: done.error.as_ref().map(|fault| storable(&fault.message)),
            ..run
        };
        store.end_run(script.id, &run).await?;
        Ok(done)
    }

    async fn execute(&self, name: &str, source: String, began: &Began, dry: bool) -> Done {
        let begun = Instant::now();
        let deadline = begun + TIME_LIMIT;
        let host = Arc::new(Host {
            parts: Arc::clone(&self.parts),
            name: name.to_owned(),
            dry,
            deadline,
            stop: self.stop.clone(),
            runtime: tokio::runtime::Handle::current(),
            told: Mutex::default(),
        });
        let constants = vec![("event", Dynamic::from_map(began.event())), ("dry", dry.into())];
        let words = {
            let host = Arc::clone(&host);
            move |engine: &mut rhai::Engine| words::give(engine, &host)
        };
        let error = sandbox::run(source, constants, deadline, self.stop.clone(), words).await.err();
        let took_ms = i64::try_from(begun.elapsed().as_millis()).unwrap_or(i64::MAX);
        let Told { output, changed, .. } = std::mem::take(&mut *host.told.lock().unwrap_or_else(PoisonError::into_inner));
        Done { output, changed, error, took_ms }
    }

    /// Begins a run that nobody waits for.
    pub(super) fn begin(self: &Arc<Self>, name: String, began: Began) {
        let scripts = Arc::clone(self);
        self.tasks.spawn(async move { scripts.undertake(&name, &began).await });
    }

    /// Runs a script, or notes why it could not.
    async fn undertake(&self, name: &str, began: &Began) {
        let Ok(script) = self.get(name).await else { return };
        match self.perform(&script, began).await {
            Ok(_) => {}
            Err(ScriptError::Busy(_)) => {
                let skipped = self.skip(&script, began, "the run before it still went on").await;
                skipped.unwrap_or_else(|error| tracing::debug!(%error, "a run that was skipped could not be noted"));
            }
            Err(error) => tracing::error!(script = name, %error, "a script could not be run"),
        }
    }

    /// Notes a run that is not made, and why.
    pub(super) async fn skip(&self, script: &StoredScript, began: &Began, why: &str) -> Result<(), StoreError> {
        tracing::info!(script = script.name, why, "a run was skipped");
        let run = ScriptRun { took_ms: Some(0), error_message: Some(why.to_owned()), ..noted(script, began, clock::now_ms(), "skipped") };
        self.parts.store.note_run(script.id, &run).await
    }

    /// The scripts that run by the clock, and when each is to be looked at next.
    pub(super) async fn scheduled(&self) -> Result<Vec<(StoredScript, Schedule, i64)>, StoreError> {
        let scripts = self.parts.store.scripts().await?;
        let by_clock = scripts.into_iter().filter_map(|script| {
            let schedule = Schedule::parse(&script.schedule).ok().flatten()?;
            let next_ms = schedule.next_after(script.due_ms.unwrap_or(script.since_ms))?;
            Some((script, schedule, next_ms))
        });
        Ok(by_clock.collect())
    }

    /// Runs the scripts that wait for this to happen to a box.
    pub(super) async fn happened(self: &Arc<Self>, happened: &Happened) {
        if self.parts.engine.counts_pushed() {
            self.waiting_for(happened).await.into_iter().for_each(|name| self.begin(name, Began::Event(happened.clone())));
        }
    }

    /// Runs those that wait for what an alert did, to their ends.
    pub(super) async fn happened_to_alert(&self, happened: &Happened) {
        let began = Began::Event(happened.clone());
        let names = self.waiting_for(happened).await;
        futures::future::join_all(names.iter().map(|name| self.undertake(name, &began))).await;
    }

    /// The names of the scripts that wait for this.
    async fn waiting_for(&self, happened: &Happened) -> Vec<String> {
        let waiting = match self.waiting().await {
            Ok(waiting) => waiting,
            Err(error) => {
                tracing::warn!(%error, what = happened.what.as_str(), "the scripts that wait for what happened could not be read");
                return Vec::new();
            }
        };
        let is_for =
            |(_, what, of_box): &&Waiting| *what == happened.what && of_box.as_ref().is_none_or(|of_box| *of_box == happened.box_name);
        waiting.iter().filter(is_for).map(|(name, ..)| name.clone()).collect()
    }

    async fn waiting(&self) -> Result<Arc<[Waiting]>, StoreError> {
        let revision = self.parts.store.revision().await?;
        {
            let known = self.on_events.lock().unwrap_or_else(PoisonError::into_inner);
            if known.0 == Some(revision) {
                return Ok(Arc::clone(&known.1));
            }
        }
        let on = |script: StoredScript| match Schedule::parse(&script.schedule) {
            Ok(Some(Schedule::On(what, of_box))) => Some((script.name, what, of_box)),
            _ => None,
        };
        let waiting: Arc<[_]> = self.parts.store.scripts().await?.into_iter().filter_map(on).collect();
        *self.on_events.lock().unwrap_or_else(PoisonError::into_inner) = (Some(revision), Arc::clone(&waiting));
        Ok(waiting)
    }
}

/// PostgreSQL keeps every character but this.
fn storable(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}

fn noted(script: &StoredScript, began: &Began, started_ms: i64, outcome: &str) -> ScriptRun {
    let (began_by, by_whom) = began.words();
    ScriptRun {
        version: script.version,
        started_ms,
        began_by: began_by.to_owned(),
        by_whom,
        outcome: outcome.to_owned(),
        changed: "[]".to_owned(),
        ..ScriptRun::default()
    }
}
