//! What is asked of a server, or told to it, in the words of each dialect. It sends nothing and reads no answer.

use std::borrow::Cow;

use app::model::BoxKind;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::address::{Address, Content};

/// OpenSIPS refuses larger requests, at its default settings.
const MAX_REQUEST_BYTES: usize = 1024;

/// How a server is spoken with: how a question is written, and how its answer is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// JSON-RPC of OpenSIPS 3.x and 4.x.
    Opensips,
    /// JSON-RPC of Kamailio.
    Kamailio,
    /// JSON by GET, of OpenSIPS 2.x.
    Json2,
    /// Lines of text, of OpenSIPS 2.x.
    Text2,
    /// XML-RPC of OpenSIPS.
    XmlRpc {
        /// Names stand in an array within the parameters (3.x and later), not each as a parameter (2.x).
        nested: bool,
    },
    /// Metrics of Prometheus.
    Prometheus,
}

/// What a server is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Question<'a> {
    /// All statistics.
    All,
    /// Those of groups, with all their digits where the dialect can.
    Groups(&'a [&'a str]),
    /// Those that names without their groups reach.
    Reached(&'a [&'a str]),
    /// That those which names without their groups reach be set to zero.
    Reset(&'a [&'a str]),
    /// Which statistics count.
    Kinds,
    /// How long the server runs.
    Uptime,
    /// What the server calls itself.
    Version,
    /// What its processes are.
    Processes,
}

/// Over what a question goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Carrier {
    Http,
    Fifo,
    Datagram,
}

/// A question as it goes over its carrier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Message {
    /// An HTTP request with a body.
    Post { content_type: &'static str, body: String },
    /// An HTTP request without.
    Get {
        /// What is added to the path of the address; empty: nothing.
        command: &'static str,
        /// The query, encoded; none: that of the address.
        query: Option<String>,
    },
    /// Text for a FIFO, which has the name of the reply FIFO between the two, or for a datagram, which has nothing there.
    Frame { before: String, after: String },
}

impl Dialect {
    /// The dialect of a kind of box at an address.
    ///
    /// # Errors
    /// Where no such box can be there.
    pub(crate) fn of(kind: BoxKind, address: &Address) -> Result<Self, String> {
        address.check_kind(kind)?;
        let Address::Http { content, .. } = address else {
            return Ok(match kind {
                BoxKind::Opensips2 => Self::Text2,
                BoxKind::Kamailio => Self::Kamailio,
                _ => Self::Opensips,
            });
        };
        Ok(match (content, kind) {
            (Content::Prometheus, _) => Self::Prometheus,
            (Content::XmlRpc, _) => Self::XmlRpc { nested: kind != BoxKind::Opensips2 },
            (Content::Json, BoxKind::Opensips2) => Self::Json2,
            (Content::Json, BoxKind::Kamailio) => Self::Kamailio,
            (Content::Json, _) => Self::Opensips,
        })
    }

