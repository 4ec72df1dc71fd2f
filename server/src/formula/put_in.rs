//! Derived statistics put into a formula that names them: each becomes what it is computed by. It must not know who defines them.

use super::{Expr, Formula, FormulaError, GROUP, Reference};

/// So many derived statistics one formula names at most.
const MAX_PUT_IN: usize = 64;

struct Putting<'a> {
    formula: &'a Formula,
    find: &'a dyn Fn(&str) -> Option<&'a Formula>,
    references: Vec<Reference>,
    put_in: usize,
}

impl Formula {
    /// The same, with what derived statistics are computed by in place of their names. `find` finds one by its full name; one that there is
    /// not stays as it is, and cannot be computed.
    ///
    /// # Errors
    /// When it names too many, or one over several boxes that names several statistics of each by itself.
    pub fn put_in<'a>(&'a self, find: &'a dyn Fn(&str) -> Option<&'a Self>) -> Result<Self, FormulaError> {
        if !self.references.iter().any(Reference::is_derived) {
            return Ok(self.clone());
        }
        let mut putting = Putting { formula: self, find, references: Vec::new(), put_in: 0 };
        let root = putting.expr(&self.root)?;
        let formula = Self { root, references: putting.references };
        formula.check(&formula.root, false)?;
        Ok(formula)
    }
}

impl Reference {
    /// Whether it names one derived statistic.
    #[must_use]
    pub fn is_derived(&self) -> bool {
        self.name.exact().is_some_and(|name| name.split_once(':').is_some_and(|(group, _)| group == GROUP))
    }
}

impl<'a> Putting<'a> {
    fn expr(&mut self, expr: &Expr) -> Result<Expr, FormulaError> {
        Ok(match expr {
            Expr::Number(number) => Expr::Number(*number),
            Expr::Statistic(place) => {
                let formula = self.formula;
                let reference = &formula.references[*place];
                let found = reference.name.exact().filter(|_| reference.is_derived()).and_then(|name| (self.find)(&name));
                match found {
                    Some(found) => return self.definition(reference, found),
                    None => self.reference(reference.clone()),
                }
            }
            Expr::Negative(inner) => Expr::Negative(Box::new(self.expr(inner)?)),
            Expr::Pair { sign, at, both } => {
                Expr::Pair { sign: *sign, at: *at, both: Box::new((self.expr(&both.0)?, self.expr(&both.1)?)) }
            }
            Expr::Fold { fold, at, terms } => {
                let terms = terms.iter().map(|term| self.expr(term)).collect::<Result<_, _>>()?;
                Expr::Fold { fold: *fold, at: *at, terms }
            }
        })
    }

    fn reference(&mut self, reference: Reference) -> Expr {
        self.references.push(reference);
        Expr::Statistic(self.references.len() - 1)
    }

    fn definition(&mut self, asked: &Reference, found: &'a Formula) -> Result<Expr, FormulaError> {
        let wrong = |message: String| Err(FormulaError { at: asked.at, message });
        self.put_in += 1;
        if self.put_in > MAX_PUT_IN {
            return wrong(format!("a formula names at most {MAX_PUT_IN} derived statistics"));
        }
        let of_many = asked.boxes.as_ref().is_some_and(super::Glob::is_pattern);
        if of_many && (found.is_across() || found.references.iter().any(Reference::is_pattern)) {
            return wrong(format!("{{{}}} names several statistics by itself: name one box", asked.text));
        }
        Ok(self.copy(asked, found, &found.root))
    }

