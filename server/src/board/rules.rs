//! What is ticked on one box: names, patterns that stand, and exceptions to them. Pure; knows neither store nor values.
//!
//! A request may bring thousands of words, and a box may have 100,000 names: words are taken all at once, names are looked up,
//! and only patterns with `*` are tried on each name.

use std::{borrow::Cow, collections::HashMap, sync::Arc};

use app::{
    matching::{Pattern, word_of},
    model::Origin,
};

use super::patterns::{Patterns, Seen};
use crate::{formula::Glob, source::MAX_NAME_BYTES, store::TickRule};

/// At most so many rules a box: they are kept in memory and written whole.
pub(super) const MAX_RULES: usize = 10_000;
/// At most so many patterns with `*` a box, and a request: each is tried on every name a box has.
pub(super) const MAX_GLOBS: usize = 256;
/// The longest name or pattern, in bytes: a name, and the sign that takes it whole.
pub(super) const MAX_PATTERN_LEN: usize = MAX_NAME_BYTES + 1;

/// Why a rule cannot be added.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RuleError {
    /// Nothing to tick.
    #[error("a tick needs a name such as core:rcv_requests or a pattern such as dialog:")]
    Empty,
    /// A name beyond the bound.
    #[error("the name is longer than {MAX_PATTERN_LEN} bytes")]
    TooLong,
    /// Rules beyond the bound.
    #[error("a box has at most {MAX_RULES} ticks: use a pattern such as dialog: for many at once")]
    TooMany,
    /// Patterns beyond the bound.
    #[error("at most {MAX_GLOBS} patterns with * stand for a box or come at once: use fewer and wider ones, or groups such as dialog:")]
    TooManyPatterns,
}

/// The rules of one box.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    /// Full names.
    names: HashMap<String, Made>,
    /// Full names that are not recorded though a pattern matches them.
    exceptions: HashMap<String, Made>,
    patterns: HashMap<String, (Made, Pattern)>,
    /// The patterns, to be asked all at once.
    standing: Patterns,
    next: u64,
}

/// When a rule was made, counted, and by whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Made {
    place: u64,
    origin: Origin,
}

/// The word of a rule, whether it is an exception, and when it was made.
type Rule<'a> = (Cow<'a, str>, bool, Made);

impl PartialEq for Rules {
    fn eq(&self, other: &Self) -> bool {
        let (ours, theirs) = (self.in_order(), other.in_order());
        let same = |(ours, theirs): (&Rule<'_>, &Rule<'_>)| (&ours.0, ours.1, ours.2.origin) == (&theirs.0, theirs.1, theirs.2.origin);
        ours.len() == theirs.len() && ours.iter().zip(&theirs).all(same)
    }
}

/// Words of a request, full names and patterns apart.
struct Words<'a> {
    names: Vec<&'a str>,
    patterns: Vec<(&'a str, Pattern)>,
    /// The patterns, to be asked all at once.
    any: Patterns,
}

impl<'a> Words<'a> {
    fn of(words: &[&'a str]) -> Result<Self, RuleError> {
        let (mut names, mut patterns) = (Vec::new(), Vec::new());
        for word in words {
            let word = checked(word)?;
            let pattern = Pattern::parse(word);
            if pattern.is_exact() {
                names.push(word.strip_prefix('=').unwrap_or(word));
            } else {
                patterns.push((word, pattern));
            }
        }
        let any: Patterns = patterns.iter().map(|(_, pattern)| pattern).collect();
        if any.tried() > MAX_GLOBS { Err(RuleError::TooManyPatterns) } else { Ok(Self { names, patterns, any }) }
    }
}

impl Rules {
    /// Takes rules as they are stored.
    #[must_use]
    pub fn new(stored: Vec<TickRule>) -> Self {
        let mut rules = Self::default();
        for TickRule { pattern: word, except, origin } in stored {
            let made = Made { origin, ..rules.made() };
            let pattern = Pattern::parse(&word);
            match pattern.exact().map(str::to_owned) {
                Some(full) if except => rules.exceptions.insert(full, made),
                Some(full) => rules.names.insert(full, made),
                None if except => None,
                None => rules.patterns.insert(word, (made, pattern)).map(|(made, _)| made),
            };
        }
        rules.stand();
        rules
    }

