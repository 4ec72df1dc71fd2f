//! Where messages go: what each kind needs, and what it is told. Knows no rule and no SQL.

mod chat;
mod mail;
mod pager;
mod webhook;

use std::time::Duration;

use reqwest::{Client, RequestBuilder};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Message, condition::duration_ms};
use crate::{desk::check_derived_name, source::Secret, store::StoredDestination};

/// A destination answers within this time.
const LIMIT: Duration = Duration::from_secs(10);
/// So much of an answer is kept to say why it refused.
const MAX_TOLD: usize = 300;
/// What is told together waits no longer.
const MAX_TOGETHER_MS: i64 = 3_600_000;
/// The longest field, bytes.
const MAX_FIELD: usize = 2_000;

/// What kind of destination it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = DestinationKind)]
pub enum Kind {
    /// Any program that takes a POST of JSON at `url`. With a `secret` it is signed: `X-Tickmark-Signature: sha256=` and the HMAC-SHA256 of
    /// the header `X-Tickmark-Timestamp`, a dot and the body, in hexadecimal.
    Webhook,
    /// Slack and what takes the same; `secret` is the address of its incoming webhook.
    Slack,
    /// Mattermost; `secret` is the address of its incoming webhook.
    Mattermost,
    /// Microsoft Teams; `secret` is the address of its workflow.
    Teams,
    /// Telegram: `secret` is the token of the bot, `to` the chat.
    Telegram,
    /// ntfy: `url` with the topic; `secret` is a token, where one is needed.
    Ntfy,
    /// PagerDuty: `secret` is the integration key of its Events API v2.
    Pagerduty,
    /// An Alertmanager of Prometheus: `url` is its address.
    Alertmanager,
    /// E-mail: `server` (with its port), `tls`, `user` and `secret`, `from` and `to`.
    Mail,
}

/// How a mail server is spoken to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = MailTls)]
pub enum Tls {
    /// TLS that begins after a greeting in the clear; port 587.
    #[default]
    Starttls,
    /// TLS from the begin; port 465.
    Tls,
    /// None: for a server on this host alone; port 25.
    None,
}

/// A destination, without its secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Destination {
    /// What it is.
    pub kind: Kind,
    /// Where it is, of those kinds that are told by `url`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub url: String,
    /// The mail server, `mail.example` or `mail.example:2525`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub server: String,
    /// How the mail server is spoken to.
    #[serde(default)]
    pub tls: Tls,
    /// Who signs in to the mail server; left out: nobody.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub user: String,
    /// The sender of mail.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub from: String,
    /// The receivers of mail with commas between, or Telegram's chat.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub to: String,
    /// A file on the panel's host with the issuer of the mail server's certificate, in PEM, where that is a private one.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub ca: String,
    /// What comes within such a time, `30s`, is told in one message. Left out: within a moment.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub together: String,
    /// Whether nothing is sent there.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub paused: bool,
}

/// Why a message did not arrive.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Refused {
    /// A sentence.
    pub reason: String,
    /// Trying again is of no use.
    pub for_good: bool,
}

impl Refused {
    fn once(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), for_good: false }
    }

    fn for_good(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), for_good: true }
    }
}

/// A message on its way.
pub struct Parcel<'a> {
    /// What is told.
    pub message: &'a Message,
    /// The same at every try, so that whoever gets it twice knows.
    pub key: &'a str,
    /// When it is sent, epoch milliseconds.
    pub now_ms: i64,
    /// The chart of its first alert that has one, as PNG, for those that carry it.
    pub chart: Option<&'a [u8]>,
}

impl Destination {
    /// How long what one that is stored is told waits for more, in milliseconds; none: it is told nothing.
    #[must_use]
    pub fn told_within(stored: &StoredDestination) -> Option<i64> {
        serde_json::from_str::<Self>(&stored.body)
            .ok()
            .filter(|destination| !destination.paused)
            .map(|destination| destination.together_ms())
    }

    /// How long what it is told waits for more, in milliseconds.
    #[must_use]
    pub fn together_ms(&self) -> i64 {
        duration_ms(&self.together).unwrap_or_default()
    }

