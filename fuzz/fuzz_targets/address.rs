//! Addresses: what is read is written so that it is read the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use server::source::{Typed, parse_address, without_login};

fuzz_target!(|text: &str| {
    if let Ok(address) = parse_address(text) {
        assert_eq!(parse_address(&address.to_string()), Ok(address));
    }
    if let Ok(typed) = Typed::read(text, None, None) {
        let written = typed.address.to_string();
        assert_eq!(Typed::read(&written, None, None), Ok(Typed::from(typed.address)));
    }
    // What is shown of any text is shown the same when it comes back.
    let shown = without_login(text);
    assert_eq!(without_login(&shown), shown);
});
