//! Servers that are asked over a FIFO or by datagram, as the recordings say they behave, and misbehaving as told. They know nothing of
//! `server`.

use std::{
    os::unix::fs::PermissionsExt,
    path::Path,
    sync::{Arc, Mutex},
};

use rustix::fs::{CWD, FileType, Mode, OFlags, mknodat};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        UdpSocket, UnixDatagram,
        unix::pipe::{OpenOptions, Sender},
    },
    sync::watch,
    task::JoinHandle,
};

/// What a FIFO server does with a command.
pub(crate) enum Reply {
    /// Writes this and closes.
    Text(Vec<u8>),
    /// Somebody else writes the first and closes, then the server writes the second.
    After(Vec<u8>, Vec<u8>),
    /// Writes this and keeps the FIFO open.
    Held(Vec<u8>),
    /// Writes this over and over until nobody reads.
    Flood(Vec<u8>),
    /// Nothing.
    Never,
}

/// One command as it came in.
#[derive(Clone, Debug)]
pub(crate) struct Command {
    /// The command's name, or the method of JSON-RPC.
    pub(crate) method: String,
    /// The name of the reply FIFO.
    pub(crate) reply: String,
    /// Its arguments, or the params as JSON.
    pub(crate) arguments: Vec<String>,
    /// The id of JSON-RPC.
    pub(crate) id: i64,
}

/// How a server reads its FIFO.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Framing {
    /// OpenSIPS 2.x: lines up to a blank one.
    Text,
    /// OpenSIPS 3.x and 4.x: `:reply:{json}`.
    Json,
    /// Kamailio: JSON with the name in it, up to its last brace, with all that was written before.
    Kamailio,
}

/// A running server; it ends when this is dropped.
pub(crate) struct FifoServer {
    seen: Arc<Mutex<Vec<Command>>>,
    late: Arc<Mutex<usize>>,
    stopped: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Drop for FifoServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

pub(crate) fn make_fifo(path: &Path) {
    mknodat(CWD, path, FileType::Fifo, Mode::from_raw_mode(0o666), 0).unwrap();
}

impl FifoServer {
    /// Reads the FIFO `folder/fifo` and answers into FIFOs in `folder`.
    pub(crate) fn start(folder: &Path, framing: Framing, script: impl Fn(&Command) -> Reply + Send + Sync + 'static) -> Self {
        let server = Self::stopped(folder, framing, script);
        server.go_on();
        server
    }

    /// The same, but it has its FIFO open and reads nothing yet.
    pub(crate) fn stopped(folder: &Path, framing: Framing, script: impl Fn(&Command) -> Reply + Send + Sync + 'static) -> Self {
        let path = folder.join("fifo");
        make_fifo(&path);
        // As both servers do: with an end for writing of their own they never see the end of it.
        let mut fifo = OpenOptions::new().read_write(true).open_receiver(&path).unwrap();
        let (seen, late) = (Arc::new(Mutex::new(Vec::new())), Arc::new(Mutex::new(0)));
        let stopped = watch::Sender::new(true);
        let mut waits = stopped.subscribe();
        let (kept, count, folder) = (Arc::clone(&seen), Arc::clone(&late), folder.to_owned());
        let task = tokio::spawn(async move {
            let mut buffer = Vec::new();
            let mut held = Vec::new();
            drop(waits.wait_for(|stopped| !stopped).await);
            // Room for a whole command, as each comes in one read.
            while buffer.try_reserve(65_536).is_ok() && fifo.read_buf(&mut buffer).await.is_ok() {
                while let Some(command) = next(&mut buffer, framing) {
                    let Some(command) = command else { continue };
                    kept.lock().unwrap().push(command.clone());
                    answer(&folder.join(&command.reply), script(&command), &count, &mut held).await;
                }
            }
        });
        Self { seen, late, stopped, task }
    }

    /// It reads on.
    pub(crate) fn go_on(&self) {
        self.stopped.send_replace(false);
    }

    pub(crate) fn seen(&self) -> Vec<Command> {
        self.seen.lock().unwrap().clone()
    }

