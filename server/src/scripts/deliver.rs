//! Delivers what scripts post: at least once, again after ever longer waits, until it is taken or given up. It must not know what is posted.

use std::{sync::Arc, time::Duration};

use tokio::{sync::Semaphore, task::JoinSet};
use tokio_util::sync::CancellationToken;

use super::{Parts, reach::ANSWER_LIMIT};
use crate::{
    clock,
    store::{Outgoing, StoreError},
};

/// So much is on its way at once.
const AT_ONCE: usize = 16;
/// Whoever takes something to deliver has so long for it: then it is anybody's again.
const TAKEN_FOR_MS: i64 = 20_000;
/// The first wait, and the longest.
const FIRST_WAIT_MS: i64 = 1_000;
const LONGEST_WAIT_MS: i64 = 3_600_000;
/// What cannot be delivered for so long is given up.
const GIVE_UP_AFTER_MS: i64 = 3 * 86_400_000;
/// It is looked at least so often.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// The longest answer that is kept.
const MAX_ANSWER: usize = 200;

/// Delivers until it is stopped.
pub(super) async fn go_on(parts: Arc<Parts>, stop: CancellationToken) {
    let room = Arc::new(Semaphore::new(AT_ONCE));
    let mut on_their_way = JoinSet::new();
    while !stop.is_cancelled() {
        while on_their_way.try_join_next().is_some() {}
        match round(&parts, &room, &mut on_their_way, &stop).await {
            Ok(()) => {}
            Err(error) => tracing::debug!(%error, "what scripts post waits"),
        }
        let wait = match parts.store.next_outgoing_ms().await {
            Ok(Some(next_ms)) => Duration::from_millis(u64::try_from(next_ms - clock::now_ms()).unwrap_or(0).max(20)).min(LOOK_EVERY),
            _ => LOOK_EVERY,
        };
        tokio::select! {
            () = stop.cancelled() => {}
            () = parts.posted.notified() => {}
            // Where there is no room, one that ends makes some.
            Some(_) = on_their_way.join_next(), if room.available_permits() == 0 => {}
            () = tokio::time::sleep(wait) => {}
        }
    }
    // What is on its way is given back.
    while on_their_way.join_next().await.is_some() {}
}

async fn round(
    parts: &Arc<Parts>,
    room: &Arc<Semaphore>,
    on_their_way: &mut JoinSet<()>,
    stop: &CancellationToken,
) -> Result<(), StoreError> {
    let free = room.available_permits();
    if free == 0 || parts.store.next_outgoing_ms().await?.is_none_or(|next_ms| next_ms > clock::now_ms()) {
        return Ok(());
    }
    parts.take_hosts().await?;
    let now_ms = clock::now_ms();
    for one in parts.store.take_outgoing(now_ms, now_ms + TAKEN_FOR_MS, i64::try_from(free).unwrap_or(1)).await? {
        let Ok(permit) = Arc::clone(room).try_acquire_owned() else { break };
        let (parts, stop) = (Arc::clone(parts), stop.clone());
        on_their_way.spawn(async move {
            let id = one.id;
            if stop.run_until_cancelled(deliver(&parts, one)).await.is_none() {
                // Whoever is there next sends it again: the receiver may have it by then, and knows it by its key.
                let given_back = parts.store.settle_outgoing(id, "waiting", "the panel ended", Some(clock::now_ms()), 0).await;
                given_back.unwrap_or_else(|error| tracing::debug!(%error, "a post is sent again after a while"));
            }
            drop(permit);
        });
    }
    Ok(())
}

async fn deliver(parts: &Parts, one: Outgoing) {
    let sent = parts.reach.post(&one.url, &one.idempotency_key, &one.content_type, one.body.clone());
    let answered = tokio::time::timeout(ANSWER_LIMIT + Duration::from_secs(1), sent).await;
    let now_ms = clock::now_ms();
    let (script, url, line) = (one.script_name.as_str(), one.url.as_str(), one.line);
    let (outcome, answer, next_ms) = match answered.unwrap_or_else(|_| Err("no answer".to_owned())).map(|answer| answer.status) {
        Ok(status @ 200..=299) => ("delivered", format!("HTTP {status}"), None),
        failed => {
            let answer = match failed {
                Ok(status @ 300..=399) => format!("HTTP {status}: it points elsewhere, which is not followed"),
                Ok(status) => format!("HTTP {status}"),
                Err(why) => why,
            };
            let next_ms = next_try(one.created_ms, one.attempts, now_ms);
            if next_ms.is_none() {
                tracing::error!(script, line, url, answer, "a post of a script is given up");
            } else if one.attempts == 1 {
                tracing::warn!(script, line, url, answer, "a post of a script is not taken; it is tried again");
            }
            (if next_ms.is_some() { "waiting" } else { "given up" }, answer, next_ms)
        }
    };
    let answer = &answer[..answer.floor_char_boundary(MAX_ANSWER)];
    if let Err(error) = parts.store.settle_outgoing(one.id, outcome, answer, next_ms, now_ms).await {
        tracing::warn!(script, url, %error, "what came of a post could not be kept: it is sent again");
    }
}

/// When it is tried again after so many tries: each wait is twice the one before.
fn next_try(created_ms: i64, attempts: i64, now_ms: i64) -> Option<i64> {
    let doubled = u32::try_from(attempts - 1).ok().and_then(|times| FIRST_WAIT_MS.checked_shl(times.min(22)));
    let next_ms = now_ms + doubled.unwrap_or(LONGEST_WAIT_MS).min(LONGEST_WAIT_MS);
    (next_ms - created_ms <= GIVE_UP_AFTER_MS).then_some(next_ms)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_and_end() {
        let waits: Vec<i64> = (1..=14).map(|attempts| next_try(0, attempts, 0).unwrap()).collect();
        assert_eq!(&waits[..4], [1_000, 2_000, 4_000, 8_000]);
        assert_eq!(&waits[12..], [LONGEST_WAIT_MS, LONGEST_WAIT_MS]);
        assert_eq!(next_try(0, 80, GIVE_UP_AFTER_MS - LONGEST_WAIT_MS), Some(GIVE_UP_AFTER_MS));
        assert_eq!(next_try(0, 80, GIVE_UP_AFTER_MS - LONGEST_WAIT_MS + 1), None);
    }
}
