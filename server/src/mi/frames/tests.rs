//! Bytes as clients write them, whole and in pieces, good and bad.

use proptest::prelude::*;

use super::*;

fn rpc(reply: &str, json: &str) -> Frame {
    Frame::Rpc { reply: reply.to_owned(), json: json.as_bytes().to_vec() }
}

fn old(command: &str, reply: &str, words: &[&str]) -> Frame {
    Frame::Lines { command: command.to_owned(), reply: reply.to_owned(), words: words.iter().map(|word| (*word).to_owned()).collect() }
}

fn all(frames: &mut Frames) -> Vec<Frame> {
    std::iter::from_fn(|| frames.next()).collect()
}

/// Whatever pieces the bytes come in, the requests are the same.
#[track_caller]
fn check(bytes: &[u8], expect: &[Frame], rest: bool) {
    for piece in [1, 3, bytes.len().max(1)] {
        let mut frames = Frames::default();
        let mut got = Vec::new();
        for bytes in bytes.chunks(piece) {
            frames.take(bytes);
            got.extend(all(&mut frames));
        }
        assert_eq!(got, expect, "in pieces of {piece}");
        assert_eq!(frames.is_partial(), rest, "in pieces of {piece}");
    }
}

#[test]
fn requests_of_both_dialects() {
    let uptime = r#"{"jsonrpc":"2.0","method":"uptime","id":1}"#;
    check(format!(":reply_1:{uptime}").as_bytes(), &[rpc("reply_1", uptime)], false);
    check(
        format!("\n:reply_1:{uptime}\n:reply_2:[{uptime}]").as_bytes(),
        &[rpc("reply_1", uptime), rpc("reply_2", &format!("[{uptime}]"))],
        false,
    );
    check(b":get_statistics:r\nactive_dialogs\ndialog:\n\n", &[old("get_statistics", "r", &["active_dialogs", "dialog:"])], false);
    check(b":uptime:r\n\n", &[old("uptime", "r", &[])], false);
    let quoted = b":get_statistics:r\n\"active dialogs\"\nstatistics::x\n\n:version:r2\n\n";
    check(quoted, &[old("get_statistics", "r", &["active dialogs", "x"]), old("version", "r2", &[])], false);
    let colons = b":ds_release:r\nload_%u\n\"sip:[2001:db8::1]:5060\"\n\n";
    check(colons, &[old("ds_release", "r", &["load_%u", "sip:[2001:db8::1]:5060"])], false);
}

#[test]
fn what_is_left_open_waits_and_does_not_swallow_the_next() {
    check(b":r:{\"jsonrpc\":\"2.0\",\"method\":\"up", &[], true);
    check(b":uptime:r\n", &[], true);
    check(b":uptime:r\n:version:s\n\n", &[old("version", "s", &[])], false);
    check(b":uptime:r\n:s:{}", &[rpc("s", "{}")], false);
    let mut frames = Frames::default();
    frames.take(b":r:{\"half");
    assert_eq!(frames.next(), None);
    frames.give_up();
    frames.take(b":s:{}");
    assert_eq!(frames.next(), Some(rpc("s", "{}")));
}

#[test]
fn what_makes_no_sense_is_skipped() {
    check(b"garbage\n:s:{}", &[rpc("s", "{}")], false);
    check(b"{\"jsonrpc\":\"2.0\"}\n:s:{}", &[rpc("s", "{}")], false);
    check(b":r:{nonsense}\n:s:{}", &[rpc("s", "{}")], false);
    for name in ["", "a.b", "../etc/x", "a b", "é", &"x".repeat(121)] {
        check(format!(":{name}:{{}}\n:s:{{}}").as_bytes(), &[rpc("s", "{}")], false);
        check(format!(":uptime:{name}\n\n:s:{{}}").as_bytes(), &[rpc("s", "{}")], false);
    }
    check(b":uptime:\xff\n\n:s:{}", &[rpc("s", "{}")], false);
}

#[test]
fn too_much_is_dropped() {
    let mut frames = Frames::default();
    frames.take(format!(":r:{{\"a\":\"{}", "x".repeat(MAX_FRAME - 100)).as_bytes());
    assert_eq!(frames.next(), None);
    frames.take(&[b'x'; 4096]);
    frames.take(b"\n:s:{}");
    assert_eq!(all(&mut frames), [rpc("s", "{}")]);
    frames.take(&vec![b'x'; MAX_FRAME + 1]);
    assert!(!frames.is_partial());
}

proptest! {
    /// No bytes bring it down or to a standstill, and what waits has a bound.
    #[test]
    fn any_bytes(pieces in prop::collection::vec(prop::collection::vec(prop_oneof![Just(b':'), Just(b'\n'), Just(b'{'), Just(b'}'), any::<u8>()], 0..30), 0..12)) {
        let mut frames = Frames::default();
        for piece in pieces {
            frames.take(&piece);
            while let Some(frame) = frames.next() {
                prop_assert!(name(frame.reply().as_bytes()).is_some());
            }
            prop_assert!(frames.bytes.len() <= MAX_FRAME);
        }
    }
}
