//! The query words of OpenSIPS: `dialog:` a group, `rcv_requests` a name in any group, `core:rcv_*` a pattern; spaces or commas between.

/// One word of a query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    group: Option<String>,
    name: Option<String>,
}

impl Pattern {
    /// Reads one word: `all` and `*` match everything.
    #[must_use]
    pub fn parse(word: &str) -> Self {
        let word = word.trim();
        if word == "all" || word == "*" || word.is_empty() {
            return Self { group: None, name: None };
        }
        match word.split_once(':') {
            Some((group, "")) => Self { group: Some(group.to_owned()), name: None },
            Some((group, name)) => Self { group: Some(group.to_owned()), name: Some(name.to_owned()) },
            None => Self { group: None, name: Some(word.to_owned()) },
        }
    }

    /// The group it asks for, which may hold `*`; none: any.
    #[must_use]
    pub fn group(&self) -> Option<&str> {
        self.group.as_deref()
    }

    /// The name it asks for, which may hold `*`; none: any.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// Whether it names exactly one statistic of one group.
    #[must_use]
    pub fn is_exact(&self) -> bool {
        match (&self.group, &self.name) {
            (Some(group), Some(name)) => !group.contains('*') && !name.contains('*'),
            _ => false,
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
        part(&self.group, &narrower.group) && part(&self.name, &narrower.name)
    }

    /// Whether it matches a full name.
    #[must_use]
    pub fn matches(&self, full: &str) -> bool {
        self.matches_as(full, Letters::Exact)
    }

    fn matches_as(&self, full: &str, letters: Letters) -> bool {
        let (group, name) = crate::model::split_name(full);
        self.group.as_deref().is_none_or(|pattern| glob(pattern, group, letters))
            && self.name.as_deref().is_none_or(|pattern| glob(pattern, name, letters))
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
        let patterns: Vec<String> = words(search).iter().map(|word| quoted(&anywhere(word))).collect();
        let patterns = patterns.join(" ");
        let query = Self::parse(&patterns);
        if shown.clone().all(|name| query.matches(name)) {
            return patterns;
        }
        shown.map(quoted).collect::<Vec<_>>().join(" ")
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

/// The words of a query, as they stand for themselves: split at spaces and commas outside quotes, quotes taken away.
#[must_use]
pub fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut quoted = false;
    for c in text.chars() {
        match c {
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
    if word.contains([':', '*']) || word == "all" { word.to_owned() } else { format!("*{word}*") }
}

/// One word of a query that matches this name: in quotes where it holds what parts words, with `*` for what a word cannot hold.
#[must_use]
pub fn quoted(name: &str) -> String {
    let mut word = name.replace('"', "*");
    if word.starts_with(char::is_whitespace) {
        word = format!("*{}", word.trim_start());
    }
    if word.ends_with(char::is_whitespace) {
        word = format!("{}*", word.trim_end());
    }
    if word.contains(|c: char| c == ',' || c.is_whitespace()) { format!("\"{word}\"") } else { word }
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
    fn a_quoted_name_matches_itself() {
        for name in ["a:b", "my group:a, b", "x:say \"hi\"", " x:lead", "x:trail ", "\u{e9}:\t"] {
            assert!(Query::parse(&quoted(name)).matches(name), "{name:?}");
        }
    }

    #[test]
    fn the_name_begins_after_the_first_colon() {
        check("a:b:c", "a:b:c", true);
        check("a:b*", "a:b:c", true);
        check("c", "a:b:c", false);
    }
}
