//! Charts over long histories: a day of one series, a year of one, and a page of twenty among very many.

use std::{
    fs,
    net::SocketAddr,
    path::Path,
    thread,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use app::model::{Kind, Mode, Number};
use server::{
    history::{self, Span},
    store::{Incoming, SeriesId, Store, Tier},
};
use tempfile::TempDir;

use crate::{
    Outcome,
    client::{Client, get},
    day::{BOX, COUNTER, DAY_MS, DAY_START_MS},
    fleet::FLEET,
    page::sign_in,
    panel::{Panel, database},
    prometheus::Prometheus,
    roles::Role,
    table::Spread,
    traffic::{self, Traffic},
    writing::{self, Plan, Writing},
};

/// So often each is asked.
const ROUNDS: usize = 200;
/// So often a database is opened anew.
const OPENINGS: usize = 20;
const HOUR_MS: i64 = 3_600_000;
const YEAR_MS: i64 = 365 * DAY_MS;
/// The boxes of the large page, and the series of each.
const BOXES: usize = 25;
const SERIES: usize = 400;
/// Pictures of a page, and how many a browser fetches at once.
const CHARTS: usize = 20;
const CONNECTIONS: usize = 6;
/// A panel is ready within this.
const LIMIT: Duration = Duration::from_secs(60);

/// Milliseconds for a day of one series, from the store to columns.
pub(crate) struct Columns {
    /// From samples, by a store that has just been opened.
    pub(crate) cold: Spread,
    /// From samples, again.
    pub(crate) warm: Spread,
    /// From the minutes.
    pub(crate) minutes: Spread,
}

/// Reads a day of one series.
pub(crate) async fn columns(database: &Path) -> Outcome<Columns> {
    let url = format!("sqlite:{}", database.display());
    let (mut cold, mut warm, mut minutes) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..OPENINGS {
        let store = Store::open(&url).await?;
        let series = series_of(&store).await?;
        cold.push(samples(&store, series).await?);
        for _ in 0..ROUNDS / OPENINGS {
            warm.push(samples(&store, series).await?);
        }
        store.close().await;
    }
    let store = Store::open(&url).await?;
    let series = series_of(&store).await?;
    let span = Span { from_ms: DAY_START_MS, to_ms: DAY_START_MS + DAY_MS, points: 680, mode: Mode::Rate };
    for _ in 0..ROUNDS {
        let begun = Instant::now();
        let rollup = store.rollup(series, span.from_ms - 3_000, span.to_ms, Tier::Minutes).await?;
        let drawn = history::columns_of_rollup(&rollup, &[], &[], Kind::Counter, span);
        minutes.push(begun.elapsed().as_secs_f64() * 1e3);
        if drawn.columns.t.len() < 600 || rollup.tier != Some(Tier::Minutes) {
            return Err("the minutes are not all there".into());
        }
    }
    store.close().await;
    Ok(Columns { cold: Spread::of(cold), warm: Spread::of(warm), minutes: Spread::of(minutes) })
}

async fn series_of(store: &Store) -> Outcome<SeriesId> {
    let boxes = store.boxes().await?;
    let box_id = boxes.iter().find(|stored| stored.spec.name == BOX).map(|stored| stored.id).ok_or("the box is not there")?;
    Ok(store.series_id(box_id, COUNTER).await?.ok_or("the series is not there")?)
}

async fn samples(store: &Store, series: SeriesId) -> Outcome<f64> {
    let span = Span { from_ms: DAY_START_MS, to_ms: DAY_START_MS + DAY_MS, points: 1_200, mode: Mode::Rate };
    let begun = Instant::now();
    let samples = store.samples(series, span.from_ms - 3_000, span.to_ms).await?;
    let drawn = history::columns(&samples, &[], &[], Kind::Counter, span);
    let took = begun.elapsed().as_secs_f64() * 1e3;
    if drawn.columns.t.len() < 1_100 { Err("the samples are not all there".into()) } else { Ok(took) }
}

/// Milliseconds for a day of one series over HTTP.
pub(crate) struct OverHttp {
    /// 1,200 points, from samples.
    pub(crate) samples: Spread,
    /// 680 points, from minutes: what a card of the page is drawn from.
    pub(crate) minutes: Spread,
}

/// Asks a panel for columns of rates.
pub(crate) async fn over_http(folder: TempDir) -> Outcome<OverHttp> {
    let store = Store::open(&database(folder.path())).await?;
    writing::keep_all(&store).await?;
    store.close().await;
    let panel = Panel::start(folder, "", "10s")?;
    let ask = |points: usize| {
        let to = DAY_START_MS + DAY_MS;
        let path = format!("/cp/api/v1/series?box={BOX}&name={COUNTER}&from={DAY_START_MS}&to={to}&mode=rate&points={points}");
        again_and_again(panel.address, &get(&path, &panel.header), 10_000)
    };
    Ok(OverHttp { samples: ask(1_200)?, minutes: ask(680)? })
}

/// Milliseconds for Prometheus to answer with 1,200 points of rates of the same series, and for 680.
pub(crate) fn by_prometheus(folder: TempDir) -> Outcome<OverHttp> {
    let prometheus = Prometheus::over(folder, "blocks")?;
    let ask = |points: i64| {
        let (from, to, step) = (DAY_START_MS / 1_000, (DAY_START_MS + DAY_MS) / 1_000, DAY_MS / 1_000 / points);
        let path = format!("/api/v1/query_range?query=rate({COUNTER}%5B{step}s%5D)&start={from}&end={to}&step={step}");
        again_and_again(prometheus.address, &get(&path, ""), 10_000)
    };
    Ok(OverHttp { samples: ask(1_200)?, minutes: ask(680)? })
}

fn again_and_again(address: SocketAddr, request: &[u8], least_bytes: usize) -> Outcome<Spread> {
    let mut client = Client::connect(address)?;
    let mut took = Vec::with_capacity(ROUNDS);
    for _ in 0..ROUNDS {
        let begun = Instant::now();
        client.ask(request)?;
        took.push(begun.elapsed().as_secs_f64() * 1e3);
        if client.body.len() < least_bytes {
            return Err(format!("an answer of {} bytes alone", client.body.len()).into());
        }
    }
    Ok(Spread::of(took))
}

/// The last midnight.
fn midnight_ms() -> Outcome<i64> {
    let now_ms = i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis())?;
    Ok(now_ms - now_ms.rem_euclid(DAY_MS))
}

