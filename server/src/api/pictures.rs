//! The picture of one alert, for whoever has its signed address: receivers of messages ask for it without an account.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use axum::{
    body::Bytes,
    extract::State,
    http::{HeaderValue, StatusCode, header},
    response::IntoResponse,
};
use tokio::sync::{Semaphore, SemaphorePermit};

use super::{Ask, Path, charts::for_message};
use crate::{
    alerts::{NotShown, Pictured},
    clock,
    http::App,
    problem::{Problem, problem},
};

/// So many pictures are kept for a moment, as everybody who reads a message asks for the same one.
const KEPT: usize = 32;
/// What was drawn so long ago is drawn again: what came late may be in it now.
const FRESH: Duration = Duration::from_secs(60);
/// So many wait to be drawn; who comes then is asked to come again.
const MAX_WAITING: usize = 8;
const AGAIN_AFTER_S: &str = "2";
/// Whoever has it need not ask again for so long, unless its address ends before.
const MAX_AGE_MS: i64 = 3_600_000;

/// What was drawn lately.
pub struct Album {
    drawn: Mutex<VecDeque<(Pictured, Instant, Bytes)>>,
    waiting: Semaphore,
}

impl Default for Album {
    fn default() -> Self {
        Self { drawn: Mutex::default(), waiting: Semaphore::new(MAX_WAITING) }
    }
}

impl Album {
    /// Room to wait for a picture.
    fn place(&self) -> Result<SemaphorePermit<'_>, Problem> {
        self.waiting.try_acquire().map_err(|_| {
            let detail = format!("{MAX_WAITING} pictures wait to be drawn already: ask again in a moment.");
            problem(StatusCode::TOO_MANY_REQUESTS, "too many at once", detail)
                .with_header(header::RETRY_AFTER, HeaderValue::from_static(AGAIN_AFTER_S))
        })
    }

    fn find(&self, pictured: &Pictured, now: Instant) -> Option<Bytes> {
        let mut drawn = self.drawn.lock().unwrap_or_else(PoisonError::into_inner);
        drawn.retain(|(_, at, _)| now.saturating_duration_since(*at) < FRESH);
        drawn.iter().find(|(known, ..)| known == pictured).map(|(.., bytes)| bytes.clone())
    }

    fn keep(&self, pictured: Pictured, now: Instant, bytes: Bytes) {
        let mut drawn = self.drawn.lock().unwrap_or_else(PoisonError::into_inner);
        drawn.truncate(KEPT - 1);
        drawn.push_front((pictured, now, bytes));
    }
}

/// The chart of an alert as a message tells of it: the three hours before, as PNG.
#[utoipa::path(get, path = "/cp/alerts/picture/{file}", tag = "alerts", security(()), params(
    ("file" = String, Path, description = "The number of the alert, and `.png`"),
    ("name" = String, Query, description = "The statistic"),
    ("to" = i64, Query, description = "Where the chart ends, epoch milliseconds"),
    ("until" = i64, Query, description = "Until when it is shown, epoch milliseconds"),
    ("sig" = String, Query, description = "The signature of all that: addresses come in messages of alerts (`picture`), and only so")),
    responses((status = 200, body = [u8], content_type = "image/png"),
        (status = 404, description = "Nobody made this address, or its box or statistic is no more"),
        (status = 410, description = "Its time is over"), (status = 429, description = "Too many pictures are asked for at once")))]
pub(super) async fn picture(State(app): State<Arc<App>>, Path(file): Path<String>, ask: Ask) -> Result<impl IntoResponse, Problem> {
    let (pictured, signature) = asked(&file, &ask).ok_or_else(unknown)?;
    let now_ms = clock::now_ms();
    // Before anything is looked up: who has no address learns nothing, and costs nothing.
    app.pictures.check(&pictured, signature, now_ms).map_err(|reason| match reason {
        NotShown::Unknown => unknown(),
        NotShown::Over => {
            let detail = "The picture was shown for a week, which is over: the link beside it leads to the chart.";
            problem(StatusCode::GONE, "the picture is no longer shown", detail)
        }
    })?;
    let max_age_s = pictured.until_ms.saturating_sub(now_ms).min(MAX_AGE_MS) / 1_000;
    let bytes = match app.album.find(&pictured, Instant::now()) {
        Some(bytes) => bytes,
        None => drawn(&app, pictured).await?,
    };
    // For whoever asks alone: it would be shown by others for longer than it is to be.
    Ok(([(header::CONTENT_TYPE, "image/png".to_owned()), (header::CACHE_CONTROL, format!("private, max-age={max_age_s}"))], bytes))
}

/// What an address asks for, and its signature.
fn asked<'a>(file: &str, ask: &'a Ask) -> Option<(Pictured, &'a str)> {
    let number = |name: &str| ask.get(name)?.parse().ok();
    let event_id = file.strip_suffix(".png")?.parse().ok()?;
    let pictured = Pictured { event_id, name: ask.get("name")?.to_owned(), to_ms: number("to")?, until_ms: number("until")? };
    Some((pictured, ask.get("sig")?))
}

fn unknown() -> Problem {
    let detail = "There is no picture at this address: it is not as a message told it.";
    problem(StatusCode::NOT_FOUND, "no such picture", detail)
}

async fn drawn(app: &App, pictured: Pictured) -> Result<Bytes, Problem> {
    let _place = app.album.place()?;
    let _turn = app.painting.lock().await;
    // Somebody may have asked for the same before.
    if let Some(bytes) = app.album.find(&pictured, Instant::now()) {
        return Ok(bytes);
    }
    let event = app.store.alert_event(pictured.event_id).await.map_err(crate::desk::DeskError::from)?;
    // The box may be called otherwise by now.
    let entry = event.and_then(|event| app.desk.board.by_id(event.box_id));
    let box_name = entry.map(|entry| entry.lock().stored.spec.name.clone()).ok_or_else(|| {
        problem(StatusCode::NOT_FOUND, "no such picture", "The box that this picture showed was removed: there is nothing to draw.")
    })?;
    let bytes = Bytes::from(for_message(&app.desk, &box_name, &pictured.name, pictured.to_ms).await?);
    app.album.keep(pictured, Instant::now(), bytes.clone());
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pictured(event_id: i64) -> Pictured {
        Pictured { event_id, name: "a:b".to_owned(), to_ms: 0, until_ms: 1 }
    }

    #[test]
    fn who_comes_when_many_wait_is_asked_to_come_again() {
        let album = Album::default();
        let mut places: Vec<_> = (0..MAX_WAITING).map(|_| album.place().unwrap()).collect();
        let refused = album.place().unwrap_err().into_response();
        assert_eq!(
            (refused.status(), &refused.headers()[header::RETRY_AFTER]),
            (StatusCode::TOO_MANY_REQUESTS, &HeaderValue::from_static("2"))
        );
        places.pop();
        assert!(album.place().is_ok());
    }

    #[test]
    fn few_pictures_are_kept_and_for_a_moment() {
        let (album, now) = (Album::default(), Instant::now());
        for event_id in 0..100 {
            album.keep(pictured(event_id), now, Bytes::from(event_id.to_string()));
        }
        assert_eq!(album.find(&pictured(99), now).unwrap(), "99");
        assert_eq!(album.find(&pictured(100 - KEPT as i64), now).unwrap(), "68");
        assert_eq!(album.find(&pictured(0), now), None);
        assert_eq!(album.find(&Pictured { to_ms: 1, ..pictured(99) }, now), None);
        assert_eq!(album.find(&pictured(99), now + FRESH), None);
        assert!(album.drawn.lock().unwrap().is_empty());
    }
}
