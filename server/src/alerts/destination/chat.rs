//! Rooms in which people talk: Slack, Mattermost, Teams, Telegram, ntfy.

use reqwest::Client;
use serde_json::json;

use super::{Destination, Parcel, Refused, delivered, json};
use crate::alerts::Severity;

/// A text block holds so many characters at most, in all of them.
const MAX_TEXT: usize = 2_800;

fn cut(text: &str) -> String {
    let mut cut: String = text.chars().take(MAX_TEXT).collect();
    if cut.len() < text.len() {
        cut.push('…');
    }
    cut
}

/// What Slack takes, and Mattermost as well.
pub(super) async fn slack(client: &Client, hook: &str, parcel: &Parcel<'_>) -> Result<(), Refused> {
    let escaped = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let lines: String = parcel.message.alerts.iter().map(|told| format!("{} <{}|open>\n", escaped(&told.line()), told.link)).collect();
    let body = json!({
        "text": escaped(&parcel.message.title()),
        "attachments": [{"color": color(parcel), "text": cut(&lines), "fallback": escaped(&parcel.message.title())}],
    });
    delivered(json(client.post(hook), &body)).await
}

fn color(parcel: &Parcel<'_>) -> &'static str {
    let firing = parcel.message.alerts.iter().any(|told| !told.resolved);
    match parcel.message.severity() {
        _ if !firing => "#2e7d32",
        Severity::Critical => "#c62828",
        Severity::Warning => "#ef6c00",
        Severity::Info => "#1565c0",
    }
}

/// A workflow of Teams that posts an adaptive card.
pub(super) async fn teams(client: &Client, hook: &str, parcel: &Parcel<'_>) -> Result<(), Refused> {
    let mut items = vec![json!({"type": "TextBlock", "weight": "bolder", "wrap": true, "text": cut(&parcel.message.title())})];
    items.extend(parcel.message.alerts.iter().take(20).map(|told| json!({"type": "TextBlock", "wrap": true, "text": cut(&told.line())})));
    let link = parcel.message.alerts.first().map_or("", |told| told.link.as_str());
    let card = json!({
        "type": "AdaptiveCard", "version": "1.4", "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "body": items, "actions": [{"type": "Action.OpenUrl", "title": "Open", "url": link}],
    });
    let body = json!({"type": "message", "attachments": [{"contentType": "application/vnd.microsoft.card.adaptive", "content": card}]});
    delivered(json(client.post(hook), &body)).await
}

/// A bot of Telegram.
pub(super) async fn telegram(client: &Client, to: &Destination, token: &str, parcel: &Parcel<'_>) -> Result<(), Refused> {
    // Another address is for servers of one's own.
    let api = if to.url.is_empty() { "https://api.telegram.org" } else { to.url.trim_end_matches('/') };
    let body = json!({"chat_id": to.to, "text": cut(&parcel.message.text()), "disable_web_page_preview": true});
    delivered(json(client.post(format!("{api}/bot{token}/sendMessage")), &body)).await
}

/// A topic of ntfy; the picture is attached where there is one.
pub(super) async fn ntfy(client: &Client, url: &str, token: &str, parcel: &Parcel<'_>) -> Result<(), Refused> {
    let priority = match parcel.message.severity() {
        Severity::Critical => "5",
        Severity::Warning => "4",
        Severity::Info => "3",
    };
    // A header holds no letters beyond ASCII: they are encoded as RFC 2047 says, which ntfy reads.
    let header = |text: &str| {
        use base64::{Engine, engine::general_purpose::STANDARD};
        format!("=?UTF-8?B?{}?=", STANDARD.encode(text))
    };
    let link = parcel.message.alerts.first().map_or("", |told| told.link.as_str());
    let mut request = client.post(url).header("priority", priority).header("click", link);
    if !token.is_empty() {
        request = request.bearer_auth(token);
    }
    request = request.header("title", header(&cut(&parcel.message.title())));
    let request = match parcel.chart {
        Some(chart) => request.header("filename", "chart.png").header("message", header(&cut(&parcel.message.text()))).body(chart.to_vec()),
        None => request.body(cut(&parcel.message.text())),
    };
    delivered(request).await
}
