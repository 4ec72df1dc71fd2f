//! What OpenSIPS Control Panel keeps: its boxes, what of them is monitored, and what was sampled. It must not know how its database is asked,
//! nor what becomes of it.

mod rows;
mod server;

pub use rows::Rows;
pub use server::OcpBox;

use app::model::Number;

use crate::{openmetrics, source::MAX_NAME_BYTES};

/// What a row of one of its tables says.
#[derive(Clone, Debug, PartialEq)]
pub enum Row {
    /// Of `ocp_boxes_config`.
    Box(OcpBox),
    /// Of `ocp_monitored_stats`.
    Tick {
        /// The number of the box.
        box_id: i64,
        /// The full name of the statistic.
        name: String,
    },
    /// Of `ocp_monitoring_stats`.
    Sample(OcpSample),
}

/// A sample.
#[derive(Clone, Debug, PartialEq)]
pub struct OcpSample {
    /// The number of the box.
    pub box_id: i64,
    /// The full name of the statistic.
    pub name: String,
    /// Epoch milliseconds.
    pub at_ms: i64,
    /// A number.
    pub value: Number,
}

impl OcpSample {
    /// Of what stands in the columns.
    ///
    /// # Errors
    /// A sentence: what is wrong with it.
    pub fn new(box_id: &str, name: &str, time: &str, value: &str) -> Result<Self, String> {
        let seconds: Option<i64> = time.parse().ok();
        let at_ms = seconds.filter(|seconds| (0..=openmetrics::MAX_SECONDS).contains(seconds)).map(|seconds| seconds * 1_000);
        let at_ms = at_ms.ok_or_else(|| format!("the time {time:?} is not one: whole epoch seconds are"))?;
        let value = number(value).ok_or_else(|| format!("the value {value:?} of {name} is not a number"))?;
        Ok(Self { box_id: number_of_box(box_id)?, name: checked_name(name)?, at_ms, value })
    }
}

fn number(text: &str) -> Option<Number> {
    // OpenSIPS's values are unsigned: from 2^63 on they are negative.
    if let Ok(value) = text.parse::<u64>() {
        return Some(Number::Int(value.cast_signed()));
    }
    openmetrics::value(text).flatten()
}

fn number_of_box(text: &str) -> Result<i64, String> {
    text.parse().map_err(|_| format!("the box_id {text:?} is not a whole number"))
}

fn checked_name(name: &str) -> Result<String, String> {
    match name.len() {
        0 => Err("the name is empty".to_owned()),
        1..=MAX_NAME_BYTES => Ok(name.to_owned()),
        _ => Err(format!("the name is longer than {MAX_NAME_BYTES} bytes")),
    }
}
