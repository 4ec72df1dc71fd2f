use super::{
    parse::{MAX_ADDRESS_BYTES, MAX_SOCKET_PATH_BYTES},
    *,
};
use crate::source::Secret;

#[track_caller]
fn check(text: &str, expect: Result<&str, &str>) {
    match (parse_address(text), expect) {
        (Ok(address), Ok(expect)) => {
            assert_eq!(address.to_string(), expect, "{text}");
            assert_eq!(parse_address(expect), Ok(address), "what is written is read the same");
        }
        (Err(sentence), Err(expect)) => assert!(sentence.contains(expect), "{text}: {sentence}"),
        (found, _) => panic!("{text}: {found:?}"),
    }
}

#[test]
fn what_can_be_asked() {
    check("10.0.0.5:8888/mi", Ok("http://10.0.0.5:8888/mi"));
    check(" http://sip1.example:8888/mi ", Ok("http://sip1.example:8888/mi"));
    check("https://sip1.example/mi", Ok("https://sip1.example/mi"));
    check("HTTPS://Sip1.Example/mi", Ok("https://sip1.example/mi"));
    check("[::1]:5071/RPC", Ok("http://[::1]:5071/RPC"));
    check("localhost:8888", Ok("http://localhost:8888/"));
    check("fifo:8888/mi", Ok("http://fifo:8888/mi"));
    check("http://h/mi?x=1", Ok("http://h/mi?x=1"));
    check("http://h/json", Ok("http://h/json"));
    check("xmlrpc+http://h:8080/RPC2", Ok("xmlrpc+http://h:8080/RPC2"));
    check("XMLRPC+https://h/RPC2", Ok("xmlrpc+https://h/RPC2"));
    check("prometheus+http://h:9100/metrics?a=b", Ok("prometheus+http://h:9100/metrics?a=b"));
}

#[test]
fn certificates() {
    check("https://h/mi#ca=/etc/a%20b.pem", Ok("https://h/mi#ca=/etc/a%20b.pem"));
    check("https://h/mi?x=1#key=/k.pem&cert=/c.pem", Ok("https://h/mi?x=1#cert=/c.pem&key=/k.pem"));
    check("prometheus+https://h/metrics#verify=off", Ok("prometheus+https://h/metrics#verify=off"));
}

#[test]
fn files_and_datagrams() {
    check("fifo:/tmp/opensips_fifo", Ok("fifo:/tmp/opensips_fifo"));
    check("FIFO:///tmp/opensips_fifo", Ok("fifo:/tmp/opensips_fifo"));
    check("fifo:////tmp/opensips_fifo", Ok("fifo:/tmp/opensips_fifo"));
    check("unix:/%2F/run/x?reply_dir=//run//r", Ok("unix:/run/x?reply_dir=/run//r"));
    check("fifo:///", Err("the whole path"));
    check("fifo:/run/a%20b?dialect=2&reply_dir=/run/r", Ok("fifo:/run/a%20b?reply_dir=/run/r&dialect=2"));
    check("fifo:/tmp/f?reply_dir=/tmp", Ok("fifo:/tmp/f"));
    check("fifo:/tmp/f?dialect=4", Ok("fifo:/tmp/f?dialect=3"));
    check("unix:/run/kamailio/rpc.sock?dialect=kamailio", Ok("unix:/run/kamailio/rpc.sock?dialect=kamailio"));
    check("unix:///run/opensips", Ok("unix:/run/opensips"));
    check("udp://10.0.0.5:8080", Ok("udp://10.0.0.5:8080"));
    check("udp://[::1]:8080/?dialect=2", Ok("udp://[::1]:8080?dialect=2"));
}

