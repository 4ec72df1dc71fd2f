//! Sets counters of a server to zero. A server's "OK" proves nothing, and a name without its group may reach another group's statistic:
//! so it is asked before what the names reach, and read again afterwards.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use app::model::{Kind, Number, split_name};

use super::{
    Answer, Reading, Source, SourceError,
    dialect::Question,
    transport::Bodies,
    wire::{self, WireError},
};

/// A counter that was not at zero when it was read again is told so often to be.
const MAX_ROUNDS: usize = 2;

/// A statistic that was not set to zero, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Its full name.
    pub name: String,
    /// A sentence.
    pub reason: String,
}

/// Statistics on their way to zero: told by [`Source::reset`], then checked against a newer answer, as long as [`Self::goes_on`].
#[derive(Debug)]
pub struct Resetting {
    items: Vec<Item>,
    rounds: usize,
}

#[derive(Debug)]
struct Item {
    full: Arc<str>,
    /// The value before, as far as it is known.
    before: Reading,
    state: State,
}

#[derive(Debug, PartialEq, Eq)]
enum State {
    /// It is to be told.
    Waiting,
    /// The server was told; whether it did is not known yet.
    Told,
    /// It was read again.
    Reset,
    Refused(String),
}

impl Resetting {
    /// What is to be set to zero of an answer. What is no counter or not there is refused at once.
    #[must_use]
    pub fn new(answer: &Answer, names: &[String], kind: impl Fn(&str) -> Kind) -> Self {
        let mut items: Vec<Item> = Vec::with_capacity(names.len());
        let places: HashMap<&str, usize> = answer.names.iter().enumerate().map(|(place, name)| (&**name, place)).collect();
        let mut seen = HashSet::new();
        for name in names.iter().filter(|name| seen.insert(name.as_str())) {
            let item = match places.get(name.as_str()) {
                None => Item::refused(name, "the server has no such statistic"),
                Some(_) if kind(name) == Kind::Gauge => Item::refused(name, "a gauge shows a level: only counters can be set to zero"),
                Some(&place) => Item { full: Arc::clone(&answer.names[place]), before: answer.values[place], state: State::Waiting },
            };
            items.push(item);
        }
        Self { items, rounds: 0 }
    }

    /// Whether there is something that the server is still to be told.
    #[must_use]
    pub fn goes_on(&self) -> bool {
        self.rounds < MAX_ROUNDS && self.items.iter().any(|item| item.state == State::Waiting)
    }

    /// Sets to zero what waits, by a function that does it or says why not: for a box that is no server.
    pub fn tell(&mut self, mut reset: impl FnMut(&str) -> Result<(), &'static str>) {
        self.rounds += 1;
        for item in self.items.iter_mut().filter(|item| item.state == State::Waiting) {
            item.state = match reset(&item.full) {
                Ok(()) => State::Told,
                Err(why) => State::Refused(why.to_owned()),
            };
        }
    }

    /// The names that the server was told and that were not read again yet.
    pub fn told(&self) -> impl Iterator<Item = &Arc<str>> {
        self.items.iter().filter(|item| item.state == State::Told).map(|item| &item.full)
    }

    /// Compares with an answer that was read after the server was told; gives the names that are at zero, or began there anew.
    pub fn check(&mut self, answer: &Answer) -> Vec<Arc<str>> {
        let mut reset = Vec::new();
        let values: HashMap<&str, Reading> = answer.names.iter().map(|name| &**name).zip(answer.values.iter().copied()).collect();
        for item in self.items.iter_mut().filter(|item| item.state == State::Told) {
            let after = values.get(&*item.full).copied();
            item.state = match (item.before, after) {
                (_, None) => State::Refused("it is gone since the server was told to set it to zero".into()),
                (before, Some(Ok(after))) if began_anew(before, after) => {
                    reset.push(Arc::clone(&item.full));
                    State::Reset
                }
                (_, Some(_)) if self.rounds < MAX_ROUNDS => State::Waiting,
                (before, Some(after)) => State::Refused(unmoved(before, after)),
            };
            if let Some(after) = after {
                item.before = after;
            }
        }
        reset
    }

    /// What could not be read again stays unknown: `why` is a sentence.
    pub fn give_up(&mut self, why: &str) {
        for item in self.items.iter_mut().filter(|item| item.state == State::Told) {
            item.state = State::Refused(format!("the server was told, but whether it did is not known: {why}"));
        }
    }

    /// The full names that were set to zero, and those that were not.
    #[must_use]
    pub fn end(self) -> (Vec<String>, Vec<Refused>) {
        let (mut reset, mut refused) = (Vec::new(), Vec::new());
        for item in self.items {
            let name = item.full.to_string();
            match item.state {
                State::Reset => reset.push(name),
                State::Refused(reason) => refused.push(Refused { name, reason }),
                State::Waiting | State::Told => refused.push(Refused { name, reason: "the server was not told".into() }),
            }
        }
        (reset, refused)
    }
}

