//! What rules name, when they are silent, where they come from, and how charts show them.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{
    fake_box::FakeBox,
    receiver::Receiver,
    support::{Start, TestPanel},
};

const ALERTS: &str = "/cp/api/v1/alerts";
const FIRING: &str = "/cp/api/v1/alerts/firing";
const DESTINATIONS: &str = "/cp/api/v1/destinations";
const LEVEL: &str = "dialog:active_dialogs";

async fn with_box(start: Start, statistics: &[(&str, i64)]) -> (TestPanel, FakeBox) {
    let panel = start.signed_in().await;
    let sip1 = FakeBox::start(statistics).await;
    panel.add_box("sip1", &sip1.url()).await;
    panel.until("/cp/api/v1/boxes/sip1", |one| one["state"] == "up").await;
    (panel, sip1)
}

fn too_many() -> Value {
    json!({"name": "calls", "formula": format!("{{{LEVEL}}}"), "condition": {"kind": "above", "threshold": 50}, "severity": "critical",
           "text": "{value} calls on {box}", "boxes": {"names": ["sip1"]}})
}

fn fires(rule: &'static str) -> impl Fn(&Value) -> bool {
    move |all| all["items"].as_array().unwrap().iter().any(|one| one["rule"] == rule)
}

#[tokio::test]
async fn rules_name_derived_statistics_and_say_what_is_gone() {
    let (panel, sip1) = with_box(Start::new(), &[("shmem:free_size", 80), ("shmem:total_size", 100)]).await;
    let derived = json!({"name": "free", "formula": "100 * {shmem:free_size} / {shmem:total_size}", "unit": "percent"});
    panel.send(Method::POST, "/cp/api/v1/derived", derived, StatusCode::CREATED).await;
    for (name, formula) in [("low", "{derived:free}"), ("lowest", "min({*/derived:free})"), ("gone", "{derived:other} + 1")] {
        let rule = json!({"name": name, "formula": formula, "condition": {"kind": "below", "threshold": 20}});
        panel.send(Method::POST, ALERTS, rule, StatusCode::CREATED).await;
    }
    let refused = json!({"name": "x", "formula": "rate({derived:free})", "condition": {"kind": "no_data"}});
    let refused = panel.send(Method::POST, ALERTS, refused, StatusCode::BAD_REQUEST).await;
    assert!(refused["detail"].as_str().unwrap().contains("a derived statistic shows a level"), "{refused}");
    assert_eq!(panel.get(&format!("{ALERTS}/low")).await["missing"], json!([]));
    let gone = panel.get(&format!("{ALERTS}/gone")).await;
    assert_eq!(gone["missing"], json!([{"box": null, "reason": "there is no statistic {derived:other}"}]));

    sip1.set("shmem:free_size", 10);
    panel.until(FIRING, fires("low")).await;
    let all = panel.until(FIRING, fires("lowest")).await;
    let lowest = all["items"].as_array().unwrap().iter().find(|one| one["rule"] == "lowest").unwrap();
    assert_eq!((&lowest["box"], &lowest["value"]), (&json!("tickmark"), &json!(10.0)));
    // Another definition is another value, at once.
    let other = json!({"formula": "{shmem:free_size} * 5", "unit": "percent"});
    panel.send(Method::PUT, "/cp/api/v1/derived/free", other, StatusCode::OK).await;
    panel.until(FIRING, |all| all["items"] == json!([])).await;

    // A statistic that a named box does not have, and a box that there is not.
    let rule = json!({"name": "named", "formula": "{tm:nothing}", "condition": {"kind": "no_data"}, "boxes": {"names": ["sip1", "sip9"]}});
    panel.send(Method::POST, ALERTS, rule, StatusCode::CREATED).await;
    let named = panel.get(&format!("{ALERTS}/named")).await;
    let expect =
        json!([{"box": "sip1", "reason": "there is no statistic {tm:nothing}"}, {"box": "sip9", "reason": "there is no such box"}]);
    assert_eq!(named["missing"], expect);
    let page = panel.until_text("/cp/alerts", |page| page.contains("not on sip1: there is no statistic {tm:nothing}")).await;
    assert!(page.contains("looked at on no box: there is no statistic {derived:other}"), "{page}");
    // Nothing of it is a value: that is what it warns of.
    panel.until(FIRING, fires("named")).await;
}

