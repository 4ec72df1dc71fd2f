//! Names and patterns as formulas write them: `*` is any run of characters, and what it stood for is told. Linear in the name.

/// A name, or a pattern of names. In a full name, no `*` before the first colon stands for that colon.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Glob {
    /// What stands between the `*` of the group; none: there is no colon.
    group: Option<Vec<String>>,
    name: Vec<String>,
}

impl Glob {
    /// Of a name in two parts, each split at its `*`.
    pub(super) fn of_name(pieces: Vec<Piece>) -> Self {
        let (mut group, mut parts, mut current) = (None, Vec::new(), String::new());
        for piece in pieces {
            match piece {
                Piece::Letter(':') if group.is_none() => {
                    parts.push(std::mem::take(&mut current));
                    group = Some(std::mem::take(&mut parts));
                }
                Piece::Letter(letter) => current.push(letter),
                Piece::Star => parts.push(std::mem::take(&mut current)),
            }
        }
        parts.push(current);
        Self { group, name: parts }
    }

    /// Of a name in one part, such as that of a box.
    pub(super) fn of_word(pieces: &[Piece]) -> Self {
        let mut parts = vec![String::new()];
        for piece in pieces {
            match (piece, parts.last_mut()) {
                (Piece::Letter(letter), Some(last)) => last.push(*letter),
                _ => parts.push(String::new()),
            }
        }
        Self { group: None, name: parts }
    }

    /// How many `*` it has.
    #[must_use]
    pub fn stars(&self) -> usize {
        self.group.as_ref().map_or(0, |group| group.len() - 1) + self.name.len() - 1
    }

    /// Whether it may match several.
    #[must_use]
    pub fn is_pattern(&self) -> bool {
        self.stars() > 0
    }

    /// The one name that it matches, if it is no pattern.
    #[must_use]
    pub fn exact(&self) -> Option<String> {
        let group = self.group.as_ref().map(|group| format!("{}:", group[0])).unwrap_or_default();
        (!self.is_pattern()).then(|| format!("{group}{}", self.name[0]))
    }

    /// The group of all that it matches, where that is one.
    #[must_use]
    pub fn group(&self) -> Option<&str> {
        match self.group.as_deref() {
            Some([group]) => Some(group),
            _ => None,
        }
    }

    /// Whether it matches.
    #[must_use]
    pub fn matches(&self, text: &str) -> bool {
        self.stood_for(text).is_some()
    }

    /// What each `*` stands for in a text that it matches: the first as little as can be, then the next.
    #[must_use]
    pub fn stood_for<'t>(&self, text: &'t str) -> Option<Vec<&'t str>> {
        let mut found = Vec::with_capacity(self.stars());
        let name = match &self.group {
            None => text,
            Some(parts) => {
                let (group, name) = text.split_once(':')?;
                part(parts, group, &mut found)?;
                name
            }
        };
        part(&self.name, name, &mut found)?;
        Some(found)
    }
}

/// A character of a name as it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    Letter(char),
    Star,
}

fn part<'t>(parts: &[String], text: &'t str, found: &mut Vec<&'t str>) -> Option<()> {
    let (first, others) = parts.split_first()?;
    let Some((last, middle)) = others.split_last() else { return (text == first).then_some(()) };
    let text = text.strip_prefix(first.as_str())?.strip_suffix(last.as_str())?;
    let mut rest = text;
    for part in middle {
        let (before, after) = rest.split_once(part.as_str())?;
        found.push(before);
        rest = after;
    }
    found.push(rest);
    Some(())
}