/// Milliseconds for a picture of a year of one series at ten seconds, over HTTP.
pub(crate) async fn year() -> Outcome<Spread> {
    let (folder, to_ms) = (tempfile::tempdir()?, midnight_ms()?);
    let from_ms = to_ms - YEAR_MS;
    let store = Store::open(&database(folder.path())).await?;
    writing::keep_all(&store).await?;
    Writing::new(&store, 1, 1, "127.0.0.1:9").await?;
    let box_id = store.boxes().await?.iter().find(|stored| stored.spec.name == "sip1").map(|stored| stored.id).ok_or("no box")?;
    let name = traffic::names(1).remove(0);
    // Brought in as from another program: the same chunks and roll-ups, and sooner there.
    let (mut incoming, mut traffic) = (Incoming::new()?, Traffic::new(1));
    for at_ms in (from_ms..to_ms).step_by(10_000) {
        let value = traffic.next().first().map(|&value| Number::Int(value));
        incoming.push(box_id, &name, at_ms + traffic.jitter_ms(), value)?;
    }
    store.bring_in(&mut incoming, to_ms, |_| ()).await?;
    store.close().await;
    let panel = Panel::start(folder, "", "10s")?;
    let path = format!("/cp/api/v1/chart.svg?box=sip1&name={name}&from={from_ms}&to={to_ms}&mode=rate&width=1200&height=300");
    again_and_again(panel.address, &get(&path, &panel.header), 8_000)
}

/// Milliseconds.
pub(crate) struct Page {
    /// From the start of the process until `/readyz` says so.
    pub(crate) start: f64,
    /// The page and its pictures.
    pub(crate) all: Spread,
    /// Of it the page itself.
    pub(crate) html: Spread,
    /// Bytes of the database.
    pub(crate) bytes: u64,
}

