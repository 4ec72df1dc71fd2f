//! The pieces of which the parts of an address behind `?` and `#` are made: `key=value`, paths of files, dialects.

use std::path::{Path, PathBuf};

use app::model::BoxKind;
use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};

/// What is written as `%XX` in the path of a file.
const IN_PATH: &AsciiSet = &CONTROLS.add(b' ').add(b'%').add(b'?').add(b'#').add(b'&').add(b'\\').add(b'\x7f');

pub(super) fn options(query: &str) -> impl Iterator<Item = (&str, &str)> {
    query.split('&').filter(|option| !option.is_empty()).map(|option| option.split_once('=').unwrap_or((option, "")))
}

/// The path of a file as it stands in an address.
pub(super) fn encoded(path: &Path) -> String {
    utf8_percent_encode(&path.to_string_lossy(), IN_PATH).to_string()
}

/// The path of a file, from the root on. It begins with one slash, however many were written: two would be read as those of a URL.
pub(super) fn absolute(text: &str) -> Option<PathBuf> {
    let path = percent_decode_str(text).decode_utf8().ok()?;
    let below = path.trim_start_matches('/');
    (below.len() < path.len() && !below.is_empty() && !below.contains('\0')).then(|| PathBuf::from(format!("/{below}")))
}

pub(super) fn parse_dialect(word: &str) -> Result<BoxKind, String> {
    match word {
        "2" => Ok(BoxKind::Opensips2),
        "3" | "4" => Ok(BoxKind::Opensips),
        "kamailio" => Ok(BoxKind::Kamailio),
        _ => Err("dialect is 2 for OpenSIPS 2.x, 3 for OpenSIPS 3.x and later, or kamailio".into()),
    }
}

pub(super) fn dialect_word(kind: BoxKind) -> &'static str {
    match kind {
        BoxKind::Opensips2 => "2",
        BoxKind::Kamailio => "kamailio",
        BoxKind::Opensips | BoxKind::Prometheus | BoxKind::Tickmark => "3",
    }
}
