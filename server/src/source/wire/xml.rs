//! XML-RPC as OpenSIPS answers it: one struct of names and values, or a fault. Entities of a document type are never resolved.

use quick_xml::{Reader, escape::resolve_predefined_entity, events::Event};

use super::{
    envelope::WireError,
    members::{Members, refused, text_of},
};
use crate::source::text::shown;

/// No answer is nested deeper.
const MAX_DEPTH: usize = 32;
/// Where the members of an answer are.
const RESULT: [&str; 6] = ["methodResponse", "params", "param", "value", "struct", "member"];
/// Where those of a fault are.
const FAULT: [&str; 5] = ["methodResponse", "fault", "value", "struct", "member"];
/// Floats hold every whole number up to this.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// Reads an answer; none where the server says 404.
pub(super) fn read(body: &[u8], method: &'static str) -> Result<Option<Members>, WireError> {
    let text = String::from_utf8_lossy(body);
    let mut reader = Reader::from_str(&text);
    // OpenSIPS 2.x writes names as they are.
    reader.config_mut().allow_dangling_amp = true;
    let mut walk = Walk::default();
    loop {
        match reader.read_event().map_err(|error| WireError::Malformed(shown(&error.to_string())))? {
            Event::Start(tag) => walk.open(tag.name().0)?,
            Event::Empty(tag) => {
                walk.open(tag.name().0)?;
                walk.close();
            }
            Event::End(_) => walk.close(),
            Event::Text(text) => walk.text(&text),
            Event::CData(text) => walk.text(&text),
            Event::GeneralRef(name) => match name.resolve_char_ref() {
                Ok(Some(letter)) => walk.text(letter.encode_utf8(&mut [0; 4])),
                _ => match resolve_predefined_entity(&name) {
                    Some(text) => walk.text(text),
                    None => walk.text(&format!("&{};", &*name)),
                },
            },
            Event::Eof => break,
            Event::Decl(_) | Event::PI(_) | Event::DocType(_) | Event::Comment(_) => {}
        }
    }
    if !walk.is_whole {
        return Err(WireError::Malformed("it is no XML-RPC, or breaks off".into()));
    }
    if walk.is_fault {
        let code = text_of(&walk.members, "faultCode").and_then(|code| code.trim().parse().ok());
        let words = text_of(&walk.members, "faultString").unwrap_or_default();
        return refused(method, code.unwrap_or_default(), words);
    }
    Ok(Some(walk.members))
}

/// What has been read so far.
#[derive(Default)]
struct Walk {
    path: Vec<String>,
    members: Members,
    name: String,
    value: String,
    /// How the value is written, such as `int`; none: as text.
    written: Option<String>,
    /// The value holds others, and is none itself.
    is_nested: bool,
    is_fault: bool,
    /// There was something that an answer holds.
    is_answer: bool,
    /// The answer's last tag was read.
    is_whole: bool,
}

impl Walk {
    /// How deep the member is in which this stands; none: in no member.
    fn member(&self) -> Option<usize> {
        let at = |place: &[&str]| self.path.len() >= place.len() && self.path.iter().zip(place).all(|(tag, other)| tag == other);
        if at(&RESULT) {
            Some(RESULT.len())
        } else if at(&FAULT) {
            Some(FAULT.len())
        } else {
            None
        }
    }

    fn open(&mut self, tag: &str) -> Result<(), WireError> {
        if self.path.len() == MAX_DEPTH {
            return Err(WireError::Malformed("it is nested too deep".into()));
        }
        self.path.push(tag.to_owned());
        let depth = self.path.len();
        self.is_answer |= self.path == RESULT[..RESULT.len() - 1] || self.path == FAULT[..FAULT.len() - 1];
        match self.member() {
            Some(member) if member == depth => {
                self.is_fault |= member == FAULT.len();
                (self.name, self.value, self.written, self.is_nested) = Default::default();
            }
            Some(member) if depth == member + 2 && self.path[member] == "value" => {
                self.written = Some(tag.to_owned());
                // The space before it is no part of the value.
                self.value.clear();
            }
            Some(member) => self.is_nested |= depth > member + 2,
            None => {}
        }
        Ok(())
    }

    fn close(&mut self) {
        if self.member() == Some(self.path.len()) {
            let name = std::mem::take(&mut self.name);
            let text = std::mem::take(&mut self.value);
            let text = match self.written.as_deref() {
                _ if self.is_nested => String::new(),
                Some("double") => of_double(&text),
                Some("boolean" | "nil" | "base64") => String::new(),
                _ => text,
            };
            // One more than is taken, so that too many are seen to be too many.
            if self.members.len() <= super::envelope::MAX_NAMES {
                self.members.push((name, text));
            }
        }
        self.path.pop();
        self.is_whole |= self.is_answer && self.path.is_empty();
    }