#[tokio::test]
async fn nobody_is_told_at_times_that_come_again() {
    let (panel, sip1) = with_box(Start::new(), &[(LEVEL, 3)]).await;
    let mut hook = Receiver::start().await;
    let destination = json!({"name": "ops", "kind": "webhook", "url": hook.url("hook")});
    panel.send(Method::POST, DESTINATIONS, destination, StatusCode::CREATED).await;
    let mut rule = too_many();
    rule["silences"] = json!(["daily 00:00 Europe/Berlin for 25h on other"]);
    panel.send(Method::POST, ALERTS, rule, StatusCode::CREATED).await;
    let silence = format!("{ALERTS}/calls/silence");
    for (ask, part) in [
        (json!({"schedule": "weekly SUN 02:00", "for": "1s"}), "1m to 31d"),
        (json!({"schedule": "weekly SUN 02:00"}), "for is needed"),
        (json!({"schedule": "every 5m", "for": "1h"}), "none of weekly, daily and cron"),
    ] {
        let refused = panel.send(Method::POST, &silence, ask, StatusCode::BAD_REQUEST).await;
        assert!(refused["detail"].as_str().unwrap().contains(part), "{refused}");
    }
    // Each minute for an hour is always.
    let always = json!({"schedule": "cron * * * * *  UTC", "for": "1h", "box": "sip1"});
    panel.send(Method::POST, &silence, always.clone(), StatusCode::NO_CONTENT).await;
    let kept = panel.get(&format!("{ALERTS}/calls")).await;
    assert_eq!(kept["silences"], json!(["daily 00:00 Europe/Berlin for 25h on other", "cron * * * * * UTC for 1h on sip1"]));
    sip1.set(LEVEL, 60);
    let all = panel.until(FIRING, fires("calls")).await;
    assert_eq!(all["items"][0]["silenced"], true, "{all}");
    assert!(all["items"][0]["silenced_until"].as_i64() > all["items"][0]["fired"].as_i64());
    let page = panel.until_text("/cp/alerts", |page| page.contains("nobody is told until")).await;
    assert!(page.contains("cron * * * * * UTC for 1h on sip1"), "{page}");
    assert_eq!(panel.get(&format!("{DESTINATIONS}/ops/deliveries")).await["items"], json!([]));
    // What fires when it is over is told then.
    let mut over = always;
    over["end"] = json!(true);
    panel.send(Method::POST, &silence, over, StatusCode::NO_CONTENT).await;
    assert_eq!(hook.next().await.json()["alerts"][0]["text"], "60 calls on sip1");
    assert_eq!(panel.get(FIRING).await["items"][0]["silenced"], false);
}

