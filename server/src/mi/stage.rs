//! An interface to an engine with some statistics, for tests.

use std::{sync::Arc, time::Instant};

use super::Mi;
use crate::{
    engine::{Engine, Push},
    store::Store,
};

/// Pushed in this order.
const PUSHED: [(&str, Push); 7] = [
    ("core:rcv_requests", Push::By(6_525)),
    ("dialog:active_dialogs", Push::To(20)),
    ("dialog:failed_dialogs", Push::By(3)),
    ("method:INVITE", Push::By(1_597)),
    ("shmem:total_size", Push::To(67_108_864)),
    ("packet:total_size", Push::By(4_866_351)),
    ("dynamic:negative_stat", Push::By(-5)),
];

pub(super) async fn stage(get_writes: bool) -> Arc<Mi> {
    let engine = Engine::new(Instant::now()).unwrap();
    for (name, push) in PUSHED {
        engine.push(name, push, None, None).unwrap();
    }
    let store = Store::open("sqlite::memory:").await.unwrap();
    Mi::new(Arc::new(engine), store, get_writes, None)
}
