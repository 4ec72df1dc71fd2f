//! Who may what: accounts of less than everything, the page Users, one's own password.

use reqwest::{Method, Response, StatusCode, header};
use serde_json::{Value, json};

use crate::{
    fake_box::FakeBox,
    support::{Start, TestPanel},
};

const USERS: &str = "/cp/users";
const ANNS: &str = "ann's own words";

/// What a form's answer leads to: the notice in its cookie.
fn told(answer: &Response) -> String {
    let cookies = answer.headers().get_all(header::SET_COOKIE).iter().filter_map(|cookie| cookie.to_str().ok());
    let notice = cookies.filter_map(|cookie| cookie.strip_prefix("notice=")).next().unwrap_or_default();
    percent_encoding::percent_decode_str(notice.split(';').next().unwrap()).decode_utf8_lossy().into_owned()
}

/// Signs somebody in; gives the session.
async fn session_of(panel: &TestPanel, user: &str, password: &str) -> Option<String> {
    let body = json!({"user": user, "password": password}).to_string();
    let login = TestPanel::client().post(panel.url("/cp/api/v1/login")).header(header::CONTENT_TYPE, "application/json").body(body);
    let answer = login.send().await.unwrap();
    let cookie = answer.headers().get(header::SET_COOKIE)?.to_str().unwrap().split(';').next().unwrap().to_owned();
    (answer.status() == StatusCode::OK).then_some(cookie)
}

