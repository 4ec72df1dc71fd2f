//! `/metrics`: the panel's own statistics and the newest values of every box, as Prometheus text.

use std::{fmt::Write as _, time::Instant};

use app::model::{BoxState, Kind, Number, split_name};
use axum::{extract::State, http::header, response::IntoResponse};

use super::Shared;
use crate::{board::BoxNow, problem::Problem};

/// Prometheus text, version 0.0.4.
pub(super) async fn metrics(State(app): State<Shared>) -> Result<impl IntoResponse, Problem> {
    let mut up = String::from("# HELP tickmark_box_up Whether the last poll of a box was answered.\n# TYPE tickmark_box_up gauge\n");
    let mut age =
        String::from("# HELP tickmark_box_age_seconds How old the newest answer of a box is.\n# TYPE tickmark_box_age_seconds gauge\n");
    let mut own = String::new();
    let mut values =
        String::from("# HELP tickmark_statistic The newest value of a statistic of a box.\n# TYPE tickmark_statistic untyped\n");
    for entry in app.desk.board.all() {
        let now = entry.lock();
        let name = escaped(&now.stored.spec.name);
        if now.state != BoxState::Paused {
            // Writing to a string cannot fail, here and below.
            let _ = writeln!(up, "tickmark_box_up{{box=\"{name}\"}} {}", u8::from(now.state == BoxState::Up));
        }
        if let Some(old) = now.age(Instant::now()) {
            let _ = writeln!(age, "tickmark_box_age_seconds{{box=\"{name}\"}} {:.3}", old.as_secs_f64());
        }
        if now.is_builtin() { own_values(&now, &mut own) } else { box_values(&now, &name, &mut values) }
    }
    let text = [own, up, age, values].concat();
    Ok(([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text))
}

/// The panel's own: one metric each.
fn own_values(now: &BoxNow, text: &mut String) {
    for (place, full) in now.layout.names.iter().enumerate() {
        let (Ok(value), slot) = (now.values[place], &now.layout.slots[place]) else { continue };
        let (group, name) = split_name(full);
        let (suffix, kind) = if slot.kind == Kind::Counter { ("_total", "counter") } else { ("", "gauge") };
        let metric = format!("tickmark_{group}_{name}{suffix}");
        let _ = writeln!(text, "# HELP {metric} {}\n# TYPE {metric} {kind}\n{metric} {}", slot.description, number(value));
    }
}

/// A box's: one metric for all, told apart by labels, since names hold any character.
fn box_values(now: &BoxNow, box_name: &str, text: &mut String) {
    if now.state != BoxState::Up {
        // An old value must not be taken for a new one.
        return;
    }
    for (full, reading) in now.layout.names.iter().zip(&now.values) {
        let (Ok(value), (group, name)) = (reading, split_name(full)) else { continue };
        let _ = writeln!(
            text,
            "tickmark_statistic{{box=\"{box_name}\",group=\"{}\",name=\"{}\"}} {}",
            escaped(group),
            escaped(name),
            number(*value)
        );
    }
}

fn number(value: Number) -> String {
    match value {
        Number::Int(value) => value.to_string(),
        Number::Float(value) => value.to_string(),
    }
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}
