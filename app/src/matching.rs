//! The query words of OpenSIPS: `dialog:` a group, `rcv_requests` a name in any group, `core:rcv_*` a pattern; spaces or commas between.
//! One word more is ours: `=` before a name takes it as it is, since names hold any character.

use std::borrow::Cow;

/// What a word begins with that is one name, whatever else is in it: `=script:a*b`.
const WHOLE: char = '=';
/// The longest word that is quoted exactly: percent-encoded, three bytes each, it still fits into the 64 kB of an address.
const MAX_QUOTED_BYTES: usize = 21_000;

/// One word of a query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern(Form);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Form {
    /// One name. `folds`: a search may ignore capitals.
    Name { full: String, folds: bool },
    /// Any name whose parts match.
    Parts { group: Option<String>, name: Option<String> },
}

impl Pattern {
    /// Reads one word: `all` and `*` match everything, `=` before a name takes it as it is.
    #[must_use]
    pub fn parse(word: &str) -> Self {
        if let Some(full) = word.strip_prefix(WHOLE) {
            return Self(Form::Name { full: full.to_owned(), folds: false });
        }
        let word = word.trim();
        let (group, name) = match word.split_once(':') {
            _ if word == "all" || word == "*" || word.is_empty() => (None, None),
            Some((group, "")) => (Some(group), None),
            Some(_) if !word.contains('*') => return Self(Form::Name { full: word.to_owned(), folds: true }),
            Some((group, name)) => (Some(group), Some(name)),
            None => (None, Some(word)),
        };
        Self(Form::Parts { group: group.map(str::to_owned), name: name.map(str::to_owned) })
    }

    /// The group it asks for, which may hold `*`; none: any.
    #[must_use]
    pub fn group(&self) -> Option<&str> {
        match &self.0 {
            Form::Name { full, .. } => Some(crate::model::split_name(full).0),
            Form::Parts { group, .. } => group.as_deref(),
        }
    }

    /// The name it asks for, which may hold `*`; none: any.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        match &self.0 {
            Form::Name { full, .. } => Some(crate::model::split_name(full).1),
            Form::Parts { name, .. } => name.as_deref(),
        }
    }

    /// Whether it names exactly one statistic of one group.
    #[must_use]
    pub fn is_exact(&self) -> bool {
        self.exact().is_some()
    }

    /// The one statistic that it names, by its full name, if it is no pattern.
    #[must_use]
    pub fn exact(&self) -> Option<&str> {
        match &self.0 {
            Form::Name { full, .. } => Some(full),
            Form::Parts { .. } => None,
        }
    }

    /// Whether everything that `narrower` can match is matched by this one too.
    #[must_use]
    pub fn covers(&self, narrower: &Self) -> bool {
        let part = |wide: &Option<String>, narrow: &Option<String>| match (wide, narrow) {
            (None, _) => true,
            (Some(wide), Some(narrow)) => glob(wide, narrow, Letters::Exact),
            (Some(_), None) => false,
        };
        match (&self.0, &narrower.0) {
            (_, Form::Name { full, .. }) => self.matches(full),
            (Form::Name { .. }, Form::Parts { .. }) => false,
            (Form::Parts { group, name }, Form::Parts { group: its_group, name: its_name }) => {
                part(group, its_group) && part(name, its_name)
            }
        }
    }

    /// Whether it matches a full name.
    #[must_use]
    pub fn matches(&self, full: &str) -> bool {
        self.matches_as(full, Letters::Exact)
    }

    fn matches_as(&self, full: &str, letters: Letters) -> bool {
        match &self.0 {
            Form::Name { full: own, folds } => own == full || (*folds && letters == Letters::Folded && own.eq_ignore_ascii_case(full)),
            Form::Parts { .. } => {
                let (group, name) = crate::model::split_name(full);
                self.matches_parts(group, name, letters)
            }
        }
    }

    fn matches_parts(&self, group: &str, name: &str, letters: Letters) -> bool {
        let Form::Parts { group: own_group, name: own_name } = &self.0 else { return false };
        own_group.as_deref().is_none_or(|pattern| glob(pattern, group, letters))
            && own_name.as_deref().is_none_or(|pattern| glob(pattern, name, letters))
    }

    /// Whether it is a pattern that matches a name in two parts.
    #[must_use]
    pub fn matches_name_of(&self, group: &str, name: &str) -> bool {
        self.matches_parts(group, name, Letters::Exact)
    }
}

/// The word that stands for this one name: the name itself, or after `=` where it would be read as something else.
#[must_use]
pub fn word_of(full: &str) -> Cow<'_, str> {
    let plain = full.split_once(':').is_some_and(|(group, name)| !group.is_empty() && !name.is_empty());
    if plain && !full.starts_with(WHOLE) && !full.contains('*') && full.trim() == full {
        Cow::Borrowed(full)
    } else {
        Cow::Owned(format!("{WHOLE}{full}"))
    }
}

