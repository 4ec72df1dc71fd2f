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
    store::{Begun, ScriptRun, StoreError, StoredScript},
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
        let run = self.tasks.spawn(async move { scripts.perform(&script, &began, None).await });
        // It does not panic; were it to, the run is noted as interrupted later.
        let done = run.await.unwrap_or_else(|_| Err(ScriptError::Store(StoreError::Closed)))?;
        done.ok_or_else(|| ScriptError::Busy(name.to_owned()))
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

    /// Runs it to its end; none where `news_id`, the number of what happened, began a run before.
    async fn perform(&self, script: &StoredScript, began: &Began, news_id: Option<i64>) -> Result<Option<Done>, ScriptError> {
        let store = &self.parts.store;
        let _room = self.room.acquire().await.map_err(|_| StoreError::Closed)?;
        let started_ms = clock::now_ms();
        let run = ScriptRun { news_id, ..noted(script, began, started_ms, "running") };
        let busy = i64::try_from((TIME_LIMIT + GIVEN_UP_AFTER).as_millis()).unwrap_or(i64::MAX);
        let id = match store.begin_run(script.id, &run, started_ms + busy).await? {
            Begun::Run(id) => id,
            Begun::Busy => return Err(ScriptError::Busy(script.name.clone())),
            Begun::Before => return Ok(None),
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
        Ok(Some(done))
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
        match self.perform(&script, began, None).await {
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

    /// Runs the scripts that wait for what happened, to their ends. False: that must come again, since one of them could not begin; those
    /// that did begin no second time.
    pub(super) async fn answer(&self, news_id: i64, happened: &Happened) -> Result<bool, StoreError> {
        let began = Began::Event(happened.clone());
        let names = self.waiting_for(happened).await?;
        let all = names.iter().map(|name| self.answer_by(name, &began, news_id));
        Ok(futures::future::join_all(all).await.into_iter().all(|is_done| is_done))
    }

    /// Runs one of them. Says whether that is settled.
    async fn answer_by(&self, name: &str, began: &Began, news_id: i64) -> bool {
        let done = match self.get(name).await {
            Ok(script) => self.perform(&script, began, Some(news_id)).await,
            Err(error) => Err(error),
        };
        match done {
            // It may have been removed meanwhile.
            Ok(_) | Err(ScriptError::NotFound(_)) => true,
            // Its turn comes once the run before has ended.
            Err(ScriptError::Busy(_) | ScriptError::Store(StoreError::Unwritable(_) | StoreError::Full)) => false,
            Err(error) => {
                tracing::error!(script = name, %error, "a script could not be run");
                true
            }
        }
    }

    /// The names of the scripts that wait for this.
    async fn waiting_for(&self, happened: &Happened) -> Result<Vec<String>, StoreError> {
        let waiting = self.waiting().await?;
        let is_for =
            |(_, what, of_box): &&Waiting| *what == happened.what && of_box.as_ref().is_none_or(|of_box| *of_box == happened.box_name);
        Ok(waiting.iter().filter(is_for).map(|(name, ..)| name.clone()).collect())
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
