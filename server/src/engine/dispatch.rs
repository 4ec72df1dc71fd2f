//! Dispatching by load: a statistic for each destination counts what it has, and the one with the least is given and counted in one step.
//! It must not know how it is asked, nor what a destination is.

use std::{
    hash::BuildHasher as _,
    sync::{Mutex, MutexGuard, PoisonError},
};

use app::{model::Kind, shown::visible};
use foldhash::fast::RandomState;

use super::{Engine, Push, PushError, Statistic, custom::pushable};

/// The group of the statistics.
pub const DISPATCH_GROUP: &str = "script";
/// So many destinations there may be to choose from.
pub const MAX_DESTINATIONS: usize = 1_000;
/// Where the destination stands in a pattern.
const PLACE: &str = "%u";
/// Patterns share so many locks: two rarely wait for each other, and there is nothing to tidy up when one is not used any more.
const LOCKS: usize = 64;

/// Why nothing was chosen or released.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DispatchError {
    /// What was asked makes no sense.
    #[error("{0}")]
    Asked(String),
    /// What is released was never picked.
    #[error("{0} was never picked by this pattern: release with the pattern and the destination of the pick, letter by letter")]
    NeverPicked(String),
    /// Its statistic cannot be counted in.
    #[error(transparent)]
    Push(#[from] PushError),
}

/// The destination that was chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picked {
    /// Its place among those that were named.
    pub place: usize,
    /// Its load, with this one.
    pub load: i64,
}

/// What keeps choosing and counting one step: whoever asks by the same pattern waits.
pub(super) struct Dispatch {
    locks: [Mutex<()>; LOCKS],
    hasher: RandomState,
}

/// A pattern of names, before and after each place of the destination; the first part begins with the group.
struct Pattern(String);

impl Default for Dispatch {
    fn default() -> Self {
        Self { locks: std::array::from_fn(|_| Mutex::default()), hasher: RandomState::default() }
    }
}

impl Dispatch {
    fn lock(&self, pattern: &Pattern) -> MutexGuard<'_, ()> {
        #[expect(clippy::cast_possible_truncation, reason = "any part of it will do")]
        let place = self.hasher.hash_one(&pattern.0) as usize % LOCKS;
        self.locks[place].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pattern {
    /// Reads `load_%u`; the group may be said, `script:load_%u`.
    fn parse(text: &str) -> Result<Self, DispatchError> {
        if !text.contains(PLACE) {
            let text = visible(text);
            return Err(DispatchError::Asked(format!(
                "the pattern {text:?} has no %u: write it where the destination goes, such as load_%u"
            )));
        }
        let said = text.strip_prefix(DISPATCH_GROUP).and_then(|rest| rest.strip_prefix(':')).unwrap_or(text);
        Ok(Self(format!("{DISPATCH_GROUP}:{said}")))
    }

    /// The full name of a destination's statistic. The destination is put in as it is: its colons split nothing.
    fn name(&self, destination: &str) -> String {
        self.0.replace(PLACE, destination)
    }

    /// Whether a full name may be one of the pattern's.
    fn fits(&self, full: &str) -> bool {
        let (before, after) = self.0.split_once(PLACE).unwrap_or((&self.0, ""));
        let Some(rest) = full.strip_prefix(before) else { return false };
        if !after.contains(PLACE) {
            return rest.len() > after.len() && rest.ends_with(after);
        }
        // The same destination stands in each place: as long as what all places have is divided by their number.
        let places = self.0.matches(PLACE).count();
        let fixed = self.0.len() - places * PLACE.len();
        let length = full.len().saturating_sub(fixed) / places;
        rest.get(..length).is_some_and(|destination| !destination.is_empty() && self.name(destination) == full)
    }
}

fn check(destinations: &[String], weights: &[f64]) -> Result<(), DispatchError> {
    let wrong = |text: String| Err(DispatchError::Asked(text));
    if destinations.is_empty() {
        return wrong("destinations is empty: name at least one".to_owned());
    }
    if destinations.len() > MAX_DESTINATIONS {
        return wrong(format!("there are {} destinations: name at most {MAX_DESTINATIONS}", destinations.len()));
    }
    if destinations.iter().any(String::is_empty) {
        return wrong("a destination is empty: name each, such as sip:gw1.example".to_owned());
    }
    if weights.is_empty() {
        return Ok(());
    }
    if weights.len() != destinations.len() {
        let (many, given) = (destinations.len(), weights.len());
        return wrong(format!("there are {many} destinations and {given} weights: give each destination one, or leave weights out"));
    }
    if let Some(weight) = weights.iter().find(|weight| !weight.is_finite() || **weight < 0.0) {
        return wrong(format!("the weight {weight} cannot be one: write a number above 0, or 0 for a destination that gets nothing now"));
    }
    if weights.iter().all(|weight| *weight == 0.0) {
        return wrong("every weight is 0, so nothing can be picked: give at least one destination a weight above 0".to_owned());
    }
    Ok(())
}

impl Engine {
    /// The destination with the least load for its weight (1 each, when `weights` is empty), the first of several, whose load then is one
    /// more: chosen and counted in one step. `pattern` names the statistics, with `%u` for the destination. A weight of 0 is passed over.
    ///
    /// # Errors
    /// When what is asked makes no sense, or the load cannot be counted.
    pub fn pick(&self, pattern: &str, destinations: &[String], weights: &[f64]) -> Result<Picked, DispatchError> {
        let pattern = Pattern::parse(pattern)?;
        check(destinations, weights)?;
        let _chosen_and_counted_in_one_step = self.dispatch.lock(&pattern);
        let (place, load, found) = least(&pattern, destinations, weights, |full| {
            let found = self.registry.find(full);
            (found.as_ref().map_or(0, load_of), found)
        })?;
        let load = load.checked_add(1).ok_or(PushError::Range)?;
        match found {
            Some(statistic) => statistic.add(1).map_err(|_| PushError::Own(statistic.name().to_owned()))?,
            None => {
                self.push(&pattern.name(&destinations[place]), Push::By(1), Some(Kind::Gauge), None)?;
            }
        }
        Ok(Picked { place, load })
    }

