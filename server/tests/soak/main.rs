//! A history under `kill -9` at random instants, in every phase of its keeping, for as long as is asked: `make test` stages some kills, `make
//! soak` hundreds. The tests run themselves again as the process to kill.

#![expect(clippy::unwrap_used, reason = "a test ends where something is not as it must be")]

mod dice;
mod keeping;
mod migrating;

#[path = "../support/database.rs"]
#[expect(dead_code, reason = "other tests need more of it")]
mod database;

#[path = "../support/one_box.rs"]
mod one_box;

/// How many processes are killed: so many, unless the variable says otherwise.
fn kills(variable: &str, otherwise: usize) -> usize {
    std::env::var(variable).map_or(otherwise, |text| text.parse().unwrap_or_else(|_| panic!("{variable} is a number, and not {text}")))
}
