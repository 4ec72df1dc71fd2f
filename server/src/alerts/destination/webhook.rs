//! Any program that takes JSON, signed.

use hmac::{Hmac, KeyInit, Mac};
use reqwest::Client;
use sha2::Sha256;

use super::{Parcel, Refused, delivered};

/// The signature of a body: what is signed is the time, a dot, and the body.
#[must_use]
pub(in crate::alerts) fn signature(secret: &str, timestamp_ms: i64, body: &str) -> String {
    // HMAC takes a key of any length.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else { return String::new() };
    mac.update(format!("{timestamp_ms}.{body}").as_bytes());
    let bytes = mac.finalize().into_bytes();
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256={hex}")
}

pub(super) async fn send(client: &Client, url: &str, secret: &str, parcel: &Parcel<'_>) -> Result<(), Refused> {
    let body = serde_json::to_string(parcel.message).map_err(|error| Refused::for_good(error.to_string()))?;
    let mut request = client.post(url).header("content-type", "application/json").header("idempotency-key", parcel.key);
    if !secret.is_empty() {
        request = request
            .header("x-tickmark-timestamp", parcel.now_ms.to_string())
            .header("x-tickmark-signature", signature(secret, parcel.now_ms, &body));
    }
    delivered(request.body(body)).await
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By `printf '1000.{}' | openssl dgst -sha256 -hmac key`.
    #[test]
    fn it_is_what_openssl_says() {
        assert_eq!(signature("key", 1_000, "{}"), "sha256=c32de42341dece79a1511c9e7f74a2734112edcfcf48943c976faf07047065db");
    }
}
