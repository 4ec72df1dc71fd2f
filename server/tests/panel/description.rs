//! `/cp/api/v1/openapi.json`: what the panel answers is what its description says.

use reqwest::{Method, StatusCode, header};
use serde_json::{Value, json};

use crate::{
    fake_box::FakeBox,
    support::{Start, TestPanel},
};

/// The description of a running panel, and answers held against it.
struct Description {
    document: Value,
}

impl Description {
    async fn of(panel: &TestPanel) -> Self {
        let mut document = panel.get("/cp/api/v1/openapi.json").await;
        close(&mut document);
        Self { document }
    }

    /// The pointer of what `reference` refers to, or of what is there itself.
    fn resolved(&self, pointer: String) -> String {
        let there = self.document.pointer(&pointer).unwrap_or_else(|| panic!("the description has no {pointer}"));
        there["$ref"].as_str().map_or(pointer, |reference| reference.trim_start_matches('#').to_owned())
    }

    /// Asks, and holds status, type and body against the operation whose path is given as the description writes it.
    async fn holds(&self, panel: &TestPanel, method: Method, described: &str, path: &str, body: Option<Value>) -> (StatusCode, Value) {
        let answer = panel.ask(method.clone(), &format!("/cp/api/v1{path}"), body.as_ref()).await;
        let status = answer.status();
        let media = answer.headers()[header::CONTENT_TYPE].to_str().unwrap().to_owned();
        let body: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
        let method = method.as_str().to_lowercase();
        let operation = format!("/paths/{}/{method}", escaped(&format!("/cp/api/v1{described}")));
        let response = self.resolved(format!("{operation}/responses/{}", status.as_str()));
        let schema = format!("{response}/content/{}/schema", escaped(&media));
        let (mut schemas, mut compiler) = (boon::Schemas::new(), boon::Compiler::new());
        compiler.add_resource("mem:///openapi.json", self.document.clone()).unwrap();
        let fragment = percent_encoding::utf8_percent_encode(&schema, percent_encoding::NON_ALPHANUMERIC);
        let schema = compiler.compile(&format!("mem:///openapi.json#{fragment}"), &mut schemas).unwrap_or_else(|error| panic!("{error}"));
        if let Err(error) = schemas.validate(&body, schema) {
            panic!("{method} {path} answers what its description does not allow: {error:#}\n{body}");
        }
        (status, body)
    }
}

/// A word of a JSON pointer.
fn escaped(word: &str) -> String {
    word.replace('~', "~0").replace('/', "~1")
}

/// Makes every object that names its fields refuse others: an answer must not have fields that nobody described.
fn close(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            if fields.contains_key("properties") {
                fields.entry("additionalProperties").or_insert(Value::Bool(false));
            }
            fields.values_mut().for_each(close);
        }
        Value::Array(items) => items.iter_mut().for_each(close),
        _ => {}
    }
}

#[tokio::test]
async fn answers_are_as_described() {
    let panel = Start::new().signed_in().await;
    let sip1 = FakeBox::start(&[("core:rcv_requests", 5), ("dialog:active_dialogs", 9), ("core:timestamp", 81)]).await;
    let described = Description::of(&panel).await;
    let holds = async |method: Method, operation: &str, path: &str, body: Value| {
        described.holds(&panel, method, operation, path, (!body.is_null()).then_some(body)).await
    };
    let new = json!({"name": "sip1", "address": sip1.url(), "interval": "200ms", "labels": {"site": "fra"}});
    assert_eq!(holds(Method::POST, "/boxes", "/boxes", new).await.0, StatusCode::CREATED);
    panel.until("/cp/api/v1/boxes/sip1", |one| one["state"] == "up").await;
    let (_, recorded) = holds(Method::POST, "/boxes/{box}/ticks", "/boxes/sip1/ticks", json!({"match": ["core:", "dialog:"]})).await;
    assert_eq!(recorded["recorded"], 3);
    let series = "/series?box=sip1&name=core:rcv_requests&mode=value";
    panel.until(&format!("/cp/api/v1{series}"), |series| series["columns"]["last"].as_array().unwrap().len() >= 3).await;
    sip1.set("core:timestamp", 1);
    panel.until(&format!("/cp/api/v1{series}"), |series| !series["resets"].as_array().unwrap().is_empty()).await;
    for path in [series, "/series?box=sip1&name=core:rcv_requests&points=2", "/series?box=sip1&name=dialog:active_dialogs&span=1h"] {
        let (_, series) = holds(Method::GET, "/series", path, Value::Null).await;
        assert!(!series["columns"]["t"].as_array().unwrap().is_empty());
    }
    let (_, boxes) = holds(Method::GET, "/boxes", "/boxes", Value::Null).await;
    assert_eq!(boxes["items"].as_array().unwrap().len(), 2);
    holds(Method::GET, "/boxes/{box}", "/boxes/sip1", Value::Null).await;
    holds(Method::PATCH, "/boxes/{box}", "/boxes/sip1", json!({"labels": {}})).await;
    let (_, statistics) = holds(Method::GET, "/boxes/{box}/statistics", "/boxes/sip1/statistics", Value::Null).await;
    assert_eq!(statistics["statistics"][0]["value"], 5, "a whole number is a number");
    holds(Method::GET, "/boxes/{box}/statistics", "/boxes/tickmark/statistics", Value::Null).await;
    holds(Method::POST, "/boxes/{box}/refresh", "/boxes/sip1/refresh", Value::Null).await;
    holds(Method::GET, "/boxes/{box}/ticks", "/boxes/sip1/ticks", Value::Null).await;
    holds(Method::POST, "/boxes/probe", "/boxes/probe", json!({"address": sip1.url()})).await;
    holds(Method::POST, "/boxes/probe", "/boxes/probe", json!({"address": "127.0.0.1:1"})).await;
    holds(Method::GET, "/me", "/me", Value::Null).await;
}

