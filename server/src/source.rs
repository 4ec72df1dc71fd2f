//! Asks one box for its statistics, and sets counters of it to zero: the only code that knows a wire format. It must not know what is ticked or recorded.
//!
//! `address` says where and over what, `dialect` writes the questions, `transport` carries them, `wire` reads the answers, `reset`
//! sets to zero, `probe` finds out what an address is.

mod address;
mod dialect;
mod error;
mod probe;
mod reset;
mod text;
mod transport;
mod wire;

use std::{collections::HashMap, sync::Arc, time::Duration};

use app::model::{BoxKind, Kind, Number, split_name};
use tokio::time::{Instant, timeout_at};

pub use self::{
    address::{Address, Content, Local, Tls, Typed, TypedError, parse_address, without_login},
    error::SourceError,
    probe::probe,
    reset::{Refused, Resetting},
    wire::Replies,
};
use self::{
    dialect::{Carrier, Dialect, Question},
    transport::{Bodies, Timing, Transport},
    wire::{Memory, WireError},
};

/// The longest name of a statistic, in bytes: far longer than any server makes one, and short enough that a link to its chart, where
/// each byte takes three, fits into an address.
pub const MAX_NAME_BYTES: usize = 16 << 10;
/// So many groups are asked by themselves at each poll, when their values are not clear from the answer to everything.
const MAX_GROUPS_AGAIN: usize = 16;
/// A larger answer is read off the runtime's threads, which all boxes share.
const LARGE_BYTES: usize = 256 << 10;
/// A server that says it runs longer than a hundred years is not believed.
const MAX_UPTIME_MS: i64 = 100 * 366 * 86_400_000;

/// What is said of a box whose certificate is not checked, as long as that is so.
const UNCHECKED: &str = "Its certificate is not checked (verify=off in its address): whoever is between can read and forge everything, the password too; name its issuer with ca= instead";
/// What a server of metrics is called, as it does not say.
const EXPORTER: &str = "an exporter of metrics";

/// A password that never shows itself in logs.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(pub String);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Where and how a box is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// What it is; never `Tickmark`, which is asked in the process.
    pub kind: BoxKind,
    /// Where, and over what.
    pub address: Address,
    /// The user name for Basic auth.
    pub user: Option<String>,
    /// The password for Basic auth.
    pub password: Option<Secret>,
    /// How long one poll may take, all its requests together.
    pub time_limit: Duration,
}

/// Why a statistic that the box named has no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unknown {
    /// 2^63 or more without exact digits: a negative number that OpenSIPS wrote as a rounded float.
    Inexact,
    /// The box gave something that is no number.
    NotANumber,
    /// The system that the built-in box reads does not tell it.
    NotTold,
    /// It was recorded as unknown before the panel started; the reason is not kept.
    NotKept,
    /// The name came twice with different values.
    Ambiguous,
    /// It is derived from others, of which one has no value, or by which it cannot be divided.
    NotComputed,
}

impl Unknown {
    /// In words a person can read.
    #[must_use]
    pub fn sentence(self) -> &'static str {
        match self {
            Self::Inexact => "negative, but the box rounded it away",
            Self::NotANumber => "the box gave no number",
            Self::NotTold => "this system does not tell it",
            Self::NotKept => "it was not known when it was recorded",
            Self::Ambiguous => "the box gave two values for this name",
            Self::NotComputed => "what it is computed from has no value",
        }
    }
}

/// One value of an answer.
pub type Reading = Result<Number, Unknown>;

/// What a box answered to one poll.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Midway between sending and the first byte of the answer, epoch milliseconds.
    pub at_ms: i64,
    /// From sending to the last byte.
    pub took: Duration,
    /// When the box started, epoch milliseconds: poll time less uptime.
    pub started_at_ms: Option<i64>,
    /// Full names (`group:name`) in the order of the answer, each once; the very same `Arc` as the poll before when nothing changed.
    pub names: Arc<[Arc<str>]>,
    /// A reading per name.
    pub values: Vec<Reading>,
    /// What of the answer was not taken and why, or why it is not to be trusted, in sentences.
    pub left_out: Option<String>,
}

