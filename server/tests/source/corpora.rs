//! The corpora of the fuzz targets, and every recorded answer, read by every parser: as they are, cut, and with single bytes changed.
//! Nothing makes a parser panic, and whatever is read is whole.

use std::{
    fs,
    path::{Path, PathBuf},
};

use app::model::BoxKind;
use server::source::{Address, MAX_NAME_BYTES, Replies};

/// A way to ask of each dialect.
const WAYS: [(BoxKind, &str); 7] = [
    (BoxKind::Opensips, "http://h/mi"),
    (BoxKind::Kamailio, "http://h/RPC"),
    (BoxKind::Opensips2, "http://h/json"),
    (BoxKind::Opensips2, "fifo:/f"),
    (BoxKind::Opensips2, "xmlrpc+http://h/RPC2"),
    (BoxKind::Opensips, "xmlrpc+http://h/RPC2"),
    (BoxKind::Prometheus, "prometheus+http://h/metrics"),
];
/// Bytes that mean something to one parser or another.
const BYTES: &[u8] = b"\0\n\"\\{}<>&:, #-0e\xff";
/// So many changes are made to each file.
const CHANGES: usize = 120;

/// All files below a folder, in the order of their names.
fn files(folder: &Path, into: &mut Vec<PathBuf>) {
    let mut entries: Vec<_> = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())).collect();
    entries.sort_by_key(|entry| entry.as_ref().map(fs::DirEntry::path).ok());
    for entry in entries {
        let path = entry.unwrap().path();
        if path.is_dir() { files(&path, into) } else { into.push(path) }
    }
}

fn read(body: &[u8]) {
    for (kind, address) in WAYS {
        let address: Address = address.parse().unwrap();
        let mut replies = Replies::at(kind, &address).unwrap();
        for id in [1, 19] {
            // Twice, as the second is read by what is remembered of the first.
            for _ in 0..2 {
                let Ok(answer) = replies.read(body, id, 0) else { continue };
                assert_eq!(answer.names.len(), answer.values.len());
                assert!(answer.names.iter().all(|name| name.len() <= MAX_NAME_BYTES && !name.contains('\0')));
            }
            drop(replies.kinds(body, id));
        }
    }
}

#[test]
fn every_parser_survives_every_file() {
    let here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    files(&here.join("tests/captures"), &mut found);
    files(&here.join("../fuzz/corpus"), &mut found);
    assert!(found.len() > 60, "{}", found.len());
    for path in found {
        let whole = fs::read(&path).unwrap();
        let body = whole.windows(4).position(|window| window == b"\r\n\r\n").map_or(&whole[..], |at| &whole[at + 4..]);
        // A long answer repeats itself: its beginning and its end are what differs.
        let body = if body.len() > 2000 { [&body[..1000], &body[body.len() - 1000..]].concat() } else { body.to_vec() };
        read(&body);
        for change in 0..CHANGES.min(body.len()) {
            let at = change * body.len() / CHANGES.min(body.len());
            read(&body[..at]);
            let mut changed = body.clone();
            changed[at] = BYTES[change % BYTES.len()];
            read(&changed);
        }
    }
}