#[test]
fn what_cannot() {
    check("", Err("give an address"));
    check("   ", Err("give an address"));
    check("ftp://h/mi", Err("ftp:// cannot be asked; the address begins with http://"));
    check("http://", Err("no host"));
    check("http:///mi", Err("no host"));
    check("/mi", Err("no host"));
    check("http://:8888/mi", Err("no address"));
    check("http:10.0.0.5", Err("no address"));
    check("h:99999/mi", Err("no address"));
    check("h:0/mi", Err("port 0"));
    check("http://admin:secret@h/mi", Err("kept apart from it"));
    check("admin@h/mi", Err("kept apart from it"));
    check("http://h/mi#x", Err("#"));
    check("https://h/mi#x", Err("ca=/a/file"));
    check("https://h/mi#verify=on", Err("verify=off"));
    check("https://h/mi#ca=ca.pem", Err("the whole path"));
    check("https://h/mi#key=/k.pem", Err("cert=/a/file"));
    check("https://h/mi#ca=/c.pem&verify=off", Err("leave one of the two out"));
    check("https://a:b@h/mi#verify=off", Err("kept apart from it"));
    check("http://h/m i", Err("space"));
    check("http:\\\\h", Err("backslash"));
    check(&format!("h/{}", "x".repeat(MAX_ADDRESS_BYTES)), Err("longer"));
    check(&format!("h/{}", "ä".repeat(MAX_ADDRESS_BYTES / 4)), Err("longer"));
    check("prometheus+ftp://h", Err("cannot be asked"));
    check("fifo:tmp/f", Err("the whole path"));
    check("fifo:/", Err("the whole path"));
    check("fifo:/tmp/f#x", Err("%23"));
    check("fifo:/tmp/f?reply_dir=tmp", Err("the whole path of a folder"));
    check("fifo:/tmp/f?dialect=5", Err("dialect is 2"));
    check("fifo:/tmp/f?mode=1", Err("mode is no option"));
    check("fifo:/tmp/%ff", Err("the whole path"));
    check(&format!("unix:/{}", "x".repeat(MAX_SOCKET_PATH_BYTES)), Err("at most 107"));
    check("udp://h", Err("no port"));
    check("udp://h:0", Err("port 0"));
    check("udp://h:1/x", Err("no path"));
    check("udp://h:1?reply_dir=/tmp", Err("no option"));
    check("udp://a:b@h:1", Err("nobody asks for a user"));
}

#[test]
fn kinds_and_addresses_fit_together() {
    let fits = |text: &str, kind| parse_address(text).unwrap().check_kind(kind).is_ok();
    for (text, kinds) in [
        ("http://h/mi", &[BoxKind::Opensips, BoxKind::Opensips2, BoxKind::Kamailio] as &[_]),
        ("xmlrpc+http://h/RPC2", &[BoxKind::Opensips, BoxKind::Opensips2]),
        ("prometheus+http://h/metrics", &[BoxKind::Prometheus]),
        ("fifo:/tmp/f", &[BoxKind::Opensips, BoxKind::Opensips2, BoxKind::Kamailio]),
        ("fifo:/tmp/f?dialect=2", &[BoxKind::Opensips2]),
        ("unix:/tmp/f?dialect=kamailio", &[BoxKind::Kamailio]),
        ("udp://h:1?dialect=3", &[BoxKind::Opensips]),
    ] {
        for kind in [BoxKind::Opensips, BoxKind::Opensips2, BoxKind::Kamailio, BoxKind::Prometheus, BoxKind::Tickmark] {
            assert_eq!(fits(text, kind), kinds.contains(&kind), "{text}, {kind:?}");
        }
    }
}

#[test]
fn a_password_is_for_one_server() {
    let same = |one: &str, two: &str| parse_address(one).unwrap().is_same_server(&parse_address(two).unwrap());
    assert!(same("http://h/mi", "http://h:80/RPC") && same("http://h/mi", "prometheus+http://h/metrics"));
    assert!(!same("https://h/mi", "https://h/mi#verify=off"));
    assert!(!same("http://h/mi", "https://h/mi") && !same("http://h/mi", "http://h:81/mi") && !same("http://h/mi", "udp://h:80"));
}

