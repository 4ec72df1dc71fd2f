//! A server's FIFO: a question into it, the answer from a FIFO of our own, made for this one question.
//!
//! Invariants: our end is open for reading before the question is written, since a server waits for a late reader and serves nobody
//! meanwhile; a question is one write, which a FIFO takes whole or not at all, and is written only where the server reads what was written
//! before; nothing here waits without bound for a server to open or to read; our FIFO is removed however it ends.

use std::{
    os::fd::OwnedFd,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use rustix::{
    fs::{CWD, FileType, Mode, OFlags},
    io::Errno,
};
use tokio::{io::AsyncReadExt, net::unix::pipe::Receiver};

use super::{
    MayAnswer, Timing,
    local::{Own, no_room, words},
    midway_ms, too_large,
};
use crate::source::SourceError;

/// A longer write could be torn apart by another client's; OpenSIPS reads no more either.
const MAX_FRAME_BYTES: usize = 4096;
/// So many bytes are read at once.
const CHUNK_BYTES: usize = 64 << 10;
/// So often it is looked whether the server reads what lies in its FIFO …
const LOOK_EVERY: Duration = Duration::from_millis(10);
/// … so many times: a server that works on another client's question reads on within half a second.
const MAX_LOOKS: u32 = 50;
/// So often somebody else may write into our FIFO before it is given up.
const MAX_STRANGERS: usize = 16;

/// The way to one server over its FIFO.
pub(in crate::source) struct Fifo {
    path: PathBuf,
    reply_dir: PathBuf,
}

impl Fifo {
    pub(super) fn new(path: &Path, reply_dir: &Path) -> Self {
        Self { path: path.to_owned(), reply_dir: reply_dir.to_owned() }
    }

    /// Writes `before`, the name of our FIFO and `after`, and reads the answer.
    pub(super) async fn exchange(
        &self,
        before: &str,
        after: &str,
        limit: usize,
        may_answer: MayAnswer<'_>,
        into: &mut Vec<u8>,
    ) -> Result<Timing, SourceError> {
        let command = self.open()?;
        self.until_read(&command).await?;
        let own = Own::new(&self.reply_dir)?;
        let mut reply = make(&own).map_err(|error| no_room(&self.reply_dir, &error.into()))?;
        let frame = format!("{before}{}{after}", own.name());
        if frame.len() > MAX_FRAME_BYTES {
            return Err(SourceError::Protocol(format!(
                "the question is longer than the {MAX_FRAME_BYTES} bytes that a FIFO takes at once"
            )));
        }
        let sent = Instant::now();
        self.write(&command, frame.as_bytes())?;
        drop(command);
        let mut at_ms = None;
        for _ in 0..MAX_STRANGERS {
            into.clear();
            loop {
                into.reserve(CHUNK_BYTES.min(limit));
                let read = reply.read_buf(into).await.map_err(|error| closed(&words(&error)))?;
                if into.len() > limit {
                    return Err(too_large(limit));
                }
                if read == 0 {
                    break;
                }
                at_ms.get_or_insert_with(|| midway_ms(sent, Instant::now()));
            }
            // Who opens our FIFO and writes nothing, or an answer to another, is not the server that was asked.
            if let Some(at_ms) = at_ms.take().filter(|_| may_answer(into)) {
                return Ok(Timing { at_ms, took: sent.elapsed() });
            }
            // The end was read: only a new reader waits for the next writer. It is there before the old one goes, so that nothing is lost.
            reply = open(own.path()).map_err(|error| closed(&words(&error.into())))?;
        }
        Err(closed("others write into it"))
    }

    /// The server's end, which must be a FIFO itself that somebody reads.
    fn open(&self) -> Result<OwnedFd, SourceError> {
        let path = self.path.display();
        let refused = |error: Errno| {
            let why = match error {
                Errno::NOENT => "it is not there; check the path, and that the server runs and has loaded its module for FIFOs".to_owned(),
                Errno::NXIO => "no server reads it; check that the server runs".to_owned(),
                Errno::ACCESS | Errno::PERM => {
                    "the panel may not write into it; let it, by the server's settings for the FIFO's mode and group".to_owned()
                }
                Errno::LOOP => "it is a link; give the path of the FIFO itself".to_owned(),
                other => words(&other.into()),
            };
            SourceError::Unreachable(format!("the FIFO {path} cannot be used: {why}"))
        };
        let other = || {
            SourceError::Unreachable(format!(
                "{path} is no FIFO; something was put in its place: remove that and restart the server, which makes it anew"
            ))
        };
        // Opening what is no FIFO may do something: it is looked at before, and again when it is open.
        match FileType::from_raw_mode(rustix::fs::lstat(&self.path).map_err(refused)?.st_mode) {
            FileType::Fifo => {}
            FileType::Symlink => return Err(refused(Errno::LOOP)),
            _ => return Err(other()),
        }
        let flags = OFlags::WRONLY | OFlags::NONBLOCK | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NOCTTY;
        let fifo = rustix::fs::open(&self.path, flags, Mode::empty()).map_err(refused)?;
        let is_fifo = FileType::from_raw_mode(rustix::fs::fstat(&fifo).map_err(refused)?.st_mode) == FileType::Fifo;
        if is_fifo { Ok(fifo) } else { Err(other()) }
    }

    /// Sees to it that questions do not heap up before a server that hangs, which would answer them all when it goes on: waits while
    /// something lies unread and nothing is taken of it.
    async fn until_read(&self, fifo: &OwnedFd) -> Result<(), SourceError> {
        let unread = || rustix::io::ioctl_fionread(fifo).map_err(|error| closed(&words(&error.into())));
        let mut before = unread()?;
        for _ in 0..MAX_LOOKS {
            if before == 0 {
                return Ok(());
            }
            tokio::time::sleep(LOOK_EVERY).await;
            let now = unread()?;
            if now < before {
                return Ok(());
            }
            before = now;
        }
        Err(self.not_read())
    }

    fn not_read(&self) -> SourceError {
        SourceError::Unreachable(format!(
            "the server does not read its FIFO {}, where questions lie that nobody took; look whether it hangs",
            self.path.display()
        ))
    }

    fn write(&self, fifo: &OwnedFd, frame: &[u8]) -> Result<(), SourceError> {
        match rustix::io::write(fifo, frame) {
            Ok(written) if written == frame.len() => Ok(()),
            // Others filled it meanwhile.
            Err(Errno::AGAIN) => Err(self.not_read()),
            Ok(_) => Err(closed("the question was not taken whole")),
            Err(error) => Err(closed(&words(&error.into()))),
        }
    }
}

fn closed(why: &str) -> SourceError {
    SourceError::Closed(format!("no whole answer came over the FIFO ({why}); the server may be restarting"))
}

/// Makes our FIFO and opens it for reading; whoever the server runs as may write into it.
fn make(own: &Own) -> Result<Receiver, Errno> {
    rustix::fs::mknodat(CWD, own.path(), FileType::Fifo, Mode::RUSR | Mode::WUSR, 0)?;
    let receiver = open(own.path())?;
    // Apart from making it, as the mask of this process may take these away.
    rustix::fs::fchmod(&receiver, Mode::RUSR | Mode::WUSR | Mode::RGRP | Mode::WGRP | Mode::ROTH | Mode::WOTH)?;
    Ok(receiver)
}

fn open(path: &Path) -> Result<Receiver, Errno> {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let fifo = rustix::fs::open(path, flags, Mode::empty())?;
    Receiver::from_owned_fd(fifo).map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::INVAL))
}
