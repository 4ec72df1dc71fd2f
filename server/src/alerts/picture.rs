//! Pictures by their address, for receivers that take no file: an address is signed, shows one picture to whoever has it, and ends after a
//! while. It must not know how a picture is drawn.

use app::links;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::Told;
use crate::{
    auth::{AuthError, new_secret},
    source::Secret,
    store::Store,
};

/// The setting with the key. It is in the database, as several panels make and know addresses of each other; whoever reads that reads what
/// the pictures show as well.
const SETTING: &str = "picture_key";
/// What is signed begins so: what was signed for another use is nothing here.
const CONTEXT: &str = "tickmark picture 1";
/// An address shows its picture for so long; whoever reads the message later has the link.
const SHOWN_MS: i64 = 7 * 24 * 3_600_000;
/// A longer address is not told: Slack refuses a message with one of more than 3,000 letters, and others take less.
const MAX_ADDRESS: usize = 2_000;

/// Makes such addresses and knows them again.
#[derive(Clone)]
pub struct Pictures {
    key: Secret,
    /// Where everybody finds the panel; none: no address is made.
    base: Option<String>,
}

/// The picture of an address.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Pictured {
    /// What fired: its box is shown.
    pub event_id: i64,
    /// The statistic.
    pub name: String,
    /// Where the chart ends, epoch milliseconds.
    pub to_ms: i64,
    /// How long it is shown, epoch milliseconds.
    pub until_ms: i64,
}

/// Why an address shows nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotShown {
    /// Nobody made it.
    Unknown,
    /// Its time is over.
    Over,
}

impl Pictures {
    /// With the key of the database, which is made where there is none. `base` is the address of `/cp` for everybody.
    ///
    /// # Errors
    /// When the database fails, or the system gives no random bytes.
    pub async fn open(store: &Store, base: Option<String>) -> Result<Self, AuthError> {
        Ok(Self { key: Secret(store.setting_or(SETTING, &new_secret()?.0).await?), base })
    }

    /// Whether addresses are made.
    #[must_use]
    pub fn are_offered(&self) -> bool {
        self.base.is_some()
    }

    /// The address of the chart of what is told at an instant.
    #[must_use]
    pub fn address(&self, told: &Told, at_ms: i64) -> Option<String> {
        let (base, name) = (self.base.as_ref()?, told.chart.clone()?);
        let pictured = Pictured { event_id: told.id, name, to_ms: at_ms, until_ms: at_ms.saturating_add(SHOWN_MS) };
        let signature = URL_SAFE_NO_PAD.encode(self.mac(&pictured)?.finalize().into_bytes());
        let (to, until) = (pictured.to_ms.to_string(), pictured.until_ms.to_string());
        let path = format!("{base}{}/{}.png", links::PICTURES.trim_start_matches("/cp"), pictured.event_id);
        let address = links::with_query(&path, &[("name", &pictured.name), ("to", &to), ("until", &until), ("sig", &signature)]);
        (address.len() <= MAX_ADDRESS).then_some(address)
    }

    /// Whether an address is one of these, and not over.
    ///
    /// # Errors
    /// Which of both it is not.
    pub fn check(&self, pictured: &Pictured, signature: &str, now_ms: i64) -> Result<(), NotShown> {
        let is_known = URL_SAFE_NO_PAD.decode(signature).ok().zip(self.mac(pictured));
        // It takes as long for a wrong one as for the right one.
        let is_known = is_known.is_some_and(|(signature, mac)| mac.verify_slice(&signature).is_ok());
        match (is_known, now_ms < pictured.until_ms) {
            (false, _) => Err(NotShown::Unknown),
            (true, false) => Err(NotShown::Over),
            (true, true) => Ok(()),
        }
    }

