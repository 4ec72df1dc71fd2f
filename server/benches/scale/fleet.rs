//! Many light boxes in one process: each answers MI JSON-RPC as OpenSIPS 3 and later does, and the same as metrics, and it is noted how
//! punctually each is asked. It must not know who asks.
//!
//! What they say is made before: a body for each second, shared by all boxes, each of which begins elsewhere in it. So an answer costs
//! this process little more than its bytes, whatever it says.

use std::{
    collections::HashMap,
    fmt::Write as _,
    io::IoSlice,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

use crate::{
    Outcome,
    traffic::{self, Traffic},
};

/// The name of this role.
pub(crate) const FLEET: &str = "fleet";
/// The statistics of each box.
pub(crate) const STATISTICS: usize = 400;
/// So long it can be asked until counters begin again.
const SECONDS: usize = 1_200;
/// So many beginnings there are.
const BEGINNINGS: usize = 97;
/// Each is asked so often.
const INTERVAL: Duration = Duration::from_secs(1);
/// A question that comes so much later than one interval after another is late.
const TOLERANCE_S: f64 = 0.1;

/// What all boxes share.
struct Fleet {
    began: Instant,
    /// Answers by second, without the number of the question.
    replies: Vec<Vec<u8>>,
    /// The same as Prometheus reads it.
    metrics: Vec<Vec<u8>>,
    kinds: Vec<u8>,
    boxes: Mutex<HashMap<usize, Asked>>,
}

/// How a box was asked since the counting began.
struct Asked {
    /// When the first question was due, as it looks by now.
    first: Instant,
    /// The number of the last interval with a question.
    last: i64,
    answered: u64,
    late: u64,
    /// Intervals without a question.
    missed: u64,
}

/// How all of them were asked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tally {
    /// Boxes that were asked at all.
    pub(crate) boxes: usize,
    /// Answers.
    pub(crate) answered: u64,
    /// Of them late by more than a tenth of a second.
    pub(crate) late: u64,
    /// Seconds in which a box was not asked at all, between two in which it was.
    pub(crate) missed: u64,
}

impl Tally {
    /// As it is told over the wire.
    pub(crate) fn read(text: &str) -> Outcome<Self> {
        let words: Vec<u64> = text.split_whitespace().map(str::parse).collect::<Result<_, _>>()?;
        let [boxes, answered, late, missed] = words[..] else { return Err("no tally".into()) };
        Ok(Self { boxes: usize::try_from(boxes)?, answered, late, missed })
    }
}

/// Answers for all boxes until the process ends; `/N/mi` is the Nth.
pub(crate) async fn serve() -> Outcome<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let fleet = Arc::new(Fleet::new());
    println!("{}", listener.local_addr()?);
    let until_closed = tokio::task::spawn_blocking(|| std::io::Read::read_to_end(&mut std::io::stdin(), &mut Vec::new()));
    let accept = async {
        loop {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            let fleet = Arc::clone(&fleet);
            // Whoever asks ends the connection, in whatever way.
            tokio::spawn(async move { fleet.answer_all(stream).await.unwrap_or_default() });
        }
    };
    tokio::select! {
        ended = accept => ended,
        _ = until_closed => Ok(()),
    }
}

impl Fleet {
    fn new() -> Self {
        let (names, mut traffic) = (traffic::names(STATISTICS), Traffic::new(STATISTICS));
        let kinds = traffic::kinds(&names, &traffic, "").into_bytes();
        let (mut replies, mut metrics) = (Vec::with_capacity(SECONDS), Vec::with_capacity(SECONDS));
        for second in 0..SECONDS {
            let counts: Vec<bool> = (0..STATISTICS).map(|place| traffic.counts(place)).collect();
            let values = traffic.next();
            replies.push(traffic::reply(&names, values, 1_000 + second as u64, "").into_bytes());
            metrics.push(as_metrics(&names, &counts, values).into_bytes());
        }
        for body in &mut replies {
            // The number of the question comes here, and then this again.
            body.pop();
        }
        Self { began: Instant::now(), replies, metrics, kinds, boxes: Mutex::default() }
    }

    async fn answer_all(&self, mut stream: TcpStream) -> Outcome<()> {
        let mut read = Vec::with_capacity(4096);
        loop {
            let Some(length) = whole(&read)? else {
                if stream.read_buf(&mut read).await? == 0 {
                    return Ok(());
                }
                continue;
            };
            self.answer(&mut stream, std::str::from_utf8(&read[..length])?).await?;
            read.drain(..length);
        }
    }

