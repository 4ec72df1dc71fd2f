//! How many questions a second the management interface answers, over one connection that is kept; and how quickly destinations are
//! picked by their load.

use std::{
    sync::{Arc, Barrier},
    thread,
    time::Instant,
};

use server::{
    config::{MiAddress, MiConfig},
    engine::{Engine, MAX_CUSTOM, Push},
    mi::{Listening, Mi},
    store::Store,
};
use tokio_util::sync::CancellationToken;

use crate::{Outcome, client::Client, table::Spread};

/// Measurements of each.
const ROUNDS: usize = 9;
/// How long one takes, in seconds.
const ROUND_S: f64 = 0.3;

/// Destinations to pick from.
const DESTINATIONS: usize = 8;
/// Picks of one measurement, by each thread.
const PICKS: u32 = 200_000;

fn engine() -> Outcome<Arc<Engine>> {
    Ok(Arc::new(Engine::new(Instant::now())?))
}

fn destinations() -> Vec<String> {
    (0..DESTINATIONS).map(|number| format!("sip:gw{number}.example:5060")).collect()
}

/// Requests a second for answers of so many statistics.
pub(crate) fn measure(statistics: usize) -> Outcome<Spread> {
    let engine = engine()?;
    for number in 0..statistics.min(MAX_CUSTOM) {
        engine.push(&format!("group:statistic_{number:05}"), Push::By(i64::try_from(number)?), None, None)?;
    }
    requests(engine, r#"{"jsonrpc":"2.0","method":"get_statistics","params":[["group:"]],"id":1}"#)
}

/// Picks a second, each asked for over HTTP.
pub(crate) fn picks() -> Outcome<Spread> {
    let named: Vec<String> = destinations().iter().map(|destination| format!("\"{destination}\"")).collect();
    let params = format!(r#"{{"pattern":"load_%u","destinations":[{}]}}"#, named.join(","));
    requests(engine()?, &format!(r#"{{"jsonrpc":"2.0","method":"ds_select","params":{params},"id":1}}"#))
}

/// Picks a second by so many threads, all by the same pattern.
pub(crate) fn picks_within(threads: usize) -> Outcome<Spread> {
    let (engine, destinations) = (engine()?, destinations());
    let round = || -> Outcome<f64> {
        let begin = Barrier::new(threads + 1);
        thread::scope(|scope| {
            let pick = || {
                begin.wait();
                (0..PICKS).try_for_each(|_| engine.pick("load_%u", &destinations, &[]).map(|_| ()))
            };
            let picking: Vec<_> = (0..threads).map(|_| scope.spawn(pick)).collect();
            begin.wait();
            let begun = Instant::now();
            for thread in picking {
                thread.join().map_err(|_| "a thread failed")??;
            }
            #[expect(clippy::cast_precision_loss, reason = "some threads")]
            let all = f64::from(PICKS) * threads as f64;
            Ok(all / begun.elapsed().as_secs_f64())
        })
    };
    round()?;
    Ok(Spread::of((0..ROUNDS).map(|_| round()).collect::<Outcome<_>>()?))
}

/// How often a second the same is answered over one connection.
fn requests(engine: Arc<Engine>, body: &str) -> Outcome<Spread> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let config = MiConfig { listen: MiAddress::Asked(([127, 0, 0, 1], 0).into()), fifo: None, get_writes: false, token: None };
    let stop = CancellationToken::new();
    let address = runtime.block_on(async {
        let mi = Mi::new(engine, Store::open("sqlite::memory:").await?, false, None);
        let listening = Listening::begin(&config).await?;
        let address = listening.address().ok_or("it does not listen")?;
        tokio::spawn(listening.serve(mi, stop.clone()));
        Ok::<_, Box<dyn std::error::Error>>(address)
    })?;
    let request =
        format!("POST /mi HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    let mut client = Client::connect(address)?;
    let mut round = || -> Outcome<f64> {
        let begun = Instant::now();
        let mut answered = 0.0;
        while begun.elapsed().as_secs_f64() < ROUND_S {
            client.ask(request.as_bytes())?;
            answered += 1.0;
        }
        Ok(answered / begun.elapsed().as_secs_f64())
    };
    round()?;
    let rates = (0..ROUNDS).map(|_| round()).collect::<Outcome<_>>()?;
    stop.cancel();
    Ok(Spread::of(rates))
}