    /// The name comes last, after numbers: no part of it can be taken for another.
    fn mac(&self, pictured: &Pictured) -> Option<Hmac<Sha256>> {
        let Pictured { event_id, name, to_ms, until_ms } = pictured;
        // HMAC takes a key of any length.
        let mac = Hmac::<Sha256>::new_from_slice(self.key.0.as_bytes()).ok()?;
        Some(mac.chain_update(format!("{CONTEXT}\n{event_id}\n{to_ms}\n{until_ms}\n{name}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alerts::Message;

    fn pictures(key: &str, base: Option<&str>) -> Pictures {
        Pictures { key: Secret(key.to_owned()), base: base.map(str::to_owned) }
    }

    fn told(chart: Option<&str>) -> Told {
        Told { id: 7, chart: chart.map(str::to_owned), ..Message::test("", 0).alerts.remove(0) }
    }

    /// The parts of an address, as the web reads them.
    fn read(address: &str) -> (Pictured, String) {
        let url: url::Url = address.parse().unwrap();
        let get = |name: &str| url.query_pairs().find(|(key, _)| key == name).unwrap().1.into_owned();
        let file = url.path_segments().unwrap().next_back().unwrap();
        let event_id = file.strip_suffix(".png").unwrap().parse().unwrap();
        let pictured = Pictured { event_id, name: get("name"), to_ms: get("to").parse().unwrap(), until_ms: get("until").parse().unwrap() };
        (pictured, get("sig"))
    }

    #[test]
    fn an_address_is_known_again_as_it_was_made_and_for_a_week() {
        let here = pictures("k", Some("https://panel.example/cp"));
        for name in ["core:rcv_requests", "script:a&sig=x#y?z=/../\\\n\u{202e}", "script:1\n2\n3", "é:%41"] {
            let address = here.address(&told(Some(name)), 1_000).unwrap();
            assert!(address.starts_with("https://panel.example/cp/alerts/picture/7.png?name="), "{address}");
            let (pictured, signature) = read(&address);
            assert_eq!(pictured, Pictured { event_id: 7, name: name.to_owned(), to_ms: 1_000, until_ms: 1_000 + SHOWN_MS });
            assert_eq!(here.check(&pictured, &signature, pictured.until_ms - 1), Ok(()));
            assert_eq!(here.check(&pictured, &signature, pictured.until_ms), Err(NotShown::Over));
            // Another panel on the same database, which is not for everybody.
            assert_eq!(pictures("k", None).check(&pictured, &signature, 1_000), Ok(()));
            assert_eq!(pictures("l", None).check(&pictured, &signature, 1_000), Err(NotShown::Unknown));
        }
    }

    #[test]
    fn whatever_is_changed_is_nobodys() {
        let here = pictures("k", Some("https://panel.example/cp"));
        let (right, signature) = read(&here.address(&told(Some("a:b")), 1_000).unwrap());
        let others = [
            Pictured { event_id: 8, ..right.clone() },
            Pictured { name: "a:c".to_owned(), ..right.clone() },
            Pictured { to_ms: 1_001, ..right.clone() },
            Pictured { until_ms: right.until_ms + 1, ..right.clone() },
            // Numbers and a name that are written as those together.
            Pictured { event_id: 7, to_ms: 1_000, until_ms: right.until_ms, name: "\na:b".to_owned() },
        ];
        for other in others {
            assert_eq!(here.check(&other, &signature, 1_000), Err(NotShown::Unknown), "{other:?}");
        }
        for wrong in ["", "AAAA", &signature[1..], &format!("{signature}="), &signature.to_uppercase()] {
            // What is over and was never right is not told apart from what was never right.
            assert_eq!(here.check(&right, wrong, i64::MAX), Err(NotShown::Unknown), "{wrong}");
        }
    }

    #[test]
    fn without_an_address_for_everybody_or_a_chart_there_is_none() {
        let here = pictures("k", Some("https://panel.example/cp"));
        assert_eq!(pictures("k", None).address(&told(Some("a:b")), 0), None);
        assert_eq!(here.address(&told(None), 0), None);
        assert_eq!(here.address(&told(Some(&format!("a:{}", "b".repeat(MAX_ADDRESS)))), 0), None, "no receiver takes that");
    }
}
