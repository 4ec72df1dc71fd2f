use super::*;

fn read_text(text: &str) -> Result<Provided, String> {
    let table = text.parse::<toml::Table>().unwrap();
    read(Path::new("t.toml"), &table).map_err(|error| error.to_string())
}

#[track_caller]
fn refused(text: &str, expect: &str) {
    assert_eq!(read_text(text).unwrap_err(), expect);
}

#[test]
fn a_whole_box() {
    let provided = read_text(
        r#"
        [[box]]
        name = "sip1"
        address = "http://10.0.0.5:8888/mi"
        kind = "opensips"
        interval = "5s"
        user = "u"
        password = "s3cret"
        labels = { site = "north", role = "edge" }
        paused = true
        ticks = ["dialog:", "core:rcv_requests"]
        [[box]]
        name = "sip2"
        address = "http://10.0.0.6/mi"
        "#,
    )
    .unwrap();
    let [first, second] = &provided.boxes[..] else { panic!("two boxes") };
    assert_eq!(first.kind, Some(BoxKind::Opensips));
    assert_eq!(first.interval, Some(Duration::from_secs(5)));
    assert_eq!(first.password, Some(Secret("s3cret".to_owned())));
    assert_eq!(first.labels["site"], "north");
    assert!(first.paused);
    assert_eq!(first.ticks.as_deref(), Some(&["dialog:".to_owned(), "core:rcv_requests".to_owned()][..]));
    assert_eq!((second.kind, second.interval, second.paused, &second.ticks), (None, None, false, &None));
    assert!(!format!("{provided:?}").contains("s3cret"));
}

#[test]
fn ticks_are_read_as_the_panel_reads_them() {
    let with = |ticks: &str| read_text(&format!("[[box]]\nname = 'sip1'\naddress = 'http://10.0.0.5/mi'\nticks = {ticks}"));
    assert_eq!(with("[' dialog: ', 'core:x']").unwrap().boxes[0].ticks.as_deref(), Some(&["dialog:".to_owned(), "core:x".to_owned()][..]));
    let error = with("['dialog:', ' ']").unwrap_err();
    assert_eq!(error, "t.toml: [[box]] \"sip1\": ticks: a tick needs a name such as core:rcv_requests or a pattern such as dialog:");
}

#[test]
fn alerts_and_destinations_are_as_the_api_takes_them() {
    let provided = read_text(
        r#"
        [[destination]]
        name = "ops"
        kind = "webhook"
        url = "https://example.org/hook"
        secret = "s3cret"
        [[alert]]
        name = "shm_low"
        formula = "100 * {shmem:free_size} / {shmem:total_size}"
        condition = { kind = "below", threshold = 10, clear = 15.5 }
        hold = "1m"
        severity = "critical"
        boxes = { labels = { site = "fra" } }
        destinations = ["ops"]
        silences = ["weekly SUN 02:00 Europe/Berlin for 4h"]
        [[alert]]
        name = "down"
        condition = { kind = "box_down" }
        "#,
    )
    .unwrap();
    assert_eq!(provided.destinations[0].secret, Some(Secret("s3cret".to_owned())));
    assert!(!format!("{provided:?}").contains("s3cret"));
    let [low, down] = &provided.alerts[..] else { panic!("two alerts") };
    assert_eq!(low.rule.condition, crate::alerts::Condition::Below { threshold: 10.0, clear: Some(15.5) });
    assert_eq!((low.rule.boxes.labels["site"].as_str(), low.rule.silences.len(), low.rule.hold.as_str()), ("fra", 1, "1m"));
    assert_eq!((down.name.as_str(), &down.rule.condition), ("down", &crate::alerts::Condition::BoxDown));
}

#[test]
fn what_is_wrong_with_an_alert_or_a_destination_is_named() {
    for (text, part) in [
        ("[[alert]]\ncondition = { kind = 'box_down' }", "t.toml: [[alert]] number 1: name: it is missing"),
        ("[[alert]]\nname='a'\ncondition={ kind = 'above', threshold = 1 }", "t.toml: [[alert]] \"a\": formula: is needed"),
        (
            "[[alert]]\nname='a'\ncondition={ kind = 'abve', threshold = 1 }",
            "[[alert]] \"a\": unknown variant `abve`, expected one of `above`",
        ),
        ("[[alert]]\nname='a'\nformula='{a:b'\ncondition={ kind = 'no_data' }", "formula: this brace is not closed"),
        ("[[alert]]\nname='a'\nformulae='{a:b}'", "there is no key \"formulae\"; did you mean \"formula\"?"),
        ("[[alert]]\nname='a'\ncondition={ kind = 'box_down' }\nsilences=['weekly']", "silences: \"weekly\" does not say for how long"),
        (
            "[[alert]]\nname='a'\ncondition={ kind = 'box_down' }\n[[alert]]\nname='a'\ncondition={ kind = 'box_down' }",
            "two alerts called \"a\"",
        ),
        ("[[destination]]\nname='a'\nkind='webhook'", "[[destination]] \"a\": url: is no address"),
        ("[[destination]]\nname='a'\nkind='slack'\nsecret=1", "secret: the value is no text: write it in quotes"),
        ("[[destination]]\nname='a'\nkind='slack'\nsecret='x'\nsecret_file='y'", "give either secret or secret_file"),
        ("[[destination]]\nname='a'\nkind='slack'\nsecret_file='/nowhere/y'", "secret_file: /nowhere/y cannot be read"),
    ] {
        let said = read_text(text).unwrap_err();
        assert!(said.contains(part), "{said}");
    }
}