async fn ask_as(panel: &TestPanel, session: &str, method: Method, path: &str) -> (StatusCode, String) {
    let form = method == Method::POST && !path.starts_with("/cp/api/");
    let kind = if form { "application/x-www-form-urlencoded" } else { "application/json" };
    let asked = TestPanel::client().request(method, panel.url(path)).header(header::COOKIE, session).header(header::CONTENT_TYPE, kind);
    let answer = asked.send().await.unwrap();
    (answer.status(), answer.text().await.unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_reads_and_somebody_who_ticks_ticks() {
    let panel = Start::new().signed_in().await;
    for (name, scope) in [("ann", "read"), ("tim", "tick")] {
        let added = panel.form(USERS, &[("do", "add"), ("name", name), ("password", ANNS), ("scope", scope)]).await;
        assert_eq!((added.status(), told(&added)), (StatusCode::SEE_OTHER, format!("notice {name} can sign in now")));
    }
    let (ann, tim) = (session_of(&panel, "ann", ANNS).await.unwrap(), session_of(&panel, "tim", ANNS).await.unwrap());
    let me: Value = serde_json::from_str(&ask_as(&panel, &ann, Method::GET, "/cp/api/v1/me").await.1).unwrap();
    assert_eq!(me, json!({"name": "ann", "kind": "account", "scope": "read"}));
    let tick = "/cp/api/v1/boxes/tickmark/ticks/panel:requests";
    for path in ["/cp", "/cp/charts", "/cp/boxes", "/cp/settings", USERS, "/cp/api/v1/boxes"] {
        assert_eq!(ask_as(&panel, &ann, Method::GET, path).await.0, StatusCode::OK, "{path}");
    }
    let (status, text) = ask_as(&panel, &ann, Method::PUT, tick).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    assert!(text.contains("Your account may not do this: it needs tick") && !text.contains("token"), "{text}");
    assert_eq!(ask_as(&panel, &tim, Method::PUT, tick).await.0, StatusCode::NO_CONTENT);
    for session in [&ann, &tim] {
        assert_eq!(ask_as(&panel, session, Method::DELETE, "/cp/api/v1/boxes/tickmark").await.0, StatusCode::FORBIDDEN);
        assert_eq!(ask_as(&panel, session, Method::POST, USERS).await.0, StatusCode::FORBIDDEN);
        // Nobody is named to them, and no token.
        let page = ask_as(&panel, session, Method::GET, USERS).await.1;
        assert!(page.contains("Your password") && !page.contains("Who can sign in") && !page.contains("Tokens"), "{page}");
    }
    // What an account may holds from its next question on.
    let less = panel.form(USERS, &[("do", "scope"), ("name", "tim"), ("scope", "read")]).await;
    assert_eq!(told(&less), "notice tim may see everything now, and change nothing");
    assert_eq!(ask_as(&panel, &tim, Method::DELETE, tick).await.0, StatusCode::FORBIDDEN);
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_is_always_left_who_may_do_everything() {
    let file = "[[user]]\nname = 'fay'\npassword = 'from the file it is'\nscope = 'read'\n";
    let panel = Start::new().with_file(file).signed_in().await;
    for form in [[("do", "remove"), ("name", "admin"), ("scope", "")], [("do", "scope"), ("name", "admin"), ("scope", "read")]] {
        let refused = panel.form(USERS, &form).await;
        assert_eq!(refused.status(), StatusCode::UNPROCESSABLE_ENTITY);
        assert!(refused.text().await.unwrap().contains("Admin is the last account that may do everything"));
    }
    for form in [[("do", "remove"), ("name", "fay"), ("scope", "")], [("do", "scope"), ("name", "fay"), ("scope", "admin")]] {
        let refused = panel.form(USERS, &form).await.text().await.unwrap();
        assert!(refused.contains("comes from the configuration file: change it there"), "{refused}");
    }
    let wrong = [
        ([("name", "a b"), ("password", ANNS), ("scope", "read")], "letters, digits"),
        ([("name", "ann"), ("password", "short"), ("scope", "read")], "at least 10 characters"),
        ([("name", "ann"), ("password", ANNS), ("scope", "push")], "read, tick or admin is allowed"),
        ([("name", "admin"), ("password", ANNS), ("scope", "read")], "choose another name"),
    ];
    for (fields, reason) in wrong {
        let refused = panel.form(USERS, &[[("do", "add")].as_slice(), &fields].concat()).await;
        assert_eq!(refused.status(), StatusCode::UNPROCESSABLE_ENTITY, "{fields:?}");
        let page = refused.text().await.unwrap();
        assert!(page.to_lowercase().contains(reason) && !page.contains(ANNS), "{fields:?}: {page}");
    }
    panel.form(USERS, &[("do", "add"), ("name", "ann"), ("password", ANNS), ("scope", "admin")]).await;
    let gone = panel.form(USERS, &[("do", "remove"), ("name", "admin")]).await;
    assert_eq!(told(&gone), "notice admin is removed");
    assert_eq!(panel.ask(Method::GET, "/cp/api/v1/me", None).await.status(), StatusCode::UNAUTHORIZED, "its session has ended");
    assert!(session_of(&panel, "ann", ANNS).await.is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn one_changes_ones_own_password_with_the_old_one() {
    let panel = Start::new().signed_in().await;
    panel.form(USERS, &[("do", "add"), ("name", "ann"), ("password", ANNS), ("scope", "read")]).await;
    let (here, elsewhere) = (session_of(&panel, "ann", ANNS).await.unwrap(), session_of(&panel, "ann", ANNS).await.unwrap());
    let change = async |old: &str, new: &str, again: &str| {
        let body =
            url::form_urlencoded::Serializer::new(String::new()).extend_pairs([("old", old), ("new", new), ("again", again)]).finish();
        let asked = TestPanel::client().post(panel.url("/cp/password")).header(header::COOKIE, &here);
        asked.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded").body(body).send().await.unwrap()
    };
    for (old, new, again, reason) in [
        ("not this one", "quite another one", "quite another one", "not the password you have now"),
        (ANNS, "short", "short", "too short"),
        (ANNS, "quite another one", "quite another", "differ"),
    ] {
        let refused = change(old, new, again).await;
        assert_eq!(refused.status(), StatusCode::UNPROCESSABLE_ENTITY);
        let page = refused.text().await.unwrap();
        assert!(page.contains(reason), "{page}");
    }
    let changed = change(ANNS, "quite another one", "quite another one").await;
    assert_eq!(changed.status(), StatusCode::SEE_OTHER);
    let session = changed.headers().get_all(header::SET_COOKIE).iter().filter_map(|cookie| cookie.to_str().ok());
    let session = session.filter(|cookie| cookie.starts_with("tickmark_session=")).map(|cookie| cookie.split(';').next().unwrap()).next();
    let session = session.unwrap().to_owned();
    assert_eq!(ask_as(&panel, &session, Method::GET, "/cp").await.0, StatusCode::OK);
    assert_eq!(ask_as(&panel, &elsewhere, Method::GET, "/cp/api/v1/me").await.0, StatusCode::UNAUTHORIZED);
    assert!(session_of(&panel, "ann", ANNS).await.is_none());
    assert!(session_of(&panel, "ann", "quite another one").await.is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_shown_once_and_is_good_until_it_is_revoked() {
    let panel = Start::new().signed_in().await;
    let made = panel.form(USERS, &[("do", "token"), ("token", "report"), ("token-scope", "read")]).await;
    assert_eq!(made.status(), StatusCode::OK);
    let page = made.text().await.unwrap();
    let secret = &page[page.find("tmk_").unwrap()..][..47];
    let asked = async || {
        let asked = TestPanel::client().get(panel.url("/cp/api/v1/me")).header(header::AUTHORIZATION, format!("Bearer {secret}"));
        asked.send().await.unwrap().status()
    };
    assert_eq!(asked().await, StatusCode::OK);
    let later = panel.ask(Method::GET, USERS, None).await.text().await.unwrap();
    assert!(later.contains("report") && !later.contains("tmk_"), "{later}");
    let again = panel.form(USERS, &[("do", "token"), ("token", "report"), ("token-scope", "admin")]).await;
    assert_eq!(again.status(), StatusCode::UNPROCESSABLE_ENTITY);
    let question = panel.ask(Method::GET, "/cp/users?revoke=report", None).await.text().await.unwrap();
    assert!(question.contains("Revoke the token report?"), "{question}");
    assert_eq!(told(&panel.form(USERS, &[("do", "revoke"), ("name", "report")]).await), "notice The token report is revoked");
    assert_eq!(asked().await, StatusCode::UNAUTHORIZED);
}

#[tokio::test(flavor = "multi_thread")]
async fn numbers_are_written_as_each_one_likes_them() {
    let panel = Start::new().signed_in().await;
    panel.form(USERS, &[("do", "add"), ("name", "ann"), ("password", ANNS), ("scope", "read")]).await;
    let ann = session_of(&panel, "ann", ANNS).await.unwrap();
    let sip1 = FakeBox::start(&[("dialog:active_dialogs", 1_234_567)]).await;
    panel.add_box("sip1", &sip1.url()).await;
    panel.until("/cp/api/v1/boxes/sip1/statistics", |all| all["statistics"][0]["value"] == 1_234_567).await;
    panel.send(Method::PATCH, "/cp/api/v1/me/settings", json!({"numbers": "dots_comma"}), StatusCode::OK).await;
    for path in ["/cp?box=sip1", "/cp/boxes/sip1/dialog:active_dialogs"] {
        // What is drawn once for all who look at the same is drawn for each way to write numbers.
        for _ in 0..2 {
            let mine = panel.ask(Method::GET, path, None).await.text().await.unwrap();
            assert!(mine.contains("<b>1.234.567</b>") && mine.contains("data-numbers=\"dots_comma\""), "{mine}");
            let anns = ask_as(&panel, &ann, Method::GET, path).await.1;
            assert!(anns.contains("<b>1\u{2009}234\u{2009}567</b>") && !anns.contains("data-numbers"), "{anns}");
        }
    }
    // Tools read plain numbers, whoever they ask for.
    assert_eq!(panel.get("/cp/api/v1/boxes/sip1/statistics").await["statistics"][0]["value"], 1_234_567);
    // In pictures too, and in what a form answers.
    panel.send(Method::PUT, "/cp/api/v1/boxes/sip1/ticks/dialog:active_dialogs", Value::Null, StatusCode::NO_CONTENT).await;
    let picture = "/cp/api/v1/chart.svg?box=sip1&name=dialog:active_dialogs&span=1h";
    panel.until_text(picture, |svg| svg.contains("1.234.567")).await;
    let checked = [("do", "check"), ("box", "sip1"), ("formula", "{dialog:active_dialogs} / 1000000")];
    let checked = panel.form("/cp/derived", &checked).await.text().await.unwrap();
    assert!(checked.contains("It comes to 1,23 on sip1 now."), "{checked}");
    // A form that sends it, as the page does.
    let kept = panel.form("/cp/taste", &[("numbers", "plain"), ("span", "24h"), ("column", "value")]).await;
    assert_eq!(kept.status(), StatusCode::SEE_OTHER);
    assert!(panel.ask(Method::GET, "/cp?box=sip1", None).await.text().await.unwrap().contains("<b>1234567</b>"));
}