    /// What [`Self::pick`] would choose where these are the loads, by full name; it counts nothing.
    ///
    /// # Errors
    /// As [`Self::pick`].
    pub fn would_pick(
        pattern: &str,
        destinations: &[String],
        weights: &[f64],
        load_of: impl Fn(&str) -> i64,
    ) -> Result<Picked, DispatchError> {
        let pattern = Pattern::parse(pattern)?;
        check(destinations, weights)?;
        let (place, load, ()) = least(&pattern, destinations, weights, |full| (load_of(full), ()))?;
        Ok(Picked { place, load: load.checked_add(1).ok_or(PushError::Range)? })
    }

    /// The full name of the statistic that counts the load of a destination.
    ///
    /// # Errors
    /// When the pattern has no place for it, or the name cannot be one.
    pub fn load_name(pattern: &str, destination: &str) -> Result<String, DispatchError> {
        Ok(pushable(&Pattern::parse(pattern)?.name(destination))?)
    }

    /// Takes one off the load of a destination, unless it has none; answers what is left.
    ///
    /// # Errors
    /// When it was never picked, or what is asked makes no sense.
    pub fn release(&self, pattern: &str, destination: &str) -> Result<i64, DispatchError> {
        let pattern = Pattern::parse(pattern)?;
        let full = pushable(&pattern.name(destination))?;
        let _read_and_counted_in_one_step = self.dispatch.lock(&pattern);
        let Some(statistic) = self.registry.find(&full) else {
            // Another panel may count it.
            self.customs.here()?;
            return Err(DispatchError::NeverPicked(visible(destination).into_owned()));
        };
        let load = load_of(&statistic);
        if load <= 0 {
            return Ok(load);
        }
        statistic.add(-1).map_err(|_| PushError::Own(full))?;
        Ok(load - 1)
    }

