//! What a run changes: statistics, loads, what is posted and told. In a dry run it only notes what it would have.

use app::model::{Kind, Number};

use super::{GET_TRIES, Host, MAX_BODY, MAX_GETS, MAX_NOTICE, MAX_NOTICES, MAX_POSTS, Said};
use crate::{
    alerts::{Destination, Message, Severity},
    clock,
    engine::{Engine, Push},
    scripts::{notices::Notice, reach::Answered},
    store::{NewDelivery, Outgoing},
};

impl Host {
    /// What a change would be, in a dry run; in another it is made by `push`.
    fn push(&self, what: &'static str, name: &str, to: impl FnOnce(i64) -> Option<i64>, push: Push) -> Said<i64> {
        let full = self.engine().pushed_name(name).map_err(|error| error.to_string())?;
        let before = self.own(&full).and_then(|(_, value)| value);
        let before_int = if let Some(Number::Int(value)) = before { value } else { 0 };
        let after = if self.dry {
            let after = to(before_int).ok_or_else(|| "the value would leave the range of 64 bits".to_owned())?;
            self.lock().values.insert(full.clone(), after);
            after
        } else {
            self.engine().push(&full, push, None, Some(&self.by())).map_err(|error| error.to_string())?
        };
        self.changed(what, None, &full, before, Some(Number::Int(after)));
        Ok(after)
    }

    /// Adds to a statistic of one's own, which is made when it is new.
    pub(in crate::scripts) fn update(&self, name: &str, by: i64) -> Said<i64> {
        self.push("update_stat", name, |before| before.checked_add(by), Push::By(by))
    }

    /// Sets it.
    pub(in crate::scripts) fn set(&self, name: &str, to: i64) -> Said<i64> {
        self.push("set_stat", name, |_| Some(to), Push::To(to))
    }

    /// Sets a counter of the panel's own box to zero.
    pub(in crate::scripts) fn reset(&self, name: &str) -> Said<()> {
        self.engine().counts_pushed().then_some(()).ok_or("what is pushed is counted by another panel of the database")?;
        let Some((full, before)) = self.own(name) else { return Err(format!("there is no statistic {name}")) };
        if self.dry {
            if self.engine().find(&full).is_some_and(|statistic| statistic.traits().no_reset || statistic.is_computed()) {
                return Err(format!("{full} is not meant to be set to zero; a gauge of your own is set by set_stat(\"{full}\", 0)"));
            }
            self.lock().values.insert(full.clone(), 0);
        } else {
            let done = self.engine().reset_named(&full, Some(&self.by()));
            done.map_err(|why| format!("{full}: {why}; a gauge of your own is set by set_stat(\"{full}\", 0)"))?;
        }
        self.changed("reset_stat", None, &full, before, Some(Number::Int(0)));
        Ok(())
    }

    /// Sets counters of a box to zero: all of them, or it is an error.
    pub(in crate::scripts) fn reset_of(&self, box_name: &str, names: &[String]) -> Said<()> {
        if self.entry(box_name)?.is_none() {
            return names.iter().try_for_each(|name| self.reset(name));
        }
        let mut before = Vec::with_capacity(names.len());
        for name in names {
            let (_, full) = self.located(Some(box_name), name)?;
            before.push((self.stat(Some(box_name), &full)?, full));
        }
        if self.dry {
            let entry = self.parts.desk.entry(box_name).map_err(|error| error.to_string())?;
            let gauge = before.iter().find(|(_, full)| entry.lock().kind_of(full) == Kind::Gauge);
            if let Some((_, full)) = gauge {
                return Err(format!("{full} of {box_name} is a gauge, which is not set to zero"));
            }
        } else {
            let wanted = before.iter().map(|(_, full)| full.clone()).collect();
            let done = self.wait(self.parts.desk.reset(box_name, wanted, &self.by()))?.map_err(|error| error.to_string())?;
            if let Some(refused) = done.refused.first() {
                return Err(format!("{} of {box_name} was not set to zero: {}", refused.name, refused.reason));
            }
        }
        for (value, full) in before {
            self.changed("reset_stat", Some(box_name), &full, value, Some(Number::Int(0)));
        }
        Ok(())
    }

    /// The least loaded of several destinations, which has one more then.
    pub(in crate::scripts) fn pick(&self, pattern: &str, destinations: &[String], weights: &[f64]) -> Said<String> {
        let picked = if self.dry {
            let load = |full: &str| if let Some((_, Some(Number::Int(load)))) = self.own(full) { load } else { 0 };
            Engine::would_pick(pattern, destinations, weights, load)
        } else {
            self.engine().pick(pattern, destinations, weights)
        };
        let picked = picked.map_err(|error| error.to_string())?;
        let destination = destinations[picked.place].clone();
        self.loaded("pick", pattern, &destination, picked.load - 1, picked.load)?;
        Ok(destination)
    }

