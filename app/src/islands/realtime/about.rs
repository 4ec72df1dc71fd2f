//! What a statistic's own page says of it beside its values: why it is recorded, and what happened to it. It is asked for anew when that
//! may have changed; other pages have nothing of it.

use leptos::prelude::{document, window};

use crate::{
    islands::{browser, dom, frame},
    model::LiveValues,
    reading,
};

/// The places that are written anew.
const PLACES: [&str; 2] = ["#ticked-by", "#happened"];

/// Whether a poll brought less than there was: somebody reset it, or its box began anew.
pub(super) fn fell(news: &LiveValues) -> bool {
    let Some(own) = dom::one(".own tr[data-name]") else { return false };
    let shown = own.query_selector(".val b").ok().flatten().and_then(|place| place.text_content());
    let name = own.get_attribute("data-name");
    let now = news.statistics.iter().find(|one| Some(&one.name) == name.as_ref()).and_then(|one| one.value);
    now.zip(reading::written(&shown.unwrap_or_default())).is_some_and(|(now, before)| now.as_f64() < before.as_f64())
}

/// Writes it as the page says it now.
pub(in crate::islands) async fn renew() {
    let (Some(_), Ok(here), Ok(page)) = (dom::one(PLACES[0]), window().location().href(), document().create_element("div")) else { return };
    let Ok(html) = browser::request("GET", &here, None).await else { return };
    // Somebody looks elsewhere by now, and that is asked for by itself.
    if window().location().href().ok() != Some(here) {
        return;
    }
    // Its HTML comes from this server, escaped as any page of it.
    page.set_inner_html(&html);
    for place in PLACES {
        if let (Some(old), Ok(Some(new))) = (dom::one(place), page.query_selector(place)) {
            old.set_inner_html(&new.inner_html());
        }
    }
    frame::local_times();
}