#[tokio::test]
async fn the_file_has_alerts_and_destinations_that_are_read_only() {
    let mut hook = Receiver::start().await;
    let file = format!(
        r#"
        [[destination]]
        name = "ops"
        kind = "webhook"
        url = "{}"
        secret = "s3cret"
        [[alert]]
        name = "calls"
        formula = "{{{LEVEL}}}"
        condition = {{ kind = "above", threshold = 50 }}
        text = "{{value}} calls on {{box}}"
        destinations = ["ops"]
        "#,
        hook.url("hook")
    );
    let (panel, sip1) = with_box(Start::new().with_file(&file), &[(LEVEL, 3)]).await;
    let (rule, destination) = (format!("{ALERTS}/calls"), format!("{DESTINATIONS}/ops"));
    assert_eq!(panel.get(&rule).await["origin"], "config");
    let one = panel.get(&destination).await;
    assert_eq!((&one["origin"], &one["has_secret"]), (&json!("config"), &json!(true)));
    assert!(!one.to_string().contains("s3cret"));
    sip1.set(LEVEL, 51);
    let came = hook.next().await;
    assert_eq!(came.json()["alerts"][0]["text"], "51 calls on sip1");
    assert!(came.header("x-tickmark-signature").starts_with("sha256="));
    let put = json!({"condition": {"kind": "box_down"}});
    for (method, path, body) in [
        (Method::DELETE, rule.as_str(), Value::Null),
        (Method::PUT, rule.as_str(), put),
        (Method::POST, &*format!("{rule}/silence"), json!({"schedule": "daily 00:00", "for": "1h"})),
        (Method::DELETE, destination.as_str(), Value::Null),
        (Method::PUT, destination.as_str(), json!({"kind": "webhook", "url": "http://127.0.0.1:1/"})),
    ] {
        let refused = panel.send(method, path, body, StatusCode::FORBIDDEN).await;
        assert!(refused["detail"].as_str().unwrap().contains("comes from the configuration file"), "{refused}");
    }
    // Silenced for a while, it can be.
    panel.send(Method::POST, &format!("{rule}/silence"), json!({"for": "1h"}), StatusCode::NO_CONTENT).await;
    let page = panel.until_text("/cp/alerts", |page| page.contains("from the configuration file")).await;
    assert_eq!(page.matches("from the configuration file").count(), 2);
    let mine = json!({"name": "mine", "condition": {"kind": "box_down"}});
    panel.send(Method::POST, ALERTS, mine, StatusCode::CREATED).await;

    // A start with the same changes nothing, and what fires goes on; what leaves the file leaves the panel.
    let panel = Start::again(panel.stop().await).with_file(&file).signed_in().await;
    assert!(fires("calls")(&panel.get(FIRING).await));
    let panel = Start::again(panel.stop().await).with_file("").signed_in().await;
    let names = |all: &Value| all["items"].as_array().unwrap().iter().map(|one| one["name"].clone()).collect::<Vec<_>>();
    assert_eq!((names(&panel.get(ALERTS).await), names(&panel.get(DESTINATIONS).await)), (vec![json!("mine")], Vec::new()));
    assert_eq!(panel.get(FIRING).await["items"], json!([]));
}

