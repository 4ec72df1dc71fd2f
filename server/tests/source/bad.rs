//! Every way in which an answer can be bad. Each that gets so far as to give a number gives [`WRONG`], which nobody may take.

use crate::replay::{Action, Request, ok};

/// A number that is never true.
pub(crate) const WRONG: i64 = 666_666;
/// The statistic that has it; a good answer has it too.
pub(crate) const NAME: &str = "core:rcv_requests";

/// What is done with a request.
pub(crate) type Script = fn(&Request) -> Action;

/// How an answer is bad.
pub(crate) struct Bad {
    /// In words.
    pub(crate) how: &'static str,
    pub(crate) script: Script,
    /// The failure kind by which it is counted.
    pub(crate) kind: &'static str,
}

const fn bad(how: &'static str, kind: &'static str, script: Script) -> Bad {
    Bad { how, script, kind }
}

/// All of them. Those that last until the time limit are of the kind `timeout`; floods take up to the largest answer that is read.
pub(crate) const BAD: &[Bad] = &[
    bad("never answers", "timeout", |_| Action::Silence),
    bad("stalls in its status line", "timeout", |_| Action::Answer("HTTP/1.1 20".into())),
    bad("stalls before its headers end", "timeout", |request| Action::Answer(cut(request, |whole| whole.find("\r\n\r\n").unwrap() + 3))),
    bad("stalls before its body", "timeout", |request| Action::Answer(cut(request, |whole| whole.find("\r\n\r\n").unwrap() + 4))),
    bad("stalls in a number", "timeout", |request| Action::Answer(cut(request, in_the_number))),
    bad("stalls one byte short", "timeout", |request| Action::Answer(cut(request, |whole| whole.len() - 1))),
    bad("drips", "timeout", |_| Action::Drip("HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n".into(), b' ')),
    bad("drips its headers", "timeout", |_| Action::Drip("HTTP/1.1 200 OK\r\nX: ".into(), b'x')),
    bad("never ends its chunks", "timeout", |request| Action::Answer(chunked(&text(request)))),
    bad("goes on saying that it goes on", "timeout", |_| Action::Flood(String::new(), b"HTTP/1.1 100 Continue\r\n\r\n".to_vec())),
    bad("floods chunks", "too_large", |_| {
        let chunk = [b"10000\r\n".as_slice(), &[b' '; 0x10000], b"\r\n"].concat();
        Action::Flood("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".into(), chunk)
    }),
    bad("floods without a length", "too_large", |_| Action::Flood("HTTP/1.1 200 OK\r\n\r\n".into(), vec![b'['; 0x10000])),
    bad("announces more than is read", "too_large", |request| {
        Action::Answer(format!("HTTP/1.1 200 OK\r\nContent-Length: 1000000000000\r\n\r\n{}", text(request)))
    }),
    bad("floods headers", "closed", |_| Action::Flood("HTTP/1.1 200 OK\r\n".into(), b"X: y\r\n".to_vec())),
    bad("resets at once", "closed", |_| Action::Reset(String::new())),
    bad("resets in a number", "closed", |request| Action::Reset(cut(request, in_the_number))),
    bad("closes at once", "closed", |_| Action::Last(String::new())),
    bad("closes in a number", "closed", |request| Action::Last(cut(request, in_the_number))),
    bad("closes in a chunk", "closed", |request| Action::Last(chunked(&text(request)))),
    bad("closes in a number of an answer without a length", "protocol", |request| {
        let whole = text(request);
        Action::Last(format!("HTTP/1.0 200 OK\r\n\r\n{}", &whole[..in_the_number(&whole)]))
    }),
    bad("is no HTTP", "closed", |request| Action::Last(text(request))),
    bad("202 that never ends", "protocol", |request| Action::Answer(refusal("202 Accepted", request))),
    bad("400 that never ends", "wrong_path", |request| Action::Answer(refusal("400 Bad Request", request))),
    bad("401 that never ends", "password", |request| Action::Answer(refusal("401 Unauthorized", request))),
    bad("405 that never ends", "status", |request| Action::Answer(refusal("405 Method Not Allowed", request))),
    bad("500 that never ends", "status", |request| Action::Answer(refusal("500 Internal Server Error", request))),
    bad("answers an earlier request", "protocol", |request| {
        let id = request.json()["id"].as_i64().unwrap();
        ok(&format!(r#"{{"jsonrpc":"2.0","result":{{"{NAME}":{WRONG}}},"id":{}}}"#, id - 1))
    }),
    bad("answers no request", "protocol", |_| ok(&format!(r#"{{"jsonrpc":"2.0","result":{{"{NAME}":{WRONG}}},"id":null}}"#))),
    bad("answers another question", "protocol", |request| request.result(r#"{"core:rcv_requests":"incremental"}"#)),
    bad("answers twice in one", "protocol", |request| {
        let once = text(request);
        ok(&format!("{once}{once}"))
    }),
    bad("refuses", "protocol", |request| {
        ok(&format!(r#"{{"jsonrpc":"2.0","error":{{"code":-32000,"message":"<b>no"}},"id":{}}}"#, request.json()["id"]))
    }),
    bad("gives a list", "protocol", |request| request.result(&format!("[{WRONG}]"))),
    bad("gives a web page", "protocol", |_| ok("<html><script>alert(1)</script>")),
    bad("gives nothing", "protocol", |_| ok("")),
    bad("gives garbage", "protocol", |_| ok("\u{0}\u{1}\u{fffd}{[\u{7f}")),
    bad("nests without end", "protocol", |request| request.result(&format!(r#"{{"{NAME}":{}"#, "[".repeat(100_000)))),
    bad("says that it is compressed", "protocol", |_| {
        Action::Answer(
            "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 10\r\n\r\n\u{1f}\u{b}\u{8}\u{0}\u{0}\u{0}\u{0}\u{0}\u{0}\u{3}"
                .into(),
        )
    }),
    bad("points to itself", "status", |_| {
        Action::Answer("HTTP/1.1 307 Temporary Redirect\r\nLocation: /mi\r\nContent-Length: 0\r\n\r\n".into())
    }),
];

/// What a good answer says, with the wrong number.
fn text(request: &Request) -> String {
    format!(r#"{{"jsonrpc":"2.0","result":{{"core:timestamp":80,"{NAME}":{WRONG}}},"id":{}}}"#, request.json()["id"])
}

/// An answer that would be whole, up to some byte of it.
fn cut(request: &Request, at: fn(&str) -> usize) -> String {
    let text = text(request);
    let mut whole = format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{text}", text.len());
    whole.truncate(at(&whole));
    whole
}

fn in_the_number(whole: &str) -> usize {
    whole.find(&WRONG.to_string()).unwrap() + 3
}

/// An answer whose last chunk never comes.
fn chunked(text: &str) -> String {
    format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n{text}\r\n", text.len())
}

/// A refusal that announces chunks, gives one, and never ends.
fn refusal(status: &str, request: &Request) -> String {
    let text = text(request);
    format!("HTTP/1.1 {status}\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n{text}\r\n", text.len())
}
