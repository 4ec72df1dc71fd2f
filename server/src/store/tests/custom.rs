//! What scripts push, written and read back.

use app::model::Kind;

use super::*;

fn custom(name: &str, kind: Kind, value: i64) -> Custom {
    Custom { name: name.to_owned(), kind, value }
}

#[tokio::test]
async fn what_is_saved_is_there_after_the_next_start() {
    let place = Place::new();
    let store = place.open().await;
    assert_eq!(store.custom().await.unwrap(), []);
    let many: Vec<Custom> = (0..250).map(|number| custom(&format!("a:{number:03}"), Kind::Counter, number)).collect();
    store.save_custom(&many, &[]).await.unwrap();
    let odd = [custom("a:001", Kind::Gauge, i64::MIN), custom("é: '\"", Kind::Gauge, i64::MAX)];
    store.save_custom(&odd, &["a:000".to_owned(), "never:there".to_owned()]).await.unwrap();
    store.close().await;
    let found = place.open().await.custom().await.unwrap();
    assert_eq!((found.len(), &found[..2]), (250, &[odd[0].clone(), many[2].clone()][..]));
    assert_eq!(found[249], odd[1]);
}

#[tokio::test]
async fn one_that_went_and_came_again_is_there() {
    let store = memory().await;
    store.save_custom(&[custom("a:b", Kind::Counter, 7)], &["a:b".to_owned()]).await.unwrap();
    assert_eq!(store.custom().await.unwrap(), [custom("a:b", Kind::Counter, 7)]);
}

#[tokio::test]
async fn starts_are_counted() {
    let place = Place::new();
    for before in 0..3 {
        let store = place.open().await;
        assert_eq!(store.count_start().await.unwrap(), before);
        store.close().await;
    }
}