    /// The rules in the order they were made, to be stored.
    #[must_use]
    pub fn list(&self) -> Vec<TickRule> {
        let rule = |(word, except, Made { origin, .. }): (Cow<'_, str>, _, _)| TickRule { pattern: word.into_owned(), except, origin };
        self.in_order().into_iter().map(rule).collect()
    }

    /// Full names that are ticked by themselves.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.names.keys().map(String::as_str)
    }

    /// Whether a statistic has a rule of its own.
    #[must_use]
    pub fn names_one(&self, full: &str) -> bool {
        self.names.contains_key(full) || self.exceptions.contains_key(full)
    }

    /// Whether nothing is ticked at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.names.is_empty() && self.patterns.is_empty()
    }

    /// Whether a statistic is recorded: its own tick, else no exception and a pattern that matches.
    #[must_use]
    pub fn ticked(&self, full: &str) -> bool {
        self.names.contains_key(full) || (!self.exceptions.contains_key(full) && self.standing.matches(full))
    }

    /// Whether all that a pattern of a formula may match is recorded, as far as that is told from a group that is ticked.
    #[must_use]
    pub fn tick_all(&self, of: &Glob) -> bool {
        self.standing.takes(of.group()) && !self.exceptions.keys().any(|full| of.matches(full))
    }

    /// Whether a pattern stands, written just so.
    #[must_use]
    pub fn stands(&self, word: &str) -> bool {
        self.patterns.contains_key(word)
    }

    /// The full names that are not recorded though a pattern matches them.
    pub fn exceptions(&self) -> impl Iterator<Item = &str> {
        self.exceptions.keys().map(String::as_str)
    }

    /// Ticks names and patterns; a pattern takes back the exceptions it covers. After an error the rules are half changed.
    ///
    /// # Errors
    /// When a word is empty or a bound is reached.
    pub fn tick(&mut self, words: &[&str]) -> Result<(), RuleError> {
        let words = Words::of(words)?;
        for name in &words.names {
            self.exceptions.remove(*name);
        }
        self.exceptions.retain(|full, _| !words.any.matches(full));
        for (word, pattern) in words.patterns {
            if !self.patterns.contains_key(word) {
                let made = self.made();
                self.patterns.insert(word.to_owned(), (made, pattern));
            }
        }
        self.stand();
        if self.standing.tried() > MAX_GLOBS {
            return Err(RuleError::TooManyPatterns);
        }
        for name in words.names {
            if !self.ticked(name) {
                let made = self.made();
                self.names.insert(name.to_owned(), made);
            }
        }
        self.bounded()
    }

