//! What a box's task does around its polls: it looks back when it begins, and asks what the box is and how its statistics count.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use app::model::{BoxKind, Kind};

use super::{LARGE_NAMES, Task};
use crate::{
    alerts::{Across, Phase, Turn},
    board::{Applied, MAX_GAP_INTERVALS},
    clock,
    store::AlertTurn,
};

/// Kinds are asked again for names that are new, but not more often than this.
const KINDS_EVERY: Duration = Duration::from_secs(60);

impl Task {
    /// Asks what the box calls itself and how its statistics count, when that may be new.
    pub(super) async fn ask_around(&mut self, applied: &Applied, first: bool) {
        let Some(source) = &mut self.source else {
            if first {
                self.entry.lock().server = Some(format!("Tickmark {}", env!("CARGO_PKG_VERSION")));
            }
            let changes = self.shared.engine.changes();
            if self.kinds_of != Some(changes) {
                self.kinds_of = Some(changes);
                self.take_kinds(self.shared.engine.pushed_kinds()).await;
                self.shared.board.tell();
            }
            return;
        };
        if first || applied.is_new_run() {
            match source.server().await {
                Ok(server) => {
                    let mut now = self.entry.lock();
                    now.server = Some(server);
                    now.changes += 1;
                }
                Err(error) => tracing::debug!(name = self.stored.spec.name, %error, "the box does not say what it is"),
            }
        }
        self.kinds_wanted |= applied.new_names || applied.is_new_run();
        let due = self.kinds_asked.is_none_or(|asked| asked.elapsed() >= KINDS_EVERY);
        if self.kinds_wanted && (due || applied.is_new_run()) {
            self.kinds_asked = Some(Instant::now());
            match source.kinds().await {
                Ok(kinds) => {
                    self.kinds_wanted = false;
                    self.take_kinds(kinds).await;
                }
                Err(error) => tracing::debug!(name = self.stored.spec.name, %error, "the box does not say its kinds"),
            }
        }
        self.follow_processes(applied, first).await;
        self.shared.board.tell();
    }

    async fn take_kinds(&self, kinds: Vec<(Arc<str>, Kind)>) {
        let large = kinds.len() > LARGE_NAMES;
        let plan = self.entry.lock().plan_kinds(kinds);
        let planned = if large { tokio::task::spawn_blocking(plan).await.ok() } else { Some(plan()) };
        if let Some(planned) = planned {
            self.entry.lock().set_kinds(planned);
        }
    }

    /// What is computed of several boxes, before the one that shows it is looked at.
    pub(super) fn look_around(&self) -> Across {
        if self.stored.spec.kind != BoxKind::Tickmark {
            return Across::default();
        }
        self.shared.board.look_around();
        self.shared.watching.across(&self.shared.board)
    }

    /// How alerts of the box stand: what is not known begins anew.
    pub(super) async fn take_up_alerts(&self) {
        let turns = match self.shared.store.alert_turns(self.stored.id).await {
            Ok(turns) => turns,
            Err(error) => {
                tracing::error!(name = self.stored.spec.name, %error, "how alerts of the box stand could not be read");
                Vec::new()
            }
        };
        let turn = |turn: AlertTurn| {
            let phase = if turn.fires { Phase::Firing } else { Phase::Pending };
            (turn.rule.into(), Turn { phase, since_ms: turn.since_ms })
        };
        self.shared.watching.take_up(self.stored.id, turns.into_iter().map(turn).collect());
    }

    /// What the store remembers of the box: its last values, for the pages until it answers, and where its history stopped.
    pub(super) async fn look_back(&mut self) {
        match self.shared.store.last_known(self.stored.id).await {
            Ok(Some(last)) => {
                let mut now = self.entry.lock();
                if !self.continuity.moved() {
                    now.seed(&last, Instant::now(), clock::now_ms());
                }
                let longest = self.interval.saturating_mul(MAX_GAP_INTERVALS);
                self.continuity.take_up(&last, !now.rules.is_empty(), longest, clock::now_ms());
                drop(now);
                self.shared.board.tell();
            }
            Ok(None) => {}
            Err(error) => tracing::error!(name = self.stored.spec.name, %error, "what was recorded last could not be read"),
        }
    }
}