impl Item {
    fn refused(name: &str, reason: &str) -> Self {
        Self { full: name.into(), before: Err(super::Unknown::NotKept), state: State::Refused(reason.to_owned()) }
    }

    /// The name without its group, which is all that servers take.
    fn bare(&self) -> &str {
        split_name(&self.full).1
    }
}

/// Whether a value shows that it was set to zero and counted on from there.
fn began_anew(before: Reading, after: Number) -> bool {
    let after = after.as_f64().abs();
    after == 0.0 || before.is_ok_and(|before| after < before.as_f64().abs() || before.as_f64() == 0.0)
}

fn unmoved(before: Reading, after: Reading) -> String {
    match (before, after) {
        (Ok(before), Ok(after)) if before == after => {
            format!("the server was told, but it is still {}: it cannot be set to zero", after.as_f64())
        }
        (Ok(before), Ok(after)) => format!(
            "the server was told, but it is {} after {}: it cannot be set to zero, or counts too fast to be seen there",
            after.as_f64(),
            before.as_f64()
        ),
        (_, Err(unknown)) | (Err(unknown), _) => format!("the server was told, but the value is not known: {}", unknown.sentence()),
    }
}

impl Source {
    /// Tells the box to set to zero what waits for it. What does not take, because its name would reach another statistic or cannot be
    /// said, is refused and not told. Nothing is known to be done before it was read again.
    pub async fn reset(&mut self, resetting: &mut Resetting) {
        resetting.rounds += 1;
        while let Some(batch) = self.batch(resetting) {
            if let Err(error) = self.reset_batch(resetting, &batch).await {
                // The others would most likely end the same, each after its time limit.
                for item in resetting.items.iter_mut().filter(|item| item.state == State::Waiting) {
                    item.state = State::Refused(error.to_string());
                }
            }
        }
    }

    /// The places of the next statistics that fit into one request; none when nothing waits.
    fn batch(&self, resetting: &mut Resetting) -> Option<Vec<usize>> {
        let mut places: Vec<usize> = Vec::new();
        for place in 0..resetting.items.len() {
            if resetting.items[place].state != State::Waiting {
                continue;
            }
            places.push(place);
            let names = bare_names(resetting, &places);
            if self.dialect.write(Question::Reset(&names), i32::MAX, self.transport.carrier()).is_some() {
                continue;
            }
            places.pop();
            if !places.is_empty() {
                break;
            }
            let reason = if self.dialect.knows(Question::Reset(&[])) {
                "its name cannot be said over this interface of the server"
            } else {
                "metrics are only read: over this address nothing can be set to zero"
            };
            resetting.items[place].state = State::Refused(reason.into());
        }
        (!places.is_empty()).then_some(places)
    }

    async fn reset_batch(&mut self, resetting: &mut Resetting, batch: &[usize]) -> Result<(), SourceError> {
        let names = bare_names(resetting, batch);
        self.ask_in_time(Question::Reached(&names), Bodies::Answers).await?;
        let read = wire::some(&self.body, self.dialect, Question::Reached(&[]), self.id);
        let reached = self.checked(read)?;
        for &place in batch {
            let item = &mut resetting.items[place];
            item.state = match reached.iter().find(|(full, _)| split_name(full).1 == item.bare()) {
                None => State::Refused("the server has it no more".into()),
                Some((full, _)) if *full != item.full => {
                    State::Refused(format!("the server takes names without their group, and {} alone reaches {full}", item.bare()))
                }
                Some((_, reading)) => {
                    item.before = *reading;
                    State::Told
                }
            };
        }
        let told: Vec<usize> = batch.iter().copied().filter(|&place| resetting.items[place].state == State::Told).collect();
        if told.is_empty() {
            return Ok(());
        }
        let names = bare_names(resetting, &told);
        // It may have been done also where this fails: reading again tells.
        self.ask_in_time(Question::Reset(&names), Bodies::SmallAnswers).await?;
        let refused = match wire::is_reset(&self.body, self.dialect, self.id) {
            Ok(true) => return Ok(()),
            Ok(false) => "the server says that it has no such statistic".to_owned(),
            Err(error @ WireError::Refused { .. }) => error.to_string(),
            Err(error) => return self.checked(Err(error)),
        };
        for place in told {
            resetting.items[place].state = State::Refused(refused.clone());
        }
        Ok(())
    }
}

fn bare_names<'a>(resetting: &'a Resetting, places: &[usize]) -> Vec<&'a str> {
    places.iter().map(|&place| resetting.items[place].bare()).collect()
}