    async fn answer(&self, stream: &mut TcpStream, request: &str) -> Outcome<()> {
        let path = request.split(' ').nth(1).unwrap_or_default();
        let (number, what) = path.trim_start_matches('/').split_once('/').unwrap_or(("", path));
        let number: usize = number.parse().unwrap_or_default();
        let second = (self.began.elapsed().as_secs() as usize + number % BEGINNINGS) % SECONDS;
        let word = |key: &str| request.split_once(key).map_or("", |(_, rest)| rest.split([',', '}', '"']).next().unwrap_or_default());
        let of_text = "text/plain; version=0.0.4; charset=utf-8";
        match what {
            "metrics" => {
                self.note(number);
                send(stream, of_text, &[&self.metrics[second]]).await
            }
            "mi" => {
                let (id, of_json) = (word("\"id\":"), "application/json");
                match word("\"method\":\"") {
                    "get_statistics" => {
                        self.note(number);
                        send(stream, of_json, &[&self.replies[second], id.as_bytes(), b"}"]).await
                    }
                    "list_statistics" => send(stream, of_json, &[&self.kinds[..self.kinds.len() - 1], id.as_bytes(), b"}"]).await,
                    method => {
                        let result = match method {
                            "version" => r#"{"Server":"OpenSIPS (4.0.1 (x86_64/linux))"}"#,
                            _ => "{}",
                        };
                        let reply = format!(r#"{{"jsonrpc":"2.0","result":{result},"id":{id}}}"#);
                        send(stream, of_json, &[reply.as_bytes()]).await
                    }
                }
            }
            "/begin" => {
                self.asked().clear();
                send(stream, of_text, &[b"ok"]).await
            }
            _ => {
                let tally = self.tally();
                let tally = format!("{} {} {} {}", tally.boxes, tally.answered, tally.late, tally.missed);
                send(stream, of_text, &[tally.as_bytes()]).await
            }
        }
    }

    fn asked(&self) -> std::sync::MutexGuard<'_, HashMap<usize, Asked>> {
        self.boxes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that a box is asked, and whether it is when it should be: a whole number of intervals after the first time.
    fn note(&self, number: usize) {
        let now = Instant::now();
        let mut boxes = self.asked();
        let asked = boxes.entry(number).or_insert(Asked { first: now, last: -1, answered: 0, late: 0, missed: 0 });
        let after_s = now.saturating_duration_since(asked.first).as_secs_f64();
        let interval = (after_s / INTERVAL.as_secs_f64()).round();
        let off_s = after_s - interval * INTERVAL.as_secs_f64();
        if off_s < 0.0 {
            // It was the first one that was late.
            asked.first = asked.first.checked_sub(Duration::from_secs_f64(-off_s)).unwrap_or(asked.first);
        }
        #[expect(clippy::cast_possible_truncation, reason = "minutes")]
        let interval = interval as i64;
        asked.answered += 1;
        asked.late += u64::from(off_s > TOLERANCE_S);
        asked.missed += u64::try_from(interval - asked.last - 1).unwrap_or_default();
        asked.last = interval;
    }

    fn tally(&self) -> Tally {
        let boxes = self.asked();
        let sum = |of: fn(&Asked) -> u64| boxes.values().map(of).sum();
        Tally {
            boxes: boxes.len(),
            answered: sum(|asked| asked.answered),
            late: sum(|asked| asked.late),
            missed: sum(|asked| asked.missed),
        }
    }
}

/// The length of the first whole request.
fn whole(read: &[u8]) -> Outcome<Option<usize>> {
    let Some(head) = read.windows(4).position(|four| four == b"\r\n\r\n").map(|at| at + 4) else { return Ok(None) };
    let mut length = 0;
    for line in read[..head].split(|byte| *byte == b'\n') {
        if let Some((name, value)) = std::str::from_utf8(line)?.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse()?;
        }
    }
    Ok(Some(head + length).filter(|whole| *whole <= read.len()))
}

async fn send(stream: &mut TcpStream, content_type: &str, parts: &[&[u8]]) -> Outcome<()> {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nContent-Type: {content_type}\r\n\r\n");
    let mut slices: Vec<IoSlice<'_>> = std::iter::once(head.as_bytes()).chain(parts.iter().copied()).map(IoSlice::new).collect();
    let mut slices = &mut slices[..];
    while !slices.is_empty() {
        let sent = stream.write_vectored(slices).await?;
        if sent == 0 {
            return Err("the connection was closed".into());
        }
        IoSlice::advance_slices(&mut slices, sent);
    }
    Ok(())
}

/// As an exporter writes it: each with its kind.
fn as_metrics(names: &[String], counts: &[bool], values: &[i64]) -> String {
    let mut text = String::with_capacity(names.len() * 80);
    for ((name, counts), value) in names.iter().zip(counts).zip(values) {
        let name: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
        let kind = if *counts { "counter" } else { "gauge" };
        let _ = write!(text, "# TYPE opensips_{name} {kind}\nopensips_{name} {value}\n");
    }
    text
}
