//! Addresses: what is read is written so that it is read the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use server::source::parse_address;

fuzz_target!(|text: &str| {
    if let Ok(address) = parse_address(text) {
        assert_eq!(parse_address(&address.to_string()), Ok(address));
    }
});