    fn text(&mut self, text: &str) {
        let Some(member) = self.member() else { return };
        match self.path.get(member).map(String::as_str) {
            Some("name") if self.path.len() == member + 1 => self.name.push_str(text),
            // Between the end of the written value and that of `value` there may be space.
            Some("value") if self.path.len() == member + 1 && self.written.is_none() => self.value.push_str(text),
            Some("value") if self.path.len() == member + 2 => self.value.push_str(text),
            _ => {}
        }
    }
}

/// A float's digits are no more exact than the float: a whole number as such where it is exact, else as a float.
fn of_double(text: &str) -> String {
    match text.trim().parse::<f64>() {
        Ok(value) if value.fract() == 0.0 && value.abs() <= EXACT => format!("{value:.0}"),
        Ok(value) if value.is_finite() => format!("{value:e}"),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(members: &str) -> String {
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\r\n<methodResponse>\r\n<params><param>\r\n<value><struct>{members}</struct></value>\
             </param></params>\r\n</methodResponse>\r\n"
        )
    }

    #[track_caller]
    fn check(members: &str, expect: &[(&str, &str)]) {
        let found = read(whole(members).as_bytes(), "get_statistics").unwrap().unwrap();
        assert_eq!(found, expect.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect::<Vec<_>>());
    }

    #[test]
    fn names_and_values() {
        check("", &[]);
        check("<member><name>a:b</name><value>5</value></member>", &[("a:b", "5")]);
        check("<member><name>a:b</name> <value> <int>5</int> </value></member>", &[("a:b", "5")]);
        check("<member><name>Up time</name><value><string>556 [sec]</string></value></member>", &[("Up time", "556 [sec]")]);
        check("<member><name>a&lt;&#39;&amp;&nosuch;</name><value>5</value></member>", &[("a<'&&nosuch;", "5")]);
        check("<member><name>a & b</name><value>5</value></member>", &[("a & b", "5")]);
        check("<member><name>a</name><value/></member>", &[("a", "")]);
        let array = "<value><array><data><value><int>7</int></value></data></array></value>";
        check(&format!("<member><name>a</name>{array}</member>"), &[("a", "")]);
    }

    #[test]
    fn a_float_is_as_exact_as_it_is() {
        let double = |text: &str| format!("<member><name>a</name><value><double>{text}</double></value></member>");
        check(&double("6000000000.000000"), &[("a", "6000000000")]);
        check(&double("-5.000000"), &[("a", "-5")]);
        check(&double("0.250000"), &[("a", "2.5e-1")]);
        check(&double("18446744073709551616.000000"), &[("a", "1.8446744073709552e19")]);
        check(&double("nan"), &[("a", "")]);
    }

    #[test]
    fn faults() {
        let fault = |code: &str, words: &str| {
            format!(
                "<methodResponse><fault><value>\r\n<struct>\r\n<member>\r\n<name>faultCode</name>\r\n<value><int>{code}</int></value>\r\n\
                 </member>\r\n<member>\r\n<name>faultString</name>\r\n<value><string>{words}</string></value>\r\n</member>\r\n</struct>\r\n\
                 </value></fault></methodResponse>"
            )
        };
        assert_eq!(read(fault("404", "Statistics Not Found").as_bytes(), "get_statistics"), Ok(None));
        let error = read(fault("-32602", "server error. invalid method parameters").as_bytes(), "get_statistics").unwrap_err();
        assert!(error.to_string().contains("invalid method parameters (error -32602)"), "{error}");
    }

    #[test]
    fn what_is_no_answer() {
        let good = whole("<member><name>a:b</name><value><int>512</int></value></member>");
        for cut in 0..good.trim_end().len() {
            assert!(read(&good.as_bytes()[..cut], "get_statistics").is_err(), "{}", &good[..cut]);
        }
        let deep = format!("{}{}", "<a>".repeat(100), "</a>".repeat(100));
        for body in ["", "{}", "<html>", "<html></html>", "<methodResponse></methodResponse>", deep.as_str()] {
            assert!(read(body.as_bytes(), "get_statistics").is_err(), "{body}");
        }
        // It would be a billion laughs.
        let bomb = format!(
            "<!DOCTYPE b [<!ENTITY a \"aaaa\"><!ENTITY c \"&a;&a;\">]>{}",
            whole("<member><name>&c;</name><value>5</value></member>")
        );
        assert_eq!(read(bomb.as_bytes(), "get_statistics").unwrap().unwrap()[0].0, "&c;");
    }
}