/// One box's connection and what is remembered of its answers.
pub struct Source {
    target: Target,
    dialect: Dialect,
    transport: Transport,
    memory: Memory,
    /// The last answer, as bytes.
    body: Vec<u8>,
    /// The id of the last request; above 0, and never above what OpenSIPS gives back.
    id: i32,
    /// The names of the last answer to a question for some groups.
    some_names: Arc<[Arc<str>]>,
    /// The box refused to tell its uptime; it is not asked again until a poll has failed.
    uptime_refused: bool,
}

impl Source {
    /// Prepares to ask; nothing is sent yet.
    ///
    /// # Errors
    /// When no client can be made for the address.
    pub fn new(target: Target) -> Result<Self, SourceError> {
        let dialect = Dialect::of(target.kind, &target.address).map_err(SourceError::Protocol)?;
        let transport = Transport::new(&target)?;
        if is_unchecked(&target.address) {
            tracing::warn!(address = %target.address, "the certificate of this box is not checked, as its address says verify=off");
        }
        Ok(Self {
            dialect,
            transport,
            memory: Memory::new(dialect),
            body: Vec::new(),
            id: 0,
            some_names: Arc::new([]),
            uptime_refused: false,
            target,
        })
    }

    /// Where it is asked; there is no login in it.
    #[must_use]
    pub fn address(&self) -> &Address {
        &self.target.address
    }

    /// Asks for every statistic and for the uptime.
    ///
    /// # Errors
    /// When the box does not answer as its dialect promises.
    pub async fn poll(&mut self) -> Result<Answer, SourceError> {
        let deadline = Instant::now() + self.target.time_limit;
        let mut values = Vec::with_capacity(self.memory.names().len());
        let answered = timeout_at(deadline, self.ask_all(&mut values)).await;
        let timing = match answered.unwrap_or_else(|_| Err(self.transport.silence(self.target.time_limit))) {
            Ok(timing) => timing,
            Err(error) => {
                self.uptime_refused = false;
                // It may have been many times as large as an answer.
                self.body = Vec::new();
                return Err(error);
            }
        };
        let names = self.memory.names();
        let uptime = self.memory.uptime_ms(&values, timing.at_ms).map(|uptime_ms| (timing.at_ms, uptime_ms));
        // What follows makes the answer better; the values that are there are not given up for it.
        let _ = timeout_at(deadline, self.ask_groups_again(&names, &mut values)).await;
        let uptime = match uptime {
            Some(uptime) => Some(uptime),
            None => timeout_at(deadline, self.ask_uptime()).await.ok().flatten(),
        };
        let started_at_ms =
            uptime.filter(|(_, uptime_ms)| (0..=MAX_UPTIME_MS).contains(uptime_ms)).map(|(at_ms, uptime_ms)| at_ms - uptime_ms);
        let left_out = match (is_unchecked(&self.target.address), self.memory.left_out()) {
            (true, Some(left_out)) => Some(format!("{left_out}. {UNCHECKED}")),
            (true, None) => Some(UNCHECKED.to_owned()),
            (false, left_out) => left_out,
        };
        Ok(Answer { at_ms: timing.at_ms, took: timing.took, started_at_ms, names, values, left_out })
    }

    /// Asks for the statistics of some groups alone; for all, where these cannot be asked for. When the box started is not asked.
    ///
    /// # Errors
    /// As [`Self::poll`].
    pub async fn poll_groups(&mut self, groups: &[String]) -> Result<Answer, SourceError> {
        let groups: Vec<&str> = groups.iter().map(String::as_str).collect();
        if groups.is_empty() || groups.contains(&"") || !self.can_ask(Question::Groups(&groups)) {
            return self.poll().await;
        }
        let limit = self.target.time_limit;
        let asked = timeout_at(Instant::now() + limit, self.ask_groups(&groups)).await;
        let (members, timing) = asked.unwrap_or_else(|_| Err(self.transport.silence(limit)))?;
        let (names, values): (Vec<Arc<str>>, Vec<Reading>) = members.into_iter().unzip();
        if *self.some_names != *names {
            self.some_names = names.into();
        }
        let names = Arc::clone(&self.some_names);
        Ok(Answer { at_ms: timing.at_ms, took: timing.took, started_at_ms: None, names, values, left_out: None })
    }

