//! Text to tree, by winnow: what was expected where. It must not know which statistics there are.

use winnow::{
    LocatingSlice, ModalResult, Parser,
    ascii::{digit1, multispace0},
    combinator::opt,
    error::{ErrMode, ParserError},
    stream::Location,
    token::{any, one_of, take_while},
};

use super::{
    Expr, Fold, Formula, FormulaError, MAX_BYTES, MAX_DEPTH, MAX_TERMS, Reference, Sign,
    glob::{Glob, Piece},
};

/// What a term may begin with, in words.
const TERM: &str = "a number, a statistic in braces such as {core:rcv_requests}, a function such as rate(, or a bracket";
const FUNCTIONS: &str = "functions are rate(), max(), min(), sum() and avg()";

type Text<'t> = LocatingSlice<&'t str>;
type Parsed<T> = ModalResult<T, Fault>;

/// What is wrong, at a byte.
#[derive(Clone, Debug)]
struct Fault {
    at: usize,
    message: String,
}

impl ParserError<Text<'_>> for Fault {
    type Inner = Self;

    fn from_input(input: &Text<'_>) -> Self {
        Self { at: input.current_token_start(), message: format!("expected {TERM}") }
    }

    fn into_inner(self) -> Result<Self, Self> {
        Ok(self)
    }
}

/// What was met on the way.
struct Reading<'t> {
    text: &'t str,
    /// Whether it may name derived statistics.
    with_derived: bool,
    references: Vec<Reference>,
    terms: usize,
}

/// Reads a whole formula.
pub(super) fn parse(text: &str, with_derived: bool) -> Result<Formula, FormulaError> {
    if text.len() > MAX_BYTES {
        return Err(FormulaError { at: 0, message: format!("a formula has at most {MAX_BYTES} bytes; this one has {}", text.len()) });
    }
    let mut reading = Reading { text, with_derived, references: Vec::new(), terms: 0 };
    let mut input = LocatingSlice::new(text);
    let whole = reading.sum(&mut input, 0).and_then(|root| if input.is_empty() { Ok(root) } else { Err(reading.left(&input)) });
    match whole {
        Ok(root) => Ok(Formula { root, references: reading.references }),
        Err(ErrMode::Backtrack(fault) | ErrMode::Cut(fault)) => {
            Err(FormulaError { at: characters(text, fault.at), message: fault.message })
        }
        Err(ErrMode::Incomplete(_)) => Err(FormulaError { at: characters(text, text.len()), message: "the formula ends too early".into() }),
    }
}

fn characters(text: &str, byte: usize) -> usize {
    text.char_indices().take_while(|&(at, _)| at < byte).count()
}

fn fault<T>(at: usize, message: impl Into<String>) -> Parsed<T> {
    Err(ErrMode::Cut(Fault { at, message: message.into() }))
}

fn space(input: &mut Text<'_>) -> Parsed<()> {
    multispace0.void().parse_next(input)
}

