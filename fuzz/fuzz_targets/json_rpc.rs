//! Answers in OpenSIPS's and Kamailio's JSON-RPC.
#![no_main]

use app::model::BoxKind;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|body: &[u8]| tickmark_fuzz::read(&[(BoxKind::Opensips, "http://h/mi"), (BoxKind::Kamailio, "http://h/RPC")], body));