/// Whether capitals count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Letters {
    #[default]
    Exact,
    /// ASCII capitals and small letters are the same.
    Folded,
}

/// The words of a search box or of `match=`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    words: Vec<Pattern>,
    letters: Letters,
}

impl Query {
    /// Reads words with spaces or commas between; `"quoted words"` may hold both.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        Self { words: words(text).iter().map(|word| Pattern::parse(word)).collect(), letters: Letters::Exact }
    }

    /// Reads what a person types into a search box: as [`Self::parse`], but a bare word is found anywhere in a name,
    /// and capitals count only when there are some.
    #[must_use]
    pub fn search(text: &str) -> Self {
        let letters = if text.bytes().any(|c| c.is_ascii_uppercase()) { Letters::Exact } else { Letters::Folded };
        Self { words: words(text).iter().map(|word| Pattern::parse(&anywhere(word))).collect(), letters }
    }

    /// The words that stand for what a search shows: tick these, and what is ticked is what was seen.
    ///
    /// They are the search's own words, so that they stand for later names too, unless only [`Self::search`] ignoring
    /// capitals found some of `shown`: then these names themselves.
    #[must_use]
    pub fn standing<'a>(search: &str, shown: impl Iterator<Item = &'a str> + Clone) -> String {
        if Self::stands_for_names(search, shown.clone()) {
            return shown.map(quoted).collect::<Vec<_>>().join(" ");
        }
        Self::own_words(search)
    }

    /// Whether [`Self::standing`] names what is shown one by one, and nothing else.
    #[must_use]
    pub fn stands_for_names<'a>(search: &str, mut shown: impl Iterator<Item = &'a str>) -> bool {
        let query = Self::parse(&Self::own_words(search));
        !shown.all(|name| query.matches(name))
    }

    fn own_words(search: &str) -> String {
        words(search).iter().map(|word| quoted_word(&anywhere(word))).collect::<Vec<_>>().join(" ")
    }

    /// A query of one word, taken whole.
    #[must_use]
    pub fn one(word: &str) -> Self {
        Self { words: vec![Pattern::parse(word)], letters: Letters::Exact }
    }

    /// Whether any word matches; no words match everything.
    #[must_use]
    pub fn matches(&self, full: &str) -> bool {
        self.words.is_empty() || self.words.iter().any(|word| word.matches_as(full, self.letters))
    }
}

