//! How much memory the panel has with one box, at rest and after an hour of polls.
//!
//! The box has an hour of samples from before the panel starts, so that one sealing is part of what is measured. Somebody signs in and
//! looks at the pages. Then 3,600 polls go through the sampler, each asked for by `POST refresh`, as quickly as the store commits them
//! one by one; charts and pages are looked at meanwhile. What counts is VmRSS of the released program.

use std::{
    thread,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use app::model::{BoxKind, Number, Origin};
use futures::future::join_all;
use server::store::{BoxSpec, MAX_BATCH_POLLS, PollRecord, Store, TickRule};
use tempfile::TempDir;

use crate::{
    Outcome,
    client::{Client, get, post},
    clocks::memory_of_mb,
    page::{STATISTICS, sign_in},
    panel::{Panel, database},
    roles::Role,
    traffic::{self, Traffic},
};

/// The polls of the hour.
const POLLS: usize = 3_600;
/// A commit is waited for by the polls of one box: more than this would only fill their queue.
const PACE: Duration = Duration::from_millis(53);
/// After this long, what ended is given back.
const REST: Duration = Duration::from_secs(12);

/// Megabytes.
pub(crate) struct Memory {
    pub(crate) at_rest: f64,
    pub(crate) after_an_hour: f64,
    /// The most it ever had.
    pub(crate) peak: f64,
    /// Of it at rest: what is read from the program's own file.
    pub(crate) of_file: f64,
}

/// Takes some minutes, most of which it waits.
pub(crate) fn measure(folder: TempDir, fake: &Role) -> Outcome<Memory> {
    let panel = Panel::start(folder, "", "1s")?;
    let session = sign_in(&panel)?;
    panel.until("/cp/api/v1/boxes/tickmark/statistics?match=store:chunks_sealed", |text| !text.contains("\"value\":0"))?;
    look(&panel, &session)?;
    thread::sleep(REST);
    let (at_rest, of_file) = (memory_of_mb(panel.pid(), "VmRSS")?, memory_of_mb(panel.pid(), "RssFile")?);
    let mut client = Client::connect(panel.address)?;
    let refresh = post("/cp/api/v1/boxes/sip1/refresh", &panel.header, "");
    for poll in 0..POLLS {
        client.ask(&refresh)?;
        if poll % 100 == 99 {
            look(&panel, &session)?;
        }
        thread::sleep(PACE);
    }
    thread::sleep(REST);
    let mut counted = Client::connect(fake.address)?;
    counted.ask(&get("/polls", ""))?;
    if String::from_utf8_lossy(&counted.body).parse::<usize>()? < POLLS {
        return Err("the box was asked less often than it should have been".into());
    }
    Ok(Memory { at_rest, after_an_hour: memory_of_mb(panel.pid(), "VmRSS")?, peak: memory_of_mb(panel.pid(), "VmHWM")?, of_file })
}

/// The pages and a chart, as a browser asks for them.
fn look(panel: &Panel, session: &str) -> Outcome<()> {
    let mut client = Client::connect(panel.address)?;
    let chart = "/cp/api/v1/chart.svg?box=sip1&name=core:rcv_requests&span=6h";
    for path in ["/cp?box=sip1", "/cp/charts?box=sip1", chart, "/cp/boxes", "/cp/assets/tickmark_bg.wasm"] {
        client.ask(&get(path, &format!("{session}Accept-Encoding: br\r\n")))?;
    }
    Ok(())
}

/// Stores the box with its ticks and the hour that ended an hour and a half ago.
pub(crate) async fn prepare(fake: &Role) -> Outcome<TempDir> {
    let folder = tempfile::tempdir()?;
    let store = Store::open(&database(folder.path())).await?;
    let spec = BoxSpec::new("sip1", BoxKind::Opensips, format!("http://{}/mi", fake.address));
    let now_ms = i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis())?;
    let box_id = store.add_box(&spec, now_ms).await?;
    store.replace_ticks(box_id, &[TickRule { pattern: "*".to_owned(), except: false, origin: Origin::Panel }]).await?;
    let names = traffic::names(STATISTICS);
    let series = store.series_ids(box_id, &names.iter().map(String::as_str).collect::<Vec<_>>()).await?;
    let mut traffic = Traffic::new(STATISTICS);
    let mut at_ms = now_ms - 9_000_000;
    for _ in 0..POLLS.div_ceil(MAX_BATCH_POLLS) {
        let polls: Vec<PollRecord> = (0..MAX_BATCH_POLLS)
            .map(|_| {
                at_ms += 1_000;
                let values = series.iter().copied().zip(traffic.next().iter().map(|&value| Some(Number::Int(value)))).collect();
                PollRecord { box_id, at_ms, interval_ms: 1_000, values, marks: Vec::new(), started_ms: None, generation: None }
            })
            .collect();
        join_all(polls.into_iter().map(|poll| store.record(poll))).await.into_iter().collect::<Result<Vec<()>, _>>()?;
    }
    store.close().await;
    Ok(folder)
}