/// A page of twenty charts of the last day at one second, with a history of so many days before, a poll an hour.
pub(crate) async fn page(days_before: i64) -> Outcome<Page> {
    let (folder, to_ms) = (tempfile::tempdir()?, midnight_ms()?);
    let day_ms = to_ms - DAY_MS;
    let fleet = Role::start(FLEET, 0)?;
    let store = Store::open(&database(folder.path())).await?;
    writing::keep_all(&store).await?;
    let mut writing = Writing::new(&store, BOXES, SERIES, &fleet.address.to_string()).await?;
    let before = Plan { from_ms: day_ms - days_before * DAY_MS, to_ms: day_ms, interval_ms: HOUR_MS, seal_every_ms: DAY_MS };
    writing.write(&store, 0..BOXES, before).await?;
    let day = Plan { from_ms: day_ms, to_ms, interval_ms: 60_000, seal_every_ms: DAY_MS };
    writing.write(&store, 1..BOXES, day).await?;
    writing.write(&store, 0..1, Plan { interval_ms: 1_000, seal_every_ms: HOUR_MS, ..day }).await?;
    // The days of the box that is looked at, which comes first; those of the others are a span each already.
    for _ in 0..=days_before {
        store.merge_due(i64::MAX).await?;
    }
    store.close().await;
    let bytes = fs::metadata(folder.path().join("tickmark.db"))?.len();
    let begun = Instant::now();
    let panel = Panel::start_in(folder.path(), "", "10s")?;
    let listened = begun.elapsed() - panel.took;
    while Client::connect(panel.address)?.ask(&get("/readyz", "")).is_err() {
        if begun.elapsed() > LIMIT {
            return Err("the panel is not ready".into());
        }
        thread::sleep(Duration::from_millis(5));
    }
    let start = (begun.elapsed() - listened).as_secs_f64() * 1e3;
    panel.until("/cp/api/v1/boxes/sip1", |text| text.contains("\"recorded\":400"))?;
    let session = sign_in(&panel)?;
    let names = traffic::names(SERIES);
    let search: Vec<String> = names.iter().take(CHARTS).map(|name| format!("={name}")).collect();
    let list = get(&format!("/cp/charts?box=sip1&match={}", search.join(",")), &session);
    let mut paths = Vec::new();
    for name in names.iter().take(CHARTS) {
        let path = format!("/cp/api/v1/chart.svg?box=sip1&name={name}&from={day_ms}&to={to_ms}&width=680&height=200");
        paths.push(get(&path, &session));
    }
    let (mut html, mut all) = (Vec::new(), Vec::new());
    let mut connections: Vec<Client> = (0..CONNECTIONS).map(|_| Client::connect(panel.address)).collect::<Result<_, _>>()?;
    for round in 0..ROUNDS / 4 {
        let begun = Instant::now();
        connections[0].ask(&list)?;
        let listed = begun.elapsed().as_secs_f64() * 1e3;
        let cards = String::from_utf8_lossy(&connections[0].body).matches("class=\"card\"").count();
        if cards != CHARTS {
            return Err(format!("the page has {cards} charts").into());
        }
        let pictures = Instant::now();
        thread::scope(|scope| -> Outcome<()> {
            let fetching: Vec<_> = connections
                .iter_mut()
                .enumerate()
                .map(|(first, client)| {
                    let mut mine = paths.iter().skip(first).step_by(CONNECTIONS);
                    scope.spawn(move || mine.try_for_each(|path| client.ask(path).map(drop).map_err(|error| error.to_string())))
                })
                .collect();
            for one in fetching {
                one.join().map_err(|_| "a connection's thread failed")??;
            }
            Ok(())
        })?;
        if round > 0 {
            html.push(listed);
            all.push(listed + pictures.elapsed().as_secs_f64() * 1e3);
        }
    }
    Ok(Page { start, all: Spread::of(all), html: Spread::of(html), bytes })
}
