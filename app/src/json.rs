//! JSON as text: reading it into a tree, and writing a text as a part of it. The browser's half reads by this instead of serde, whose
//! code would be a fifth of it. It knows nothing of what the JSON is about.

/// How deep lists and objects may lie in each other.
const DEPTH_MAX: u32 = 16;

/// A value that was read.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Json<'a> {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number as it was written: what reads it decides whether it is whole.
    Number(&'a str),
    /// A string.
    Text(String),
    /// `[…]`.
    List(Vec<Self>),
    /// `{…}`, in the order it was written.
    Object(Vec<(String, Self)>),
}

impl<'a> Json<'a> {
    /// Reads one value and nothing after it; `None` when the text is not JSON.
    pub(crate) fn parse(text: &'a str) -> Option<Self> {
        let mut reader = Reader { text, at: 0 };
        let value = reader.value(DEPTH_MAX)?;
        (reader.peek().is_none()).then_some(value)
    }

    /// A field of an object; `Null` stands for one that is not there.
    pub(crate) fn get(&self, key: &str) -> &Self {
        let Self::Object(fields) = self else { return &Self::Null };
        fields.iter().find(|(name, _)| name == key).map_or(&Self::Null, |(_, value)| value)
    }

    pub(crate) fn text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    pub(crate) fn bool(&self) -> Option<bool> {
        if let Self::Bool(is) = self { Some(*is) } else { None }
    }

    /// A whole number, exactly.
    pub(crate) fn int(&self) -> Option<i64> {
        if let Self::Number(digits) = self { digits.parse().ok() } else { None }
    }

    /// The nearest float.
    pub(crate) fn float(&self) -> Option<f64> {
        if let Self::Number(digits) = self { float(digits) } else { None }
    }

    /// The values of a list; none when it is no list.
    pub(crate) fn list(&self) -> Option<&[Self]> {
        if let Self::List(items) = self { Some(items) } else { None }
    }
}

/// The browser reads floats itself; Rust's own way brings tables of 10 kB.
#[cfg(target_arch = "wasm32")]
pub(crate) fn float(digits: &str) -> Option<f64> {
    Some(js_sys::parse_float(digits)).filter(|number| number.is_finite())
}

#[cfg(not(target_arch = "wasm32"))]
pub(crate) fn float(digits: &str) -> Option<f64> {
    digits.parse().ok().filter(|number: &f64| number.is_finite())
}

/// A text as JSON writes it, in quotes.
pub(crate) fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\0'..='\u{1f}' => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    /// The next byte that is not space.
    fn peek(&mut self) -> Option<u8> {
        let rest = self.text.as_bytes().get(self.at..)?;
        let space = rest.iter().take_while(|byte| matches!(byte, b' ' | b'\n' | b'\r' | b'\t')).count();
        self.at += space;
        rest.get(space).copied()
    }

    /// Whether the next byte is this one, which is then passed.
    fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn value(&mut self, depth: u32) -> Option<Json<'a>> {
        let depth = depth.checked_sub(1)?;
        match self.peek()? {
            b'"' => self.string().map(Json::Text),
            b'[' => {
                let mut items = Vec::new();
                self.members(b']', |reader| {
                    items.push(reader.value(depth)?);
                    Some(())
                })?;
                Some(Json::List(items))
            }
            b'{' => {
                let mut fields = Vec::new();
                self.members(b'}', |reader| {
                    let key = if reader.peek()? == b'"' { reader.string()? } else { return None };
                    let value = if reader.take(b':') { reader.value(depth)? } else { return None };
                    fields.push((key, value));
                    Some(())
                })?;
                Some(Json::Object(fields))
            }
            _ => self.word(),
        }
    }

    /// What stands between the bracket here and its end, with commas between.
    fn members(&mut self, end: u8, mut member: impl FnMut(&mut Self) -> Option<()>) -> Option<()> {
        self.at += 1;
        if self.take(end) {
            return Some(());
        }
        loop {
            member(self)?;
            if self.take(end) {
                return Some(());
            }
            if !self.take(b',') {
                return None;
            }
        }
    }

    fn word(&mut self) -> Option<Json<'a>> {
        let rest = self.text.get(self.at..)?;
        let end = rest.find([',', ']', '}', ' ', '\n', '\r', '\t']).unwrap_or(rest.len());
        let word = rest.get(..end)?;
        self.at += end;
        match word {
            "null" => Some(Json::Null),
            "true" => Some(Json::Bool(true)),
            "false" => Some(Json::Bool(false)),
            _ => is_number(word).then_some(Json::Number(word)),
        }
    }

    fn string(&mut self) -> Option<String> {
        self.at += 1;
        let mut out = String::new();
        loop {
            let rest = self.text.get(self.at..)?;
            let end = rest.find(['"', '\\'])?;
            out.push_str(rest.get(..end)?);
            self.at += end + 1;
            if rest.as_bytes().get(end) == Some(&b'"') {
                return Some(out);
            }
            out.push(self.escaped()?);
        }
    }

    /// The character that stands after a backslash.
    fn escaped(&mut self) -> Option<char> {
        let letter = *self.text.as_bytes().get(self.at)?;
        self.at += 1;
        Some(match letter {
            b'"' | b'\\' | b'/' => char::from(letter),
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'u' => {
                let unit = self.unit()?;
                // The first half of a character beyond 16 bits is followed by the second.
                if (0xd800..0xdc00).contains(&unit) && self.text.get(self.at..self.at + 2) == Some("\\u") {
                    self.at += 2;
                    let second = self.unit()?.checked_sub(0xdc00).filter(|low| *low < 0x400)?;
                    char::from_u32(0x1_0000 + ((unit - 0xd800) << 10) + second)?
                } else {
                    char::from_u32(unit)?
                }
            }
            _ => return None,
        })
    }

    fn unit(&mut self) -> Option<u32> {
        let digits = self.text.get(self.at..self.at + 4)?;
        self.at += 4;
        digits.bytes().all(|digit| digit.is_ascii_hexdigit()).then(|| u32::from_str_radix(digits, 16).ok())?
    }
}

/// Whether a word is a number as JSON writes it: `-12`, `0.5`, `1e300`.
fn is_number(word: &str) -> bool {
    let word = word.strip_prefix('-').unwrap_or(word);
    let (mantissa, exponent) = word.split_once(['e', 'E']).unwrap_or((word, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|digit| digit.is_ascii_digit());
    (whole == "0" || !whole.starts_with('0'))
        && digits(whole)
        && digits(fraction)
        && digits(exponent.strip_prefix(['-', '+']).unwrap_or(exponent))
}

#[cfg(test)]
mod tests;
