//! A blocking HTTP/1.1 client that keeps its connection and counts bytes: light, so that it takes little of the cores it measures on.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    thread,
    time::{Duration, Instant},
};

use crate::{Outcome, table::Spread};

/// No answer takes longer.
const LIMIT: Duration = Duration::from_secs(30);

/// One connection.
pub(crate) struct Client {
    stream: BufReader<TcpStream>,
    /// The body of the last answer.
    pub(crate) body: Vec<u8>,
    /// Bytes received so far, heads included.
    pub(crate) received: u64,
    /// The cookies that answers set, as they are sent back.
    pub(crate) cookies: Vec<String>,
}

impl Client {
    pub(crate) fn connect(address: SocketAddr) -> Outcome<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(LIMIT))?;
        Ok(Self { stream: BufReader::with_capacity(64 * 1024, stream), body: Vec::new(), received: 0, cookies: Vec::new() })
    }

    /// Sends a whole request and reads the whole answer, which must have status 200.
    pub(crate) fn ask(&mut self, request: &[u8]) -> Outcome<()> {
        let status = self.ask_any(request)?;
        if status == 200 {
            return Ok(());
        }
        let text: String = String::from_utf8_lossy(&self.body).chars().take(500).collect();
        Err(format!("HTTP {status}: {text}").into())
    }

    fn ask_any(&mut self, request: &[u8]) -> Outcome<u16> {
        self.stream.get_mut().write_all(request)?;
        self.body.clear();
        let status: u16 = self.line()?.split(' ').nth(1).unwrap_or_default().parse()?;
        let (mut length, mut chunked) = (0, false);
        loop {
            let line = self.line()?;
            let Some((name, value)) = line.split_once(": ") else { break };
            match name.to_ascii_lowercase().as_str() {
                "content-length" => length = value.parse()?,
                "transfer-encoding" => chunked = value == "chunked",
                "set-cookie" => self.cookies.extend(value.split(';').next().map(str::to_owned)),
                _ => {}
            }
        }
        if !chunked {
            self.take(length)?;
            return Ok(status);
        }
        loop {
            let length = usize::from_str_radix(self.line()?.trim(), 16)?;
            self.take(length)?;
            self.line()?;
            if length == 0 {
                return Ok(status);
            }
        }
    }

    fn line(&mut self) -> Outcome<String> {
        let mut line = Vec::new();
        self.received += self.stream.read_until(b'\n', &mut line)? as u64;
        if line.is_empty() {
            return Err("the connection was closed".into());
        }
        Ok(String::from_utf8_lossy(&line).trim_end().to_owned())
    }

    fn take(&mut self, length: usize) -> Outcome<()> {
        let begin = self.body.len();
        self.body.resize(begin + length, 0);
        self.stream.read_exact(&mut self.body[begin..])?;
        self.received += length as u64;
        Ok(())
    }
}

/// The bytes of a request without a body.
pub(crate) fn get(path: &str, headers: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{headers}\r\n").into_bytes()
}

/// The bytes of a request with a body of JSON.
pub(crate) fn post(path: &str, headers: &str, json: &str) -> Vec<u8> {
    let length = json.len();
    format!("POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{headers}Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{json}")
        .into_bytes()
}

/// What a load brought.
pub(crate) struct Load {
    /// Answers a second, in each of several windows.
    pub(crate) per_second: Spread,
    /// Bytes of an answer on the wire.
    pub(crate) bytes: f64,
}

/// Asks the same over so many connections at once, in windows of so long, the first of which does not count.
#[expect(clippy::cast_precision_loss, reason = "counts of some seconds")]
pub(crate) fn load(address: SocketAddr, request: &[u8], connections: usize, windows: usize, window: Duration) -> Outcome<Load> {
    let (stop, answers, bytes) = (AtomicBool::new(false), AtomicU64::new(0), AtomicU64::new(0));
    let drive = || -> Result<(), String> {
        let ask = || -> Outcome<()> {
            let mut client = Client::connect(address)?;
            while !stop.load(Ordering::Relaxed) {
                client.ask(request)?;
                bytes.fetch_add(std::mem::take(&mut client.received), Ordering::Relaxed);
                answers.fetch_add(1, Ordering::Relaxed);
            }
            Ok(())
        };
        ask().map_err(|error| error.to_string())
    };
    thread::scope(|scope| {
        let threads: Vec<_> = (0..connections).map(|_| scope.spawn(drive)).collect();
        let mut rates = Vec::with_capacity(windows);
        for count in 0..=windows {
            let (begun, before) = (Instant::now(), answers.load(Ordering::Relaxed));
            thread::sleep(window);
            let rate = (answers.load(Ordering::Relaxed) - before) as f64 / begun.elapsed().as_secs_f64();
            if count > 0 {
                rates.push(rate);
            }
        }
        stop.store(true, Ordering::Relaxed);
        for thread in threads {
            thread.join().map_err(|_| "a connection's thread failed")??;
        }
        let bytes = bytes.load(Ordering::Relaxed) as f64 / answers.load(Ordering::Relaxed).max(1) as f64;
        Ok(Load { per_second: Spread::of(rates), bytes })
    })
}
