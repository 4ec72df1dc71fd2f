//! What the targets share.

use app::model::BoxKind;
use server::source::{Address, Replies};

/// Reads an answer as boxes of these kinds at these addresses give it.
///
/// # Panics
/// When a parser is wrong.
pub fn read(ways: &[(BoxKind, &str)], body: &[u8]) {
    for (kind, address) in ways {
        let address: Address = address.parse().expect("an address");
        let mut replies = Replies::at(*kind, &address).expect("a kind that can be there");
        // Twice, as the second is read by what is remembered of the first.
        for _ in 0..2 {
            if let Ok(answer) = replies.read(body, 1, 0) {
                assert_eq!(answer.names.len(), answer.values.len());
            }
        }
        drop(replies.kinds(body, 1));
    }
}
