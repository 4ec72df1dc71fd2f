//! The FIFO: requests come in from whoever may write it, each answer goes to the reply FIFO that the request names. One that nobody reads
//! keeps nobody else waiting. It must not know what the commands do.

use std::{
    fs::{self, File, OpenOptions},
    io,
    os::unix::fs::{FileTypeExt as _, MetadataExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use rustix::{
    fs::{Mode, OFlags},
    io::Errno,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::unix::pipe,
    sync::Semaphore,
    time::{Instant, sleep, timeout_at},
};
use tokio_util::sync::CancellationToken;

use super::{
    Mi,
    frames::{Frame, Frames},
    is_large, old,
    rpc::{self, Answer},
};

/// Where reply FIFOs are: OpenSIPS's default.
const REPLY_FOLDER: &str = "/tmp";
/// Who may write it: its owner and group, as with OpenSIPS.
const MODE: u32 = 0o660;
/// The rest of a request must come within this time.
const REST_LIMIT: Duration = Duration::from_secs(1);
/// The reader of an answer must be there, and have read it, within this time.
const REPLY_LIMIT: Duration = Duration::from_secs(2);
/// How often it is looked whether the reader is there: a FIFO tells of it in no other way.
const LOOK_EVERY: Duration = Duration::from_millis(2);
/// So many answers may wait for their readers; further requests are dropped, as if they had been lost.
const MAX_REPLIES: usize = 32;

/// A FIFO that is open.
pub(super) struct Fifo {
    path: PathBuf,
    /// Device and number of the file, to know it again.
    identity: (u64, u64),
    requests: pipe::Receiver,
}

impl Fifo {
    /// Makes it; one that is there and that nobody reads is taken over.
    pub(super) fn open(path: &Path) -> Result<Self, String> {
        let failed =
            |error: &dyn std::fmt::Display| format!("cannot make the FIFO {}: {error}; name another with --mi-fifo", path.display());
        match fs::symlink_metadata(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                rustix::fs::mknodat(rustix::fs::CWD, path, rustix::fs::FileType::Fifo, Mode::from_raw_mode(MODE), 0)
                    .map_err(|error| failed(&io::Error::from(error)))?;
            }
            Err(error) => return Err(failed(&error)),
            Ok(found) if !found.file_type().is_fifo() => return Err(failed(&"there is a file of that name, and it is no FIFO")),
            Ok(_) => match write_end(path) {
                Ok(_) => return Err(failed(&"another program reads it already")),
                Err(error) if is_nobody(&error) => {}
                Err(error) => return Err(failed(&error)),
            },
        }
        // Open for writing as well, so that it does not end when a writer goes.
        let requests = pipe::OpenOptions::new().read_write(true).open_receiver(path).map_err(|error| failed(&error))?;
        let identity = identity(path).map_err(|error| failed(&error))?;
        Ok(Self { path: path.to_owned(), identity, requests })
    }

    /// Answers until it is stopped.
    pub(super) async fn serve(mut self, mi: Arc<Mi>, stop: CancellationToken) {
        tokio::select! {
            () = stop.cancelled() => {}
            error = self.read(&mi) => tracing::error!(path = %self.path.display(), %error, "the FIFO cannot be read any more"),
        }
    }

    async fn read(&mut self, mi: &Arc<Mi>) -> io::Error {
        let (mut frames, mut buffer) = (Frames::default(), vec![0; 4 << 10]);
        let replies = Arc::new(Semaphore::new(MAX_REPLIES));
        let mut partial_since = None;
        loop {
            partial_since = frames.is_partial().then(|| partial_since.unwrap_or_else(Instant::now));
            let reading = self.requests.read(&mut buffer);
            let read = match partial_since {
                Some(since) => match timeout_at(since + REST_LIMIT, reading).await {
                    Ok(read) => read,
                    Err(_) => {
                        frames.give_up();
                        continue;
                    }
                },
                None => reading.await,
            };
            match read {
                Ok(bytes) => frames.take(&buffer[..bytes]),
                Err(error) => return error,
            }
            while let Some(frame) = frames.next() {
                // Whatever is left now began later.
                partial_since = None;
                let Ok(permit) = Arc::clone(&replies).try_acquire_owned() else { continue };
                let mi = Arc::clone(mi);
                tokio::spawn(async move {
                    let reply = frame.reply().to_owned();
                    if let Some(text) = answer(&mi, frame).await {
                        hand_over(&reply, &text).await;
                    }
                    drop(permit);
                });
            }
        }
    }
}

impl Drop for Fifo {
    /// Takes it away, unless another is in its place by now.
    fn drop(&mut self) {
        if identity(&self.path).is_ok_and(|identity| identity == self.identity) {
            // Whoever took it away meanwhile did the same.
            let _ = fs::remove_file(&self.path);
        }
    }
}

async fn answer(mi: &Arc<Mi>, frame: Frame) -> Option<String> {
    match frame {
        Frame::Rpc { json, .. } => match mi.work(is_large(&json), move |mi| rpc::answer(mi, &json)).await? {
            Answer::Json(text) => Some(text),
            Answer::Unreadable(_) | Answer::None => None,
        },
        Frame::Lines { command, words, .. } => {
            let unknown = format!("500 command '{command}' not available\n");
            let done = mi.work(words.len() > 1_000, move |mi| old::run(mi, &command, words, true)).await?;
            Some(match &done {
                Err(fault) if fault.message == old::UNKNOWN => unknown,
                done => old::text(done),
            })
        }
    }
}

/// Writes an answer to its FIFO. Nothing is made, and nothing but a FIFO is written.
async fn hand_over(reply: &str, text: &str) {
    let path = Path::new(REPLY_FOLDER).join(reply);
    let until = Instant::now() + REPLY_LIMIT;
    let file = loop {
        match write_end(&path) {
            Ok(file) => break file,
            Err(error) if is_nobody(&error) && Instant::now() < until => sleep(LOOK_EVERY).await,
            Err(error) => {
                tracing::debug!(reply, %error, "nobody reads the answer");
                return;
            }
        }
    };
    let writing = async { pipe::Sender::from_file(file)?.write_all(text.as_bytes()).await };
    if let Ok(Err(error)) = timeout_at(until + REPLY_LIMIT, writing).await {
        tracing::debug!(reply, %error, "an answer was not read to its end");
    }
}

/// Opens a FIFO that somebody reads, without waiting, and without following a link.
fn write_end(path: &Path) -> io::Result<File> {
    let flags = OFlags::NONBLOCK | OFlags::NOFOLLOW;
    let file = OpenOptions::new().write(true).custom_flags(flags.bits().cast_signed()).open(path)?;
    if file.metadata()?.file_type().is_fifo() { Ok(file) } else { Err(io::ErrorKind::InvalidInput.into()) }
}

fn is_nobody(error: &io::Error) -> bool {
    error.raw_os_error() == Some(Errno::NXIO.raw_os_error())
}

fn identity(path: &Path) -> io::Result<(u64, u64)> {
    fs::symlink_metadata(path).map(|found| (found.dev(), found.ino()))
}
