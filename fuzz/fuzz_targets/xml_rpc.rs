//! Answers in XML-RPC.
#![no_main]

use app::model::BoxKind;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|body: &[u8]| tickmark_fuzz::read(&[(BoxKind::Opensips, "xmlrpc+http://h/RPC2")], body));
