//! Derived statistics, and what goes with them.

use super::*;

fn derived(name: &str, origin: Origin) -> StoredDerived {
    let formula = "100 * {shmem:free_size} / {shmem:total_size}".to_owned();
    StoredDerived { name: name.to_owned(), formula, unit: "percent".to_owned(), meaning: "Ünïcode room".to_owned(), origin }
}

#[tokio::test]
async fn they_are_kept_changed_and_removed_with_their_ticks() {
    let store = memory().await;
    let before = store.revision().await.unwrap();
    let (a, b) = (derived("a", Origin::Panel), derived("b", Origin::Config));
    store.add_derived(&b, 1).await.unwrap();
    store.add_derived(&a, 2).await.unwrap();
    assert!(matches!(store.add_derived(&a, 3).await, Err(StoreError::Taken(_))));
    assert_eq!(store.derived().await.unwrap(), [a.clone(), b.clone()]);
    let changed = StoredDerived { formula: "{a:b}".to_owned(), ..a };
    store.change_derived(&changed).await.unwrap();
    assert_eq!(store.derived().await.unwrap(), [changed, b]);
    assert_eq!(store.revision().await.unwrap(), before + 3, "other panels look at it");

    let box_id = store.add_box(&spec("sip1"), 4).await.unwrap();
    let rule = |pattern: &str| TickRule { pattern: pattern.to_owned(), except: false, origin: Origin::Panel };
    store.replace_ticks(box_id, &[rule("derived:a"), rule("derived:ab")]).await.unwrap();
    store.remove_derived("a", "derived:a").await.unwrap();
    assert_eq!(store.ticks(box_id).await.unwrap(), [rule("derived:ab")]);
    assert!(matches!(store.remove_derived("a", "derived:a").await, Err(StoreError::Missing(_))));
    assert!(matches!(store.change_derived(&derived("a", Origin::Panel)).await, Err(StoreError::Missing(_))));
}
