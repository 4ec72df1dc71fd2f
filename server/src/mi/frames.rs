//! Requests in the bytes of a FIFO, of both dialects: `:REPLY:{JSON}` of 3.x and 4.x, and `:COMMAND:REPLY`, a line for each word and an empty
//! one, of 2.x. Bounded; what makes no sense is skipped. Pure.

use serde::de::IgnoredAny;

/// No request is larger.
pub(super) const MAX_FRAME: usize = 64 << 10;
/// The longest name of a reply FIFO.
const MAX_REPLY_NAME: usize = 120;

/// A request.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Frame {
    /// JSON.
    Rpc { reply: String, json: Vec<u8> },
    /// A command of 2.x.
    Lines { command: String, reply: String, words: Vec<String> },
}

/// Bytes that have come and are no whole request yet.
#[derive(Default)]
pub(super) struct Frames {
    bytes: Vec<u8>,
    /// What comes before was looked at already.
    begin: usize,
}

/// What a look at the bytes found.
enum Look {
    /// A request, and where it ends.
    Whole(Option<Frame>, usize),
    /// More must come.
    Part,
    /// Nothing of use up to here.
    Skip(usize),
}

impl Frames {
    /// Takes bytes; what would be too much is dropped with all before it.
    pub(super) fn take(&mut self, bytes: &[u8]) {
        self.bytes.drain(..self.begin);
        self.begin = 0;
        if self.bytes.len() + bytes.len() > MAX_FRAME {
            self.bytes.clear();
        }
        if bytes.len() <= MAX_FRAME {
            self.bytes.extend_from_slice(bytes);
        }
    }

    /// Whether part of a request waits for the rest.
    pub(super) fn is_partial(&self) -> bool {
        self.begin < self.bytes.len()
    }

    /// Gives up what is there: the rest did not come in time.
    pub(super) fn give_up(&mut self) {
        self.begin = self.bytes.len();
    }

    /// The next whole request.
    pub(super) fn next(&mut self) -> Option<Frame> {
        loop {
            let rest = &self.bytes[self.begin..];
            let rest = rest.trim_ascii_start();
            self.begin = self.bytes.len() - rest.len();
            if rest.is_empty() {
                return None;
            }
            match look(rest) {
                Look::Part => return None,
                Look::Skip(end) => self.begin += end,
                Look::Whole(frame, end) => {
                    self.begin += end;
                    if frame.is_some() {
                        return frame;
                    }
                }
            }
        }
    }
}

/// Where the next request may begin: at a colon that begins a line.
fn resume(bytes: &[u8]) -> usize {
    bytes.windows(2).skip(1).position(|pair| pair == b"\n:").map_or(bytes.len(), |place| place + 2)
}

fn look(bytes: &[u8]) -> Look {
    let skip = || Look::Skip(resume(bytes));
    if bytes[0] != b':' {
        return skip();
    }
    let Some(colon) = bytes[1..].iter().take(MAX_REPLY_NAME + 1).position(|byte| matches!(byte, b':' | b'\n')).map(|place| place + 1)
    else {
        return if bytes.len() > MAX_REPLY_NAME + 1 { skip() } else { Look::Part };
    };
    if bytes[colon] != b':' {
        return skip();
    }
    let rest = &bytes[colon + 1..];
    match rest.first() {
        None => Look::Part,
        Some(b'{' | b'[') => {
            let mut values = serde_json::Deserializer::from_slice(rest).into_iter::<IgnoredAny>();
            match values.next() {
                Some(Ok(_)) => {
                    let end = values.byte_offset();
                    let reply = name(&bytes[1..colon]);
                    Look::Whole(reply.map(|reply| Frame::Rpc { reply, json: rest[..end].to_vec() }), colon + 1 + end)
                }
                Some(Err(error)) if error.is_eof() => Look::Part,
                _ => skip(),
            }
        }
        Some(_) => {
            // A line that begins with a colon begins another request: whoever wrote this one left out the end.
            let end = bytes.windows(2).position(|pair| matches!(pair, b"\n\n" | b"\n:"));
            match end.map(|end| (end, bytes[end + 1])) {
                None => Look::Part,
                Some((end, b':')) => Look::Skip(end + 1),
                Some((end, _)) => {
                    let text = std::str::from_utf8(&bytes[..end]).ok();
                    Look::Whole(text.and_then(lines).filter(|frame| name(frame.reply().as_bytes()).is_some()), end + 2)
                }
            }
        }
    }
}

impl Frame {
    /// The name of the FIFO that waits for the answer.
    pub(super) fn reply(&self) -> &str {
        match self {
            Self::Rpc { reply, .. } | Self::Lines { reply, .. } => reply,
        }
    }
}

/// A name that leads nowhere but into the reply folder.
fn name(bytes: &[u8]) -> Option<String> {
    let good = (1..=MAX_REPLY_NAME).contains(&bytes.len()) && bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
    good.then(|| String::from_utf8_lossy(bytes).into_owned())
}

/// Reads a command of 2.x without its empty line: `:COMMAND:REPLY`, then a word a line, which may be quoted or have a name before `::`.
pub(super) fn lines(text: &str) -> Option<Frame> {
    let mut lines = text.trim_start().strip_prefix(':')?.lines();
    let (command, reply) = lines.next()?.split_once(':')?;
    let word = |line: &str| {
        let line = line.trim_end_matches('\r');
        // Within quotes colons are part of the word.
        let value = line.split_once("::").filter(|(name, _)| !name.starts_with('"')).map_or(line, |(_, value)| value);
        value.strip_prefix('"').and_then(|inner| inner.strip_suffix('"')).unwrap_or(value).to_owned()
    };
    let words = lines.take_while(|line| !line.is_empty()).map(word).collect();
    Some(Frame::Lines { command: command.to_owned(), reply: reply.trim().to_owned(), words })
}

#[cfg(test)]
mod tests;
