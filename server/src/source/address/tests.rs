use super::{
    parse::{MAX_ADDRESS_BYTES, MAX_SOCKET_PATH_BYTES},
    *,
};

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
    check("http://admin:secret@h/mi", Err("their own fields"));
    check("admin@h/mi", Err("their own fields"));
    check("http://h/mi#x", Err("#"));
    check("https://h/mi#x", Err("ca=/a/file"));
    check("https://h/mi#verify=on", Err("verify=off"));
    check("https://h/mi#ca=ca.pem", Err("the whole path"));
    check("https://h/mi#key=/k.pem", Err("cert=/a/file"));
    check("https://h/mi#ca=/c.pem&verify=off", Err("leave one of the two out"));
    check("https://a:b@h/mi#verify=off", Err("their own fields"));
    check("http://h/m i", Err("space"));
    check("http:\\\\h", Err("backslash"));
    check(&format!("h/{}", "x".repeat(MAX_ADDRESS_BYTES)), Err("longer"));
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
    check("udp://a:b@h:1", Err("their own fields"));
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
