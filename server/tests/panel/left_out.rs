//! Tests that not every user and not every system can run.

use std::{env, fs::OpenOptions, io::Write, thread};

/// Says that the test that runs is left out, and why. What a test prints is heard only when it fails: `make test` names a file in which
/// to write it, and tells at its end. CI must be able to run all of them.
pub(crate) fn left_out(why: &str) {
    assert!(env::var_os("CI").is_none(), "CI has to run it, but {why}");
    let test = thread::current().name().unwrap_or_default().to_owned();
    println!("left out: {test}: {why}");
    if let Some(path) = env::var_os("TICKMARK_TESTS_LEFT_OUT") {
        let mut file = OpenOptions::new().create(true).append(true).open(path).unwrap();
        writeln!(file, "{test}: {why}").unwrap();
    }
}
