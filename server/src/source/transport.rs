//! Carries one question to one box and its answer back, within the bounds: by HTTP, over FIFOs, or by datagrams. It knows nothing of
//! what they say.

mod datagram;
mod fifo;
pub(super) mod http;
mod local;

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use self::{
    datagram::{Datagram, To},
    fifo::Fifo,
    http::{Http, refusal},
};
use super::{
    SourceError, Target,
    address::Address,
    dialect::{Carrier, Message},
};

/// The largest answer that is read: 200,000 statistics take about 8 MiB.
const MAX_BODY_BYTES: usize = 16 << 20;
/// The largest answer to a question for a name or a time; what is read of it is many times as large in memory.
const MAX_SMALL_BODY_BYTES: usize = 64 << 10;

/// Whether an answer may be the one that was asked for; answers that are not are passed over where others may follow.
pub(super) type MayAnswer<'a> = &'a (dyn Fn(&[u8]) -> bool + Sync);

/// When an answer was given.
#[derive(Clone, Copy, Debug)]
pub(super) struct Timing {
    /// Midway between sending and the first byte of the answer, epoch milliseconds.
    pub(super) at_ms: i64,
    /// From sending to the last byte.
    pub(super) took: Duration,
}

/// Which bodies are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bodies {
    /// Only those of answers with status 200.
    Answers,
    /// The same, where the answer is a name or a time.
    SmallAnswers,
    /// The same, and very small ones of refusals too, when their length is given.
    Refusals,
}

impl Bodies {
    fn limit(self) -> usize {
        match self {
            Self::Answers => MAX_BODY_BYTES,
            Self::SmallAnswers | Self::Refusals => MAX_SMALL_BODY_BYTES,
        }
    }
}

/// The way to one box.
pub(super) enum Transport {
    Http(Box<Http>),
    Fifo(Fifo),
    Datagram(Datagram),
}

impl Transport {
    /// Prepares it; nothing is sent yet.
    pub(super) fn new(target: &Target) -> Result<Self, SourceError> {
        Ok(match &target.address {
            Address::Http { url, tls, .. } => {
                let login = (target.user.clone(), target.password.clone());
                Self::Http(Box::new(Http::new(url.clone(), tls.clone(), login, target.time_limit)?))
            }
            Address::Fifo(local) => Self::Fifo(Fifo::new(&local.path, &local.reply_dir)),
            Address::Udp { host, port, .. } => Self::Datagram(Datagram::new(To::Udp { host: host.clone(), port: *port })),
            Address::Unix(local) => {
                Self::Datagram(Datagram::new(To::Unix { path: local.path.clone(), reply_dir: local.reply_dir.clone() }))
            }
        })
    }

    /// What it is, for whoever writes the question.
    pub(super) fn carrier(&self) -> Carrier {
        match self {
            Self::Http(_) => Carrier::Http,
            Self::Fifo(_) => Carrier::Fifo,
            Self::Datagram(_) => Carrier::Datagram,
        }
    }

    /// Sends a question and waits for the answer, which is then in `into`. The time limit is the caller's: given up, it leaves nothing
    /// behind.
    pub(super) async fn exchange(
        &self,
        message: &Message,
        bodies: Bodies,
        may_answer: MayAnswer<'_>,
        into: &mut Vec<u8>,
    ) -> Result<Timing, SourceError> {
        into.clear();
        match (self, message) {
            (Self::Fifo(fifo), Message::Frame { before, after }) => fifo.exchange(before, after, bodies.limit(), may_answer, into).await,
            (Self::Datagram(datagram), Message::Frame { before, after }) => {
                datagram.exchange(&format!("{before}{after}"), may_answer, into).await
            }
            (Self::Http(http), message) => {
                let exchange = http.exchange(message, bodies, into).await?;
                refusal(exchange.status, http.url()).map_or(Ok(exchange.timing), Err)
            }
            (_, message) => Err(SourceError::Protocol(format!("this question does not go over this address ({message:?})"))),
        }
    }

    /// What it means that no answer came in time.
    pub(super) fn silence(&self, limit: Duration) -> SourceError {
        let why = match self {
            Self::Http(_) => "the server may be stopped or overloaded, or it is a Kamailio that does not serve this path",
            Self::Fifo(_) => {
                "the server may be stopped or busy, be of another kind (dialect=2 in the address is OpenSIPS 2.x), or take answers in another folder (reply_dir in the address)"
            }
            Self::Datagram(_) => "the server may be stopped or busy, be of another kind, or a datagram was lost on the way",
        };
        SourceError::Timeout(limit, why)
    }

    /// Gives up a connection over which answers to earlier questions come.
    pub(super) fn disconnect(&mut self) {
        if let Self::Http(http) = self {
            http.disconnect();
        }
    }
}

/// Epoch milliseconds of the instant midway between two others, of which the later one is now.
fn midway_ms(sent: Instant, first_byte: Instant) -> i64 {
    midway_from(sent, first_byte, SystemTime::now())
}

fn midway_from(sent: Instant, first_byte: Instant, now: SystemTime) -> i64 {
    let half = first_byte.saturating_duration_since(sent) / 2;
    let since_epoch = now.duration_since(UNIX_EPOCH).unwrap_or_default().saturating_sub(half);
    i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX)
}

fn too_large(limit: usize) -> SourceError {
    let limit = if limit >= 1 << 20 { format!("{} MiB", limit >> 20) } else { format!("{} KiB", limit >> 10) };
    SourceError::TooLarge(format!("the answer is larger than {limit}, which no SIP server needs; check the address"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_poll_is_midway() {
        let sent = Instant::now();
        let now = UNIX_EPOCH + Duration::from_secs(1000);
        assert_eq!(midway_from(sent, sent + Duration::from_millis(40), now), 999_980);
        assert_eq!(midway_from(sent, sent, now), 1_000_000);
    }
}