#[tokio::test]
async fn charts_show_bounds_and_when_a_rule_fired() {
    let (panel, sip1) = with_box(Start::new(), &[(LEVEL, 3), ("core:rcv_requests", 1)]).await;
    for name in [LEVEL, "core:rcv_requests"] {
        panel.send(Method::PUT, &format!("/cp/api/v1/boxes/sip1/ticks/{name}"), Value::Null, StatusCode::NO_CONTENT).await;
    }
    let derived = json!({"name": "twice", "formula": format!("2 * {{{LEVEL}}}"), "unit": "", "meaning": ""});
    panel.send(Method::POST, "/cp/api/v1/derived", derived, StatusCode::CREATED).await;
    panel.send(Method::POST, ALERTS, too_many(), StatusCode::CREATED).await;
    let rule = json!({"name": "twice", "formula": "{derived:twice}", "condition": {"kind": "outside", "low": 1, "high": 100}});
    panel.send(Method::POST, ALERTS, rule, StatusCode::CREATED).await;
    sip1.set(LEVEL, 60);
    panel.until(FIRING, |all| all["items"].as_array().unwrap().len() == 2).await;
    sip1.set(LEVEL, 3);
    panel.until(FIRING, |all| all["items"] == json!([])).await;
    let series = |name: &str, mode: &str| format!("/cp/api/v1/series?box=sip1&name={name}&span=1h&mode={mode}");
    let alerts = panel.get(&series(LEVEL, "value")).await["alerts"].clone();
    assert_eq!((&alerts[0]["rule"], &alerts[0]["above"], &alerts[0]["below"]), (&json!("calls"), &json!(50.0), &Value::Null), "{alerts}");
    let fired = &alerts[0]["fired"][0];
    assert!(fired["from"].as_i64() < fired["to"].as_i64() && alerts[0]["fired"].as_array().unwrap().len() == 1, "{alerts}");
    // One that names it by way of a derived statistic fired as well, and its bounds are of that.
    assert_eq!((&alerts[1]["rule"], &alerts[1]["above"]), (&json!("twice"), &Value::Null), "{alerts}");
    let alerts = panel.get(&series("derived:twice", "value")).await["alerts"].clone();
    assert_eq!((&alerts[0]["above"], &alerts[0]["below"]), (&json!(100.0), &json!(1.0)), "{alerts}");
    // Of its rate the bound says nothing; what no rule names has none.
    assert_eq!(panel.get(&series(LEVEL, "rate")).await["alerts"][0]["above"], Value::Null);
    assert_eq!(panel.get(&series("core:rcv_requests", "rate")).await["alerts"], json!([]));
    let chart = format!("/cp/api/v1/chart?box=sip1&name={LEVEL}&span=1h");
    assert_eq!(panel.get(&chart).await["alerts"][0]["rule"], "calls");
    let svg = panel.ask(Method::GET, &chart.replace("chart?", "chart.svg?"), None).await.text().await.unwrap();
    assert!(svg.contains("calls fired 1 ×") && svg.contains(">calls</text>") && svg.contains("opacity=\"0.06\""), "{svg}");
    let png = panel.ask(Method::GET, &chart.replace("chart?", "chart.png?"), None).await;
    assert!(png.bytes().await.unwrap().starts_with(b"\x89PNG"));
}

#[tokio::test]
async fn the_form_draws_the_last_week() {
    let (panel, sip1) = with_box(Start::new(), &[(LEVEL, 3)]).await;
    panel.send(Method::PUT, &format!("/cp/api/v1/boxes/sip1/ticks/{LEVEL}"), Value::Null, StatusCode::NO_CONTENT).await;
    sip1.set(LEVEL, 70);
    let series = format!("/cp/api/v1/series?box=sip1&name={LEVEL}&span=1h&mode=value");
    panel.until(&series, |series| series["columns"]["max"].as_array().unwrap().iter().any(|max| *max == 70)).await;
    let formula = format!("{{{LEVEL}}}");
    let fields = [
        ("name", "calls"),
        ("formula", formula.as_str()),
        ("condition", "above"),
        ("bound", "50"),
        ("box", "sip1"),
        ("silences", "weekly SUN 02:00 Europe/Berlin for 4h; daily 12:00 for 30m"),
        ("do", "preview"),
    ];
    let page = panel.form("/cp/alerts", &fields).await.text().await.unwrap();
    assert!(page.contains("it would have fired once on sip1") && page.contains("class=\"week\"><svg"), "{page}");
    assert!(page.contains("the rule fired 1 ×") && page.contains("opacity=\"0.06\""), "{page}");
    let wrong = [("silences", "weekly SUN 02:00"), ("do", "save")];
    let wrong = panel.form("/cp/alerts", &[&fields[..5], &wrong[..]].concat()).await;
    assert_eq!(wrong.status(), StatusCode::UNPROCESSABLE_ENTITY);
    assert!(wrong.text().await.unwrap().contains("does not say for how long"));
    let saved = panel.form("/cp/alerts", &[&fields[..6], &[("do", "save")][..]].concat()).await;
    assert_eq!(saved.status(), StatusCode::SEE_OTHER);
    let edited = panel.ask(Method::GET, "/cp/alerts?edit=calls", None).await.text().await.unwrap();
    assert!(edited.contains("weekly SUN 02:00 Europe/Berlin for 4h; daily 12:00 for 30m"), "{edited}");
    assert_eq!(panel.get(&format!("{ALERTS}/calls")).await["silences"].as_array().unwrap().len(), 2);
}
