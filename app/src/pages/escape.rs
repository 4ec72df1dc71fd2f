//! Text into HTML by hand, for rows that are built as one string. Names of statistics hold any character.

use crate::shown::{is_long, visible};

/// Adds `text` so that HTML reads back exactly it, inside an element or a double-quoted attribute.
///
/// A parser would turn a carriage return into a newline and drop or replace NUL: the first gets a reference, the second becomes
/// U+FFFD here already, so that both sides of a comparison agree.
pub(super) fn push_text(out: &mut String, text: &str) {
    let mut rest = text;
    // All marks are single bytes: what lies between them is copied whole.
    while let Some(place) = rest.bytes().position(|byte| matches!(byte, b'&' | b'<' | b'>' | b'"' | b'\'' | b'\r' | 0)) {
        out.push_str(&rest[..place]);
        out.push_str(match rest.as_bytes()[place] {
            b'&' => "&amp;",
            b'<' => "&lt;",
            b'>' => "&gt;",
            b'"' => "&quot;",
            b'\'' => "&#39;",
            b'\r' => "&#13;",
            _ => "\u{fffd}",
        });
        rest = &rest[place + 1..];
    }
    out.push_str(rest);
}

/// Adds a text with what acts unseen made visible.
pub(super) fn push_shown(out: &mut String, text: &str) {
    push_text(out, &visible(text));
}

/// Adds the whole of a name that is shown shortened, to be opened; nothing for one that is shown whole.
pub(super) fn push_whole(out: &mut String, name: &str) {
    if is_long(name) {
        out.push_str(r#"<details class="whole"><summary>whole name</summary><code tabindex="0">"#);
        push_shown(out, name);
        out.push_str("</code></details>");
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn escaped(text: &str) -> String {
        let mut out = String::new();
        push_text(&mut out, text);
        out
    }

    #[test]
    fn marks_of_html_become_text() {
        assert_eq!(escaped(r#"<b a="1" c='2'>&amp;"#), "&lt;b a=&quot;1&quot; c=&#39;2&#39;&gt;&amp;amp;");
        assert_eq!(escaped("é ✓ \u{202e}x"), "é ✓ \u{202e}x");
        assert_eq!(escaped("a\r\nb\0\u{1}"), "a&#13;\nb\u{fffd}\u{1}");
    }

    proptest! {
        #[test]
        fn nothing_that_ends_text_or_an_attribute_is_left(text in any::<String>()) {
            let out = escaped(&text);
            prop_assert!(!out.contains(['<', '>', '"', '\'', '\0', '\r']));
            // Each & begins one of the references above: taken back, the text is there again.
            let back = out.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&#39;", "'").replace("&#13;", "\r").replace("&amp;", "&");
            prop_assert_eq!(back, text.replace('\0', "\u{fffd}"));
        }
    }
}
