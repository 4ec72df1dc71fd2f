//! Commands as OpenSIPS 2.4.11 was asked, and what it answered to the same.

use super::*;
use crate::mi::stage::stage;

async fn check(write: fn(&Result<Reply, Fault>) -> String, command: &str, words: &[&str], expect: &str) {
    let mi = stage(true).await;
    let words = words.iter().map(|word| (*word).to_owned()).collect();
    assert_eq!(write(&run(&mi, command, words, true)), expect, "{command}");
}

#[tokio::test]
async fn json_has_its_values_as_strings() {
    check(json, "get_statistics", &["active_dialogs"], r#"{"dialog:active_dialogs": "20"}"#).await;
    check(json, "get_statistics", &["no_such", "INVITE", "method:"], r#"{"method:INVITE": "1597"}"#).await;
    check(json, "list_statistics", &["dialog:"], r#"{"dialog:active_dialogs": "non-incremental", "dialog:failed_dialogs": "incremental"}"#)
        .await;
    check(json, "reset_statistics", &["INVITE"], "").await;
    let version = format!(r#"{{"Server": "Tickmark ({} ({}\/linux))"}}"#, env!("CARGO_PKG_VERSION"), std::env::consts::ARCH);
    check(json, "version", &[], &version).await;
    let process = format!(r#"{{"Process": [{{"attributes":{{"ID": "0", "PID": "{}", "Type": "Tickmark"}}}}]}}"#, std::process::id());
    check(json, "ps", &[], &process).await;
    check(json, "which", &["get_statistics"], r#"{"": [{"value":"statistics"}]}"#).await;
}

#[tokio::test]
async fn json_has_errors_too() {
    check(json, "get_statistics", &["nope"], r#"{"error": {"code": 404, "message": "Statistics Not Found"}}"#).await;
    check(json, "reset_statistics", &["packet:"], r#"{"error": {"code": 404, "message": "Statistics Not Found"}}"#).await;
    check(json, "get_statistics", &[], r#"{"error": {"code": 400, "message": "Too few or too many arguments"}}"#).await;
    check(json, "no_such_cmd", &[], r#"{"error": {"code": 500, "message": "Command not found"}}"#).await;
    check(json, "UPTIME", &[], r#"{"error": {"code": 500, "message": "Command not found"}}"#).await;
}

#[tokio::test]
async fn nothing_changes_where_it_may_not() {
    let mi = stage(false).await;
    for command in ["reset_statistics", "update_stat", "remove_stat", "reset_all_statistics", "ds_select", "ds_release", "ds_release_all"] {
        let Err(fault) = run(&mi, command, vec!["INVITE".to_owned()], false) else { panic!("{command}") };
        assert_eq!(fault.code, 403);
    }
    assert_eq!(json(&run(&mi, "get_statistics", vec!["INVITE".to_owned()], false)), r#"{"method:INVITE": "1597"}"#);
}

#[tokio::test]
async fn a_destination_by_its_load() {
    let select = ["load_%u", "sip:a/b", "sip:b", "weights=0/2.5"];
    check(json, "ds_select", &select[..3], r#"{"destination": "sip:a\/b", "load": "1"}"#).await;
    check(json, "ds_select", &select, r#"{"destination": "sip:b", "load": "1"}"#).await;
    check(text, "ds_select", &select, "200 OK\ndestination:: sip:b\nload:: 1\n\n").await;
    let head = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<reply>\n";
    check(
        xml,
        "ds_select",
        &select,
        &format!("{head}<value name=\"destination\">sip:b</value>\n<value name=\"load\">1</value>\n</reply>\n"),
    )
    .await;
    check(text, "ds_release_all", &["load_%u"], "200 OK\nreleased:: 0\n\n").await;
    check(
        text,
        "ds_select",
        &["load_%u", "sip:a", "weights=x"],
        "400 the weights are no numbers: write one for each destination, such as weights=2/1\n\n",
    )
    .await;
    let never = "sip:a was never picked by this pattern: release with the pattern and the destination of the pick, letter by letter";
    check(text, "ds_release", &["load_%u", "sip:a"], &format!("404 {never}\n\n")).await;
}

#[tokio::test]
async fn text_is_lines() {
    check(
        text,
        "get_statistics",
        &["dialog:", "INVITE"],
        "200 OK\ndialog:active_dialogs:: 20\ndialog:failed_dialogs:: 3\nmethod:INVITE:: 1597\n\n",
    )
    .await;
    check(text, "reset_statistics", &["INVITE"], "200 OK\n\n").await;
    check(text, "get_statistics", &["nope"], "404 Statistics Not Found\n\n").await;
    check(text, "get_statistics", &[], "400 Too few or too many arguments\n\n").await;
    check(text, "ps", &[], &format!("200 OK\nProcess:: ID=0 PID={} Type=Tickmark\n\n", std::process::id())).await;
    check(text, "which", &["update_stat"], "200 OK\nname value\n\n").await;
}

#[tokio::test]
async fn xml_holds_any_name() {
    let head = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
    check(xml, "get_statistics", &["INVITE"], &format!("{head}<reply>\n<value name=\"method:INVITE\">1597</value>\n</reply>\n")).await;
    check(xml, "get_statistics", &["nope"], &format!("{head}<error code=\"404\">Statistics Not Found</error>\n")).await;
    assert_eq!(escaped("a<b>&\"\n\u{1}é"), "a&lt;b&gt;&amp;&quot;&#10;\u{fffd}é");
}