    /// Asks which statistics count and which show a level, by full name; empty where the dialect cannot say (Kamailio).
    ///
    /// # Errors
    /// As [`Self::poll`].
    pub async fn kinds(&mut self) -> Result<Vec<(Arc<str>, Kind)>, SourceError> {
        if !self.dialect.knows(Question::Kinds) {
            return Ok(Vec::new());
        }
        self.ask_in_time(Question::Kinds, Bodies::Answers).await?;
        let (body, id, dialect) = (std::mem::take(&mut self.body), self.id, self.dialect);
        let read = aside(body.len(), move || wire::kinds(&body, dialect, id)).await?;
        self.checked(read)
    }

    /// Asks what the box calls itself, such as `OpenSIPS 4.0.1`.
    ///
    /// # Errors
    /// As [`Self::poll`].
    pub async fn server(&mut self) -> Result<String, SourceError> {
        if !self.dialect.knows(Question::Version) {
            return Ok(EXPORTER.to_owned());
        }
        self.ask_in_time(Question::Version, Bodies::SmallAnswers).await?;
        self.checked(wire::server(&self.body, self.dialect, self.id))
    }

    /// Asks what each process of the box is, by its number.
    ///
    /// # Errors
    /// As [`Self::poll`]; also where the box cannot be asked for that.
    pub async fn processes(&mut self) -> Result<Vec<(u32, String)>, SourceError> {
        if !self.dialect.knows(Question::Processes) {
            return Err(SourceError::Protocol("over XML-RPC it is not asked; it can be over HTTP with JSON, a FIFO or datagrams".into()));
        }
        self.ask_in_time(Question::Processes, Bodies::Answers).await?;
        self.checked(wire::processes(&self.body, self.dialect, self.id))
    }

    /// As [`Self::ask`], with the whole time limit for this one question.
    async fn ask_in_time(&mut self, question: Question<'_>, bodies: Bodies) -> Result<Timing, SourceError> {
        let limit = self.target.time_limit;
        let asked = timeout_at(Instant::now() + limit, self.ask(question, bodies)).await;
        asked.unwrap_or_else(|_| Err(self.transport.silence(limit)))
    }

    /// Sends one request; the answer is in `body`, its id must be `id`.
    async fn ask(&mut self, question: Question<'_>, bodies: Bodies) -> Result<Timing, SourceError> {
        let carrier = self.transport.carrier();
        self.id = next_id(self.id, carrier)?;
        let (dialect, id) = (self.dialect, self.id);
        let message = dialect.write(question, id, carrier);
        let message = message.ok_or_else(|| SourceError::Protocol(format!("{} cannot be asked here", dialect.method(question))))?;
        let may_answer = move |body: &[u8]| wire::may_answer(body, dialect, id);
        self.transport.exchange(&message, bodies, &may_answer, &mut self.body).await
    }

    /// What was read of an answer. After one that belongs to another request the connection is of no use any more.
    fn checked<T>(&mut self, read: Result<T, WireError>) -> Result<T, SourceError> {
        if matches!(read, Err(WireError::WrongId(..))) {
            self.transport.disconnect();
        }
        Ok(read?)
    }

    async fn ask_all(&mut self, values: &mut Vec<Reading>) -> Result<Timing, SourceError> {
        let timing = self.ask(Question::All, Bodies::Answers).await?;
        let id = self.id;
        // Should the time limit pass meanwhile, what is remembered of the answer before is lost, which costs only time.
        let mut memory = std::mem::replace(&mut self.memory, Memory::new(self.dialect));
        let (body, mut readings) = (std::mem::take(&mut self.body), std::mem::take(values));
        let reading = aside(body.len(), move || {
            let read = wire::statistics(&body, id, &mut memory, &mut readings);
            (read, body, memory, readings)
        });
        let read;
        (read, self.body, self.memory, *values) = reading.await?;
        self.checked(read)?;
        Ok(timing)
    }