    /// Unticks names and patterns. `known` are the names the box has: those still covered by another pattern become exceptions.
    /// After an error the rules are half changed.
    ///
    /// # Errors
    /// When a word is empty or a bound is reached.
    pub fn untick<'a>(&mut self, words: &[&'a str], known: impl Iterator<Item = &'a str>) -> Result<(), RuleError> {
        let words = Words::of(words)?;
        for name in &words.names {
            self.names.remove(*name);
        }
        self.names.retain(|full, _| !words.any.matches(full));
        self.patterns.retain(|_, (_, pattern)| !words.any.cover(pattern));
        self.stand();
        for full in words.names.into_iter().chain(known.filter(|full| words.any.matches(full))) {
            if self.ticked(full) {
                let made = self.made();
                self.exceptions.insert(full.to_owned(), made);
            }
        }
        self.bounded()
    }

    /// Full names and patterns that none of a box's names matches, in the order they were made.
    #[must_use]
    pub fn unseen(&self, known: &[Arc<str>], has: impl Fn(&str) -> bool) -> Vec<String> {
        let mut unseen: Vec<(u64, &String)> = Vec::new();
        unseen.extend(self.names.iter().filter(|(name, _)| !has(name)).map(|(name, made)| (made.place, name)));
        if !self.patterns.is_empty() {
            let seen = Seen::of(known);
            unseen.extend(self.patterns.iter().filter(|(_, (_, pattern))| !seen.by(pattern)).map(|(word, (made, _))| (made.place, word)));
        }
        unseen.sort_unstable();
        unseen.into_iter().map(|(_, word)| word.clone()).collect()
    }

    fn in_order(&self) -> Vec<Rule<'_>> {
        let names = self.names.iter().map(|(full, &made)| (word_of(full), false, made));
        let patterns = self.patterns.iter().map(|(word, &(made, _))| (Cow::Borrowed(word.as_str()), false, made));
        let exceptions = self.exceptions.iter().map(|(full, &made)| (word_of(full), true, made));
        let mut all: Vec<_> = names.chain(patterns).chain(exceptions).collect();
        all.sort_unstable_by_key(|(_, _, made)| made.place);
        all
    }

    /// A rule that is made now. What the file makes is marked so by who reads it.
    fn made(&mut self) -> Made {
        self.next += 1;
        Made { place: self.next, origin: Origin::Panel }
    }

    fn stand(&mut self) {
        self.standing = self.patterns.values().map(|(_, pattern)| pattern).collect();
    }

    fn bounded(&self) -> Result<(), RuleError> {
        let rules = self.names.len() + self.patterns.len() + self.exceptions.len();
        if rules > MAX_RULES { Err(RuleError::TooMany) } else { Ok(()) }
    }
}