/// Reads an address beside a user and a password: the address, the user and the password that come of it.
fn login(text: &str, user: &str, password: &str) -> Result<(String, String, String), String> {
    let typed = Typed::read(text, Some(user), Some(&Secret(password.to_owned()))).map_err(|error| format!("{}: {error}", error.field()))?;
    assert!(!format!("{typed:?}").contains("s3cret"), "{text}");
    Ok((typed.address.to_string(), typed.user.unwrap_or_default(), typed.password.map(|password| password.0).unwrap_or_default()))
}

#[test]
fn a_login_is_taken_out_of_an_address() {
    for (text, user, password, expect) in [
        ("http://op:s3cret@h/mi", "", "", ("http://h/mi", "op", "s3cret")),
        ("op:s3cret@h:8888/mi", "op", "s3cret", ("http://h:8888/mi", "op", "s3cret")),
        ("http://op@h/mi", "", "s3cret", ("http://h/mi", "op", "s3cret")),
        ("http://:s3cret@h/mi", "op", "", ("http://h/mi", "op", "s3cret")),
        ("http://@h/mi", "op", "", ("http://h/mi", "op", "")),
        ("http://op:@h/mi", "", "x", ("http://h/mi", "op", "x")),
        ("http://h/mi", "op", "x", ("http://h/mi", "op", "x")),
        ("xmlrpc+http://op:s3cret@h/RPC2", "", "", ("xmlrpc+http://h/RPC2", "op", "s3cret")),
        ("prometheus+https://%C3%A4:a%2F%3A%40%23%3f@[::1]/m#verify=off", "", "", ("prometheus+https://[::1]/m#verify=off", "ä", "a/:@#?")),
        ("http://op:s3@cret:x@h/mi", "", "", ("http://h/mi", "op", "s3@cret:x")),
        ("fifo:/tmp/a@b", "", "", ("fifo:/tmp/a@b", "", "")),
    ] {
        let (address, name, word) = expect;
        assert_eq!(login(text, user, password), Ok((address.into(), name.into(), word.into())), "{text}");
    }
}

#[test]
fn what_is_wrong_with_a_login_is_said_without_it() {
    for (text, user, password, expect) in [
        ("http://op:s3cret@h/mi", "other", "", "user: the address names another user, \"op\"; give one of the two"),
        ("http://op:s3cret@h/mi", "op", "other", "password: the address holds another password; give one of the two"),
        ("http://op:s3cret/x@h/mi", "", "", "address: this is no address (invalid port number); in a user name or a password"),
        ("http://op:80/s3cret@h/mi", "", "", "address: the address holds an @ behind the host; in a user name"),
        ("http://op:80?s3cret@h/mi", "", "", "address: the address holds an @ behind the host"),
        ("http://op:s3cret#x@h/mi", "", "", "address: this is no address"),
        ("https://op:80#s3cret@h/mi", "", "", "address: behind the # of an address"),
        ("http://op:s3 cret@h/mi", "", "", "address: the address holds a space"),
        ("http://op%3Ax:s3cret@h/mi", "", "", "address: a user name holds no colon"),
        ("http://op:s3cret%00@h/mi", "", "", "address: user and password in an address are visible"),
        ("http://op:s3cret%ff@h/mi", "", "", "address: user and password in an address are visible"),
        ("op:s3cret://x@h/mi", "", "", "address: this is no address; one begins with http://"),
        ("ftp://op:s3cret@h/mi", "", "", "address: this is no address; one begins with http://"),
        ("udp://op:s3cret@h:1", "", "", "address: by UDP nobody asks"),
    ] {
        let error = login(text, user, password).unwrap_err();
        assert!(error.starts_with(expect) && !error.contains("s3"), "{text}: {error}");
        assert!(!without_login(text).contains("s3"), "{text}: {}", without_login(text));
    }
    assert_eq!(without_login("ftp://op:s3cret@h/mi"), "ftp://h/mi");
    assert_eq!(without_login("http://op:s3cret@h/mi"), "http://h/mi");
    for same in ["10.0.0.5:8888/mi", "fifo:/tmp/a@b", "what is this"] {
        assert_eq!(without_login(same), same);
    }
}
