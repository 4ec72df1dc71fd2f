//! The row for all that a server has once per process, and the rows of the processes, which it opens to. It opens without JavaScript.

use super::{push_meaning, push_row, push_shown, push_text};
use crate::{
    format,
    matching::quoted_word,
    model::{Number, Processes, split_name},
    pages::realtime::families::Family,
    shown::short,
};

/// Adds them as a part of their table.
pub(super) fn push(out: &mut String, box_name: &str, family: &Family<'_>, width: &str, processes: &Processes) {
    let Some((_, first)) = family.rows.first() else { return };
    out.push_str(r#"<tbody class="part family"#);
    out.push_str(width);
    out.push_str(r#""><tr class="fold"#);
    let ticked = family.rows.iter().all(|(_, row)| row.ticked);
    if ticked {
        out.push_str(" on");
    }
    // It has no rate of its own, whatever its members are.
    out.push_str(r#"" data-kind="gauge">"#);
    push_tick(out, &family.pattern, ticked);
    push_name(out, family, &first.description, processes);
    out.push_str(r#"<td class="spark"></td>"#);
    push_highest(out, family, &first.unit);
    out.push_str(r#"<td class="num rate"></td><td class="act"></td></tr>"#);
    for (process, row) in &family.rows {
        push_row(out, box_name, row, Some(processes.of(*process).unwrap_or_default()));
    }
    out.push_str("</tbody>");
}

/// Ticks the pattern, so that a process that is new is recorded too.
fn push_tick(out: &mut String, pattern: &str, ticked: bool) {
    let word = quoted_word(pattern);
    out.push_str(r#"<td class="tick"><input type="checkbox" name="on_all" value=""#);
    push_text(out, &word);
    out.push_str(r#"" aria-label="record "#);
    push_text(out, &short(pattern));
    out.push_str(r#", of every process""#);
    if ticked {
        out.push_str(r#" checked><input type="hidden" name="was_all" value=""#);
        push_text(out, &word);
        out.push('"');
    }
    out.push_str("></td>");
}

fn push_name(out: &mut String, family: &Family<'_>, description: &str, processes: &Processes) {
    let (_, name) = split_name(&family.pattern);
    out.push_str(r#"<th scope="row" class="name" title=""#);
    push_shown(out, &family.pattern);
    out.push_str(": ");
    push_text(out, description);
    out.push_str(r#""><details class="opener"><summary><code>"#);
    push_text(out, &short(name));
    out.push_str("</code> ");
    out.push_str(&family.rows.len().to_string());
    out.push_str(" processes</summary></details>");
    match &processes.unknown {
        Some(why) => push_meaning(out, &format!("What each process is, is not known: {}", crate::wording::sentence(why))),
        None => push_meaning(out, description),
    }
    out.push_str("</th>");
}

/// One that is far above the others is what one looks for.
fn push_highest(out: &mut String, family: &Family<'_>, unit: &str) {
    let values = family.rows.iter().filter_map(|(_, row)| row.value);
    let highest = values.reduce(|one, other| if Number::as_f64(other) > Number::as_f64(one) { other } else { one });
    out.push_str(r#"<td class="num val" data-unit=""#);
    push_text(out, unit);
    out.push_str(r#""><b>"#);
    push_text(out, &highest.map_or_else(|| "unknown".to_owned(), |value| format::value(value, unit)));
    out.push_str(r#"</b><span class="unit">highest</span></td>"#);
}