#[test]
fn passwords_of_users() {
    let hash = "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5aXNoZXJlISEhIQ$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    let provided =
        read_text(&format!("[[user]]\nname='anna'\npassword='long enough'\n[[user]]\nname='bob'\npassword_hash='{hash}'")).unwrap();
    assert_eq!(provided.users[0].password, ProvidedPassword::Plain(Secret("long enough".to_owned())));
    assert_eq!(provided.users[1].password, ProvidedPassword::Hash(Secret(hash.to_owned())));
    assert!(!format!("{provided:?}").contains("AAAA"));
}

#[test]
fn a_password_file_lies_beside_the_configuration() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("pw"), "from the file\nsecond line\n").unwrap();
    let table = "[[user]]\nname='anna'\npassword_file='pw'".parse::<toml::Table>().unwrap();
    let provided = read(&folder.path().join("t.toml"), &table).unwrap();
    assert_eq!(provided.users[0].password, ProvidedPassword::Plain(Secret("from the file".to_owned())));
    let gone = "[[user]]\nname='anna'\npassword_file='gone'".parse::<toml::Table>().unwrap();
    let error = read(&folder.path().join("t.toml"), &gone).unwrap_err().to_string();
    assert!(error.contains("[[user]] \"anna\": password_file:") && error.contains("gone cannot be read"), "{error}");
}

#[test]
fn what_is_wrong_is_named_with_its_place() {
    let good = "address='http://h/mi'";
    refused(
        &format!("[[box]]\nname='a'\n{good}\nintervall='5s'"),
        "t.toml: [[box]] \"a\": there is no key \"intervall\"; did you mean \"interval\"? allowed are name, address, kind, interval, user, \
         password, password_file, labels, paused, ticks",
    );
    refused(
        &format!("[[box]]\nname='a'\n{good}\ninterval='5'"),
        "t.toml: [[box]] \"a\": interval: \"5\" is no duration: write a whole number and its unit, such as 500ms, 10s, 5m, 24h, 7d or 1y",
    );
    refused(&format!("[[box]]\nname='a'\n{good}\ninterval=5"), "t.toml: [[box]] \"a\": interval: 5 is no text: write it in quotes");
    refused("[[box]]\nname='a'", "t.toml: [[box]] \"a\": address: it is missing, and each table needs it");
    refused(&format!("[[box]]\n{good}"), "t.toml: [[box]] number 1: name: it is missing, and each table needs it");
    refused(
        &format!("[[box]]\nname='a'\n{good}\n[[box]]\nname='a'\n{good}"),
        "t.toml: [[box]] \"a\": name: there are two boxes called \"a\"",
    );
    refused(
        &format!("[[box]]\nname='a'\n{good}\nkind='tickmark'"),
        "t.toml: [[box]] \"a\": kind: \"tickmark\" is no kind of box: opensips, opensips2, kamailio or prometheus is allowed",
    );
    refused(
        &format!("[[box]]\nname='a'\n{good}\npaused='yes'"),
        "t.toml: [[box]] \"a\": paused: \"yes\" is neither true nor false (without quotes)",
    );
    refused(
        &format!("[[box]]\nname='a'\n{good}\npassword='x'\npassword_file='y'"),
        "t.toml: [[box]] \"a\": password: give either password or password_file",
    );
    refused("[box]\nname='a'", "t.toml: box is no list of tables: write [[box]] and its keys below");
    refused("[[user]]\nname='a'", "t.toml: [[user]] \"a\": password: give exactly one of password, password_hash and password_file");
    refused(
        "[[user]]\nname='a'\npassword='short'",
        "t.toml: [[user]] \"a\": password: the password is too short: at least 10 characters are needed",
    );
}

#[test]
fn secrets_are_not_quoted_back() {
    for text in ["[[user]]\nname='a'\npassword_hash='s3cret77'", "[[user]]\nname='a'\npassword=\"s3cret77\""] {
        assert!(!read_text(text).unwrap_err().contains("s3cret77"), "{text}");
    }
    assert!(!read_text("[[user]]\nname='a'\npassword=1234567890").unwrap_err().contains("1234"));
}

#[test]
fn a_login_in_an_address_is_taken_out_of_it() {
    let provided = read_text("[[box]]\nname='a'\naddress='http://op:s3cret@h/mi'").unwrap();
    let found = &provided.boxes[0];
    assert_eq!((found.address.to_string().as_str(), found.user.as_deref()), ("http://h/mi", Some("op")));
    assert_eq!(found.password, Some(Secret("s3cret".to_owned())));
    refused(
        "[[box]]\nname='a'\naddress='http://op:s3cret@h/mi'\npassword='other'",
        "t.toml: [[box]] \"a\": password: the address holds another password; give one of the two",
    );
}
