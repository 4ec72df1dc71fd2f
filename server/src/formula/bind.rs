//! A formula put to the statistics that boxes have: each name becomes a place, each pattern a term for each that matches.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use super::{Expr, Formula, Inputs, Reference, Why, evaluate::Node};

/// So many values one formula is computed from at most.
pub const MAX_INPUTS: usize = 2_048;

/// A box, and the full names of what it has.
#[derive(Clone, Copy)]
pub struct Known<'a> {
    /// The name of the box.
    pub box_name: &'a str,
    /// Its statistics.
    pub names: &'a [Arc<str>],
    /// The place of a name among them.
    pub place: &'a dyn Fn(&str) -> Option<usize>,
}

/// A formula whose inputs were found.
#[derive(Clone, Debug, PartialEq)]
pub struct Bound {
    root: Node,
    /// What it is computed from.
    pub inputs: Vec<Input>,
}

/// One value that a formula is computed from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Input {
    /// The place of the box among those that are known.
    pub of: usize,
    /// The place of the name in it.
    pub place: usize,
    /// Whether its increase per second is meant.
    pub rate: bool,
    /// The place of the reference that names it.
    pub reference: usize,
}

/// Why a formula cannot be computed of these boxes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unbound {
    /// The reference that nothing matches, or the first one.
    pub reference: usize,
    /// Why not.
    pub cause: Cause,
}

/// What there is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// No such box.
    NoBox,
    /// No such statistic.
    NoStatistic,
    /// Nothing that matches, or nothing that matches each of the patterns that are paired.
    NoMatch,
    /// More than [`MAX_INPUTS`].
    TooMany,
}

impl Bound {
    /// What it comes to; [`super::NONE`] where there is no value.
    #[must_use]
    pub fn value(&self, inputs: &impl Inputs) -> f64 {
        self.root.value(inputs)
    }

    /// Why there is no value; none where there is one.
    #[must_use]
    pub fn why(&self, inputs: &impl Inputs) -> Option<Why> {
        self.root.why(inputs)
    }
}

/// What the `*` of paired patterns stand for: the box, where they name boxes by a pattern, and the rest.
type Key = (Option<usize>, Vec<String>);

/// The place of an input by the reference that names it, for one term of a function.
type Chosen = HashMap<usize, Input>;

struct Binding<'a> {
    formula: &'a Formula,
    boxes: &'a [Known<'a>],
    own: Option<usize>,
    inputs: Vec<Input>,
    places: HashMap<Input, usize>,
}

impl Formula {
    /// Finds what it names among `boxes`; `own` is the place of the box that it is asked of.
    ///
    /// # Errors
    /// When something that it names is not there.
    pub fn bind(&self, boxes: &[Known<'_>], own: Option<usize>) -> Result<Bound, Unbound> {
        let mut binding = Binding { formula: self, boxes, own, inputs: Vec::new(), places: HashMap::new() };
        let root = binding.node(&self.root, &Chosen::new())?;
        Ok(Bound { root, inputs: binding.inputs })
    }
}

impl Binding<'_> {
    fn node(&mut self, expr: &Expr, chosen: &Chosen) -> Result<Node, Unbound> {
        Ok(match expr {
            Expr::Number(number) => Node::Number(*number),
            Expr::Statistic(reference) => {
                let input = match chosen.get(reference) {
                    Some(input) => *input,
                    None => self.one(*reference)?,
                };
                Node::Input(self.input(input)?)
            }
            Expr::Negative(inner) => Node::Negative(Box::new(self.node(inner, chosen)?)),
            Expr::Pair { sign, at, both } => {
                let both = Box::new((self.node(&both.0, chosen)?, self.node(&both.1, chosen)?));
                Node::Pair { sign: *sign, at: *at, both }
            }
            Expr::Fold { fold, at, terms } => {
                let mut nodes = Vec::new();
                for term in terms {
                    let patterns = self.formula.patterns_of(term);
                    if patterns.is_empty() {
                        nodes.push(self.node(term, chosen)?);
                        continue;
                    }
                    for chosen in self.pairs(&patterns)? {
                        nodes.push(self.node(term, &chosen)?);
                    }
                }
                Node::Fold { fold: *fold, at: *at, terms: nodes }
            }
        })
    }

    fn input(&mut self, input: Input) -> Result<usize, Unbound> {
        // The same value by two references is one input.
        let key = Input { reference: 0, ..input };
        if let Some(place) = self.places.get(&key) {
            return Ok(*place);
        }
        if self.inputs.len() == MAX_INPUTS {
            return Err(Unbound { reference: input.reference, cause: Cause::TooMany });
        }
        self.inputs.push(input);
        self.places.insert(key, self.inputs.len() - 1);
        Ok(self.inputs.len() - 1)
    }

    /// The one statistic that a reference without a pattern names.
    fn one(&self, place: usize) -> Result<Input, Unbound> {
        let reference = &self.formula.references[place];
        let of = self.boxes_of(reference).next().ok_or(Unbound { reference: place, cause: Cause::NoBox })?;
        let found = reference.name.exact().and_then(|name| (self.boxes[of].place)(&name));
        let found = found.ok_or(Unbound { reference: place, cause: Cause::NoStatistic })?;
        Ok(Input { of, place: found, rate: reference.rate, reference: place })
    }

    fn boxes_of<'r>(&self, reference: &'r Reference) -> impl Iterator<Item = usize> + use<'_, 'r> {
        let own = self.own;
        let named = self.boxes.iter().enumerate();
        named.filter_map(move |(place, known)| match &reference.boxes {
            None => (Some(place) == own).then_some(place),
            Some(boxes) => boxes.matches(known.box_name).then_some(place),
        })
    }

    /// For each that matches all of these patterns: the input that each of them names then. In a stable order.
    fn pairs(&self, patterns: &[usize]) -> Result<Vec<Chosen>, Unbound> {
        let mut pairs: Option<BTreeMap<Key, Chosen>> = None;
        for &pattern in patterns {
            let found = self.matching(pattern);
            if found.len() > MAX_INPUTS {
                return Err(Unbound { reference: pattern, cause: Cause::TooMany });
            }
            pairs = Some(match pairs {
                None => found.into_iter().map(|(key, input)| (key, Chosen::from([(pattern, input)]))).collect(),
                Some(mut pairs) => {
                    pairs.retain(|key, chosen| found.get(key).is_some_and(|input| chosen.insert(pattern, *input).is_none()));
                    pairs
                }
            });
            if pairs.as_ref().is_some_and(BTreeMap::is_empty) {
                return Err(Unbound { reference: pattern, cause: Cause::NoMatch });
            }
        }
        Ok(pairs.unwrap_or_default().into_values().collect())
    }

    fn matching(&self, pattern: usize) -> BTreeMap<Key, Input> {
        let reference = &self.formula.references[pattern];
        let by_box = reference.boxes.as_ref().is_some_and(super::Glob::is_pattern);
        let mut found = BTreeMap::new();
        for of in self.boxes_of(reference) {
            let known = &self.boxes[of];
            let mut add = |place: usize, stood_for: Vec<&str>| {
                let key = (by_box.then_some(of), stood_for.into_iter().map(str::to_owned).collect());
                found.insert(key, Input { of, place, rate: reference.rate, reference: pattern });
            };
            match reference.name.exact() {
                Some(name) => (known.place)(&name).into_iter().for_each(|place| add(place, Vec::new())),
                None => {
                    for (place, name) in known.names.iter().enumerate() {
                        if let Some(stood_for) = reference.name.stood_for(name) {
                            add(place, stood_for);
                        }
                    }
                }
            }
        }
        found
    }
}
