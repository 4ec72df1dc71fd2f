//! How many questions a second the management interface answers, over one connection that is kept.

use std::{sync::Arc, time::Instant};

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

/// Requests a second for answers of so many statistics.
pub(crate) fn measure(statistics: usize) -> Outcome<Spread> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let engine = Arc::new(Engine::new(Instant::now())?);
    for number in 0..statistics.min(MAX_CUSTOM) {
        engine.push(&format!("group:statistic_{number:05}"), Push::By(i64::try_from(number)?), None, None)?;
    }
    let config = MiConfig { listen: MiAddress::Asked(([127, 0, 0, 1], 0).into()), fifo: None, get_writes: false, token: None };
    let stop = CancellationToken::new();
    let address = runtime.block_on(async {
        let mi = Mi::new(engine, Store::open("sqlite::memory:").await?, false, None);
        let listening = Listening::begin(&config).await?;
        let address = listening.address().ok_or("it does not listen")?;
        tokio::spawn(listening.serve(mi, stop.clone()));
        Ok::<_, Box<dyn std::error::Error>>(address)
    })?;
    let body = r#"{"jsonrpc":"2.0","method":"get_statistics","params":[["group:"]],"id":1}"#;
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
