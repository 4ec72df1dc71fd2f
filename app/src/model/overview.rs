//! What the Overview shows.

use super::{BoxView, Number, RowView};

/// In which order the tiles stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// What needs somebody first.
    #[default]
    Problems,
    /// By name.
    Name,
}

impl Order {
    /// The word used in the query `sort`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Problems => "problems",
            Self::Name => "name",
        }
    }
}

/// How much room a tile takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    /// All its numbers, one below the other.
    Tiles,
    /// One line, for very many boxes.
    Lines,
}

impl Size {
    /// The word used in the query `size`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Tiles => "tiles",
            Self::Lines => "lines",
        }
    }

    /// The size a word names.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "tiles" => Some(Self::Tiles),
            "lines" => Some(Self::Lines),
            _ => None,
        }
    }
}

/// `/cp/overview?match=&sort=&size=`
#[derive(Clone, Debug)]
pub struct OverviewPage {
    /// A tile a box, in their order.
    pub tiles: Vec<TileView>,
    /// The search, as typed.
    pub search: String,
    /// The order.
    pub order: Order,
    /// The size.
    pub size: Size,
    /// The size when none is asked for.
    pub usual_size: Size,
    /// How many boxes matched beyond the bound of one page and are left out.
    pub left_out: usize,
    /// Whether every box has its tile here, found or not: then the island may search among them itself.
    pub whole: bool,
}

/// One box.
#[derive(Clone, Debug)]
pub struct TileView {
    /// The box with its state.
    pub view: BoxView,
    /// Its chosen numbers.
    pub numbers: Vec<NumberView>,
    /// Whether the search finds it; else it is there and hidden.
    pub found: bool,
}

/// A chosen number of a box.
#[derive(Clone, Debug)]
pub struct NumberView {
    /// What it is called; empty: as the statistic.
    pub label: &'static str,
    /// The statistic.
    pub row: RowView,
    /// The statistic that it is a share of, and that one's value.
    pub of: Option<(String, Option<Number>)>,
}
