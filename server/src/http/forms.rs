//! Forms of Realtime Statistics and the frame, for pages without JavaScript. Each does what the API does, and leads back.

use std::collections::{BTreeSet, HashSet};

use app::{
    matching::words,
    model::{Column, Density, Kind, Numbers, Taste, Theme},
    shown::short,
};
use axum::{
    extract::State,
    http::{HeaderMap, HeaderValue, header},
    response::Response,
};

use super::{
    Shared,
    render::{THEME_COOKIE, back, cookie},
};
use crate::{
    api::{self, Ask},
    auth::{Caller, PeopleError},
    clock,
    desk::{DeskError, Word},
    problem::Problem,
    sampler::ResetDone,
};

/// A year.
const THEME_MAX_AGE_S: u32 = 365 * 24 * 3_600;

/// A posted form: names may repeat, as in a query string.
pub(super) struct Form(pub(super) Ask);

impl<S: Send + Sync> axum::extract::FromRequest<S> for Form {
    type Rejection = Problem;

    async fn from_request(request: axum::extract::Request, state: &S) -> Result<Self, Problem> {
        let body = String::from_request(request, state).await;
        let body = body.map_err(|rejection| api::unread(rejection.status(), "The form is not right", rejection.body_text()))?;
        Ok(Self(Ask::parse(&body)))
    }
}

impl Form {
    /// The first value of a field, empty when it is not there.
    pub(super) fn text(&self, name: &str) -> &str {
        self.0.get(name).unwrap_or_default()
    }
}

/// Ticks: those checked now and not before, and the other way round; then the button for a group or for all that match, if it was
/// one that sent the form.
pub(super) async fn ticks(State(app): State<Shared>, form: Form) -> Result<Response, Problem> {
    let button = |name: &str| words(form.text(name));
    let (tick, untick) = (button("tick"), button("untick"));
    let was: HashSet<&str> = form.0.all("was").collect();
    let on: HashSet<&str> = form.0.all("on").collect();
    let mut changes: Vec<(Word<'_>, bool)> = Vec::new();
    changes.extend(was.difference(&on).map(|&name| (Word::Name(name), false)));
    changes.extend(on.difference(&was).map(|&name| (Word::Name(name), true)));
    // What is folded into one row stands for the processes that come as well.
    let folded = |name: &str| form.0.all(name).flat_map(words).collect::<BTreeSet<_>>();
    let (were_folded, folded) = (folded("was_all"), folded("on_all"));
    changes.extend(were_folded.difference(&folded).map(|word| (Word::Pattern(word), false)));
    changes.extend(folded.difference(&were_folded).map(|word| (Word::Pattern(word), true)));
    changes.extend(tick.iter().map(|word| (Word::Pattern(word), true)));
    changes.extend(untick.iter().map(|word| (Word::Pattern(word), false)));
    let told = match app.desk.change_ticks(form.text("box"), &changes).await {
        Ok(recorded) => Ok(recorded_now(recorded, form.text("box"))),
        Err(error) => Err(error.to_string()),
    };
    Ok(back(form.text("return"), &told))
}

fn recorded_now(count: usize, name: &str) -> String {
    match count {
        0 => format!("Nothing of {name} is recorded now. What was recorded stays"),
        1 => format!("One statistic of {name} is recorded now"),
        many => format!("{many} statistics of {name} are recorded now"),
    }
}

/// Refresh Statistics Values.
pub(super) async fn refresh(State(app): State<Shared>, form: Form) -> Result<Response, Problem> {
    let told = match app.desk.refresh(form.text("box")).await {
        Ok(()) => Ok(String::new()),
        Err(DeskError::NoAnswer(why)) => Err(format!("{} gives no answer: {why}", form.text("box"))),
        Err(error) => Err(error.to_string()),
    };
    Ok(back(form.text("return"), &told))
}

/// Sets counters to zero: those that somebody saw named and confirmed.
pub(super) async fn reset(State(app): State<Shared>, caller: Caller, form: Form) -> Result<Response, Problem> {
    let (name, counters) = (form.text("box"), form.0.all("name").map(str::to_owned).collect());
    let told = match app.desk.reset(name, counters, &caller.who()).await {
        Ok(done) => reset_words(name, &done),
        Err(DeskError::NoAnswer(why)) => Err(format!("{name} gives no answer: {why}")),
        Err(error) => Err(error.to_string()),
    };
    Ok(back(form.text("return"), &told))
}

fn reset_words(name: &str, done: &ResetDone) -> Result<String, String> {
    let words = match done.reset.as_slice() {
        [] => format!("Nothing of {name} was set to zero"),
        [one] => format!("{} of {name} was set to zero", short(one)),
        many => format!("{} counters of {name} were set to zero", many.len()),
    };
    let Some(first) = done.refused.first() else { return Ok(words) };
    let others = match done.refused.len() {
        1 => String::new(),
        many => format!(", nor were {} others", many - 1),
    };
    Err(format!("{words}. {} was not: {}{others}", short(&first.name), first.reason))
}

/// Corrects whether a statistic counts.
pub(super) async fn kind(State(app): State<Shared>, form: Form) -> Result<Response, Problem> {
    let (name, kind) = (form.text("name"), Kind::parse(form.text("kind")));
    let told = match app.desk.set_kind(form.text("box"), name, kind).await {
        Ok(()) => Ok(format!(
            "{} is {} now",
            short(name),
            kind.map_or("of its own kind", |kind| if kind == Kind::Counter { "a counter" } else { "a gauge" })
        )),
        Err(error) => Err(error.to_string()),
    };
    Ok(back(form.text("return"), &told))
}

/// Light, dark, or as the system says.
pub(super) async fn theme(State(app): State<Shared>, headers: HeaderMap, form: Form) -> Response {
    let theme = Theme::parse(form.text("theme"));
    // The login has the switch too, so nobody need be signed in; who is has it on every browser.
    if let Ok(Some(caller)) = app.auth.caller(&headers, clock::now_ms()).await {
        let kept = app.auth.keep_taste(&caller, &Taste { theme, ..caller.taste() }).await;
        if let Err(error) = kept {
            tracing::debug!(%error, "light or dark is kept by the browser alone");
        }
    }
    let mut response = back(form.text("return"), &Ok(String::new()));
    if let Ok(value) = HeaderValue::from_str(&cookie(THEME_COOKIE, theme.as_str(), THEME_MAX_AGE_S)) {
        response.headers_mut().append(header::SET_COOKIE, value);
    }
    response
}

/// How pages look for who asks.
pub(super) async fn taste(State(app): State<Shared>, caller: Caller, form: Form) -> Result<Response, Problem> {
    let shown: Vec<&str> = form.0.all("column").collect();
    let density = if form.text("density") == Density::Compact.as_str() { Density::Compact } else { Density::Comfortable };
    let taste = Taste {
        density,
        without: Column::ALL.into_iter().filter(|column| !shown.contains(&column.as_str())).collect(),
        theme: Theme::parse(form.text("theme")),
        zone: form.text("zone").trim().to_owned(),
        span: form.text("span").to_owned(),
        numbers: Numbers::parse(form.text("numbers")),
    };
    let told = match app.auth.keep_taste(&caller, &taste).await {
        Ok(()) => Ok("Kept for you, on every browser that you sign in with".to_owned()),
        Err(PeopleError::Failed(error)) => return Err(error.into()),
        Err(error) => Err(error.to_string()),
    };
    Ok(back(app::links::SETTINGS, &told))
}