    /// What a definition computes, of the boxes that are asked, and told of at the place where it is named.
    fn copy(&mut self, asked: &Reference, found: &Formula, expr: &Expr) -> Expr {
        match expr {
            Expr::Number(number) => Expr::Number(*number),
            Expr::Statistic(place) => {
                let mut reference = Reference { at: asked.at, ..found.references[*place].clone() };
                if let (Some(boxes), None) = (&asked.boxes, &reference.boxes) {
                    let named = asked.text.split_once('/').map_or("", |(boxes, _)| boxes);
                    reference.text = format!("{named}/{}", reference.text.trim_start_matches('/'));
                    reference.boxes = Some(boxes.clone());
                }
                self.reference(reference)
            }
            Expr::Negative(inner) => Expr::Negative(Box::new(self.copy(asked, found, inner))),
            Expr::Pair { sign, both, .. } => {
                let both = Box::new((self.copy(asked, found, &both.0), self.copy(asked, found, &both.1)));
                Expr::Pair { sign: *sign, at: asked.at, both }
            }
            Expr::Fold { fold, terms, .. } => {
                let terms = terms.iter().map(|term| self.copy(asked, found, term)).collect();
                Expr::Fold { fold: *fold, at: asked.at, terms }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEFINED: [(&str, &str); 3] = [
        ("derived:free", "100 * {shmem:free} / {shmem:total}"),
        ("derived:full", "max({pkmem:*-used})"),
        ("derived:calls", "sum({*/dialog:active})"),
    ];

    fn put_in(text: &str) -> Result<Formula, FormulaError> {
        let defined: Vec<(&str, Formula)> = DEFINED.iter().map(|(name, text)| (*name, Formula::parse(text).unwrap())).collect();
        let find = |name: &str| defined.iter().find(|(known, _)| *known == name).map(|(_, formula)| formula);
        Formula::parse_with_derived(text).unwrap().put_in(&find)
    }

    /// What is put in is the same as what is written out, but for where it stands.
    #[track_caller]
    fn check(text: &str, written_out: &str) {
        let (put_in, expected) = (put_in(text).unwrap(), Formula::parse_with_derived(written_out).unwrap());
        let told = |formula: &Formula| -> Vec<_> {
            formula.references().iter().map(|one| (one.boxes.clone(), one.name.clone(), one.rate, one.text.clone())).collect()
        };
        assert_eq!(told(&put_in), told(&expected), "{text}");
        let shape = |formula: &Formula| {
            let tree = format!("{:?}", formula.root);
            tree.split("at: ").map(|part| part.trim_start_matches(|digit: char| digit.is_ascii_digit()).to_owned()).collect::<String>()
        };
        assert_eq!(shape(&put_in), shape(&expected), "{text}");
    }

    #[test]
    fn a_name_becomes_what_it_is_computed_by() {
        check("{derived:free}", "100 * {shmem:free} / {shmem:total}");
        check("{derived:free} - {core:x}", "(100 * {shmem:free} / {shmem:total}) - {core:x}");
        check("-{derived:full} * 2", "-max({pkmem:*-used}) * 2");
        check("{derived:calls} / 2", "sum({*/dialog:active}) / 2");
        check("{sip1/derived:free}", "100 * {sip1/shmem:free} / {sip1/shmem:total}");
        check("{sip1/derived:full}", "max({sip1/pkmem:*-used})");
        check("min({*/derived:free})", "min(100 * {*/shmem:free} / {*/shmem:total})");
        check("{derived:gone} + {core:x}", "{derived:gone} + {core:x}");
    }

    #[test]
    fn what_cannot_be_put_in_says_so() {
        for (text, why) in [
            ("min({*/derived:full})", "{*/derived:full} names several statistics by itself: name one box (character 5)"),
            ("sum({*/derived:calls})", "names several statistics by itself"),
        ] {
            let said = put_in(text).unwrap_err().to_string();
            assert!(said.contains(why), "{said}");
        }
        let many = vec!["{derived:free}"; 65].join("+");
        assert!(put_in(&many).unwrap_err().message.contains("at most 64"));
        let said = Formula::parse_with_derived("rate({derived:free})").unwrap_err().to_string();
        assert!(said.contains("a derived statistic shows a level"), "{said}");
        assert!(Formula::parse("{derived:free}").unwrap_err().message.contains("no derived ones"));
    }
}
