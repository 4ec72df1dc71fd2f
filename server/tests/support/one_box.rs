//! A box with some series, for tests that keep a history without a panel.

use app::model::BoxKind;
use server::store::{BoxSpec, SeriesId, Store};

/// The box of a store that has no other, made where there is none yet, and so many series of it, `s:0` and so on.
pub(crate) async fn one_box(store: &Store, count: usize) -> (i64, Vec<SeriesId>) {
    let id = match store.boxes().await.unwrap().first() {
        Some(stored) => stored.id,
        None => {
            let spec = BoxSpec::new("a", BoxKind::Opensips, "http://127.0.0.1:8888/mi");
            store.add_box(&spec, 1).await.unwrap()
        }
    };
    let names: Vec<String> = (0..count).map(|i| format!("s:{i}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    (id, store.series_ids(id, &names).await.unwrap())
}
