//! A day of one series from SQLite to a finished picture, as `GET chart.svg` draws it: the whole request but the network, and its parts.

use std::{path::Path, sync::Arc, time::Instant};

use app::{
    chart::{self, Chart, Line, Palette},
    model::{Kind, Mode},
};
use axum::{
    Router,
    body::{Body, to_bytes},
    http::{Request, StatusCode, header},
};
use server::{
    alerts::{Pictures, Watching},
    auth::{Auth, hash_secret, new_token},
    board::Board,
    desk::Desk,
    engine::Engine,
    history::{self, Span},
    http,
    sampler::{Recorder, Room, Sampler, Shared},
    scripts::{Hosts, Scripts},
    store::{PanelName, SeriesId, Store, Token},
    vault::Vault,
};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

use crate::{
    Outcome, clocks,
    day::{BOX, COUNTER, DAY_MS, DAY_START_MS, LEVEL},
    table::Spread,
};

/// So many times each is drawn.
const ROUNDS: usize = 300;
/// The picture.
const WIDTH: u32 = 1_200;
const HEIGHT: u32 = 300;

/// How long it takes, in milliseconds.
pub(crate) struct Times {
    /// The first picture after the start, of a counter: the head of the box is read.
    pub(crate) first: f64,
    /// The whole request, for a counter as a rate.
    pub(crate) counter: Spread,
    /// The whole request, for a level as it is.
    pub(crate) level: Spread,
    /// Of it: from SQLite to samples.
    pub(crate) read: Spread,
    /// Of it: samples to columns.
    pub(crate) columns: Spread,
    /// Of it: columns to SVG.
    pub(crate) draw: Spread,
}

/// A panel over a database, without its network.
struct Panel {
    router: Router,
    store: Store,
    token: String,
}

/// Draws again and again.
pub(crate) async fn measure(database: &Path) -> Outcome<Times> {
    let panel = Panel::open(database).await?;
    let (first, _) = panel.draw(COUNTER, "rate").await?;
    let counter = panel.draw_often(COUNTER, "rate").await?;
    let level = panel.draw_often(LEVEL, "value").await?;
    let (read, columns, draw) = panel.parts().await?;
    panel.store.close().await;
    Ok(Times { first, counter, level, read, columns, draw })
}

impl Panel {
    async fn open(database: &Path) -> Outcome<Self> {
        let store = Store::open(&format!("sqlite:{}", database.display())).await?;
        let secret = new_token()?.0;
        let token = Token { name: format!("bench-{}", &secret[8..16]), scope: "read".to_owned(), created_ms: 1 };
        store.add_token(&token, &hash_secret(&secret)).await?;
        let engine = Arc::new(Engine::new(Instant::now())?);
        let board = Arc::new(Board::new(10_000));
        let recorder = Recorder::new(store.clone(), Arc::clone(&board));
        let shared = Shared {
            board,
            recorder,
            store: store.clone(),
            vault: Vault::in_memory()?,
            engine: Arc::clone(&engine),
            room: Room::default(),
            name: PanelName::default(),
            url: String::new(),
            watching: Watching::new().0,
        };
        let sampler = Sampler::new(shared);
        sampler.reload().await?;
        let desk = Arc::new(Desk::new(sampler, [].into()));
        let scripts =
            Scripts::new(Arc::clone(&desk), Arc::clone(&engine), store.clone(), Hosts::default(), (String::new(), Arc::default()))?;
        let auth = Arc::new(Auth::new(store.clone()));
        let pictures = Pictures::open(&store, None).await?;
        let parts = http::Parts { desk, auth, engine, scripts, store: store.clone(), pictures, stop: CancellationToken::new() };
        let router = http::router(parts);
        Ok(Self { router, store, token: secret })
    }

    /// One request; says how many milliseconds it took.
    async fn draw(&self, name: &str, mode: &str) -> Outcome<(f64, usize)> {
        let to = DAY_START_MS + DAY_MS;
        let uri = format!(
            "/cp/api/v1/chart.svg?box={BOX}&name={name}&mode={mode}&from={DAY_START_MS}&to={to}&width={WIDTH}&height={HEIGHT}&theme=light"
        );
        let request = Request::get(uri).header(header::AUTHORIZATION, format!("Bearer {}", self.token)).body(Body::empty())?;
        let begun = Instant::now();
        let response = self.router.clone().oneshot(request).await?;
        let status = response.status();
        let body = to_bytes(response.into_body(), usize::MAX).await?;
        let took = begun.elapsed().as_secs_f64() * 1e3;
        if status != StatusCode::OK {
            return Err(String::from_utf8_lossy(&body).into());
        }
        Ok((took, body.len()))
    }

    async fn draw_often(&self, name: &str, mode: &str) -> Outcome<Spread> {
        let mut took = Vec::with_capacity(ROUNDS);
        for _ in 0..ROUNDS {
            let (ms, bytes) = self.draw(name, mode).await?;
            // A line across the picture takes this much: an empty one would be quick.
            if bytes < 8_000 {
                return Err(format!("the picture of {name} has only {bytes} bytes").into());
            }
            took.push(ms);
        }
        Ok(Spread::of(took))
    }

    async fn parts(&self) -> Outcome<(Spread, Spread, Spread)> {
        let boxes = self.store.boxes().await?;
        let box_id = boxes.iter().find(|stored| stored.spec.name == BOX).map(|stored| stored.id).ok_or("the box is not there")?;
        let all = self.store.series_of(box_id).await?;
        let series: SeriesId = all.iter().find(|(_, name)| name == COUNTER).map(|(id, _)| *id).ok_or("the series is not there")?;
        let span = Span { from_ms: DAY_START_MS, to_ms: DAY_START_MS + DAY_MS, points: WIDTH as usize, mode: Mode::Rate };
        let (mut read, mut columns, mut draw) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            let begun = Instant::now();
            let samples = self.store.samples(series, span.from_ms - 3_000, span.to_ms).await?;
            read.push(begun.elapsed().as_secs_f64() * 1e3);
            let (ms, drawn) = clocks::wall_ms(|| history::columns(&samples, &[], &[], Kind::Counter, span));
            columns.push(ms);
            let line = [Line { label: COUNTER, columns: &drawn.columns, gaps: &[], unit: "requests/s" }];
            let (ms, _) = clocks::wall_ms(|| chart::draw(&picture(&line, span)));
            draw.push(ms);
        }
        Ok((Spread::of(read), Spread::of(columns), Spread::of(draw)))
    }
}

fn picture<'a>(lines: &'a [Line<'a>], span: Span) -> Chart<'a> {
    Chart {
        lines,
        gaps: &[],
        resets: &[],
        from_ms: span.from_ms,
        to_ms: span.to_ms,
        mode: span.mode,
        how: chart::How::default(),
        unit: "requests/s",
        width: WIDTH,
        height: HEIGHT,
        palette: Palette::Light,
        offset_ms: &|_| 0,
        zone: "UTC",
        before: None,
        with_facts: true,
    }
}
