//! What wakes people and gathers alerts: PagerDuty, Alertmanager.

use chrono::{DateTime, SecondsFormat};
use reqwest::Client;
use serde_json::{Value, json};

use super::{Parcel, Refused, delivered, json};
use crate::alerts::{Severity, Told};

const EVENTS: &str = "https://events.pagerduty.com/v2/enqueue";
/// An alert of Alertmanager ends by itself when nobody says that it goes on: it is told for so long that a repeat comes before.
const GOES_ON_MS: i64 = 366 * 24 * 3_600_000;
/// What a script says is an alert there for so long.
const NOTICE_MS: i64 = 5 * 60_000;

fn written(ms: i64) -> String {
    DateTime::from_timestamp_millis(ms).map(|time| time.to_rfc3339_opts(SecondsFormat::Millis, true)).unwrap_or_default()
}

/// Each alert is an event with a key of its own, which its end resolves.
pub(super) async fn pagerduty(client: &Client, url: &str, key: &str, parcel: &Parcel<'_>) -> Result<(), Refused> {
    let url = if url.is_empty() { EVENTS } else { url };
    for told in &parcel.message.alerts {
        let severity = match told.severity {
            Severity::Critical => "critical",
            Severity::Warning => "warning",
            Severity::Info => "info",
        };
        let mut body = json!({
            "routing_key": key,
            "event_action": if told.resolved { "resolve" } else { "trigger" },
            "dedup_key": if told.notice { parcel.key.to_owned() } else { format!("tickmark/{}/{}/{}", told.rule, told.box_name, told.id) },
            "links": [{"href": told.link, "text": "Tickmark"}],
            "payload": {
                "summary": told.text.chars().take(1_000).collect::<String>(), "source": told.box_name, "severity": severity,
                "timestamp": written(told.fired), "component": told.rule, "custom_details": {"value": told.value},
            },
        });
        // It shows those alone that come by HTTPS.
        if let Some(picture) = told.picture.as_deref().filter(|picture| picture.starts_with("https:")) {
            body["images"] = json!([{"src": picture, "href": told.link, "alt": told.chart}]);
        }
        delivered(json(client.post(url), &body)).await?;
    }
    Ok(())
}

/// All alerts of a message at once.
pub(super) async fn alertmanager(client: &Client, url: &str, parcel: &Parcel<'_>) -> Result<(), Refused> {
    let alert = |told: &Told| {
        let mut annotations = json!({"summary": told.text, "value": told.value.map(|value| value.to_string()).unwrap_or_default()});
        if let Some(picture) = &told.picture {
            // As Grafana calls it, whose templates others use.
            annotations["image"] = json!(picture);
        }
        json!({
            "labels": {"alertname": told.rule, "instance": told.box_name, "severity": told.severity.as_str(), "job": "tickmark"},
            "annotations": annotations,
            "startsAt": written(told.fired),
            "endsAt": written(told.ended.unwrap_or(told.fired.saturating_add(if told.notice { NOTICE_MS } else { GOES_ON_MS }))),
            "generatorURL": told.link,
        })
    };
    let alerts: Vec<Value> = parcel.message.alerts.iter().map(alert).collect();
    let url = format!("{}/api/v2/alerts", url.trim_end_matches('/'));
    delivered(json(client.post(url), &Value::Array(alerts))).await
}