    /// Takes one off the load of a destination.
    pub(in crate::scripts) fn release(&self, pattern: &str, destination: &str) -> Said<i64> {
        let full = Engine::load_name(pattern, destination).map_err(|error| error.to_string())?;
        let before = if let Some((_, Some(Number::Int(load)))) = self.own(&full) { load } else { 0 };
        let load = match self.dry && self.own(&full).is_some() {
            true => (before - 1).max(0),
            false => self.engine().release(pattern, destination).map_err(|error| error.to_string())?,
        };
        self.loaded("release", pattern, destination, before, load)?;
        Ok(load)
    }

    fn loaded(&self, what: &'static str, pattern: &str, destination: &str, from: i64, to: i64) -> Said<()> {
        let full = Engine::load_name(pattern, destination).map_err(|error| error.to_string())?;
        self.changed(what, None, &full, Some(Number::Int(from)), Some(Number::Int(to)));
        if self.dry {
            self.lock().values.insert(full, to);
        }
        Ok(())
    }

    /// Hands something over to be delivered, however long that takes; answers the key by which the receiver knows it.
    pub(in crate::scripts) fn post(&self, line: Option<usize>, url: &str, content_type: &str, body: String) -> Said<String> {
        let url = self.parts.reach.check(url)?;
        if body.len() > MAX_BODY {
            return Err(format!("the body has {} bytes; at most {MAX_BODY} are posted", body.len()));
        }
        let posts = {
            let mut told = self.lock();
            told.posts += 1;
            told.posts
        };
        if posts > MAX_POSTS {
            return Err(format!("a run may post {MAX_POSTS} times: send more at once, and less often"));
        }
        let mut key = [0; 16];
        getrandom::fill(&mut key).map_err(|error| format!("the system gives no random bytes: {error}"))?;
        let key = key.iter().fold(String::with_capacity(32), |text, byte| format!("{text}{byte:02x}"));
        if !self.dry {
            let outgoing = Outgoing {
                id: 0,
                script_name: self.name.clone(),
                line: line.and_then(|line| i64::try_from(line).ok()),
                idempotency_key: key.clone(),
                url: url.to_string(),
                content_type: content_type.to_owned(),
                body,
                created_ms: clock::now_ms(),
                attempts: 0,
                next_ms: None,
                outcome: String::new(),
                answer: String::new(),
            };
            self.wait(self.parts.store.send_later(&outgoing))?.map_err(|error| error.to_string())?;
            self.parts.posted.notify_one();
        }
        self.changed("http_post", None, url.as_str(), None, None);
        Ok(key)
    }

    /// Asks a host, again when it fails.
    pub(in crate::scripts) fn get(&self, url: &str) -> Said<Answered> {
        let gets = {
            let mut told = self.lock();
            told.gets += 1;
            told.gets
        };
        if gets > MAX_GETS {
            return Err(format!("a run may ask {MAX_GETS} times"));
        }
        self.parts.reach.check(url)?;
        let asking = async {
            let mut tries = 1;
            loop {
                let answer = self.parts.reach.get(url).await;
                if tries == GET_TRIES || answer.as_ref().is_ok_and(|answer| answer.status < 500) {
                    return answer;
                }
                tokio::time::sleep(std::time::Duration::from_millis(250 << tries)).await;
                tries += 1;
            }
        };
        self.wait(asking)?
    }

    /// Tells people: whoever looks at the panel, and the destinations of alerts, or one of them.
    pub(in crate::scripts) fn notify(&self, severity: &str, text: &str, to: Option<&str>) -> Said<()> {
        let level = [Severity::Info, Severity::Warning, Severity::Critical].into_iter().find(|known| known.as_str() == severity);
        let level = level.ok_or_else(|| format!("{severity:?} is no severity: info, warning and critical are"))?;
        let text = &text[..text.floor_char_boundary(MAX_NOTICE)];
        let notices = {
            let mut told = self.lock();
            told.notices += 1;
            told.notices
        };
        if notices > MAX_NOTICES {
            return Err(format!("a run may notify {MAX_NOTICES} times"));
        }
        let all = self.wait(self.parts.store.destinations())?.map_err(|error| error.to_string())?;
        if let Some(to) = to.filter(|to| all.iter().all(|one| one.name != *to)) {
            let names: Vec<&str> = all.iter().map(|one| one.name.as_str()).take(10).collect();
            return Err(format!("there is no destination {to:?}: there are {names:?}"));
        }
        if !self.dry {
            let message = Message::notice(&self.parts.url, &self.name, level, text, clock::now_ms());
            let body = serde_json::to_string(&message).map_err(|error| error.to_string())?;
            let told = all.iter().filter(|one| to.is_none_or(|to| one.name == to));
            let told = told.filter_map(|one| Some((one.name.clone(), Destination::told_within(one)?)));
            let deliveries: Vec<NewDelivery> =
                told.map(|(destination, wait_ms)| NewDelivery { destination, body: body.clone(), wait_ms }).collect();
            self.wait(self.parts.store.deliver(&deliveries, clock::now_ms()))?.map_err(|error| error.to_string())?;
            self.parts.wake.notify_one();
            let notice = Notice { script: self.name.clone(), severity: severity.to_owned(), text: text.to_owned(), at: clock::now_ms() };
            self.parts.notices.tell(notice);
        }
        self.changed("notify", None, text, None, None);
        Ok(())
    }
}