    /// The command for a question, as the server calls it.
    pub(crate) fn method(self, question: Question<'_>) -> &'static str {
        match (self, question) {
            (Self::Prometheus, _) => "GET",
            (Self::Kamailio, Question::All | Question::Reached(_)) => "stats.fetchn",
            (Self::Kamailio, Question::Groups(_)) => "stats.fetch",
            (Self::Kamailio, Question::Reset(_)) => "stats.reset_statistics",
            (Self::Kamailio, Question::Kinds) => "system.listMethods",
            (Self::Kamailio, Question::Uptime) => "core.uptime",
            (Self::Kamailio, Question::Version) => "core.version",
            (Self::Kamailio, Question::Processes) => "core.psx",
            (_, Question::All | Question::Groups(_) | Question::Reached(_)) => "get_statistics",
            (_, Question::Reset(_)) => "reset_statistics",
            (_, Question::Kinds) => "list_statistics",
            (_, Question::Uptime) => "uptime",
            (_, Question::Version) => "version",
            (_, Question::Processes) => "ps",
        }
    }

    /// Whether the dialect has an answer to a question at all.
    pub(crate) fn knows(self, question: Question<'_>) -> bool {
        match self {
            // Kamailio has no statistics of single processes, and of XML-RPC no answer to this was ever recorded.
            Self::Kamailio | Self::XmlRpc { .. } if question == Question::Processes => false,
            Self::Kamailio => question != Question::Kinds,
            Self::Prometheus => matches!(question, Question::All | Question::Kinds),
            _ => true,
        }
    }

    /// Whether a value that is not clear is told with all its digits when its group is asked.
    pub(crate) fn has_digits_by_group(self) -> bool {
        self == Self::Kamailio
    }

    /// Writes a question; none: it cannot be asked, such as for a group with a comma where commas separate.
    pub(crate) fn write(self, question: Question<'_>, id: i32, carrier: Carrier) -> Option<Message> {
        if !self.knows(question) {
            return None;
        }
        let method = self.method(question);
        let names: Vec<Cow<'_, str>> = match question {
            Question::All => vec!["all".into()],
            Question::Groups(groups) => groups.iter().map(|group| format!("{group}:").into()).collect(),
            Question::Reached(names) | Question::Reset(names) => {
                // Each would be taken for more than one statistic.
                if names.iter().any(|name| name.is_empty() || name.ends_with(':') || *name == "all") {
                    return None;
                }
                names.iter().map(|name| (*name).into()).collect()
            }
            Question::Kinds | Question::Uptime | Question::Version | Question::Processes => Vec::new(),
        };
        let message = match self {
            Self::Opensips | Self::Kamailio => self.json_rpc(method, &names, id, carrier),
            Self::Json2 => get(method, &names)?,
            Self::Text2 => text(method, &names, carrier)?,
            Self::XmlRpc { nested } => Message::Post { content_type: "text/xml", body: xml(method, &names, nested) },
            Self::Prometheus => Message::Get { command: "", query: None },
        };
        (message.len() <= MAX_REQUEST_BYTES).then_some(message)
    }

