//! Who was known when the database was last asked, for when it cannot be asked: whoever is signed in goes on watching. It must not know
//! why it cannot. Nobody gets in by this who was not let in before.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use super::Caller;

/// So many are remembered; when there are more, the one that was heard of least recently is forgotten.
const MAX_KNOWN: usize = 256;
/// So long after the database last vouched for somebody, milliseconds.
const KNOWN_FOR_MS: i64 = 86_400_000;

/// By the hash of a session's or a token's secret.
#[derive(Default)]
pub(super) struct Known {
    callers: Mutex<HashMap<[u8; 32], (Caller, i64)>>,
}

impl Known {
    /// What the database said.
    pub(super) fn learn(&self, hash: [u8; 32], caller: Option<&Caller>, now_ms: i64) {
        let Some(caller) = caller else {
            self.forget(&hash);
            return;
        };
        let mut callers = self.callers();
        callers.insert(hash, (caller.clone(), now_ms));
        if callers.len() > MAX_KNOWN
            && let Some(oldest) = callers.iter().min_by_key(|(_, (_, at_ms))| *at_ms).map(|(hash, _)| *hash)
        {
            callers.remove(&oldest);
        }
    }

    /// Who left, or is known no more.
    pub(super) fn forget(&self, hash: &[u8; 32]) {
        self.callers().remove(hash);
    }

    /// Who it was.
    pub(super) fn recall(&self, hash: &[u8; 32], now_ms: i64) -> Option<Caller> {
        let callers = self.callers();
        callers.get(hash).filter(|(_, at_ms)| now_ms.abs_diff(*at_ms) <= KNOWN_FOR_MS.unsigned_abs()).map(|(caller, _)| caller.clone())
    }

    fn callers(&self) -> MutexGuard<'_, HashMap<[u8; 32], (Caller, i64)>> {
        // Each entry is whole, whatever happened to who held them.
        self.callers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ann(id: i64) -> Caller {
        Caller::Account { id, name: "ann".to_owned(), scope: crate::auth::Scope::Admin, taste: Box::default() }
    }

    #[test]
    fn only_whom_the_database_vouched_for_a_while_ago() {
        let known = Known::default();
        assert_eq!(known.recall(&[1; 32], 0), None);
        known.learn([1; 32], Some(&ann(1)), 0);
        assert_eq!(known.recall(&[1; 32], KNOWN_FOR_MS), Some(ann(1)));
        assert_eq!(known.recall(&[1; 32], KNOWN_FOR_MS + 1), None);
        assert_eq!(known.recall(&[2; 32], 0), None);
        known.learn([1; 32], None, 1);
        assert_eq!(known.recall(&[1; 32], 1), None);
    }

    #[test]
    fn there_is_a_bound() {
        let known = Known::default();
        let hash = |number: usize| {
            let mut hash = [0; 32];
            hash[..8].copy_from_slice(&number.to_le_bytes());
            hash
        };
        for (at_ms, number) in (0..).zip(0..=MAX_KNOWN) {
            known.learn(hash(number), Some(&ann(1)), at_ms);
        }
        assert_eq!(known.callers().len(), MAX_KNOWN);
        assert_eq!((known.recall(&hash(0), 0), known.recall(&hash(1), 0)), (None, Some(ann(1))));
    }
}
