//! Requests as OpenSIPS's tools send them, and the answers that OpenSIPS 4.0.1 gave to the same.

use super::*;
use crate::mi::stage::stage;

async fn ask(requests: &[(&str, &str)]) {
    let mi = stage(false).await;
    for (request, expect) in requests {
        let got = match answer(&mi, request.as_bytes()) {
            Answer::Json(text) | Answer::Unreadable(text) => text,
            Answer::None => String::new(),
        };
        assert_eq!(got, *expect, "{request}");
    }
}

/// What one method answers to parameters, without the envelope.
async fn check(method: &str, requests: &[(&str, &str)]) {
    let mi = stage(false).await;
    for (params, expect) in requests {
        let params = if params.is_empty() { String::new() } else { format!(r#","params":{params}"#) };
        let Answer::Json(got) = answer(&mi, format!(r#"{{"jsonrpc":"2.0","method":"{method}"{params},"id":1}}"#).as_bytes()) else {
            panic!("{params}: no answer");
        };
        let got = got.strip_prefix(r#"{"jsonrpc":"2.0","#).unwrap().strip_suffix(r#","id":1}"#).unwrap();
        assert_eq!(got, *expect, "{method} {params}");
    }
}

const NO_WAY: &str = r#""error":{"code":-32602,"data":"Too few or too many parameters","message":"Invalid params"}"#;
const BAD_TYPE: &str = r#""error":{"code":-32602,"data":"Bad type for parameter 'statistics'","message":"Invalid params"}"#;
const NOT_FOUND: &str = r#""error":{"code":404,"message":"Statistics Not Found"}"#;

#[tokio::test]
async fn values_by_name_group_and_both() {
    let dialogs = r#""result":{"dialog:active_dialogs":20,"dialog:failed_dialogs":3}"#;
    check(
        "get_statistics",
        &[
            (r#"{"statistics":["active_dialogs"]}"#, r#""result":{"dialog:active_dialogs":20}"#),
            (r#"[["rcv_requests"]]"#, r#""result":{"core:rcv_requests":6525}"#),
            (r#"[["dialog:"]]"#, dialogs),
            (r#"[["DIALOG:"]]"#, dialogs),
            (r#"[["method:INVITE"]]"#, r#""result":{"method:INVITE":1597}"#),
            (r#"[["INVITE"]]"#, r#""result":{"method:INVITE":1597}"#),
            (r#"[["failed_dialogs","no_such","dialog:"]]"#, r#""result":{"dialog:failed_dialogs":3,"dialog:active_dialogs":20}"#),
            (r#"[["total_size"]]"#, r#""result":{"shmem:total_size":67108864}"#),
            (r#"[["negative_stat"]]"#, r#""result":{"dynamic:negative_stat":-5}"#),
            (r#"[["no_such_stat"]]"#, r#""result":{}"#),
            (r#"[["nogroup:"]]"#, r#""result":{}"#),
            (r#"[["Active_DIALOGS","ALL","",":",5]]"#, r#""result":{}"#),
        ],
    )
    .await;
}

#[tokio::test]
async fn parameters_that_are_wrong() {
    for method in ["get_statistics", "statistics:reset"] {
        check(
            method,
            &[
                ("", NO_WAY),
                ("[]", NO_WAY),
                ("{}", NO_WAY),
                (r#"[["all"],["x"]]"#, NO_WAY),
                (r#"["all"]"#, BAD_TYPE),
                (r#"{"statistics":"all"}"#, BAD_TYPE),
                (
                    r#"{"statistics":[]}"#,
                    r#""error":{"code":-32602,"data":"Empty array in parameter 'statistics'","message":"Invalid params"}"#,
                ),
                (r#"{"stats":["all"]}"#, r#""error":{"code":-32602,"data":"Named parameters do not match","message":"Invalid params"}"#),
                (
                    r#"{"statistics":[null]}"#,
                    r#""error":{"code":-32602,"data":"Bad type for array item in parameter 'statistics'","message":"Invalid params"}"#,
                ),
            ],
        )
        .await;
    }
}

#[tokio::test]
async fn kinds() {
    let dialogs = r#""result":{"dialog:active_dialogs":"non-incremental","dialog:failed_dialogs":"incremental"}"#;
    check(
        "list_statistics",
        &[
            (r#"[["dialog:"]]"#, dialogs),
            (r#"[["active_dialogs","active_dialogs"]]"#, r#""result":{"active_dialogs":"non-incremental"}"#),
            (r#"[["no_such_stat","all"]]"#, r#""result":{}"#),
        ],
    )
    .await;
    let mi = stage(false).await;
    let Answer::Json(all) = answer(&mi, br#"{"jsonrpc":"2.0","method":"statistics:list","params":{},"id":"x"}"#) else { panic!() };
    let all: Value = serde_json::from_str(&all).unwrap();
    assert_eq!((&all["result"]["core:rcv_requests"], &all["result"]["host:load_1m"]), (&json!("incremental"), &json!("non-incremental")));
    assert_eq!((all["result"].get("panel:watchers_opened"), &all["id"]), (None, &json!("x")));
}

#[tokio::test]
async fn what_changes() {
    check("reset_statistics", &[(r#"[["no_such"]]"#, NOT_FOUND), (r#"[["packet:"]]"#, NOT_FOUND), (r#"[["all"]]"#, NOT_FOUND)]).await;
    check("reset_statistics", &[(r#"[["INVITE","no_such"]]"#, r#""result":"OK""#), (r#"[["active_dialogs"]]"#, r#""result":"OK""#)]).await;
    let request = |method: &str, params: &str| format!(r#"{{"jsonrpc":"2.0","method":"{method}","params":{params},"id":1}}"#);
    let ok = r#"{"jsonrpc":"2.0","result":"OK","id":1}"#;
    let told = |result: &str| format!(r#"{{"jsonrpc":"2.0","result":{result},"id":1}}"#);
    ask(&[
        (&request("reset_statistics", r#"[["INVITE","active_dialogs"]]"#), ok),
        (&request("get_statistics", r#"[["INVITE","active_dialogs"]]"#), &told(r#"{"method:INVITE":0,"dialog:active_dialogs":20}"#)),
        (&request("update_stat", r#"["INVITE","+1"]"#), ok),
        (&request("update_stat", r#"{"name":"method:INVITE","value":"-4"}"#), ok),
        (&request("get_statistics", r#"[["method:","dynamic:INVITE"]]"#), &told(r#"{"method:INVITE":-4,"dynamic:INVITE":1}"#)),
        (&request("update_stat", r#"["a:b","=9223372036854775807"]"#), ok),
        (&request("get_statistics", r#"[["a:b"]]"#), &told(r#"{"a:b":9223372036854775807}"#)),
        (&request("reset_all_statistics", "{}"), ok),
        (
            &request("get_statistics", r#"[["method:","rcv_requests","a:b"]]"#),
            &told(r#"{"method:INVITE":0,"core:rcv_requests":0,"a:b":9223372036854775807}"#),
        ),
        (&request("remove_stat", r#"["a:b"]"#), ok),
        (&request("remove_stat", r#"["a:b"]"#), &format!(r#"{{"jsonrpc":"2.0",{NOT_FOUND},"id":1}}"#)),
        (&request("get_statistics", r#"[["a:b"]]"#), &told("{}")),
    ])
    .await;
    let forbidden =
        r#""error":{"code":403,"data":"panel:requests is the panel's own statistic: push to another name","message":"Forbidden"}"#;
    let none = r#""error":{"code":-32602,"data":"the value \"x\" is none: write such as +1, -4 or =7","message":"Invalid params"}"#;
    check("update_stat", &[(r#"["panel:requests",1]"#, forbidden), (r#"["a:b","x"]"#, none), (r#"["a:b"]"#, NO_WAY)]).await;
    check("remove_stat", &[(r#"["panel:requests"]"#, forbidden)]).await;
}

#[tokio::test]
async fn a_destination_by_its_load() {
    let pick = |params: &str| format!(r#"{{"jsonrpc":"2.0","method":"ds_select","params":{params},"id":1}}"#);
    let release = |params: &str| format!(r#"{{"jsonrpc":"2.0","method":"statistics:ds_release","params":{params},"id":1}}"#);
    let told =
        |destination: &str, load: i64| format!(r#"{{"jsonrpc":"2.0","result":{{"destination":"{destination}","load":{load}}},"id":1}}"#);
    ask(&[
        (&pick(r#"{"pattern":"load_%u","destinations":["sip:a","sip:b"],"weights":[1,1]}"#), &told("sip:a", 1)),
        (&pick(r#"{"pattern":"load_%u","destinations":["sip:a","sip:b"]}"#), &told("sip:b", 1)),
        (&pick(r#"["load_%u",["sip:a","sip:b"],[1,0.25]]"#), &told("sip:a", 2)),
        (
            r#"{"jsonrpc":"2.0","method":"get_statistics","params":[["script:"]],"id":1}"#,
            r#"{"jsonrpc":"2.0","result":{"script:load_sip:a":2,"script:load_sip:b":1},"id":1}"#,
        ),
        (
            r#"{"jsonrpc":"2.0","method":"list_statistics","params":[["script:load_sip:b"]],"id":1}"#,
            r#"{"jsonrpc":"2.0","result":{"script:load_sip:b":"non-incremental"},"id":1}"#,
        ),
        (&release(r#"{"pattern":"load_%u","destination":"sip:a"}"#), &told("sip:a", 1)),
        (&release(r#"["load_%u","sip:a"]"#), &told("sip:a", 0)),
        (&release(r#"["load_%u","sip:a"]"#), &told("sip:a", 0)),
        (
            r#"{"jsonrpc":"2.0","method":"ds_release_all","params":{"pattern":"load_%u"},"id":1}"#,
            r#"{"jsonrpc":"2.0","result":{"released":2},"id":1}"#,
        ),
        (&pick(r#"["load_%u",["sip:b"]]"#), &told("sip:b", 1)),
    ])
    .await;
}

#[tokio::test]
async fn a_wrong_question_for_a_destination_is_told_what_to_do() {
    let wrong = |data: &str| format!(r#""error":{{"code":-32602,"data":"{data}","message":"Invalid params"}}"#);
    let usage = r#"give pattern, destinations and, if you like, weights: {\"pattern\":\"load_%u\",\"destinations\":[\"sip:a\",\"sip:b\"],\"weights\":[2,1]}"#;
    let weights = "Bad type for parameter 'weights': give an array of numbers, one for each destination, such as [2,1]";
    check(
        "ds_select",
        &[
            ("", &wrong(usage)),
            (r#"{"pattern":"load_%u"}"#, &wrong(usage)),
            (r#"{"pattern":"load_%u","destination":"sip:a"}"#, &wrong(usage)),
            (r#"["load_%u","sip:a"]"#, &wrong("Bad type for parameter 'destinations'")),
            (r#"["load_%u",[]]"#, &wrong("Empty array in parameter 'destinations'")),
            (r#"["load_%u",[{}]]"#, &wrong("Bad type for array item in parameter 'destinations'")),
            (r#"[["load_%u"],["sip:a"]]"#, &wrong("Bad type for parameter 'pattern'")),
            (r#"["load_%u",["sip:a"],1]"#, &wrong(weights)),
            (r#"["load_%u",["sip:a"],["1"]]"#, &wrong(weights)),
            (r#"["load_%u",["sip:a"],[]]"#, &wrong(weights)),
            (
                r#"["load_%u",["sip:a"],[1,2]]"#,
                &wrong("there are 1 destinations and 2 weights: give each destination one, or leave weights out"),
            ),
            (r#"["load",["sip:a"]]"#, &wrong(r#"the pattern \"load\" has no %u: write it where the destination goes, such as load_%u"#)),
        ],
    )
    .await;
    let never = r#""error":{"code":404,"data":"sip:a was never picked by this pattern: release with the pattern and the destination of the pick, letter by letter","message":"Statistics Not Found"}"#;
    let usage = r#"give pattern and destination: {\"pattern\":\"load_%u\",\"destination\":\"sip:a\"}"#;
    check("ds_release", &[(r#"["load_%u","sip:a"]"#, never), (r#"["load_%u"]"#, &wrong(usage))]).await;
    let forbidden = |data: &str| format!(r#""error":{{"code":403,"data":"{data}","message":"Forbidden"}}"#);
    let mi = stage(false).await;
    mi.engine.leave_pushed_to("http://other.example");
    let Answer::Json(text) = answer(&mi, br#"{"jsonrpc":"2.0","method":"ds_select","params":["load_%u",["a"]],"id":1}"#) else { panic!() };
    assert!(text.contains(&forbidden("what is pushed is counted by the panel at http://other.example: push there")), "{text}");
}

#[tokio::test]
async fn facts() {
    let version = format!(r#""result":{{"Server":"Tickmark ({} ({}/linux))"}}"#, env!("CARGO_PKG_VERSION"), std::env::consts::ARCH);
    check("version", &[("", &version), ("{}", &version), ("[]", &version), (r#"["x"]"#, NO_WAY)]).await;
    check("which", &[(r#"{"command":"get_statistics"}"#, r#""result":[["statistics"]]"#), (r#"["nosuch"]"#, NOT_FOUND)]).await;
    let process = format!(r#""result":{{"Processes":[{{"ID":0,"PID":{},"Type":"Tickmark"}}]}}"#, std::process::id());
    check("core:ps", &[("", &process)]).await;
    let mi = stage(false).await;
    let Answer::Json(uptime) = answer(&mi, br#"{"jsonrpc":"2.0","method":"uptime","id":1}"#) else { panic!() };
    let uptime: Value = serde_json::from_str(&uptime).unwrap();
    assert_eq!(uptime["result"]["Up time"], "0 [sec]");
    chrono::NaiveDateTime::parse_from_str(uptime["result"]["Up since"].as_str().unwrap(), "%a %b %e %H:%M:%S %Y").unwrap();
    let Answer::Json(which) = answer(&mi, br#"{"jsonrpc":"2.0","method":"which","id":1}"#) else { panic!() };
    assert!(which.contains(r#""get_statistics""#) && which.contains(r#""statistics:get""#), "{which}");
}

#[tokio::test]
async fn requests_that_are_none() {
    let invalid = |id: &str| format!(r#"{{"jsonrpc":"2.0","error":{{"code":-32600,"message":"Invalid Request"}},"id":{id}}}"#);
    let parse = r#"{"jsonrpc":"2.0","error":{"code":-32700,"message":"Parse error"},"id":null}"#;
    ask(&[
        (
            r#"{"jsonrpc":"2.0","method":"no_such_command","id":77}"#,
            r#"{"jsonrpc":"2.0","error":{"code":-32601,"message":"Method not found"},"id":77}"#,
        ),
        (r#"{"jsonrpc":"2.0","method":"uptime","id":1"#, parse),
        ("hello", parse),
        ("", parse),
        (&"[".repeat(100_000), parse),
        (r#"{"jsonrpc":"1.0","method":"uptime","id":1}"#, &invalid("1")),
        (r#"{"method":"uptime","id":"a"}"#, &invalid("\"a\"")),
        (r#"{"jsonrpc":"2.0","id":1}"#, &invalid("1")),
        (r#"{"jsonrpc":"2.0","method":"version","params":"x","id":1}"#, &invalid("1")),
        (r#"{"jsonrpc":"2.0","method":"version","id":[1]}"#, &invalid("null")),
        ("5", &invalid("null")),
        ("[]", &invalid("null")),
        (r#"{"jsonrpc":"2.0","result":{},"id":1}"#, ""),
        (r#"{"jsonrpc":"2.0","method":"uptime"}"#, ""),
        (r#"{"jsonrpc":"2.0","method":"nosuch"}"#, ""),
    ])
    .await;
    let mi = stage(false).await;
    assert_eq!(answer(&mi, b"{\"jsonrpc\":\"2.0\",\"method\":\"\xff\",\"id\":1}"), Answer::Unreadable(parse.to_owned()));
    let Answer::Json(text) = answer(&mi, br#"{"jsonrpc":"2.0","method":"version","id":5000000000} trailing"#) else { panic!() };
    assert!(text.ends_with(r#""id":5000000000}"#), "{text}");
}

#[tokio::test]
async fn a_batch_is_answered_as_the_standard_says() {
    let get = |id: &str| format!(r#"{{"jsonrpc":"2.0","method":"get_statistics","params":[["INVITE"]]{id}}}"#);
    let push = r#"{"jsonrpc":"2.0","method":"update_stat","params":["method:INVITE","+1"]}"#;
    let batch = format!("[{},{push},5,{}]", get(r#","id":1"#), get(r#","id":"b""#));
    let expect = concat!(
        r#"[{"jsonrpc":"2.0","result":{"method:INVITE":1597},"id":1},"#,
        r#"{"jsonrpc":"2.0","error":{"code":-32600,"message":"Invalid Request"},"id":null},"#,
        r#"{"jsonrpc":"2.0","result":{"method:INVITE":1598},"id":"b"}]"#
    );
    ask(&[(&batch, expect), (&format!("[{push},{push}]"), "")]).await;
    let invalid = r#"{"jsonrpc":"2.0","error":{"code":-32600,"message":"Invalid Request"},"id":null}"#;
    ask(&[(&format!("[{}]", vec![push; MAX_BATCH + 1].join(",")), invalid)]).await;
}

#[tokio::test]
async fn an_answer_has_a_bound_however_much_is_asked_for() {
    let mi = stage(false).await;
    for number in 0..5_000 {
        mi.engine.push(&format!("a:{}{number:04}", "\u{1f600}".repeat(50)), crate::engine::Push::By(1), None, None).unwrap();
    }
    let all = r#"{"jsonrpc":"2.0","method":"get_statistics","params":[["all"]],"id":1}"#;
    let Answer::Json(text) = answer(&mi, format!("[{}]", vec![all; MAX_BATCH].join(",")).as_bytes()) else { panic!() };
    assert!(text.len() < 2 * MAX_ANSWER, "{}", text.len());
    let answers: Vec<Value> = serde_json::from_str(&text).unwrap();
    assert_eq!((answers.len(), &answers[MAX_BATCH - 1]["error"]["message"]), (MAX_BATCH, &json!("Answer too large")));
}

#[tokio::test]
async fn very_many_and_very_long_names_cost_little() {
    let mi = stage(false).await;
    let many = format!(r#"{{"jsonrpc":"2.0","method":"get_statistics","params":[[{}"INVITE"]],"id":1}}"#, "\"all\",".repeat(150_000));
    let Answer::Json(text) = answer(&mi, many.as_bytes()) else { panic!() };
    let told: Value = serde_json::from_str(&text).unwrap();
    assert_eq!((&told["result"]["method:INVITE"], text.matches("method:INVITE").count()), (&json!(1_597), 1));
    let long = format!(r#"{{"jsonrpc":"2.0","method":"update_stat","params":["{}","+1"],"id":1}}"#, "x".repeat(10_000));
    let Answer::Json(text) = answer(&mi, long.as_bytes()) else { panic!() };
    assert!(text.contains("-32602") && text.contains("at most 255 are allowed") && text.len() < 500, "{text}");
}