impl Reading<'_> {
    fn sum(&mut self, input: &mut Text<'_>, depth: usize) -> Parsed<Expr> {
        let mut sum = self.product(input, depth)?;
        while let Some((at, sign)) = sign(input, ['+', '-'])? {
            self.count(at)?;
            let both = Box::new((sum, self.product(input, depth)?));
            sum = Expr::Pair { sign, at: characters(self.text, at), both };
        }
        Ok(sum)
    }

    fn product(&mut self, input: &mut Text<'_>, depth: usize) -> Parsed<Expr> {
        let mut product = self.unary(input, depth)?;
        while let Some((at, sign)) = sign(input, ['*', '/'])? {
            self.count(at)?;
            let both = Box::new((product, self.unary(input, depth)?));
            product = Expr::Pair { sign, at: characters(self.text, at), both };
        }
        Ok(product)
    }

    fn unary(&mut self, input: &mut Text<'_>, depth: usize) -> Parsed<Expr> {
        space(input)?;
        let at = input.current_token_start();
        let inner = self.deeper(at, depth)?;
        if opt('-').parse_next(input)?.is_some() {
            self.count(at)?;
            return Ok(Expr::Negative(Box::new(self.unary(input, inner)?)));
        }
        let term = self.term(input, depth)?;
        space(input)?;
        Ok(term)
    }

    fn term(&mut self, input: &mut Text<'_>, depth: usize) -> Parsed<Expr> {
        let at = input.current_token_start();
        self.count(at)?;
        match input.chars().next() {
            Some('0'..='9') => number(input),
            Some('{') => self.statistic(input, false),
            Some('(') => {
                any.void().parse_next(input)?;
                let inner = self.sum(input, self.deeper(at, depth)?)?;
                close(input, at, "bracket")?;
                Ok(inner)
            }
            Some(letter) if letter.is_alphabetic() => self.function(input, depth),
            Some('.') => fault(at, "a number begins with a digit: write 0.5"),
            Some(_) => fault(at, format!("expected {TERM}")),
            None => fault(at, format!("the formula ends here: expected {TERM}")),
        }
    }

    fn function(&mut self, input: &mut Text<'_>, depth: usize) -> Parsed<Expr> {
        let at = input.current_token_start();
        let word = take_while(1.., |letter: char| letter.is_alphanumeric() || letter == '_' || letter == ':').parse_next(input)?;
        space(input)?;
        let fold = Fold::ALL.iter().find(|(name, _)| *name == word).map(|(_, fold)| *fold);
        if word != "rate" && fold.is_none() {
            let word = app::shown::short(word);
            let hint = if word.contains(':') { format!("write {{{word}}} for a statistic") } else { FUNCTIONS.to_owned() };
            return fault(at, format!("{word:?} is nothing here: {hint}"));
        }
        let open = input.current_token_start();
        if opt('(').parse_next(input)?.is_none() {
            return fault(open, format!("expected ( after {word}"));
        }
        let Some(fold) = fold else {
            space(input)?;
            if !input.starts_with('{') {
                return fault(input.current_token_start(), "rate() is of one statistic: write rate({core:rcv_requests})");
            }
            let statistic = self.statistic(input, true)?;
            space(input)?;
            close(input, open, "bracket of rate")?;
            return Ok(statistic);
        };
        let inner = self.deeper(at, depth)?;
        let mut terms = vec![self.sum(input, inner)?];
        while opt(',').parse_next(input)?.is_some() {
            terms.push(self.sum(input, inner)?);
        }
        close(input, open, "bracket")?;
        Ok(Expr::Fold { fold, at: characters(self.text, at), terms })
    }

    /// A name in braces, in which pairs of braces may stand.
    fn statistic(&mut self, input: &mut Text<'_>, rate: bool) -> Parsed<Expr> {
        let start = input.current_token_start();
        any.void().parse_next(input)?;
        let inside = input.current_token_start();
        let (mut pieces, mut open) = (Vec::new(), 0_usize);
        loop {
            let at = input.current_token_start();
            match opt(any).parse_next(input)? {
                None => return fault(start, "this brace is not closed"),
                Some('}') if open == 0 => break,
                Some('\\') => match opt(any).parse_next(input)? {
                    Some(letter) => pieces.push(Piece::Letter(letter)),
                    None => return fault(start, "this brace is not closed"),
                },
                Some('*') => pieces.push(Piece::Star),
                Some(letter) if letter.is_control() => return fault(at, "a name has no line breaks or other control characters"),
                Some(letter) => {
                    match letter {
                        '{' => open += 1,
                        '}' => open -= 1,
                        _ => {}
                    }
                    pieces.push(Piece::Letter(letter));
                }
            }
        }
        let text = self.text[inside..input.current_token_start() - 1].to_owned();
        let (boxes, pieces) = apart(pieces);
        if pieces.is_empty() {
            return fault(start, "a name stands between the braces, such as {core:rcv_requests}");
        }
        let name = Glob::of_name(pieces);
        let reference = Reference { at: characters(self.text, start), text, boxes, name, rate };
        if reference.is_derived() && !self.with_derived {
            return fault(start, "a formula names statistics as boxes tell them, and no derived ones");
        }
        if reference.is_derived() && rate {
            return fault(start, "a derived statistic shows a level, and rate() is of what counts");
        }
        self.references.push(reference);
        Ok(Expr::Statistic(self.references.len() - 1))
    }

    fn count(&mut self, at: usize) -> Parsed<()> {
        self.terms += 1;
        if self.terms > MAX_TERMS { fault(at, format!("a formula has at most {MAX_TERMS} terms and signs")) } else { Ok(()) }
    }

    fn deeper(&self, at: usize, depth: usize) -> Parsed<usize> {
        if depth >= MAX_DEPTH { fault(at, format!("brackets stand in each other at most {MAX_DEPTH} deep")) } else { Ok(depth + 1) }
    }

    /// What stands behind a whole formula.
    fn left(&self, input: &Text<'_>) -> ErrMode<Fault> {
        let at = input.current_token_start();
        let message = match input.chars().next() {
            Some(')') => "this bracket closes none".to_owned(),
            Some('}') => "this brace closes none".to_owned(),
            Some(',') => "a comma stands between the terms of max(), min(), sum() and avg() alone".to_owned(),
            Some('<' | '>' | '=' | '!') => "a formula computes a number and compares nothing: an alert does".to_owned(),
            _ => "expected one of + - * / here, or the end".to_owned(),
        };
        ErrMode::Cut(Fault { at, message })
    }
}

/// The boxes, where the text before the first `/` has no colon, and the rest.
fn apart(pieces: Vec<Piece>) -> (Option<Glob>, Vec<Piece>) {
    let is = |letter: char| move |piece: &Piece| *piece == Piece::Letter(letter);
    match pieces.iter().position(is('/')) {
        Some(slash) if !pieces[..slash].iter().any(is(':')) => {
            let boxes = (slash > 0).then(|| Glob::of_word(&pieces[..slash]));
            (boxes, pieces[slash + 1..].to_vec())
        }
        _ => (None, pieces),
    }
}

fn sign(input: &mut Text<'_>, signs: [char; 2]) -> Parsed<Option<(usize, Sign)>> {
    let at = input.current_token_start();
    let found = opt(one_of(signs)).parse_next(input)?;
    Ok(found.map(|sign| {
        let sign = match sign {
            '+' => Sign::Plus,
            '-' => Sign::Minus,
            '*' => Sign::Times,
            _ => Sign::Divided,
        };
        (at, sign)
    }))
}

fn close(input: &mut Text<'_>, open: usize, what: &str) -> Parsed<()> {
    if opt(')').parse_next(input)?.is_some() {
        return Ok(());
    }
    if input.is_empty() {
        return fault(open, format!("this {what} is not closed"));
    }
    fault(input.current_token_start(), "expected one of + - * / here, or )")
}

fn number(input: &mut Text<'_>) -> Parsed<Expr> {
    let at = input.current_token_start();
    let fraction = opt(('.', digit1));
    let exponent = opt((one_of(['e', 'E']), opt(one_of(['+', '-'])), digit1));
    let text = (digit1, fraction, exponent).take().parse_next(input)?;
    if input.starts_with(|next: char| next.is_alphanumeric() || next == '.' || next == '_') {
        return fault(at, "this is no number: write such as 7, 0.5 or 1e6");
    }
    match text.parse::<f64>() {
        Ok(number) if number.is_finite() => Ok(Expr::Number(number)),
        _ => fault(at, "this number is too large"),
    }
}
