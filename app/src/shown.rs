//! Text of others, made fit to be shown: nothing in it acts unseen on what is around it, and it is bounded. Knows no HTML and no terminal.

use std::{borrow::Cow, fmt::Write};

/// The longest name that is shown whole among others, in characters.
const SHORT_CHARS: usize = 96;
/// How many of them are the name's end: names that begin alike mostly end differently.
const TAIL_CHARS: usize = 24;
/// Where Unicode has the pictures of control characters, in their order.
const PICTURES: u32 = 0x2400;
/// The picture of DEL.
const DELETE: char = '\u{2421}';

/// A text with what acts unseen made visible: control characters as their pictures (`␊`); what turns the direction of text, breaks
/// lines, or has no width at all as its number (`⟨U+202E⟩`).
#[must_use]
pub fn visible(text: &str) -> Cow<'_, str> {
    if !text.chars().any(acts) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '\0'..='\u{1f}' => out.push(char::from_u32(PICTURES + u32::from(c)).unwrap_or(char::REPLACEMENT_CHARACTER)),
            '\u{7f}' => out.push(DELETE),
            c if acts(c) => {
                // Writing to a string cannot fail.
                let _ = write!(out, "⟨U+{:04X}⟩", u32::from(c));
            }
            c => out.push(c),
        }
    }
    Cow::Owned(out)
}

/// A name as it is shown among others: visible, and cut in its middle where it is very long.
#[must_use]
pub fn short(name: &str) -> Cow<'_, str> {
    let name = visible(name);
    let chars = if name.len() <= SHORT_CHARS { 0 } else { name.chars().count() };
    if chars <= SHORT_CHARS {
        return name;
    }
    let head: String = name.chars().take(SHORT_CHARS - TAIL_CHARS - 1).collect();
    let tail: String = name.chars().skip(chars - TAIL_CHARS).collect();
    Cow::Owned(format!("{head}…{tail}"))
}

/// Whether [`short`] leaves something out of a name.
#[must_use]
pub fn is_long(name: &str) -> bool {
    name.len() > SHORT_CHARS && visible(name).chars().count() > SHORT_CHARS
}

/// Whether a character does something and is not seen. Joiners are left alone: scripts and emoji need them.
fn acts(c: char) -> bool {
    match c {
        ' '..='~' => false,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}' => true,
        '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}' => true,
        c => c.is_control(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_acts_unseen_is_seen() {
        for plain in ["core:rcv_requests", "dynamic:utf8_é", "日本:語", "a:👩‍👩‍👧", "<b>&\"'`"] {
            assert!(matches!(visible(plain), Cow::Borrowed(same) if same == plain), "{plain}");
        }
        assert_eq!(visible("a\r\n\tb\0\u{1b}[31m\u{7f}"), "a␍␊␉b␀␛[31m␡");
        assert_eq!(visible("x\u{202e}y\u{2066}\u{85}\u{2028}\u{feff}"), "x⟨U+202E⟩y⟨U+2066⟩⟨U+0085⟩⟨U+2028⟩⟨U+FEFF⟩");
    }

    #[test]
    fn a_long_name_keeps_its_two_ends() {
        let name = format!("script:{}end", "x".repeat(10_000));
        let shown = short(&name);
        assert_eq!(shown.chars().count(), SHORT_CHARS);
        assert!(shown.starts_with("script:xxx") && shown.contains('…') && shown.ends_with("xxxend"), "{shown}");
        assert!(is_long(&name) && !is_long(&name[..SHORT_CHARS]));
        assert_eq!(short(&name[..SHORT_CHARS]), &name[..SHORT_CHARS]);
        // Many bytes are not many characters, and what is made visible counts as it is shown.
        assert_eq!(short(&"é".repeat(SHORT_CHARS)), "é".repeat(SHORT_CHARS));
        assert!(is_long(&"\u{202e}".repeat(40)));
    }
}
