//! Text as OpenSIPS 2.x answers over its FIFO and by datagram: a line with a code, `name:: value` lines, and a blank line at the end.

use super::{
    envelope::WireError,
    members::{Members, refused},
};
use crate::source::text::shown;

/// What stands between a name and its value.
const BETWEEN: &str = ":: ";

/// Whether this may be an answer: it begins with a code.
pub(super) fn may_answer(body: &[u8]) -> bool {
    matches!(body, [b'1'..=b'9', b'0'..=b'9', b'0'..=b'9', b' ', ..])
}

/// Reads an answer; none where the server says 404.
pub(super) fn read(body: &[u8], method: &'static str) -> Result<Option<Members>, WireError> {
    let text = String::from_utf8_lossy(body);
    let malformed = |why: &str| WireError::Malformed(why.to_owned());
    if text.is_empty() {
        return Err(malformed("it is empty"));
    }
    let (status, rest) = text.split_once('\n').ok_or_else(|| malformed("it breaks off in its first line"))?;
    let (code, words) = status.split_once(' ').unwrap_or((status, ""));
    let code: i64 = match code.parse() {
        Ok(code) if code >= 100 => code,
        _ => return Err(WireError::Malformed(shown(status))),
    };
    if code >= 300 {
        return refused(method, code, words);
    }
    // The end is a blank line: an answer without one was cut off, perhaps within a number.
    let lines = match rest {
        "\n" => "",
        _ => rest.strip_suffix("\n\n").ok_or_else(|| malformed("it breaks off"))?,
    };
    let mut members = Vec::new();
    // A name may hold a line break: what has no value yet is the beginning of a name.
    let mut begun = String::new();
    for line in lines.split('\n').filter(|_| !lines.is_empty()) {
        match line.rsplit_once(BETWEEN) {
            Some((name, value)) => members.push((std::mem::take(&mut begun) + name, value.to_owned())),
            None => {
                begun.push_str(line);
                begun.push('\n');
            }
        }
    }
    Ok(Some(members))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expect: &[(&str, &str)]) {
        let members = read(text.as_bytes(), "get_statistics").unwrap().unwrap();
        assert_eq!(members, expect.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect::<Vec<_>>());
    }

    #[test]
    fn lines() {
        check(
            "200 OK\ndialog:active_dialogs:: 0\ncore:rcv_requests:: 30\n\n",
            &[("dialog:active_dialogs", "0"), ("core:rcv_requests", "30")],
        );
        check("200 OK\nServer:: OpenSIPS (2.4.11 (x86_64/linux))\n\n", &[("Server", "OpenSIPS (2.4.11 (x86_64/linux))")]);
        check("200 OK\n\n", &[]);
        check("200 OK\nscript:a:: b:: 5\nscript:c\nd:: 6\n\n", &[("script:a:: b", "5"), ("script:c\nd", "6")]);
    }

    #[test]
    fn noise_is_told_apart() {
        assert!(may_answer(b"200 OK\n\n") && may_answer(b"500 command not available\n"));
        assert!(!may_answer(b"") && !may_answer(b"noise") && !may_answer(b"{\"id\":1}") && !may_answer(b"\n200 OK\n"));
    }

    #[test]
    fn errors() {
        assert_eq!(read(b"404 Statistics Not Found\n\n", "get_statistics"), Ok(None));
        for (text, expect) in [
            ("500 command 'x' not available\n", "command 'x' not available"),
            ("500 command not available\n", "error 500"),
            ("400 Too few or too many arguments\n\n", "error 400"),
            ("400 Parse_error", "breaks off"),
            ("200 OK\na:b:: 12", "breaks off"),
            ("200 OK\na:b:: 12\n", "breaks off"),
            ("200 OK", "breaks off"),
            ("", "empty"),
            ("{\"jsonrpc\":\"2.0\"}\n", "jsonrpc"),
        ] {
            let error = read(text.as_bytes(), "get_statistics").unwrap_err().to_string();
            assert!(error.contains(expect), "{text}: {error}");
        }
    }
}
