//! What a server says its processes are, in the reply to `ps`. Each dialect writes the same three words in its own way: the number, the
//! id that the system gave it, and what it is.

use serde::Deserialize;

use super::{
    envelope::{WireError, malformed, result},
    json2, text2,
    value::Text,
};
use crate::source::{
    dialect::{Dialect, Question},
    text::shown,
};

/// More than any server has; further ones are left out.
const MAX_PROCESSES: usize = 4_096;

/// A process as JSON tells it.
#[derive(Deserialize)]
struct Process {
    #[serde(rename = "ID")]
    id: Text,
    #[serde(rename = "Type")]
    what: Text,
}

/// OpenSIPS 3.x and 4.x.
#[derive(Deserialize)]
struct Processes {
    #[serde(rename = "Processes")]
    list: Vec<Process>,
}

/// OpenSIPS 2.x.
#[derive(Deserialize)]
struct Processes2 {
    #[serde(rename = "Process")]
    list: Vec<Attributes>,
}

#[derive(Deserialize)]
struct Attributes {
    attributes: Process,
}

/// Processes by number, in the order of the reply.
pub(crate) fn processes(body: &[u8], dialect: Dialect, id: i32) -> Result<Vec<(u32, String)>, WireError> {
    let method = dialect.method(Question::Processes);
    let of = |process: Process| number(&process.id.0, &process.what.0);
    let list: Vec<(u32, String)> = match dialect {
        Dialect::Opensips => {
            let reply: Option<Processes> = result(body, method, id)?;
            reply.map(|reply| reply.list.into_iter().filter_map(of).collect()).unwrap_or_default()
        }
        Dialect::Json2 => {
            let text = String::from_utf8_lossy(body);
            match serde_json::from_str::<Processes2>(&text) {
                Ok(reply) => reply.list.into_iter().filter_map(|one| of(one.attributes)).collect(),
                // An error of the server's own is one to every question.
                Err(error) => return Err(json2::read(body, method).err().unwrap_or_else(|| malformed(&text, &error))),
            }
        }
        Dialect::Text2 => {
            let lines = text2::read(body, method)?.unwrap_or_default();
            lines.iter().filter(|(name, _)| name == "Process").filter_map(|(_, words)| line(words)).collect()
        }
        Dialect::Kamailio | Dialect::XmlRpc { .. } | Dialect::Prometheus => Vec::new(),
    };
    if list.is_empty() {
        return Err(WireError::Malformed("it names no process".into()));
    }
    Ok(list.into_iter().take(MAX_PROCESSES).collect())
}

fn number(id: &str, what: &str) -> Option<(u32, String)> {
    Some((id.trim().parse().ok()?, shown(what.trim())))
}

/// `ID=6 PID=1044 Type=SIP receiver udp:127.0.0.1:5160`
fn line(words: &str) -> Option<(u32, String)> {
    let (head, what) = words.split_once("Type=")?;
    let id = head.split_whitespace().find_map(|word| word.strip_prefix("ID="))?;
    number(id, what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(dialect: Dialect, body: &str, expect: &[(u32, &str)]) {
        let expect: Vec<(u32, String)> = expect.iter().map(|(id, what)| (*id, (*what).to_owned())).collect();
        assert_eq!(processes(body.as_bytes(), dialect, 59), Ok(expect));
    }

    #[test]
    fn as_servers_write_them() {
        let expect = [(0, "attendant"), (6, "SIP receiver udp:127.0.0.1:5160")];
        check(
            Dialect::Opensips,
            r#"{"jsonrpc":"2.0","result":{"Processes":[{"ID":0,"PID":12610,"Type":"attendant"},{"ID":6,"PID":12619,"Type":"SIP receiver udp:127.0.0.1:5160"}]},"id":59}"#,
            &expect,
        );
        check(
            Dialect::Json2,
            r#"{"Process": [{"attributes":{"ID": "0", "PID": "1036", "Type": "attendant"}}, {"attributes":{"ID": "6", "PID": "1042", "Type": "SIP receiver udp:127.0.0.1:5160 "}}]}"#,
            &expect,
        );
        check(
            Dialect::Text2,
            "200 OK\nProcess::  ID=0 PID=1036 Type=attendant\nProcess::  ID=6 PID=1044 Type=SIP receiver udp:127.0.0.1:5160 \n\n",
            &expect,
        );
    }

    #[test]
    fn what_is_no_list_of_processes_is_said() {
        let error = |dialect, body: &str| processes(body.as_bytes(), dialect, 1).unwrap_err().to_string();
        let refused = r#"{"jsonrpc":"2.0","error":{"code":-32601,"message":"Method not found"},"id":1}"#;
        assert!(error(Dialect::Opensips, refused).contains("refused ps: Method not found"));
        assert!(error(Dialect::Json2, r#"{"error": {"code": 500, "message": "Unknown Command"}}"#).contains("refused ps"));
        assert!(error(Dialect::Json2, r#"{"Process": [{}]}"#).contains("not what a SIP server gives"));
        assert!(error(Dialect::Text2, "500 command 'ps' not available\n").contains("not available"));
        assert!(error(Dialect::Text2, "200 OK\nProcess::  PID=1 Type=x\n\n").contains("names no process"));
        let other = r#"{"jsonrpc":"2.0","result":{"Processes":[]},"id":2}"#;
        assert!(error(Dialect::Opensips, other).contains("another request"));
    }
}
