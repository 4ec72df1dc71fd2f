//! What the machine itself, or the plainest code, takes for the same: it stands beside the figures.

use std::{collections::HashMap, fs::File, hint::black_box, io::Write as _, net::SocketAddr, path::Path, time::Instant};

use sqlx::{AnyConnection, Connection as _, Executor as _};

use crate::{
    Outcome, clocks, poll,
    table::Spread,
    traffic::{self, Traffic},
};

/// Samples in an hour and hours in a day.
const HOUR: usize = 3_600;
const HOURS: usize = 24;

/// Gigabytes copied in a second.
pub(crate) fn copying() -> Spread {
    const BYTES: usize = 64 << 20;
    let (from, mut to) = (vec![1_u8; BYTES], vec![0_u8; BYTES]);
    let copy = |_| {
        let (ms, ()) = clocks::wall_ms(|| to.copy_from_slice(black_box(&from)));
        black_box(&mut to);
        #[expect(clippy::cast_precision_loss, reason = "a size")]
        let bytes = BYTES as f64;
        bytes / ms / 1e6
    };
    Spread::of((0..20).map(copy).collect())
}

/// Microseconds to write four kilobytes to the disk itself.
pub(crate) fn syncing(folder: &Path) -> Outcome<Spread> {
    let mut file = File::create(folder.join("sync"))?;
    let mut took = Vec::new();
    for _ in 0..50 {
        let begun = Instant::now();
        file.write_all(&[7; 4096])?;
        file.sync_data()?;
        took.push(begun.elapsed().as_secs_f64() * 1e6);
    }
    Ok(Spread::of(took))
}

/// Microseconds of processor time for a transaction that inserts one row of four hundred bytes into SQLite, and nothing else.
pub(crate) async fn committing(folder: &Path) -> Outcome<Spread> {
    sqlx::any::install_default_drivers();
    let mut database = AnyConnection::connect(&format!("sqlite:{}?mode=rwc", folder.join("commit.db").display())).await?;
    database.execute("pragma page_size = 16384; pragma journal_mode = wal; pragma synchronous = normal").await?;
    database.execute("create table head (box_id integer, seq integer, payload blob, primary key (box_id, seq)) without rowid").await?;
    let payload = vec![7_u8; 400];
    let mut took = Vec::new();
    let mut seq = 0_i64;
    for _ in 0..20 {
        let begun = clocks::process_us();
        for _ in 0..50 {
            seq += 1;
            let mut change = database.begin_with("begin immediate").await?;
            let insert = sqlx::query("insert into head (box_id, seq, payload) values (1, $1, $2)").bind(seq).bind(&payload);
            insert.execute(&mut *change).await?;
            change.commit().await?;
        }
        took.push((clocks::process_us() - begun) / 50.0);
    }
    Ok(Spread::of(took))
}

/// Microseconds of processor time for `serde_json` to read an answer into a map of names.
pub(crate) fn parsing() -> Outcome<Spread> {
    let body = poll::one_answer();
    let result = body.split_once("\"result\":").and_then(|(_, rest)| rest.rsplit_once(",\"id\"")).ok_or("no result")?.0;
    let mut took = Vec::new();
    for _ in 0..200 {
        let begun = clocks::thread_us();
        for _ in 0..10 {
            black_box(serde_json::from_str::<HashMap<String, i64>>(black_box(result))?);
        }
        took.push((clocks::thread_us() - begun) / 10.0);
    }
    Ok(Spread::of(took))
}

/// Microseconds of processor time for a bare HTTP exchange with a box: ask, and throw the answer away.
pub(crate) async fn exchanging(fake: SocketAddr) -> Outcome<Spread> {
    // The panel's own may be there already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder().no_proxy().build()?;
    let request = r#"{"jsonrpc":"2.0","method":"get_statistics","params":{"statistics":["all"]},"id":1}"#;
    let mut took = Vec::new();
    for _ in 0..20 {
        let begun = clocks::process_us();
        for _ in 0..50 {
            let asked = client.post(format!("http://{fake}/mi")).header("content-type", "application/json").body(request);
            black_box(asked.send().await?.bytes().await?);
        }
        took.push((clocks::process_us() - begun) / 50.0);
    }
    Ok(Spread::of(took))
}

/// What `pco` alone does.
pub(crate) struct Pco {
    /// Milliseconds to decode the values of a busy counter of a day, in chunks of an hour.
    pub(crate) decode_ms: Spread,
    /// Million samples encoded in a second, over the series of a box.
    pub(crate) encode: f64,
    /// Bytes a sample.
    pub(crate) bytes: f64,
}

/// An hour of two hundred series, and a day of one, packed by `pco` and nothing else.
#[expect(clippy::cast_precision_loss, reason = "counts of samples")]
pub(crate) fn packing() -> Outcome<Pco> {
    const SERIES: usize = 200;
    let mut traffic = Traffic::new(SERIES);
    let mut day = Vec::with_capacity(HOURS * HOUR);
    let mut columns: Vec<Vec<_>> = (0..SERIES).map(|_| Vec::with_capacity(HOUR)).collect();
    for second in 0..HOURS * HOUR {
        let values = traffic.next();
        day.push(values[traffic::COUNTER]);
        // The middle of the day is as busy as the day is at its busiest.
        if second / HOUR == HOURS / 3 {
            columns.iter_mut().zip(values).for_each(|(column, value)| column.push(*value));
        }
    }
    let config = pco::ChunkConfig::default();
    let begun = clocks::thread_us();
    let packed = columns.iter().map(|column| pco::standalone::simple_compress(column, &config)).collect::<Result<Vec<_>, _>>()?;
    let encode = (SERIES * HOUR) as f64 / (clocks::thread_us() - begun);
    let bytes = packed.iter().map(Vec::len).sum::<usize>() as f64 / (SERIES * HOUR) as f64;
    let chunks = day.chunks(HOUR).map(|hour| pco::standalone::simple_compress(hour, &config)).collect::<Result<Vec<_>, _>>()?;
    let mut took = Vec::new();
    for _ in 0..100 {
        let (ms, decoded) = clocks::wall_ms(|| {
            chunks.iter().map(|chunk| pco::standalone::simple_decompress::<i64>(black_box(chunk))).collect::<Result<Vec<_>, _>>()
        });
        black_box(decoded?);
        took.push(ms);
    }
    Ok(Pco { decode_ms: Spread::of(took), encode, bytes })
}
