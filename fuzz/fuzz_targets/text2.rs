//! Answers in OpenSIPS 2.x's text.
#![no_main]

use app::model::BoxKind;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|body: &[u8]| tickmark_fuzz::read(&[(BoxKind::Opensips2, "fifo:/f")], body));
