//! Rooms in which people talk: Slack, Mattermost, Teams, Telegram, ntfy.

use reqwest::Client;
use serde_json::json;

use super::{Destination, Parcel, Refused, delivered, json};
use crate::alerts::Severity;

/// A text block holds so many characters at most, in all of them.
const MAX_TEXT: usize = 2_800;
/// Words below a picture of Telegram have so many characters at most.
const MAX_CAPTION: usize = 1_024;

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
    let mut attachment = json!({"color": color(parcel), "text": cut(&lines), "fallback": escaped(&parcel.message.title())});
    if let Some((address, _)) = parcel.message.picture() {
        attachment["image_url"] = json!(address);
    }
    let body = json!({"text": escaped(&parcel.message.title()), "attachments": [attachment]});
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
    // Of one alert the title says all.
    let many = parcel.message.alerts.iter().filter(|_| parcel.message.alerts.len() > 1).take(20);
    items.extend(many.map(|told| json!({"type": "TextBlock", "wrap": true, "text": cut(&told.line())})));
    let picture = parcel.message.picture();
    // Where one presses it, it is shown large.
    let image = |(url, shown): &(&str, String)| json!({"type": "Image", "url": url, "altText": shown, "msteams": {"allowExpand": true}});
    items.extend(picture.iter().map(image));
    let link = parcel.message.alerts.first().map_or("", |told| told.link.as_str());
    let mut card = json!({
        "type": "AdaptiveCard", "version": "1.4", "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "body": items, "actions": [{"type": "Action.OpenUrl", "title": "Open", "url": link}],
    });
    if picture.is_some() {
        // A card is half as wide otherwise, where nobody reads a chart.
        card["msteams"] = json!({"width": "Full"});
    }
    let body = json!({"type": "message", "attachments": [{"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": null, "content": card}]});
    delivered(json(client.post(hook), &body)).await
}

/// A bot of Telegram: the picture with its words below it, where there is one.
pub(super) async fn telegram(client: &Client, to: &Destination, token: &str, parcel: &Parcel<'_>) -> Result<(), Refused> {
    // Another address is for servers of one's own.
    let api = if to.url.is_empty() { "https://api.telegram.org" } else { to.url.trim_end_matches('/') };
    let Some(chart) = parcel.chart else {
        let body = json!({"chat_id": to.to, "text": cut(&parcel.message.text()), "link_preview_options": {"is_disabled": true}});
        return delivered(json(client.post(format!("{api}/bot{token}/sendMessage")), &body)).await;
    };
    let caption: String = parcel.message.text().chars().take(MAX_CAPTION).collect();
    // No picture and no words hold it: it is the key of this message alone.
    let boundary = format!("----{}", parcel.key);
    let field = |name: &str, text: &str| format!("--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{text}\r\n");
    let mut body = format!("{}{}", field("chat_id", &to.to), field("caption", &caption)).into_bytes();
    let head = "Content-Disposition: form-data; name=\"photo\"; filename=\"chart.png\"\r\nContent-Type: image/png";
    body.extend_from_slice(format!("--{boundary}\r\n{head}\r\n\r\n").as_bytes());
    body.extend_from_slice(chart);
    body.extend_from_slice(format!("\r\n--{boundary}--\r\n").as_bytes());
    let request = client.post(format!("{api}/bot{token}/sendPhoto"));
    delivered(request.header("content-type", format!("multipart/form-data; boundary={boundary}")).body(body)).await
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