/// The words of a query, as they stand for themselves: split at spaces and commas outside quotes, quotes taken away; inside of
/// quotes a doubled one is a quote itself.
#[must_use]
pub fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut quoted = false;
    let mut letters = text.chars().peekable();
    while let Some(c) = letters.next() {
        match c {
            '"' if quoted && letters.next_if_eq(&'"').is_some() => word.push('"'),
            '"' => quoted = !quoted,
            c if !quoted && (c == ',' || c.is_whitespace()) => {
                if !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
            }
            c => word.push(c),
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

/// A bare word of a search box, made to match anywhere in a name.
fn anywhere(word: &str) -> String {
    if word.contains([':', '*']) || word.starts_with(WHOLE) || word == "all" { word.to_owned() } else { format!("*{word}*") }
}

/// One word of a query that matches this name and no other, in quotes where it holds what parts words. Only a name of thousands of
/// quotes gets a `*` for each, so that it still fits into an address.
#[must_use]
pub fn quoted(name: &str) -> String {
    let word = word_of(name);
    let quotes = word.bytes().filter(|&c| c == b'"').count();
    if quotes > 0 && word.len() + quotes > MAX_QUOTED_BYTES { quoted_word(&name.replace('"', "*")) } else { quoted_word(&word) }
}

/// A word as part of a query.
#[must_use]
pub fn quoted_word(word: &str) -> String {
    let parts = |c: char| c == ',' || c == '"' || c.is_whitespace();
    if word.contains(parts) { format!("\"{}\"", word.replace('"', "\"\"")) } else { word.to_owned() }
}

/// `*` stands for any run of characters; everything else for itself. Linear: the text is never walked back further than the last `*`.
fn glob(pattern: &str, text: &str, letters: Letters) -> bool {
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    let same = |p: u8, t: u8| p == t || letters == Letters::Folded && p.eq_ignore_ascii_case(&t);
    let (mut p, mut t) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    while t < text.len() {
        if pattern.get(p) == Some(&b'*') {
            retry = Some((p, t));
            p += 1;
        } else if pattern.get(p).is_some_and(|&c| same(c, text[t])) {
            p += 1;
            t += 1;
        } else if let Some((star, from)) = retry {
            retry = Some((star, from + 1));
            p = star + 1;
            t = from + 1;
        } else {
            return false;
        }
    }
    pattern[p..].iter().all(|&c| c == b'*')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(query: &str, full: &str, expect: bool) {
        assert_eq!(Query::parse(query).matches(full), expect, "{query} on {full}");
    }

    #[test]
    fn the_words_of_opensips() {
        check("", "core:rcv_requests", true);
        check("all", "core:rcv_requests", true);
        check("core:", "core:rcv_requests", true);
        check("core:", "score:rcv_requests", false);
        check("rcv_requests", "core:rcv_requests", true);
        check("rcv_*", "core:rcv_requests", true);
        check("*_requests", "core:rcv_requests", true);
        check("core:rcv_*, dialog:", "dialog:active_dialogs", true);
        check("core:rcv_*,dialog:", "core:fwd_requests", false);
        check("\"my group:\"", "my group:a b", true);
        check("a*b*c", "x:aXbYbZc", true);
        check("a*b*c", "x:aXbYbZ", false);
    }

    #[track_caller]
    fn finds(search: &str, full: &str, expect: bool) {
        assert_eq!(Query::search(search).matches(full), expect, "{search} on {full}");
    }

    #[test]
    fn a_search_finds_bare_words_anywhere_in_a_name() {
        finds("", "core:rcv_requests", true);
        finds("requ", "core:rcv_requests", true);
        finds("requ", "requests:total", false);
        finds("all", "core:rcv_requests", true);
        finds("core:requ", "core:rcv_requests", false);
        finds("rcv*", "core:rcv_requests", true);
        finds("quests*", "core:rcv_requests", false);
        finds("dialog: requ", "dialog:active_dialogs", true);
    }

    #[test]
    fn capitals_count_only_when_there_are_some() {
        finds("invite", "method:INVITE", true);
        finds("INV", "method:INVITE", true);
        finds("Inv", "method:INVITE", false);
        check("invite", "method:INVITE", false);
    }

    #[test]
    fn standing_words_match_what_the_search_showed() {
        let standing = |search: &str, shown: &[&str]| Query::standing(search, shown.iter().copied());
        assert_eq!(standing("requ", &["core:rcv_requests"]), "*requ*");
        assert_eq!(standing("dialog:, rcv", &["core:rcv_requests", "dialog:x"]), "dialog: *rcv*");
        assert_eq!(standing("invite", &["method:INVITE", "method:invite 2"]), "method:INVITE \"method:invite 2\"");
    }

    #[test]
    fn a_quoted_name_matches_itself_and_no_other() {
        let names = [
            "a:b",
            "my group:a, b",
            "x:say \"hi\"",
            " x:lead",
            "x:trail ",
            "\u{e9}:\t",
            "*",
            "all",
            "x:*",
            "x:",
            ":x",
            "x",
            "=x:y",
            "x:\"",
            "\"",
            "x:a\r\nb",
            "=",
            "x:\"\"",
            "x:a*b",
        ];
        for name in names {
            let query = Query::search(&quoted(name));
            let found: Vec<_> = names.iter().filter(|other| query.matches(other)).collect();
            assert_eq!(found, [&name], "{}", quoted(name));
            assert_eq!(words(&quoted(name)), [&*word_of(name)]);
            assert_eq!(Pattern::parse(&word_of(name)).exact(), Some(name));
        }
        let hostile = format!("x:{}", "\"".repeat(16_000));
        assert!(quoted(&hostile).len() < MAX_QUOTED_BYTES && Query::parse(&quoted(&hostile)).matches(&hostile));
    }

    #[test]
    fn a_word_after_an_equals_sign_is_taken_whole() {
        check("=x:*", "x:*", true);
        check("=x:*", "x:y", false);
        check("\"=my group:a b\"", "my group:a b", true);
        finds("=x:y", "X:Y", false);
        assert!(Pattern::parse("x:").covers(&Pattern::parse("=x:a*")));
        assert!(!Pattern::parse("=x:a*").covers(&Pattern::parse("x:a*")));
    }

    proptest! {
        #[test]
        fn any_name_quoted_is_one_word_and_matches(name in ".{1,24}") {
            prop_assert_eq!(words(&quoted(&name)).len(), 1);
            prop_assert!(Query::search(&quoted(&name)).matches(&name));
        }
    }

    #[test]
    fn the_name_begins_after_the_first_colon() {
        check("a:b:c", "a:b:c", true);
        check("a:b*", "a:b:c", true);
        check("c", "a:b:c", false);
    }
}