    /// Sets the loads of all destinations of a pattern to zero, as after a restart of the server that picked them; answers how many.
    ///
    /// # Errors
    /// When what is asked makes no sense, or another panel counts.
    pub fn release_all(&self, pattern: &str, by: Option<&str>) -> Result<usize, DispatchError> {
        let pattern = Pattern::parse(pattern)?;
        self.customs.here()?;
        let _all_in_one_step = self.dispatch.lock(&pattern);
        let of_pattern = |statistic: &Statistic| pattern.fits(statistic.name());
        let loads: Vec<Statistic> = self.registry.group(DISPATCH_GROUP).into_iter().filter(of_pattern).collect();
        for statistic in &loads {
            self.push(statistic.name(), Push::To(0), None, by)?;
        }
        Ok(loads.len())
    }
}

/// The place of the least loaded, its load, and what else was found of it.
fn least<T>(
    pattern: &Pattern,
    destinations: &[String],
    weights: &[f64],
    look: impl Fn(&str) -> (i64, T),
) -> Result<(usize, i64, T), DispatchError> {
    let mut least: Option<(f64, usize, i64, T)> = None;
    for (place, destination) in destinations.iter().enumerate() {
        let weight = weights.get(place).copied().unwrap_or(1.0);
        if weight == 0.0 {
            continue;
        }
        let (load, found) = look(&pattern.name(destination));
        #[expect(clippy::cast_precision_loss, reason = "calls of a gateway, far below 2^53")]
        let share = load as f64 / weight;
        if least.as_ref().is_none_or(|(smallest, ..)| share < *smallest) {
            least = Some((share, place, load, found));
        }
    }
    let (_, place, load, found) = least.ok_or_else(|| DispatchError::Asked("name at least one destination".to_owned()))?;
    Ok((place, load, found))
}

fn load_of(statistic: &Statistic) -> i64 {
    statistic.counter().map_or(0, |counter| counter.get())
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    struct Stage(Engine);

    impl Stage {
        fn new() -> Self {
            Self(Engine::new(Instant::now()).unwrap())
        }

        fn pick(&self, pattern: &str, destinations: &[&str], weights: &[f64]) -> Result<(String, i64), DispatchError> {
            let destinations: Vec<String> = destinations.iter().map(|&one| one.to_owned()).collect();
            let picked = self.0.pick(pattern, &destinations, weights)?;
            Ok((destinations[picked.place].clone(), picked.load))
        }

        fn load(&self, full: &str) -> Option<i64> {
            self.0.registry.find(full).as_ref().map(load_of)
        }

        /// Who is picked, one after the other, by their last letters.
        fn row(&self, weights: &[f64], times: usize) -> String {
            (0..times).map(|_| self.pick("load_%u", &["sip:a", "sip:b", "sip:c"], weights).unwrap().0.pop().unwrap()).collect()
        }
    }

    #[test]
    fn the_least_loaded_is_picked_and_the_first_of_several() {
        let stage = Stage::new();
        assert_eq!(stage.row(&[], 7), "abcabca");
        assert_eq!(stage.load("script:load_sip:a"), Some(3));
        assert_eq!(stage.0.release("load_%u", "sip:b"), Ok(1));
        assert_eq!(stage.row(&[], 3), "bbc");
        let gauge = stage.0.pushed_kinds().into_iter().all(|(_, kind)| kind == Kind::Gauge);
        assert!(gauge && stage.0.pushed_kinds().len() == 3);
    }

    #[test]
    fn weights_divide_what_comes() {
        assert_eq!(Stage::new().row(&[2.0, 1.0, 1.0], 8), "abcaabca");
        assert_eq!(Stage::new().row(&[0.5, 0.0, 0.25], 6), "acaaca");
        let stage = Stage::new();
        let row = stage.row(&[3.0, 2.0, 1.0], 600);
        assert_eq!((row.matches('a').count(), row.matches('b').count(), row.matches('c').count()), (300, 200, 100));
    }

    #[test]
    fn the_destination_is_put_in_whole_wherever_the_pattern_wants_it() {
        let stage = Stage::new();
        for (pattern, full) in [
            ("load_%u", "script:load_sip:[::1]:5060;transport=tls"),
            ("script:load_%u", "script:load_sip:[::1]:5060;transport=tls"),
            ("gw:%u:calls", "script:gw:sip:[::1]:5060;transport=tls:calls"),
            ("%u", "script:sip:[::1]:5060;transport=tls"),
            ("%u-%u", "script:sip:[::1]:5060;transport=tls-sip:[::1]:5060;transport=tls"),
        ] {
            let before = stage.load(full).unwrap_or(0);
            let picked = stage.pick(pattern, &["sip:[::1]:5060;transport=tls"], &[]);
            assert_eq!(picked, Ok(("sip:[::1]:5060;transport=tls".to_owned(), before + 1)), "{pattern}");
            assert_eq!(stage.load(full), Some(before + 1));
            assert!(Pattern::parse(pattern).unwrap().fits(full));
        }
        assert_eq!(stage.pick("%u", &["%u"], &[]).unwrap().1, 1);
        assert_eq!(stage.load("script:%u"), Some(1));
    }

    #[test]
    fn a_release_never_goes_below_zero_and_is_refused_where_nothing_was_picked() {
        let stage = Stage::new();
        stage.pick("load_%u", &["sip:a"], &[]).unwrap();
        assert_eq!(stage.0.release("load_%u", "sip:a"), Ok(0));
        assert_eq!(stage.0.release("load_%u", "sip:a"), Ok(0));
        let refused = stage.0.release("load_%u", "sip:b").unwrap_err();
        assert_eq!(refused, DispatchError::NeverPicked("sip:b".to_owned()));
        assert_eq!(stage.0.release("calls_%u", "sip:a").unwrap_err(), DispatchError::NeverPicked("sip:a".to_owned()));
        stage.0.remove("script:load_sip:a").unwrap();
        assert!(stage.0.release("load_%u", "sip:a").is_err());
        assert_eq!(stage.pick("load_%u", &["sip:a"], &[]).unwrap().1, 1);
    }

    #[test]
    fn all_loads_of_a_pattern_and_no_others_are_let_go() {
        let stage = Stage::new();
        stage.row(&[], 5);
        for other in ["load_%u_video", "unload_%u", "%u"] {
            stage.pick(other, &["x"], &[]).unwrap();
        }
        stage.0.push("script:load_", Push::To(4), None, None).unwrap();
        assert_eq!(stage.0.release_all("%u_video", None), Ok(1));
        assert_eq!(stage.0.release_all("load_%u", None), Ok(4));
        let left: Vec<_> =
            ["script:load_sip:a", "script:load_sip:c", "script:unload_x", "script:x", "script:load_"].map(|full| stage.load(full)).into();
        assert_eq!(left, [Some(0), Some(0), Some(1), Some(1), Some(4)]);
        assert_eq!(stage.row(&[], 3), "abc");
    }

    #[test]
    fn what_makes_no_sense_is_refused_and_changes_nothing() {
        let stage = Stage::new();
        let many = vec!["x"; MAX_DESTINATIONS + 1];
        for (pattern, destinations, weights, part) in [
            ("load", &["sip:a"][..], &[][..], "has no %u"),
            ("load_%u", &[], &[], "name at least one"),
            ("load_%u", &[""], &[], "a destination is empty"),
            ("load_%u", &many, &[], "at most 1000"),
            ("load_%u", &["sip:a", "sip:b"], &[1.0], "2 destinations and 1 weights"),
            ("load_%u", &["sip:a"], &[-1.0], "the weight -1"),
            ("load_%u", &["sip:a"], &[f64::NAN], "the weight NaN"),
            ("load_%u", &["sip:a"], &[0.0], "every weight is 0"),
            ("load_%u", &["a\nb"], &[], "control characters"),
            ("load_%u", &[&"x".repeat(300)], &[], "at most 255"),
        ] {
            let refused = stage.pick(pattern, destinations, weights).unwrap_err().to_string();
            assert!(refused.contains(part), "{refused}");
        }
        stage.0.push("script:load_sip:full", Push::To(i64::MAX), None, None).unwrap();
        assert_eq!(stage.pick("load_%u", &["sip:full"], &[]), Err(DispatchError::Push(PushError::Range)));
        assert_eq!(stage.0.pushed_kinds().len(), 1);
        stage.0.leave_pushed_to("http://other.example");
        let elsewhere = Err(DispatchError::Push(PushError::Elsewhere("http://other.example".to_owned())));
        assert_eq!(stage.pick("load_%u", &["sip:a"], &[]), elsewhere);
        assert_eq!(stage.0.release("load_%u", "sip:a").map(|load| (String::new(), load)), elsewhere);
    }
}
