//! The language of derived statistics: arithmetic over statistics, whose names stand in braces. Pure: it must not know SQL, a clock, or
//! where values come from.
//!
//! ```text
//! 100 * {shmem:free_size} / {shmem:total_size}            the newest values
//! rate({core:err_requests}) / rate({core:rcv_requests})   increases per second of counters
//! max(100 * {pkmem:*-used_size} / {pkmem:*-total_size})   over all that match, paired by what the * stands for
//! sum({*/dialog:active_dialogs}) - {sip1/dialog:active_dialogs}
//! ```
//!
//! | | |
//! |---|---|
//! | numbers | `7`, `0.5`, `1e6` |
//! | `+ - * /`, `( )` | as in arithmetic; `-` also before a term |
//! | `{group:name}` | a statistic of the box that the formula is asked of |
//! | `{box/group:name}` | one of another box. What stands before a `/` is a box when no `:` stands before that `/`; `*` is any number of letters, so `*/` are all boxes. An empty one is the own box: `{/my/group:name}` for a group that has a `/` |
//! | `*` in a name | all that match, in `max()`, `min()`, `sum()` and `avg()` alone |
//! | `\` in a name | takes the next character as it is: `\*`, `\{`, `\}`, `\\`; pairs of braces need none |
//! | `rate({…})` | the increase per second of a counter |
//! | `max min sum avg` | of one or more terms with commas between |
//!
//! A term of which an input has no value, or whose divisor is 0, has no value, and neither has what is computed from it: never 0.

mod bind;
mod evaluate;
mod glob;
mod parse;
mod put_in;
#[cfg(test)]
mod tests;

pub use bind::{Bound, Cause, Input, Known, MAX_INPUTS, Unbound};
pub use evaluate::{Inputs, NONE, Why};
pub use glob::Glob;

/// The longest formula, in bytes.
pub const MAX_BYTES: usize = 4_096;
/// So many numbers, statistics and signs one formula has at most.
pub const MAX_TERMS: usize = 512;
/// So deep may brackets and functions stand in each other.
pub const MAX_DEPTH: usize = 32;
/// The group of derived statistics: one called `x` is `derived:x`.
pub const GROUP: &str = "derived";

/// What is wrong with a formula, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message} (character {})", .at + 1)]
pub struct FormulaError {
    /// The character, counted from 0.
    pub at: usize,
    /// A sentence.
    pub message: String,
}

/// A formula that was read, and holds what its language allows.
#[derive(Clone, Debug, PartialEq)]
pub struct Formula {
    root: Expr,
    references: Vec<Reference>,
}

/// A statistic that a formula names, or several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// Where its brace stands, in characters.
    pub at: usize,
    /// As it is written, without the braces.
    pub text: String,
    /// The boxes; none: the one that is asked.
    pub boxes: Option<Glob>,
    /// The statistics.
    pub name: Glob,
    /// Whether its increase per second is meant.
    pub rate: bool,
}

/// What a sign between two terms does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sign {
    Plus,
    Minus,
    Times,
    Divided,
}

/// What makes one of many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fold {
    Max,
    Min,
    Sum,
    Avg,
}

impl Fold {
    const ALL: [(&str, Self); 4] = [("max", Self::Max), ("min", Self::Min), ("sum", Self::Sum), ("avg", Self::Avg)];
}

/// A formula as a tree.
#[derive(Clone, Debug, PartialEq)]
enum Expr {
    Number(f64),
    /// The place of a reference.
    Statistic(usize),
    Negative(Box<Expr>),
    /// `at`: where the sign stands.
    Pair {
        sign: Sign,
        at: usize,
        both: Box<(Expr, Expr)>,
    },
    Fold {
        fold: Fold,
        at: usize,
        terms: Vec<Expr>,
    },
}

impl Formula {
    /// Reads a formula.
    ///
    /// # Errors
    /// What is wrong first, and at which character.
    pub fn parse(text: &str) -> Result<Self, FormulaError> {
        let formula = parse::parse(text, false)?;
        formula.check(&formula.root, false)?;
        Ok(formula)
    }

    /// Reads a formula that may name derived statistics: see [`Self::put_in`].
    ///
    /// # Errors
    /// As [`Self::parse`].
    pub fn parse_with_derived(text: &str) -> Result<Self, FormulaError> {
        let formula = parse::parse(text, true)?;
        formula.check(&formula.root, false)?;
        Ok(formula)
    }

    /// The statistics that it names, in the order in which they are written.
    #[must_use]
    pub fn references(&self) -> &[Reference] {
        &self.references
    }

    /// The one statistic that it is, where it computes nothing.
    #[must_use]
    pub fn single(&self) -> Option<&Reference> {
        match self.root {
            Expr::Statistic(place) => self.references.get(place),
            _ => None,
        }
    }

    /// Whether it names boxes: it is then a statistic of all of them together, and not of each.
    #[must_use]
    pub fn is_across(&self) -> bool {
        self.references.iter().any(|reference| reference.boxes.is_some())
    }

    /// Patterns stand in functions alone, and those of one term can be paired.
    fn check(&self, expr: &Expr, in_fold: bool) -> Result<(), FormulaError> {
        match expr {
            Expr::Number(_) => Ok(()),
            Expr::Statistic(place) => {
                let reference = &self.references[*place];
                if reference.is_pattern() && !in_fold {
                    let message = "a * stands for several statistics: put the term into max(), min(), sum() or avg()".to_owned();
                    return Err(FormulaError { at: reference.at, message });
                }
                Ok(())
            }
            Expr::Negative(inner) => self.check(inner, in_fold),
            Expr::Pair { both, .. } => self.check(&both.0, in_fold).and_then(|()| self.check(&both.1, in_fold)),
            Expr::Fold { terms, .. } => terms.iter().try_for_each(|term| {
                self.check(term, true)?;
                self.check_pairs(term)
            }),
        }
    }

    fn check_pairs(&self, term: &Expr) -> Result<(), FormulaError> {
        let mut shapes = self.patterns_of(term).into_iter().map(|place| &self.references[place]);
        let Some(first) = shapes.next() else { return Ok(()) };
        let other = shapes.find(|reference| reference.shape() != first.shape());
        other.map_or(Ok(()), |other| {
            let message = format!(
                "this cannot be paired with {{{}}}: the patterns of one term have as many * in the name, and name boxes alike",
                first.text
            );
            Err(FormulaError { at: other.at, message })
        })
    }

    /// The patterns of a term that belong to the function around it, and not to one inside.
    fn patterns_of(&self, term: &Expr) -> Vec<usize> {
        match term {
            Expr::Statistic(place) if self.references[*place].is_pattern() => vec![*place],
            Expr::Negative(inner) => self.patterns_of(inner),
            Expr::Pair { both, .. } => [self.patterns_of(&both.0), self.patterns_of(&both.1)].concat(),
            Expr::Number(_) | Expr::Statistic(_) | Expr::Fold { .. } => Vec::new(),
        }
    }
}

impl Reference {
    /// Whether it may stand for several statistics.
    #[must_use]
    pub fn is_pattern(&self) -> bool {
        self.name.is_pattern() || self.boxes.as_ref().is_some_and(Glob::is_pattern)
    }

    /// What must be alike of two patterns whose matches are paired.
    fn shape(&self) -> (bool, usize) {
        (self.boxes.as_ref().is_some_and(Glob::is_pattern), self.name.stars())
    }
}
