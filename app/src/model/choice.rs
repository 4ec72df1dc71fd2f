//! Which rows Realtime Statistics shows, and in what order, as its address says it.

/// Which rows are shown (`show=`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Show {
    /// Every statistic.
    #[default]
    All,
    /// The ticked ones (`show=recorded`).
    Recorded,
    /// Those that changed at the last poll (`show=moving`).
    Moving,
}

impl Show {
    /// The word used in the query `show`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Recorded => "recorded",
            Self::Moving => "moving",
        }
    }

    /// The choice that a word names; anything unknown is all.
    #[must_use]
    pub fn parse(word: &str) -> Self {
        match word {
            "recorded" => Self::Recorded,
            "moving" => Self::Moving,
            _ => Self::All,
        }
    }
}

/// What of these is left out (`hide=`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Hide {
    /// Those that never moved (`hide=still`).
    pub still: bool,
    /// Ticks for which the box has nothing now (`hide=gone`).
    pub gone: bool,
}

impl Hide {
    /// The words used in the query `hide`; empty: nothing is left out.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match (self.still, self.gone) {
            (false, false) => "",
            (true, false) => "still",
            (false, true) => "gone",
            (true, true) => "still,gone",
        }
    }

    /// What words name, with commas between; unknown ones mean nothing.
    #[must_use]
    pub fn parse(words: &str) -> Self {
        let has = |wanted: &str| words.split(',').any(|word| word.trim() == wanted);
        Self { still: has("still"), gone: has("gone") }
    }
}

/// By what the rows of a group are sorted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum By {
    /// By name, as people count.
    #[default]
    Name,
    /// By value, the largest first.
    Value,
    /// By the increase per second, the largest first.
    Rate,
    /// By when each moved, the latest first.
    Moved,
}

impl By {
    /// The word used in the query `sort`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Value => "value",
            Self::Rate => "rate",
            Self::Moved => "moved",
        }
    }
}

/// In what order the rows of a group stand (`sort=`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Sort {
    /// By what.
    pub by: By,
    /// The other way round (`sort=-name`).
    pub turned: bool,
}

impl Sort {
    /// The word used in the query; empty: by name.
    #[must_use]
    pub fn word(self) -> String {
        match self {
            Self { by: By::Name, turned: false } => String::new(),
            Self { by, turned } => format!("{}{}", if turned { "-" } else { "" }, by.as_str()),
        }
    }

    /// The order that a word names; anything unknown is by name.
    #[must_use]
    pub fn parse(word: &str) -> Self {
        let (turned, word) = word.strip_prefix('-').map_or((false, word), |word| (true, word));
        let by = [By::Name, By::Value, By::Rate, By::Moved].into_iter().find(|by| by.as_str() == word);
        by.map_or_else(Self::default, |by| Self { by, turned })
    }

    /// What pressing a head leads to: that order, and the other way round where it is so already.
    #[must_use]
    pub fn pressed(self, by: By) -> Self {
        Self { by, turned: self.by == by && !self.turned }
    }

    /// Whether the lowest comes first.
    #[must_use]
    pub fn is_ascending(self) -> bool {
        (self.by == By::Name) != self.turned
    }
}

/// All of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Choice {
    /// Which rows.
    pub show: Show,
    /// Without which.
    pub hide: Hide,
    /// In what order.
    pub sort: Sort,
}

impl Choice {
    /// Whether every statistic of the box is among the rows.
    #[must_use]
    pub fn is_everything(self) -> bool {
        self.show == Show::All && !self.hide.still
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_come_back() {
        for show in [Show::All, Show::Recorded, Show::Moving] {
            assert_eq!(Show::parse(show.as_str()), show);
        }
        for (still, gone) in [(false, false), (true, false), (false, true), (true, true)] {
            assert_eq!(Hide::parse(Hide { still, gone }.as_str()), Hide { still, gone });
        }
        for by in [By::Name, By::Value, By::Rate, By::Moved] {
            for turned in [false, true] {
                assert_eq!(Sort::parse(&Sort { by, turned }.word()), Sort { by, turned });
            }
        }
        assert_eq!((Sort::parse("-x"), Hide::parse("x"), Show::parse("x")), (Sort::default(), Hide::default(), Show::All));
    }

    #[test]
    fn a_head_turns_its_own_order() {
        let by_name = Sort::default();
        assert_eq!(by_name.pressed(By::Name).word(), "-name");
        assert_eq!(by_name.pressed(By::Rate).word(), "rate");
        assert_eq!(by_name.pressed(By::Rate).pressed(By::Rate).word(), "-rate");
        assert_eq!(by_name.pressed(By::Rate).pressed(By::Rate).pressed(By::Name).word(), "");
        assert!(by_name.is_ascending() && !Sort::parse("value").is_ascending() && Sort::parse("-value").is_ascending());
    }
}
