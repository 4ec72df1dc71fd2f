//! Answers in Prometheus's text and OpenMetrics.
#![no_main]

use app::model::BoxKind;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|body: &[u8]| tickmark_fuzz::read(&[(BoxKind::Prometheus, "prometheus+http://h/metrics")], body));