#[tokio::test]
async fn errors_are_as_described() {
    let mut panel = Start::new().signed_in().await;
    let described = Description::of(&panel).await;
    let wrong = json!({"name": "1sip", "address": "ftp://x"});
    let cases = [
        (Method::GET, "/boxes/{box}", "/boxes/nobody", json!(null), StatusCode::NOT_FOUND),
        (Method::GET, "/boxes/{box}", "/boxes/%FF", json!(null), StatusCode::BAD_REQUEST),
        (Method::POST, "/boxes", "/boxes", wrong, StatusCode::BAD_REQUEST),
        (Method::POST, "/boxes/probe", "/boxes/probe", json!({"address": "ftp://x"}), StatusCode::BAD_REQUEST),
        (Method::PATCH, "/boxes/{box}", "/boxes/tickmark", json!({"interval": "1ms"}), StatusCode::BAD_REQUEST),
        (Method::PATCH, "/boxes/{box}", "/boxes/tickmark", json!({"name": "x"}), StatusCode::FORBIDDEN),
        (Method::POST, "/boxes/{box}/ticks", "/boxes/tickmark/ticks", json!({"match": []}), StatusCode::BAD_REQUEST),
        (
            Method::POST,
            "/boxes/{box}/ticks",
            "/boxes/tickmark/ticks",
            json!({"match": ["x".repeat(1 << 20)]}),
            StatusCode::PAYLOAD_TOO_LARGE,
        ),
        (Method::POST, "/boxes/{box}/update", "/boxes/tickmark/update", json!({"name": "a:b"}), StatusCode::BAD_REQUEST),
        (Method::DELETE, "/boxes/{box}/statistics/{name}", "/boxes/tickmark/statistics/a:b", json!(null), StatusCode::NOT_FOUND),
        (Method::GET, "/series", "/series?box=tickmark&name=a:b&points=0", json!(null), StatusCode::BAD_REQUEST),
        (Method::GET, "/chart.svg", "/chart.svg?box=tickmark&name=no:such", json!(null), StatusCode::NOT_FOUND),
        (Method::GET, "/chart.png", "/chart.png?box=tickmark", json!(null), StatusCode::BAD_REQUEST),
        (Method::GET, "/export", "/export?box=tickmark&name=a:b&format=xls", json!(null), StatusCode::BAD_REQUEST),
    ];
    for (method, operation, path, body, expect) in cases {
        let (status, _) = described.holds(&panel, method, operation, path, (!body.is_null()).then_some(body)).await;
        assert_eq!(status, expect, "{path}");
    }
    panel.sign_out();
    for (method, operation) in
        [(Method::GET, "/me"), (Method::GET, "/series"), (Method::POST, "/logout"), (Method::PUT, "/boxes/{box}/ticks/{name}")]
    {
        let (status, _) = described.holds(&panel, method, operation, operation, None).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{operation}");
    }
    let (status, _) = described.holds(&panel, Method::POST, "/login", "/login", Some(json!({"user": "admin", "password": "x"}))).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn every_operation_tells_its_errors() {
    let panel = Start::new().signed_in().await;
    let described = Description::of(&panel).await;
    for (path, operations) in described.document["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            let at = format!("/paths/{}/{method}/responses", escaped(path));
            let responses = operation["responses"].as_object().unwrap();
            for status in responses.keys().filter(|status| status.as_str() >= "400") {
                let response = described.resolved(format!("{at}/{status}"));
                let schema = format!("{response}/content/application~1problem+json/schema/$ref");
                assert_eq!(described.document.pointer(&schema), Some(&json!("#/components/schemas/Problem")), "{method} {path} {status}");
            }
            let is_open = operation["security"] == json!([]);
            let expected = [
                ("401", !is_open || path.ends_with("/login")),
                ("403", method != "get" || !(is_open || path.ends_with("/me") || path.ends_with("/me/settings"))),
                ("413", operation["requestBody"].is_object()),
                ("415", method != "get"),
                ("400", operation["requestBody"].is_object() || operation["parameters"].is_array()),
                ("429", is_open),
                ("503", true),
            ];
            for (status, expect) in expected {
                assert_eq!(responses.contains_key(status), expect, "{method} {path} {status}");
            }
        }
    }
}

#[tokio::test]
async fn pictures_list_what_they_take() {
    let panel = Start::new().signed_in().await;
    let document = panel.get("/cp/api/v1/openapi.json").await;
    for picture in ["svg", "png"] {
        let parameters = document["paths"][format!("/cp/api/v1/chart.{picture}")]["get"]["parameters"].as_array().unwrap();
        let names: Vec<&str> = parameters.iter().map(|one| one["name"].as_str().unwrap()).collect();
        let of_chart = ["chart", "box", "name", "from", "to", "span", "points", "mode", "of", "combine", "scale", "axis"];
        assert_eq!(names, [of_chart.as_slice(), &["compare", "width", "height", "theme", "density"]].concat());
    }
}

#[tokio::test]
async fn components_have_names_of_their_own() {
    let panel = Start::new().signed_in().await;
    let document = panel.get("/cp/api/v1/openapi.json").await;
    let schemas = document["components"]["schemas"].as_object().unwrap();
    assert!(schemas.contains_key("Number") && !schemas.contains_key("Vec") && !schemas.contains_key("Column"), "{:?}", schemas.keys());
}