    /// How often nobody was there to read a reply.
    pub(crate) fn late(&self) -> usize {
        *self.late.lock().unwrap()
    }
}

/// Takes the next command from what was read: none yet, or one that is no command.
fn next(buffer: &mut Vec<u8>, framing: Framing) -> Option<Option<Command>> {
    let text = String::from_utf8(buffer.clone()).unwrap();
    match framing {
        Framing::Text => {
            // Up to a blank line, whoever wrote the lines before it.
            let end = text.find("\n\n")?;
            buffer.drain(..end + 2);
            let mut lines = text[..end].lines();
            let (method, reply) = lines.next()?.strip_prefix(':').and_then(|line| line.split_once(':')).unwrap_or_default();
            let arguments = lines.map(str::to_owned).collect();
            Some(Some(Command { method: method.to_owned(), reply: reply.to_owned(), arguments, id: 0 }))
        }
        Framing::Json => {
            if text.is_empty() {
                return None;
            }
            // One read is one command.
            buffer.clear();
            let parts = text.strip_prefix(':').and_then(|rest| rest.split_once(':'));
            let command = parts.and_then(|(reply, json)| json_command(json.trim(), reply));
            Some(command)
        }
        Framing::Kamailio => {
            let end = end_of_object(&text)?;
            buffer.drain(..end);
            let json: Option<serde_json::Value> = serde_json::from_str(&text[..end]).ok();
            let reply = json.and_then(|json| Some(json["reply_name"].as_str()?.to_owned()));
            Some(reply.and_then(|reply| json_command(&text[..end], &reply)))
        }
    }
}

/// Where the first object ends; what stands before it is taken for a part of it.
fn end_of_object(text: &str) -> Option<usize> {
    let mut depth = 0;
    for (at, letter) in text.char_indices() {
        match letter {
            '{' => depth += 1,
            '}' if depth == 1 => return Some(at + 1),
            '}' => depth -= 1,
            _ => {}
        }
    }
    None
}

fn json_command(json: &str, reply: &str) -> Option<Command> {
    let json: serde_json::Value = serde_json::from_str(json).ok()?;
    assert!(json.is_object(), "a batch crashes the server");
    let method = json["method"].as_str().unwrap_or_else(|| panic!("without a method the server crashes")).to_owned();
    Some(Command { method, reply: reply.to_owned(), arguments: vec![json["params"].to_string()], id: json["id"].as_i64()? })
}

/// Writes into a reply FIFO without waiting for a reader, as the servers do after some milliseconds.
fn open(path: &Path) -> Option<Sender> {
    let fifo = rustix::fs::open(path, OFlags::WRONLY | OFlags::NONBLOCK | OFlags::CLOEXEC, Mode::empty()).ok()?;
    Sender::from_owned_fd(fifo).ok()
}

async fn answer(path: &Path, reply: Reply, late: &Mutex<usize>, held: &mut Vec<Sender>) {
    let mode = std::fs::metadata(path).map(|data| data.permissions().mode() & 0o777);
    let Some(mut fifo) = open(path) else {
        *late.lock().unwrap() += 1;
        return;
    };
    assert_eq!(mode.unwrap(), 0o666, "the server may run as anybody");
    match reply {
        Reply::Text(text) => drop(fifo.write_all(&text).await),
        Reply::After(noise, text) => {
            drop(fifo.write_all(&noise).await);
            drop(fifo);
            if let Some(mut fifo) = open(path) {
                drop(fifo.write_all(&text).await);
            }
        }
        Reply::Held(text) => {
            drop(fifo.write_all(&text).await);
            held.push(fifo);
        }
        Reply::Flood(text) => while fifo.write_all(&text).await.is_ok() {},
        Reply::Never => {}
    }
}

/// A datagram that is sent back.
pub(crate) struct Back {
    pub(crate) text: Vec<u8>,
    /// From another socket than the server's.
    pub(crate) is_spoofed: bool,
}

/// One datagram of the server's own.
pub(crate) fn back(text: impl Into<Vec<u8>>) -> Vec<Back> {
    vec![Back { text: text.into(), is_spoofed: false }]
}

/// A running server of datagrams; it ends when this is dropped.
pub(crate) struct DatagramServer {
    pub(crate) address: String,
    task: JoinHandle<()>,
}

impl Drop for DatagramServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl DatagramServer {
    pub(crate) async fn udp(script: impl Fn(&str) -> Vec<Back> + Send + Sync + 'static) -> Self {
        let own = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let other = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let address = format!("udp://{}", own.local_addr().unwrap());
        let task = tokio::spawn(async move {
            let mut buffer = vec![0; 65_536];
            while let Ok((length, from)) = own.recv_from(&mut buffer).await {
                for back in script(std::str::from_utf8(&buffer[..length]).unwrap()) {
                    let socket = if back.is_spoofed { &other } else { &own };
                    socket.send_to(&back.text, from).await.unwrap();
                }
            }
        });
        Self { address, task }
    }

    /// At `folder/socket`; as both servers do, it answers from a socket that has no name.
    pub(crate) fn unix(folder: &Path, script: impl Fn(&str) -> Vec<Back> + Send + Sync + 'static) -> Self {
        let path = folder.join("socket");
        let own = UnixDatagram::bind(&path).unwrap();
        let other = UnixDatagram::unbound().unwrap();
        let address = format!("unix:{}?reply_dir={}", path.display(), folder.display());
        let task = tokio::spawn(async move {
            let mut buffer = vec![0; 65_536];
            while let Ok((length, from)) = own.recv_from(&mut buffer).await {
                let from = from.as_pathname().unwrap().to_owned();
                assert_eq!(std::fs::metadata(&from).unwrap().permissions().mode() & 0o777, 0o666, "the server may run as anybody");
                for back in script(std::str::from_utf8(&buffer[..length]).unwrap()) {
                    // The client may have gone after the first.
                    drop(other.send_to(&back.text, &from).await);
                }
            }
        });
        Self { address, task }
    }
}