    /// Whether one of this name can be.
    ///
    /// # Errors
    /// The field that is wrong, and why.
    pub fn check(&self, name: &str, has_secret: bool) -> Result<(), (&'static str, String)> {
        check_derived_name(name).map_err(|message| ("name", message))?;
        let fields =
            [("ca", &self.ca), ("url", &self.url), ("server", &self.server), ("user", &self.user), ("from", &self.from), ("to", &self.to)];
        if let Some((field, _)) = fields.iter().find(|(_, text)| text.len() > MAX_FIELD || text.chars().any(char::is_control)) {
            return Err((field, format!("has at most {MAX_FIELD} bytes and no line breaks")));
        }
        if !self.together.is_empty() && !duration_ms(&self.together).is_some_and(|ms| (0..=MAX_TOGETHER_MS).contains(&ms)) {
            return Err(("together", format!("{:?} is no time of at most 1h: write such as 30s", self.together)));
        }
        let is_needed = |field: &'static str, text: &str| if text.is_empty() { Err((field, "is needed".to_owned())) } else { Ok(()) };
        let secret = if has_secret { Ok(()) } else { Err(("secret", "is needed".to_owned())) };
        match self.kind {
            Kind::Webhook | Kind::Ntfy | Kind::Alertmanager => web_address(&self.url).map_err(|message| ("url", message)),
            Kind::Slack | Kind::Mattermost | Kind::Teams => secret,
            Kind::Pagerduty if self.url.is_empty() => secret,
            Kind::Pagerduty => secret.and_then(|()| web_address(&self.url).map_err(|message| ("url", message))),
            Kind::Telegram => secret.and_then(|()| is_needed("to", &self.to)),
            Kind::Mail => {
                is_needed("server", &self.server)?;
                mail::check(self)
            }
        }
    }

    /// Whether a picture of the chart goes along; the others are told its address.
    #[must_use]
    pub fn carries_pictures(&self) -> bool {
        matches!(self.kind, Kind::Ntfy | Kind::Mail | Kind::Telegram)
    }

    /// Sends a message.
    ///
    /// # Errors
    /// Why it did not arrive.
    pub async fn send(&self, client: &Client, secret: Option<&Secret>, parcel: &Parcel<'_>) -> Result<(), Refused> {
        let secret = secret.map_or("", |secret| secret.0.as_str());
        match self.kind {
            Kind::Webhook => webhook::send(client, &self.url, secret, parcel).await,
            Kind::Slack | Kind::Mattermost => chat::slack(client, secret, parcel).await,
            Kind::Teams => chat::teams(client, secret, parcel).await,
            Kind::Telegram => chat::telegram(client, self, secret, parcel).await,
            Kind::Ntfy => chat::ntfy(client, &self.url, secret, parcel).await,
            Kind::Pagerduty => pager::pagerduty(client, &self.url, secret, parcel).await,
            Kind::Alertmanager => pager::alertmanager(client, &self.url, parcel).await,
            Kind::Mail => mail::send(self, secret, parcel).await,
        }
    }
}

fn web_address(text: &str) -> Result<(), String> {
    let url: url::Url = text.parse().map_err(|_| "is no address: write such as https://example.org/hook".to_owned())?;
    let is_web = matches!(url.scheme(), "http" | "https") && url.has_host();
    if !is_web {
        return Err("is no address of http or https".to_owned());
    }
    if url.password().is_some() { Err("holds a password: put it into secret".to_owned()) } else { Ok(()) }
}

/// Sends a request and takes any 2xx for an arrival.
async fn delivered(request: RequestBuilder) -> Result<(), Refused> {
    // The address may be a secret itself: it is in no message.
    let answer = request.timeout(LIMIT).send().await.map_err(|error| Refused::once(why(&error.without_url())))?;
    let status = answer.status();
    if status.is_success() {
        return Ok(());
    }
    let text = answer.text().await.unwrap_or_default();
    let text: String = text.chars().filter(|letter| !letter.is_control()).take(MAX_TOLD).collect();
    let reason = format!("it answered {status}: {text}");
    // What is too much or too slow now may be taken later; what is wrong stays so.
    let later = status.is_server_error() || matches!(status.as_u16(), 408 | 425 | 429);
    Err(if later { Refused::once(reason) } else { Refused::for_good(reason) })
}

fn why(error: &reqwest::Error) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(inner) = source {
        text = format!("{text}: {inner}");
        source = inner.source();
    }
    text
}

fn json(request: RequestBuilder, body: &serde_json::Value) -> RequestBuilder {
    request.header("content-type", "application/json").body(body.to_string())
}