fn checked(word: &str) -> Result<&str, RuleError> {
    // Spaces around a word are a slip of the typist; in a name taken whole they are its own.
    let word = if word.starts_with('=') { word } else { word.trim() };
    if word.is_empty() || word == "=" {
        return Err(RuleError::Empty);
    }
    if word.len() > MAX_PATTERN_LEN {
        return Err(RuleError::TooLong);
    }
    Ok(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: [&str; 4] = ["dialog:active_dialogs", "dialog:early_dialogs", "core:rcv_requests", "method:INVITE"];

    fn ticked(rules: &Rules) -> Vec<&'static str> {
        KNOWN.into_iter().filter(|full| rules.ticked(full)).collect()
    }

    fn of(words: &[&str]) -> Rules {
        let mut rules = Rules::default();
        rules.tick(words).unwrap();
        rules
    }

    fn untick(rules: &mut Rules, word: &'static str) {
        rules.untick(&[word], KNOWN.into_iter()).unwrap();
    }

    #[test]
    fn a_pattern_stands_and_takes_exceptions() {
        let mut rules = of(&["dialog:"]);
        assert!(rules.ticked("dialog:seen_later"));
        untick(&mut rules, "dialog:early_dialogs");
        assert_eq!(ticked(&rules), ["dialog:active_dialogs"]);
        assert!(rules.ticked("dialog:seen_later"));
        rules.tick(&["dialog:early_dialogs"]).unwrap();
        assert_eq!(rules.list(), [TickRule { pattern: "dialog:".into(), except: false, origin: Origin::Panel }]);
    }

    #[test]
    fn ticking_the_pattern_again_takes_its_exceptions_back() {
        let mut rules = of(&["dialog:"]);
        untick(&mut rules, "dialog:early_dialogs");
        rules.tick(&["dialog:"]).unwrap();
        assert_eq!(ticked(&rules), ["dialog:active_dialogs", "dialog:early_dialogs"]);
        assert_eq!(rules.list().len(), 1);
    }

    #[test]
    fn unticking_a_group_takes_names_and_narrower_patterns_with_it() {
        let mut rules = of(&["dialog:active_dialogs"]);
        for word in ["dialog:early_*", "dialog:", "core:rcv_requests"] {
            rules.tick(&[word]).unwrap();
        }
        untick(&mut rules, "dialog:");
        assert_eq!(ticked(&rules), ["core:rcv_requests"]);
        assert_eq!(rules.list().len(), 1);
    }

    #[test]
    fn unticking_a_group_under_a_wider_pattern_makes_exceptions() {
        let mut rules = of(&["all"]);
        untick(&mut rules, "dialog:");
        assert_eq!(ticked(&rules), ["core:rcv_requests", "method:INVITE"]);
    }

    #[test]
    fn words_of_one_request_are_taken_together() {
        let mut rules = of(&["dialog:early_dialogs", "dialog:", "method:*", "core:rcv_requests"]);
        assert_eq!(ticked(&rules), KNOWN);
        rules.untick(&["dialog:early_dialogs", "method:", "core:nothing"], KNOWN.into_iter()).unwrap();
        assert_eq!(ticked(&rules), ["dialog:active_dialogs", "core:rcv_requests"]);
        let rule = |word: &str, except| TickRule { pattern: word.into(), except, origin: Origin::Panel };
        assert_eq!(rules.list(), [rule("dialog:", false), rule("core:rcv_requests", false), rule("dialog:early_dialogs", true)]);
        assert_eq!(Rules::new(rules.list()), rules);
    }

    #[test]
    fn a_name_not_seen_yet_is_accepted_and_told() {
        let rules = of(&["script:later", "core:", "x*:", "nowhere"]);
        let known: Vec<Arc<str>> = KNOWN.map(Arc::from).to_vec();
        assert_eq!(rules.unseen(&known, |full| KNOWN.contains(&full)), ["x*:", "nowhere", "script:later"]);
    }

    #[test]
    fn rules_are_bounded() {
        let mut rules = Rules::default();
        assert_eq!(rules.tick(&[" "]), Err(RuleError::Empty));
        assert_eq!(rules.tick(&[&"x".repeat(MAX_PATTERN_LEN + 1)]), Err(RuleError::TooLong));
        let globs: Vec<String> = (0..=MAX_GLOBS).map(|n| format!("g{n}:*x")).collect();
        let globs: Vec<&str> = globs.iter().map(String::as_str).collect();
        assert_eq!(rules.clone().tick(&globs), Err(RuleError::TooManyPatterns));
        assert_eq!(rules.clone().untick(&globs, std::iter::empty()), Err(RuleError::TooManyPatterns));
        rules.tick(&globs[1..]).unwrap();
        assert_eq!(rules.clone().tick(&globs[..1]), Err(RuleError::TooManyPatterns));
        let names: Vec<String> = (MAX_GLOBS..=MAX_RULES).map(|n| format!("a:{n}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        assert_eq!(rules.clone().tick(&names), Err(RuleError::TooMany));
        rules.tick(&names[1..]).unwrap();
        assert_eq!(rules.list().len(), MAX_RULES);
    }

    #[test]
    fn a_name_that_looks_like_a_pattern_is_ticked_alone() {
        let odd = ["*", "x:*", "x:", "x:a*b", "=x:y", " x:lead", "x:y"];
        let words = odd.map(word_of);
        for (name, word) in odd.into_iter().zip(&words) {
            let ticked = |rules: &Rules, on: bool| odd.into_iter().filter(|other| rules.ticked(other) == on).collect::<Vec<_>>();
            let mut rules = of(&[word]);
            assert_eq!(ticked(&rules, true), [name]);
            assert_eq!(Rules::new(rules.list()), rules);
            rules.untick(&[word], odd.into_iter()).unwrap();
            assert!(rules.is_empty());
            // Under a pattern it becomes an exception, and no more than that.
            rules.tick(&["all"]).unwrap();
            rules.untick(&[word], odd.into_iter()).unwrap();
            assert_eq!(ticked(&rules, false), [name]);
            assert_eq!(Rules::new(rules.list()), rules);
            rules.tick(&[word]).unwrap();
            assert_eq!(rules.list().len(), 1);
        }
    }
}