    fn json_rpc(self, method: &str, names: &[Cow<'_, str>], id: i32, carrier: Carrier) -> Message {
        let list = serde_json::Value::from(names);
        let params = match self {
            _ if names.is_empty() => String::new(),
            // Kamailio takes the words alone.
            Self::Kamailio => format!(r#","params":{list}"#),
            _ => format!(r#","params":{{"statistics":{list}}}"#),
        };
        // Never a batch and never without `method`: either crashes OpenSIPS 4.0.1.
        let begin = format!(r#"{{"jsonrpc":"2.0","method":"{method}""#);
        let end = format!(r#"{params},"id":{id}}}"#);
        match (carrier, self) {
            (Carrier::Http, _) => Message::Post { content_type: "application/json", body: begin + end.as_str() },
            (Carrier::Datagram, _) => Message::Frame { before: begin, after: end },
            (Carrier::Fifo, Self::Kamailio) => Message::Frame { before: format!(r#"{begin},"reply_name":""#), after: format!("\"{end}\n") },
            (Carrier::Fifo, _) => Message::Frame { before: ":".to_owned(), after: format!(":{begin}{end}") },
        }
    }
}

/// A command of OpenSIPS 2.x over HTTP, where commas separate the names.
fn get(method: &'static str, names: &[Cow<'_, str>]) -> Option<Message> {
    if names.iter().any(|name| name.contains(',')) {
        return None;
    }
    let names: Vec<String> = names.iter().map(|name| utf8_percent_encode(name, NON_ALPHANUMERIC).to_string()).collect();
    let query = if names.is_empty() { String::new() } else { format!("params={}", names.join(",")) };
    Some(Message::Get { command: method, query: Some(query) })
}

/// A command of OpenSIPS 2.x. Over a FIFO its end is a blank line, without which the server would take the next client's command for
/// one of its arguments.
fn text(method: &str, names: &[Cow<'_, str>], carrier: Carrier) -> Option<Message> {
    if names.iter().any(|name| name.contains(['\n', '\r', '"', '\0']) || name.contains("::")) {
        return None;
    }
    let lines: String = names.iter().map(|name| format!("{name}\n")).collect();
    let end = if carrier == Carrier::Fifo { "\n" } else { "" };
    Some(Message::Frame { before: format!(":{method}:"), after: format!("\n{lines}{end}") })
}

fn xml(method: &str, names: &[Cow<'_, str>], nested: bool) -> String {
    let values = names.iter().map(|name| format!("<value><string>{}</string></value>", quick_xml::escape::escape(&**name)));
    let params = if names.is_empty() {
        String::new()
    } else if nested {
        format!("<param><value><array><data>{}</data></array></value></param>", values.collect::<String>())
    } else {
        values.map(|value| format!("<param>{value}</param>")).collect()
    };
    format!(r#"<?xml version="1.0"?><methodCall><methodName>{method}</methodName><params>{params}</params></methodCall>"#)
}

impl Message {
    fn len(&self) -> usize {
        match self {
            Self::Post { body, .. } => body.len(),
            Self::Get { command, query } => command.len() + query.as_ref().map_or(0, String::len),
            Self::Frame { before, after } => before.len() + after.len(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(dialect: Dialect, question: Question<'_>, carrier: Carrier, expect: &str) {
        let text = match dialect.write(question, 7, carrier) {
            Some(Message::Post { body, .. }) => body,
            Some(Message::Get { command, query }) => format!("{command}?{}", query.unwrap_or_default()),
            Some(Message::Frame { before, after }) => format!("{before}NAME{after}"),
            None => "none".to_owned(),
        };
        assert_eq!(text, expect);
    }

    #[test]
    fn json_rpc() {
        use Dialect::{Kamailio, Opensips};
        let all = r#"{"jsonrpc":"2.0","method":"get_statistics","params":{"statistics":["all"]},"id":7}"#;
        check(Opensips, Question::All, Carrier::Http, all);
        check(Opensips, Question::All, Carrier::Fifo, &format!(":NAME:{all}"));
        check(Opensips, Question::Version, Carrier::Http, r#"{"jsonrpc":"2.0","method":"version","id":7}"#);
        check(Opensips, Question::Processes, Carrier::Http, r#"{"jsonrpc":"2.0","method":"ps","id":7}"#);
        check(Kamailio, Question::Processes, Carrier::Http, "none");
        let group = r#"{"jsonrpc":"2.0","method":"get_statistics","params":{"statistics":["a\"b:"]},"id":7}"#;
        check(Opensips, Question::Groups(&["a\"b"]), Carrier::Http, group);
        check(Kamailio, Question::All, Carrier::Http, r#"{"jsonrpc":"2.0","method":"stats.fetchn","params":["all"],"id":7}"#);
        check(
            Kamailio,
            Question::Groups(&["core"]),
            Carrier::Fifo,
            "{\"jsonrpc\":\"2.0\",\"method\":\"stats.fetch\",\"reply_name\":\"NAME\",\"params\":[\"core:\"],\"id\":7}\n",
        );
        check(Kamailio, Question::Kinds, Carrier::Http, "none");
        check(Opensips, Question::Groups(&[&"x".repeat(2000)]), Carrier::Http, "none");
    }

    #[test]
    fn names_alone() {
        use Dialect::{Json2, Kamailio, Opensips, Prometheus, Text2, XmlRpc};
        let both = ["rcv_requests", "a\"b"];
        let reset = Question::Reset(&both);
        let params = r#""params":{"statistics":["rcv_requests","a\"b"]},"id":7}"#;
        check(Opensips, reset, Carrier::Http, &format!(r#"{{"jsonrpc":"2.0","method":"reset_statistics",{params}"#));
        check(Opensips, Question::Reached(&both), Carrier::Http, &format!(r#"{{"jsonrpc":"2.0","method":"get_statistics",{params}"#));
        let flat = r#""params":["rcv_requests","a\"b"],"id":7}"#;
        check(Kamailio, reset, Carrier::Http, &format!(r#"{{"jsonrpc":"2.0","method":"stats.reset_statistics",{flat}"#));
        check(Kamailio, Question::Reached(&both), Carrier::Http, &format!(r#"{{"jsonrpc":"2.0","method":"stats.fetchn",{flat}"#));
        check(Json2, Question::Reset(&["a", "b c"]), Carrier::Http, "reset_statistics?params=a,b%20c");
        check(Json2, Question::Reset(&["a,b"]), Carrier::Http, "none");
        check(Text2, Question::Reset(&["a", "b c"]), Carrier::Fifo, ":reset_statistics:NAME\na\nb c\n\n");
        let xml = |params: &str| {
            format!(r#"<?xml version="1.0"?><methodCall><methodName>reset_statistics</methodName><params>{params}</params></methodCall>"#)
        };
        let (a, b) = ("<value><string>a</string></value>", "<value><string>b&amp;</string></value>");
        let names = ["a", "b&"];
        check(XmlRpc { nested: false }, Question::Reset(&names), Carrier::Http, &xml(&format!("<param>{a}</param><param>{b}</param>")));
        let nested = xml(&format!("<param><value><array><data>{a}{b}</data></array></value></param>"));
        check(XmlRpc { nested: true }, Question::Reset(&names), Carrier::Http, &nested);
        check(Prometheus, reset, Carrier::Http, "none");
        // What would reach more than one.
        for name in ["", "all", "core:"] {
            check(Opensips, Question::Reset(&["a", name]), Carrier::Http, "none");
        }
        check(Opensips, Question::Reset(&[&"x".repeat(2000)]), Carrier::Http, "none");
    }

    #[test]
    fn opensips_2() {
        use Dialect::{Json2, Text2, XmlRpc};
        check(Json2, Question::All, Carrier::Http, "get_statistics?params=all");
        check(Json2, Question::Groups(&["a b+é"]), Carrier::Http, "get_statistics?params=a%20b%2B%C3%A9%3A");
        check(Json2, Question::Groups(&["a,b"]), Carrier::Http, "none");
        check(Json2, Question::Uptime, Carrier::Http, "uptime?");
        check(Json2, Question::Processes, Carrier::Http, "ps?");
        check(Text2, Question::Processes, Carrier::Fifo, ":ps:NAME\n\n");
        check(XmlRpc { nested: true }, Question::Processes, Carrier::Http, "none");
        check(Text2, Question::All, Carrier::Fifo, ":get_statistics:NAME\nall\n\n");
        check(Text2, Question::Version, Carrier::Fifo, ":version:NAME\n\n");
        check(Text2, Question::Groups(&["dialog"]), Carrier::Datagram, ":get_statistics:NAME\ndialog:\n");
        for group in ["a\nb", "\"a\"", "a::b"] {
            check(Text2, Question::Groups(&[group]), Carrier::Fifo, "none");
        }
        let xml = |params: &str| {
            format!(r#"<?xml version="1.0"?><methodCall><methodName>get_statistics</methodName><params>{params}</params></methodCall>"#)
        };
        let value = "<value><string>a&lt;:</string></value>";
        check(XmlRpc { nested: false }, Question::Groups(&["a<"]), Carrier::Http, &xml(&format!("<param>{value}</param>")));
        let nested = format!("<param><value><array><data>{value}</data></array></value></param>");
        check(XmlRpc { nested: true }, Question::Groups(&["a<"]), Carrier::Http, &xml(&nested));
    }
}
