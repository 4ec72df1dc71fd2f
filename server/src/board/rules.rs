//! What is ticked on one box: names, patterns that stand, and exceptions to them. Pure; knows neither store nor values.

use app::{
    matching::{Pattern, Query},
    model::Origin,
};

use crate::store::TickRule;

/// At most so many rules a box: each is looked at for every name a box has.
pub(super) const MAX_RULES: usize = 10_000;
/// The longest name or pattern, in bytes.
pub(super) const MAX_PATTERN_LEN: usize = 512;

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
    #[error("this box has {MAX_RULES} ticks already: use a pattern such as dialog: for many at once")]
    TooMany,
}

/// The rules of one box.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rules {
    rules: Vec<TickRule>,
    patterns: Vec<Pattern>,
}

impl Rules {
    /// Takes rules as they are stored.
    #[must_use]
    pub fn new(rules: Vec<TickRule>) -> Self {
        let patterns = rules.iter().map(|rule| Pattern::parse(&rule.pattern)).collect();
        Self { rules, patterns }
    }

    /// The rules, to be stored.
    #[must_use]
    pub fn as_slice(&self) -> &[TickRule] {
        &self.rules
    }

    /// Whether nothing is ticked at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rules.iter().all(|rule| rule.except)
    }

    /// Whether a statistic is recorded: its own tick, else no exception and a pattern that matches.
    #[must_use]
    pub fn ticked(&self, full: &str) -> bool {
        if let Some(own) = self.rules.iter().find(|rule| rule.pattern == full) {
            return !own.except;
        }
        self.rules.iter().zip(&self.patterns).any(|(rule, pattern)| !rule.except && pattern.matches(full))
    }

    /// Ticks a name or a pattern; a pattern takes back the exceptions it covers.
    ///
    /// # Errors
    /// When the word is empty or a bound is reached.
    pub fn tick(&mut self, word: &str) -> Result<(), RuleError> {
        let word = checked(word)?;
        let pattern = Pattern::parse(word);
        if pattern.is_exact() {
            self.rules.retain(|rule| !(rule.except && rule.pattern == word));
        } else {
            self.rules.retain(|rule| !(rule.except && pattern.matches(&rule.pattern)));
        }
        self.rebuild();
        let stands = self.rules.iter().any(|rule| !rule.except && rule.pattern == word);
        if stands || (pattern.is_exact() && self.ticked(word)) {
            return Ok(());
        }
        self.push(word, false)
    }

    /// Unticks a name or a pattern. `known` are the names the box has: those still covered by another pattern become exceptions.
    ///
    /// # Errors
    /// When the word is empty or a bound is reached.
    pub fn untick<'a>(&mut self, word: &str, known: impl Iterator<Item = &'a str>) -> Result<(), RuleError> {
        let word = checked(word)?;
        let pattern = Pattern::parse(word);
        if pattern.is_exact() {
            self.rules.retain(|rule| rule.except || rule.pattern != word);
            self.rebuild();
            if self.ticked(word) {
                self.push(word, true)?;
            }
            return Ok(());
        }
        self.rules.retain(|rule| rule.except || !(rule.pattern == word || pattern.covers(&rule.pattern)));
        self.rebuild();
        for full in known.filter(|full| pattern.matches(full)) {
            if self.ticked(full) {
                self.push(full, true)?;
            }
        }
        Ok(())
    }

    /// Names and patterns of which `seen` knows no member.
    pub fn unseen<'a>(&'a self, seen: impl Fn(&Query) -> bool + 'a) -> impl Iterator<Item = &'a str> + 'a {
        self.rules.iter().filter(move |rule| !rule.except && !seen(&Query::one(&rule.pattern))).map(|rule| rule.pattern.as_str())
    }

    fn push(&mut self, word: &str, except: bool) -> Result<(), RuleError> {
        if self.rules.len() >= MAX_RULES {
            return Err(RuleError::TooMany);
        }
        self.rules.push(TickRule { pattern: word.to_owned(), except, origin: Origin::Panel });
        self.patterns.push(Pattern::parse(word));
        Ok(())
    }

    fn rebuild(&mut self) {
        self.patterns = self.rules.iter().map(|rule| Pattern::parse(&rule.pattern)).collect();
    }
}

fn checked(word: &str) -> Result<&str, RuleError> {
    let word = word.trim();
    if word.is_empty() {
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

    #[test]
    fn a_pattern_stands_and_takes_exceptions() {
        let mut rules = Rules::default();
        rules.tick("dialog:").unwrap();
        assert!(rules.ticked("dialog:seen_later"));
        rules.untick("dialog:early_dialogs", KNOWN.into_iter()).unwrap();
        assert_eq!(ticked(&rules), ["dialog:active_dialogs"]);
        assert!(rules.ticked("dialog:seen_later"));
        rules.tick("dialog:early_dialogs").unwrap();
        assert_eq!(rules.as_slice(), [TickRule { pattern: "dialog:".into(), except: false, origin: Origin::Panel }]);
    }

    #[test]
    fn ticking_the_pattern_again_takes_its_exceptions_back() {
        let mut rules = Rules::default();
        rules.tick("dialog:").unwrap();
        rules.untick("dialog:early_dialogs", KNOWN.into_iter()).unwrap();
        rules.tick("dialog:").unwrap();
        assert_eq!(ticked(&rules), ["dialog:active_dialogs", "dialog:early_dialogs"]);
        assert_eq!(rules.as_slice().len(), 1);
    }

    #[test]
    fn unticking_a_group_takes_names_and_narrower_patterns_with_it() {
        let mut rules = Rules::default();
        for word in ["dialog:active_dialogs", "dialog:early_*", "dialog:", "core:rcv_requests"] {
            rules.tick(word).unwrap();
        }
        rules.untick("dialog:", KNOWN.into_iter()).unwrap();
        assert_eq!(ticked(&rules), ["core:rcv_requests"]);
        assert_eq!(rules.as_slice().len(), 1);
    }

    #[test]
    fn unticking_a_group_under_a_wider_pattern_makes_exceptions() {
        let mut rules = Rules::default();
        rules.tick("all").unwrap();
        rules.untick("dialog:", KNOWN.into_iter()).unwrap();
        assert_eq!(ticked(&rules), ["core:rcv_requests", "method:INVITE"]);
    }

    #[test]
    fn a_name_not_seen_yet_is_accepted_and_told() {
        let mut rules = Rules::default();
        rules.tick("script:later").unwrap();
        rules.tick("core:").unwrap();
        let unseen: Vec<&str> = rules.unseen(|query| KNOWN.into_iter().any(|full| query.matches(full))).collect();
        assert_eq!(unseen, ["script:later"]);
        assert_eq!(rules.tick(" "), Err(RuleError::Empty));
        assert_eq!(rules.tick(&"x".repeat(513)), Err(RuleError::TooLong));
    }
}
