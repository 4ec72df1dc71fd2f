//! What the store promises, asked through its public functions; and bytes damaged behind its back.

use app::model::{BoxKind, Number, Origin};

use super::*;

mod bringing;
mod config;
mod custom;
mod damage;
#[path = "../../tests/support/database.rs"]
mod database;
mod derived;
mod late_alerts;
mod merging;
mod months;
mod opening;
mod postgres;
mod power;
mod recording;
mod retention;
mod scripts;
mod transfer;

use database::{TestDatabase, is_on_server};

fn spec(name: &str) -> BoxSpec {
    BoxSpec {
        interval_ms: Some(10_000),
        labels: [("site".to_owned(), "Zürich".to_owned())].into(),
        user: Some("op".to_owned()),
        password_sealed: Some(vec![0, 255, 7]),
        ..BoxSpec::new(name, BoxKind::Opensips, "http://127.0.0.1:8888/mi")
    }
}

/// A database that goes when the test ends: a file whose name needs care, or one on a server.
struct Place {
    database: TestDatabase,
}

impl Place {
    fn new() -> Self {
        Self { database: TestDatabase::new() }
    }

    fn path(&self) -> PathBuf {
        self.database.folder().join("tick mark%3f#.db")
    }

    fn url(&self) -> String {
        if self.database.on_server().is_some() { self.database.url() } else { format!("sqlite:{}", self.path().display()) }
    }

    async fn open_result(&self) -> Result<Store, StoreError> {
        Store::open(&self.url()).await
    }

    async fn open(&self) -> Store {
        Store::open(&self.url()).await.unwrap()
    }
}

/// A store, and the database that it keeps.
struct Kept {
    store: Store,
    _place: Option<Place>,
}

impl std::ops::Deref for Kept {
    type Target = Store;

    fn deref(&self) -> &Store {
        &self.store
    }
}

/// A database that is asked by one connection alone: in memory, where tests run on SQLite.
async fn memory() -> Kept {
    if is_on_server() {
        let place = Place::new();
        return Kept { store: place.open().await, _place: Some(place) };
    }
    Kept { store: Store::open("sqlite::memory:").await.unwrap(), _place: None }
}

/// Records polls at once, so that they share transactions; all must succeed.
async fn record_all(store: &Store, polls: Vec<PollRecord>) {
    for some in polls.chunks(QUEUE_POLLS / 2) {
        for result in futures::future::join_all(some.iter().map(|poll| store.record(poll.clone()))).await {
            result.unwrap();
        }
    }
}

fn poll(box_id: i64, at_ms: i64, values: &[(SeriesId, Option<Number>)]) -> PollRecord {
    PollRecord { box_id, at_ms, interval_ms: 10_000, values: values.to_vec(), marks: Vec::new(), started_ms: None, generation: None }
}

/// A poll per time with one integer, which counts up from `first`.
fn counting(box_id: i64, series: SeriesId, times: impl IntoIterator<Item = i64>, first: i64) -> Vec<PollRecord> {
    times.into_iter().zip(first..).map(|(at, value)| poll(box_id, at, &[(series, Some(Number::Int(value)))])).collect()
}

fn ints(samples: &Samples) -> Vec<(i64, i64)> {
    let int = |(at_ms, value)| match value {
        Some(Number::Int(int)) => (at_ms, int),
        other => panic!("{other:?}"),
    };
    samples.iter().map(int).collect()
}

async fn everything(store: &Store, series: SeriesId) -> Samples {
    store.samples(series, i64::MIN, i64::MAX).await.unwrap()
}

/// Merges all that is due.
async fn merge_all(store: &Store) {
    while store.merge_due(i64::MAX).await.unwrap() {}
}

/// Seals all there is.
async fn seal_all(store: &Store) {
    while store.seal_due(i64::MAX).await.unwrap() {}
}
