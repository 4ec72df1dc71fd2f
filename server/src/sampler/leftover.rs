//! What an earlier process had to leave in its files, because the database's server was away to its end: it gets its place before what is
//! recorded now, each instant once. Knows no SQL.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use super::{Sampler, continuity::Gap, recorder::Recording, spool::Spooled};
use crate::{clock, store::StoreError};

/// What another panel's boxes have to wait for is tried again after this.
const AGAIN_AFTER: Duration = Duration::from_secs(1);
/// So many polls are brought at once.
const POLLS_AT_ONCE: usize = 1_000;

/// What became of a file.
enum Brought {
    All,
    /// It is worth another try: another panel polls a box by now, and has not sealed yet what was recorded before; or the database is away.
    Later,
    /// It stays, and somebody has to look.
    Never,
}

impl Sampler {
    /// Brings what earlier processes left, oldest first, before boxes are asked; what has to wait is brought when it can be.
    pub async fn bring_leftover(self: &Arc<Self>, files: Vec<PathBuf>) {
        if files.is_empty() {
            return;
        }
        // What this panel recorded before is sealed: what it left goes behind that.
        while matches!(self.shared.store.seal_due(clock::now_ms()).await, Ok(true)) {}
        let mut later = Vec::new();
        for path in files {
            // Nobody asks the boxes of this panel yet.
            if !self.bring_file(&path, true).await {
                later.push(path);
            }
        }
        if later.is_empty() {
            return;
        }
        let sampler = Arc::clone(self);
        self.tasks.spawn(async move {
            while !later.is_empty() && !sampler.stopped_before(tokio::time::sleep(AGAIN_AFTER)).await {
                let mut still = Vec::new();
                for path in later {
                    if !sampler.bring_file(&path, false).await {
                        still.push(path);
                    }
                }
                later = still;
            }
        });
    }

    /// Brings a file, before boxes are asked or beside that. Says whether there is nothing more to do.
    async fn bring_file(&self, path: &Path, is_before: bool) -> bool {
        match self.try_file(path, is_before).await {
            Brought::All => {
                self.shared.room.spool.remove(path);
                true
            }
            Brought::Later => false,
            Brought::Never => true,
        }
    }

    async fn try_file(&self, path: &Path, is_before: bool) -> Brought {
        let (spool, of) = (self.shared.room.spool.clone(), path.to_owned());
        let read = tokio::task::spawn_blocking(move || spool.read(&of)).await.map_err(std::io::Error::other);
        let all = match read.and_then(|read| read) {
            Ok(all) => all,
            Err(error) => {
                let path = path.display();
                tracing::error!(%path, %error, "what an earlier start left for the database cannot be brought; remove the file to give it up");
                return Brought::Never;
            }
        };
        match self.bring(all, is_before).await {
            Ok(true) => Brought::All,
            Ok(false) | Err(StoreError::Unwritable(_) | StoreError::Full) => Brought::Later,
            Err(error) => {
                let path = path.display();
                tracing::error!(%path, %error, "what an earlier start left for the database cannot be brought; it is tried at the next one");
                Brought::Never
            }
        }
    }

    async fn bring(&self, all: Vec<Spooled>, is_before: bool) -> Result<bool, StoreError> {
        let known: BTreeSet<i64> = self.shared.store.boxes().await?.into_iter().map(|one| one.id).collect();
        let mut polls: BTreeMap<(i64, Option<i64>), Vec<Recording>> = BTreeMap::new();
        let mut gaps: Vec<(i64, Gap)> = Vec::new();
        let mut lost = 0_u32;
        for one in all {
            match one {
                Spooled::Poll(poll) if known.contains(&poll.box_id) => polls.entry((poll.box_id, poll.generation)).or_default().push(poll),
                Spooled::Gap(box_id, gap) if known.contains(&box_id) => gaps.push((box_id, gap)),
                Spooled::Poll(_) => lost += 1,
                Spooled::Gap(..) => {}
            }
        }
        if lost > 0 {
            tracing::error!(polls = lost, "polls that waited for the database are lost: their boxes were removed");
        }
        let (mut is_done, mut judged) = (true, Vec::new());
        polls.values_mut().for_each(|polls| polls.sort_by_key(|poll| poll.at_ms));
        for ((box_id, _), polls) in &polls {
            let mut brought = 0;
            for some in polls.chunks(POLLS_AT_ONCE) {
                let some: Vec<&Recording> = some.iter().collect();
                if !self.shared.recorder.record_late(&some).await? {
                    is_done = false;
                    break;
                }
                brought += some.len();
            }
            judged.extend(polls.iter().take(brought));
            if brought > 0 {
                tracing::info!(box_id, polls = brought, "polls that waited for the database are recorded: the panel had to end before");
            }
        }
        for (box_id, gap) in gaps {
            self.shared.recorder.gap(box_id, gap.from_ms, gap.to_ms, &gap.reason).await?;
        }
        // After all of it, since what one box says may depend on what another had then.
        self.shared.recorder.judge_late(&judged, is_before).await?;
        Ok(is_done)
    }
}
