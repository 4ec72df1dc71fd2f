//! Where messages go, and what became of them.

use leptos::prelude::*;

use super::{
    super::{
        field::{self, Field},
        table::{ACTIONS, card, instant, table},
    },
    form::select,
};
use crate::{
    links,
    model::{AlertsPage, DestinationForm, DestinationRow},
};

const KINDS: [(&str, &str); 9] = [
    ("webhook", "Webhook: address, secret to sign with"),
    ("slack", "Slack: secret is the webhook's address"),
    ("mattermost", "Mattermost: secret is the webhook's address"),
    ("teams", "Teams: secret is the workflow's address"),
    ("telegram", "Telegram: secret is the bot's token, to the chat"),
    ("ntfy", "ntfy: address with the topic, secret is a token"),
    ("pagerduty", "PagerDuty: secret is the integration key"),
    ("alertmanager", "Alertmanager: address"),
    ("mail", "E-mail: server, sender, receivers"),
];
const TLS: [(&str, &str); 3] = [("starttls", "STARTTLS"), ("tls", "TLS"), ("none", "none, on this host alone")];
const FIELDS: [&str; 9] = ["name", "url", "secret", "server", "ca", "user", "from", "to", "together"];

/// The destinations there are.
pub(super) fn list(page: &AlertsPage) -> AnyView {
    let rows = page.destinations.iter().map(row).collect_view();
    let none = page.destinations.is_empty().then(|| view! { <p class="muted">"Nobody is told yet: add a destination below."</p> });
    let table = (!page.destinations.is_empty())
        .then(|| table("destinations-title", &["Name", "Where", "Newest message", ACTIONS], rows.into_any()));
    let lacks_pictures = page.lacks_pictures.then(|| {
        view! {
            <p class="muted">
                "Slack, Mattermost, Teams, PagerDuty, Alertmanager and webhooks take the picture of a chart by its address. They are told without it, as this panel has no "
                <code>"public_url"</code> "."
            </p>
        }
    });
    view! {
        <section class="card list" id="destinations" aria-labelledby="destinations-title">
            <h2 id="destinations-title">"Destinations"</h2>
            {none} {table} {lacks_pictures}
        </section>
    }
    .into_any()
}

fn state((words, is_bad): &(String, bool)) -> AnyView {
    let class = if *is_bad { "problem" } else { "" };
    view! { <span class=class>{words.clone()}</span> }.into_any()
}

fn row(row: &DestinationRow) -> AnyView {
    let about = format!(" {}", row.name);
    let newest = row.newest.as_ref().map(state);
    let paused = row.paused.then(|| view! { " " <small>"paused"</small> });
    let drop = if row.is_of_file {
        view! { <span class="muted">"from the configuration file"</span> }.into_any()
    } else {
        view! { <button class="ghost" name="do" value="drop">"Remove" <span class="vh">{about.clone()}</span></button> }.into_any()
    };
    view! {
        <tr>
            <th scope="row" class="who"><b>{row.name.clone()}</b> " " <small>{row.kind.clone()}</small> {paused}</th>
            <td data-label="Where">{row.place.clone()}</td>
            <td data-label="Newest message">{newest}</td>
            <td class="acts">
                <form method="post" action=links::ALERTS>
                    <input type="hidden" name="name" value=row.name.clone() />
                    <div class="buttons">
                        <button class="ghost" name="do" value="test">"Send a test" <span class="vh">{about}</span></button>
                        {drop}
                    </div>
                </form>
            </td>
        </tr>
    }
    .into_any()
}

/// The form for another one.
pub(super) fn form(form: &DestinationForm) -> AnyView {
    let one = |name: &'static str, value: &str, label: &'static str, example: &'static str, hint: &'static str| {
        let wrong = form.errors.iter().find(|(field, _)| *field == name).map(|(_, text)| text.as_str());
        Field { form: "t", name, value, label, example, hint, is_required: name == "name" }.draw(wrong)
    };
    let general = form.errors.iter().find(|(name, _)| !FIELDS.contains(name)).map(|(_, text)| field::general_error(text));
    let wrong = form.errors.iter().find(|(field, _)| *field == "secret").map(|(_, text)| text.clone());
    let kind = if form.kind.is_empty() { "webhook" } else { &form.kind };
    view! {
        <section class="card form" aria-labelledby="destination-title">
            <h2 id="destination-title">"Tell somebody"</h2>
            <form method="post" action=links::ALERTS autocomplete="off">
                {general}
                <div class="fields">
                    {one("name", &form.name, "Name", "ops", "Rules name it")} {select("kind", "Kind", kind, KINDS.into_iter())}
                    {one("url", &form.url, "Address", "https://example.org/hook", "Of a webhook, ntfy or Alertmanager")}
                    <div class="field">
                        <label for="t-secret">"Secret"</label>
                        <input id="t-secret" name="secret" type="password" autocomplete="new-password" aria-invalid=wrong.as_ref().map(|_| "true") />
                        {wrong.map(|text| view! { <p class="problem">{text}</p> })}
                        <p class="hint">"Kept encrypted, and never shown"</p>
                    </div>
                    {one("server", &form.server, "Mail server", "mail.example:587", "For e-mail")}
                    {select("tls", "Its encryption", if form.tls.is_empty() { "starttls" } else { &form.tls }, TLS.into_iter())}
                    {one("ca", &form.ca, "Its issuer", "/etc/tickmark/ca.pem", "A file, for a private one")}
                    {one("user", &form.user, "Its user", "panel", "Empty: nobody signs in")}
                    {one("from", &form.from, "Sender", "panel@example.org", "For e-mail")}
                    {one("to", &form.to, "To", "ops@example.org", "Receivers of e-mail, or Telegram's chat")}
                    {one("together", &form.together, "Told together within", "30s", "Empty: within a moment")}
                </div>
                <div class="buttons"><button class="btn main" name="do" value="tell">"Add"</button></div>
            </form>
        </section>
    }
    .into_any()
}

/// The newest messages.
pub(super) fn messages(page: &AlertsPage) -> Option<AnyView> {
    if page.messages.is_empty() {
        return None;
    }
    let rows = page.messages.iter().map(|row| {
        view! {
            <tr>
                <th scope="row" class="who">{instant(row.made_ms)}</th>
                <td data-label="To">{row.destination.clone()}</td>
                <td data-label="Says">{row.title.clone()}</td>
                <td data-label="State">{state(&row.state)}</td>
            </tr>
        }
    });
    Some(card("messages-title", "Messages".to_owned(), &["Made", "To", "Says", "State"], rows.collect_view().into_any()))
}