    /// Asks for the groups of values that were not clear: a group's own answer tells apart what two groups call the same, and
    /// Kamailio tells a group's values with all their digits.
    async fn ask_groups_again(&mut self, names: &[Arc<str>], values: &mut [Reading]) -> Result<(), SourceError> {
        let dialect = self.dialect;
        let unclear = |reading: &Reading| match reading {
            Err(Unknown::Ambiguous) => true,
            Err(Unknown::Inexact) => dialect.has_digits_by_group(),
            _ => false,
        };
        let mut groups: Vec<&str> = Vec::new();
        for (name, _) in names.iter().zip(&*values).filter(|(_, reading)| unclear(reading)) {
            let group = split_name(name).0;
            if !group.is_empty() && !groups.contains(&group) && groups.len() < MAX_GROUPS_AGAIN {
                groups.push(group);
            }
        }
        for group in groups {
            if !self.can_ask(Question::Groups(&[group])) {
                continue;
            }
            let (members, _) = self.ask_groups(&[group]).await?;
            let members: HashMap<Arc<str>, Reading> = members.into_iter().collect();
            for (name, value) in names.iter().zip(values.iter_mut()).filter(|(_, reading)| unclear(reading)) {
                if let Some(reading) = members.get(name) {
                    *value = *reading;
                }
            }
        }
        Ok(())
    }

    /// The members of groups, and when they were told.
    async fn ask_groups(&mut self, groups: &[&str]) -> Result<(Vec<(Arc<str>, Reading)>, Timing), SourceError> {
        let timing = self.ask(Question::Groups(groups), Bodies::Answers).await?;
        let (body, id, dialect) = (std::mem::take(&mut self.body), self.id, self.dialect);
        let read = aside(body.len(), move || wire::some(&body, dialect, Question::Groups(&[]), id)).await?;
        let mut members = self.checked(read)?;
        members.retain(|(name, _)| groups.contains(&split_name(name).0));
        Ok((members, timing))
    }

    fn can_ask(&self, question: Question<'_>) -> bool {
        self.dialect.write(question, i32::MAX, self.transport.carrier()).is_some()
    }

    /// The uptime in milliseconds, and when it was asked.
    async fn ask_uptime(&mut self) -> Option<(i64, i64)> {
        if self.uptime_refused || !self.dialect.knows(Question::Uptime) {
            return None;
        }
        let answered = self.ask(Question::Uptime, Bodies::SmallAnswers).await;
        let seconds = match &answered {
            Ok(_) => wire::uptime_s(&self.body, self.dialect, self.id),
            Err(_) => None,
        };
        // A server that answers, but not with its uptime, will not do so a second later either.
        self.uptime_refused = seconds.is_none() && matches!(answered, Ok(_) | Err(SourceError::Status(_)));
        Some((answered.ok()?.at_ms, seconds?.checked_mul(1000)?))
    }
}

fn is_unchecked(address: &Address) -> bool {
    matches!(address, Address::Http { tls, .. } if tls.is_unchecked)
}

/// The id of the next request. Where anybody may send an answer, it is one that nobody guesses.
fn next_id(last: i32, carrier: Carrier) -> Result<i32, SourceError> {
    if carrier == Carrier::Http {
        return Ok(last.checked_add(1).unwrap_or(1));
    }
    let mut bytes = [0; 4];
    getrandom::fill(&mut bytes).map_err(|error| SourceError::Protocol(format!("the system gives no random numbers ({error})")))?;
    Ok((i32::from_ne_bytes(bytes) & i32::MAX).max(1))
}

/// Reads something: at once when it is small, else off the runtime's threads.
async fn aside<T: Send + 'static>(bytes: usize, read: impl FnOnce() -> T + Send + 'static) -> Result<T, SourceError> {
    if bytes <= LARGE_BYTES {
        return Ok(read());
    }
    tokio::task::spawn_blocking(read).await.map_err(|error| SourceError::Protocol(format!("the answer could not be read ({error})")))
}
