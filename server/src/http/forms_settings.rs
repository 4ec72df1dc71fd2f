//! The page Settings and its form: how long history is kept. What a rule deletes is said before it does.

use std::collections::BTreeMap;

use app::model::{KeepForm, KeepRow, Page, SettingsPage, Tab, UsageRow};
use axum::{
    extract::{Request, State},
    http::{HeaderMap, StatusCode, Uri},
    response::Response,
};

use super::{
    App, Shared,
    forms::Form,
    render::{self, back},
};
use crate::{
    api::Ask,
    auth::Caller,
    desk::{DeskError, KEEP_FIELDS, KeepInput, written},
    problem::Problem,
    store::{DEFAULT_KEEP, Kept, Tier},
};

const HERE: &str = "/cp/settings";

/// Settings; `change` fills the form with a rule.
pub(super) async fn settings(State(app): State<Shared>, caller: Caller, ask: Ask, request: Request) -> Result<Response, Problem> {
    let frame = render::frame(Tab::Settings, Some(&caller), request.headers(), request.uri());
    let mut page = page(&app, KeepForm::default()).await?;
    if ask.get("change").is_some() {
        let asked = |name: &str| ask.get(name).unwrap_or_default();
        let of = |rule: &&KeepRow| rule.box_name == asked("box") && rule.pattern == asked("match");
        page.form.rule = page.rules.iter().find(of).cloned().unwrap_or_default();
    }
    Ok(render::page(&app, frame, Page::Settings(page), request).await)
}

/// Says what a rule would free, sets it, or removes it.
pub(super) async fn set(State(app): State<Shared>, caller: Caller, headers: HeaderMap, form: Form) -> Result<Response, Problem> {
    let text = |name: &str| form.text(name).trim().to_owned();
    let mut input = KeepInput { box_name: text("box"), pattern: text("match"), keep: KEEP_FIELDS.map(text) };
    let what = form.text("do");
    if what == "remove" {
        input.keep = Default::default();
    }
    let outcome = match what {
        "set" | "remove" => app.desk.set_retention(&input).await.map(|()| None),
        _ => app.desk.would_free(&input).await.map(Some),
    };
    let rule = KeepRow { box_name: input.box_name, pattern: input.pattern, keep: input.keep, is_default: false };
    let (status, form) = match outcome {
        Ok(None) => {
            let told = if what == "remove" { "The rule is removed" } else { "The rule holds now. What is older goes within a minute" };
            return Ok(back(HERE, &Ok(told.to_owned())));
        }
        Ok(frees) => (StatusCode::OK, KeepForm { rule, errors: Vec::new(), frees }),
        Err(DeskError::Invalid { field, message }) => {
            (StatusCode::UNPROCESSABLE_ENTITY, KeepForm { rule, errors: vec![(field, message)], frees: None })
        }
        Err(error @ (DeskError::NotFound(_) | DeskError::Full(_))) => {
            (StatusCode::UNPROCESSABLE_ENTITY, KeepForm { rule, errors: vec![("", error.to_string())], frees: None })
        }
        Err(error) => return Err(error.into()),
    };
    let frame = render::frame(Tab::Settings, Some(&caller), &headers, &Uri::from_static(HERE));
    let page = page(&app, form).await?;
    Ok(render::page_as(&app, status, frame, Page::Settings(page), render::request_for(HERE)).await)
}

async fn page(app: &App, form: KeepForm) -> Result<SettingsPage, Problem> {
    let names: BTreeMap<i64, String> =
        app.desk.board.all().iter().map(|entry| entry.lock()).map(|now| (now.stored.id, now.stored.spec.name.clone())).collect();
    let mut rules = vec![KeepRow { keep: DEFAULT_KEEP.0.map(|keep| written(Kept::of(keep))), is_default: true, ..KeepRow::default() }];
    for rule in app.desk.retention().await?.rules {
        let keep = rule.keep.map(|kept| kept.map(written).unwrap_or_default());
        let pattern = rule.pattern.unwrap_or_default();
        match rule.box_id {
            // What holds for everything replaces what would.
            None if pattern.is_empty() => {
                for (kept, said) in rules[0].keep.iter_mut().zip(keep).filter(|(_, said)| !said.is_empty()) {
                    *kept = said;
                }
                rules[0].is_default = false;
            }
            None => rules.push(KeepRow { box_name: String::new(), pattern, keep, is_default: false }),
            // Of a box that was removed: its rule goes on, as its history does.
            Some(id) => {
                let box_name = names.get(&id).cloned().unwrap_or_else(|| format!("box {id}, removed"));
                rules.push(KeepRow { box_name, pattern, keep, is_default: false });
            }
        }
    }
    // The most particular first: each says what those below it do not.
    rules.sort_by_key(|rule| (rule.pattern.is_empty(), rule.box_name.is_empty(), rule.box_name.clone(), rule.pattern.clone()));
    let mut usage: Vec<(i64, UsageRow)> = Vec::new();
    for one in app.desk.usage().await? {
        if usage.last().is_none_or(|(id, _)| *id != one.box_id) {
            usage.push((one.box_id, UsageRow { box_name: one.box_name, ..UsageRow::default() }));
        }
        let Some((_, row)) = usage.last_mut() else { continue };
        let place = Tier::ALL.iter().position(|tier| *tier == one.tier).unwrap_or_default();
        row.bytes[place] = one.bytes;
        row.from_ms[place] = Some(one.from_ms);
        row.bytes_a_day = row.bytes_a_day.zip(one.bytes_a_day).map(|(all, more)| all + more).or(row.bytes_a_day).or(one.bytes_a_day);
    }
    let file_bytes = app.store.stats().await.map(|stats| stats.size_bytes).unwrap_or_default();
    Ok(SettingsPage {
        boxes: names.into_values().collect(),
        rules,
        usage: usage.into_iter().map(|(_, row)| row).collect(),
        file_bytes,
        form,
    })
}
