//! `/metrics`: the panel's own statistics and the newest values of every box, as Prometheus text.

use std::{borrow::Cow, fmt::Write as _, time::Instant};

use app::model::{BoxState, Kind, Number, split_name};
use axum::{
    extract::State,
    http::{StatusCode, header},
    response::IntoResponse,
};

use super::Shared;
use crate::{
    board::{BoxNow, Picture},
    engine,
    problem::{Problem, problem},
};

/// Prometheus text, version 0.0.4.
pub(super) async fn metrics(State(app): State<Shared>) -> Result<impl IntoResponse, Problem> {
    let mut up = String::from("# HELP tickmark_box_up Whether the last poll of a box was answered.\n# TYPE tickmark_box_up gauge\n");
    let mut age =
        String::from("# HELP tickmark_box_age_seconds How old the newest answer of a box is.\n# TYPE tickmark_box_age_seconds gauge\n");
    let mut own = String::new();
    let mut values =
        String::from("# HELP tickmark_statistic The newest value of a statistic of a box.\n# TYPE tickmark_statistic untyped\n");
    let mut polls =
        String::from("# HELP tickmark_box_polls_total How the polls of a box ended.\n# TYPE tickmark_box_polls_total counter\n");
    let mut pictures = Vec::new();
    for entry in app.desk.board.all() {
        let now = entry.lock();
        let name = escaped(&now.stored.spec.name).into_owned();
        if now.state != BoxState::Paused {
            // Writing to a string cannot fail, here and below.
            let _ = writeln!(up, "tickmark_box_up{{box=\"{name}\"}} {}", u8::from(now.state == BoxState::Up));
        }
        if let Some(old) = now.age(Instant::now()) {
            let _ = writeln!(age, "tickmark_box_age_seconds{{box=\"{name}\"}} {:.3}", old.as_secs_f64());
        }
        for (outcome, count) in [("answered", now.polls.answered), ("failed", now.polls.failed), ("overrun", now.polls.overrun)] {
            let _ = writeln!(polls, "tickmark_box_polls_total{{box=\"{name}\",outcome=\"{outcome}\"}} {count}");
        }
        if now.is_builtin() {
            own_values(&now, &mut own, &mut values);
        } else if now.state == BoxState::Up {
            // An old value must not be taken for a new one.
            pictures.push((name, now.picture(Instant::now())));
        }
    }
    let write = move || {
        pictures.iter().for_each(|(name, picture)| box_values(picture, name, &mut values));
        [own, up, age, polls, values].concat()
    };
    // Boxes with very many statistics take a while: off the runtime's threads, which polls need.
    let text = tokio::task::spawn_blocking(write).await;
    let text = text.map_err(|error| problem(StatusCode::INTERNAL_SERVER_ERROR, "The metrics could not be written", error.to_string()))?;
    Ok(([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text))
}

/// The panel's own: one metric each. What was pushed may have any name, and is told as that of a box.
fn own_values(now: &BoxNow, text: &mut String, values: &mut String) {
    for (place, full) in now.layout.names.iter().enumerate() {
        let (Ok(value), slot) = (now.values[place], &now.layout.slots[place]) else { continue };
        let (group, name) = split_name(full);
        if engine::describe(group, name).is_none() {
            labelled(&now.stored.spec.name, full, value, values);
            continue;
        }
        let (suffix, kind) = if slot.kind == Kind::Counter { ("_total", "counter") } else { ("", "gauge") };
        let metric = format!("tickmark_{group}_{name}{suffix}");
        let _ = writeln!(text, "# HELP {metric} {}\n# TYPE {metric} {kind}\n{metric} {}", slot.description, number(value));
    }
}

/// A box's: one metric for all, told apart by labels, since names hold any character.
fn box_values(picture: &Picture, box_name: &str, text: &mut String) {
    for (full, reading) in picture.layout.names.iter().zip(&picture.values) {
        if let Ok(value) = reading {
            labelled(box_name, full, *value, text);
        }
    }
}

fn labelled(box_name: &str, full: &str, value: Number, text: &mut String) {
    let (group, name) = split_name(full);
    let (group, name) = (escaped(group), escaped(name));
    let _ = writeln!(text, "tickmark_statistic{{box=\"{box_name}\",group=\"{group}\",name=\"{name}\"}} {}", number(value));
}

fn number(value: Number) -> String {
    match value {
        Number::Int(value) => value.to_string(),
        Number::Float(value) => value.to_string(),
    }
}

/// A label's value: any text, on one line.
fn escaped(text: &str) -> Cow<'_, str> {
    if !text.contains(['\\', '"', '\n']) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_cannot_end_itself_or_its_line() {
        assert_eq!(escaped("a\"} 1\n# TYPE x\\"), "a\\\"} 1\\n# TYPE x\\\\");
        assert!(matches!(escaped("<b>{é}\r"), Cow::Borrowed("<b>{é}\r")));
    }
}
