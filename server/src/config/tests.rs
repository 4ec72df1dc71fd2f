use std::fs;

use super::*;

/// Loads with flags, variables and the text of a file.
fn load(flags: &ServeFlags, env: &[(&str, &str)], file: &str) -> Result<ServeConfig, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.toml");
    fs::write(&path, file).unwrap();
    let path = path.display().to_string();
    let common = CommonFlags { config: Some(path.clone()), ..CommonFlags::default() };
    let env = env.iter().copied().collect();
    ServeConfig::load(flags, &common, &env).map_err(|error| error.to_string().replace(&path, "t.toml"))
}

fn listen(address: &str) -> ServeFlags {
    ServeFlags { listen: Some(address.to_owned()), ..ServeFlags::default() }
}

#[test]
fn defaults() {
    let config = load(&ServeFlags::default(), &[], "").unwrap();
    assert_eq!(config.listen.to_string(), "127.0.0.1:8888");
    assert_eq!(config.database.url(), "sqlite:tickmark.db");
    assert_eq!(config.key_file, Some("tickmark.key".into()));
    assert_eq!(config.interval, Duration::from_secs(10));
    assert_eq!(config.log, LogConfig { format: LogFormat::Text, filter: "info".to_owned() });
    assert_eq!((config.admin_password, config.tls, config.provided), (None, None, Provided::default()));
    assert_eq!(config.notices, [""; 0]);
}

#[test]
fn flags_before_variables_before_the_file() {
    let file = "listen = '127.0.0.3:3'\ninterval = '3s'\nlog = 'json'";
    let env = [("TICKMARK_LISTEN", "127.0.0.2:2"), ("TICKMARK_INTERVAL", "2s"), ("TICKMARK_LOG", "")];
    let config = load(&listen("127.0.0.1:1"), &env, file).unwrap();
    assert_eq!(config.listen.port(), 1);
    assert_eq!(config.interval, Duration::from_secs(2));
    assert_eq!(config.log.format, LogFormat::Json);
    assert_eq!(load(&ServeFlags::default(), &env, file).unwrap().listen.port(), 2);
    assert_eq!(load(&ServeFlags::default(), &[], file).unwrap().listen.port(), 3);
}

#[test]
fn where_people_find_the_panel_is_an_address_of_the_web() {
    let url = |text: &str| load(&ServeFlags::default(), &[("TICKMARK_PUBLIC_URL", text)], "public_url = 'https://file.example'");
    assert_eq!(url("").unwrap().public_url.unwrap(), "https://file.example/cp");
    for (text, base) in [
        ("https://panel.example.org", "https://panel.example.org/cp"),
        ("http://10.0.0.5:8888/cp/", "http://10.0.0.5:8888/cp"),
        ("https://example.org/tickmark/", "https://example.org/tickmark/cp"),
    ] {
        assert_eq!(url(text).unwrap().public_url.unwrap(), base);
    }
    for (text, why) in [
        ("panel.example.org", "\"panel.example.org\" is no address of the web: write such as https://panel.example.org"),
        ("ftp://panel.example.org", "is no address of the web"),
        ("https://panel.example.org/?a=b", "goes on behind the path"),
        ("https://ann:s3cret@panel.example.org", "TICKMARK_PUBLIC_URL: an address for everybody holds no user and no password"),
    ] {
        let said = url(text).unwrap_err();
        assert!(said.contains(why) && !said.contains("s3cret"), "{said}");
    }
    let flags = ServeFlags { public_url: Some("https://flag.example".to_owned()), ..ServeFlags::default() };
    assert_eq!(load(&flags, &[("TICKMARK_PUBLIC_URL", "http://other")], "").unwrap().public_url.unwrap(), "https://flag.example/cp");
}

#[test]
fn a_wrong_value_names_where_it_was_given() {
    let allowed = "is no address and port: write such as 127.0.0.1:8888, 0.0.0.0:8888 (every address of this host) or [::1]:8888";
    assert_eq!(load(&listen("8888"), &[], "").unwrap_err(), format!("--listen: \"8888\" {allowed}"));
    let env = [("TICKMARK_LISTEN", "x")];
    assert_eq!(load(&ServeFlags::default(), &env, "").unwrap_err(), format!("TICKMARK_LISTEN: \"x\" {allowed}"));
    assert_eq!(load(&ServeFlags::default(), &[], "listen='x'").unwrap_err(), format!("t.toml: listen: \"x\" {allowed}"));
    let numeric = load(&ServeFlags::default(), &[], "interval=10").unwrap_err();
    assert_eq!(numeric, "t.toml: interval: 10 is no text: write it in quotes");
    let log = load(&ServeFlags::default(), &[("TICKMARK_LOG", "xml")], "").unwrap_err();
    assert_eq!(log, "TICKMARK_LOG: \"xml\" is no log format: text or json is allowed");
    let flags = ServeFlags { mi_listen: Some("x".to_owned()), ..ServeFlags::default() };
    assert!(load(&flags, &[], "").unwrap_err().starts_with("--mi-listen: "));
    let filter = load(&ServeFlags::default(), &[("TICKMARK_LOG_FILTER", "server=loud")], "").unwrap_err();
    assert!(filter.starts_with("TICKMARK_LOG_FILTER: \"server=loud\" is no log filter"), "{filter}");
}

#[test]
fn where_the_management_interface_listens() {
    let flag = |text: &str| load(&ServeFlags { mi_listen: Some(text.to_owned()), ..ServeFlags::default() }, &[], "").unwrap().mi.listen;
    let default = load(&ServeFlags::default(), &[], "").unwrap().mi;
    assert_eq!((default.listen, default.get_writes, default.token), (MiAddress::Default(DEFAULT_MI), false, None));
    // Whoever names the default asks for it.
    assert_eq!((flag("127.0.0.1:8081"), flag("off")), (MiAddress::Asked(DEFAULT_MI), MiAddress::Off));
    let env = [("TICKMARK_MI_GET", "write"), ("TICKMARK_MI_TOKEN", "s3cret-and-long-enough")];
    let config = load(&ServeFlags::default(), &env, "mi_fifo = '/run/x'").unwrap().mi;
    assert_eq!((config.get_writes, config.fifo), (true, Some("/run/x".into())));
    assert_eq!(config.token, Some(Secret("s3cret-and-long-enough".to_owned())));
    let error = load(&ServeFlags::default(), &[("TICKMARK_MI_TOKEN", "s3cret")], "").unwrap_err();
    assert_eq!(error, "TICKMARK_MI_TOKEN: a token has at least 16 characters of ASCII, and no spaces");
    assert_eq!(
        load(&ServeFlags::default(), &[("TICKMARK_MI_GET", "x")], "").unwrap_err(),
        "TICKMARK_MI_GET: \"x\" is neither read nor write"
    );
}

#[test]
fn a_file_that_is_wrong_is_named() {
    let error = load(&ServeFlags::default(), &[], "lisen = '127.0.0.1:1'").unwrap_err();
    assert!(
        error
            .starts_with("t.toml: there is no key \"lisen\"; did you mean \"listen\"? allowed are listen, public_url, database, key_file,"),
        "{error}"
    );
    let error = load(&ServeFlags::default(), &[], "listen = ").unwrap_err();
    assert!(error.starts_with("the configuration file t.toml is not TOML: ") && error.contains("line 1"), "{error}");
    let common = CommonFlags { config: Some("/nowhere/t.toml".to_owned()), ..CommonFlags::default() };
    let error = ServeConfig::load(&ServeFlags::default(), &common, &Environment::default()).unwrap_err().to_string();
    assert!(error.starts_with("the configuration file /nowhere/t.toml cannot be read: "), "{error}");
}

#[test]
fn the_key_file_lies_beside_the_database_unless_told_otherwise() {
    let at = |file: &str| load(&ServeFlags::default(), &[], file).unwrap().key_file;
    assert_eq!(at("database = 'sqlite:/a/t.db'"), Some("/a/tickmark.key".into()));
    assert_eq!(at("database = 'postgres://db/t'"), Some("tickmark.key".into()));
    assert_eq!(at("database = 'postgres://db/t'\nkey_file = '/b/c.key'"), Some("/b/c.key".into()));
}

#[test]
fn a_variable_that_is_none_is_noticed() {
    let others =
        [("TICKMARK_CONFIG", ""), ("TICKMARK_ADMIN_PASSWORD", "long enough"), ("TICKMARK_CLIENT_TOOLCHAIN", "debian"), ("OTHER", "y")];
    let env = [&[("TICKMARK_LISSTEN", "x")], &others[..]].concat();
    let notices = load(&ServeFlags::default(), &env, "").unwrap().notices;
    assert_eq!(notices, ["The variable TICKMARK_LISSTEN is set, but there is no such option, did you mean TICKMARK_LISTEN?"]);
}

#[test]
fn secrets_do_not_show() {
    let env = [("TICKMARK_ADMIN_PASSWORD", "s3cret horse")];
    let config = load(&ServeFlags::default(), &env, "").unwrap();
    assert_eq!(config.admin_password, Some(Secret("s3cret horse".to_owned())));
    assert!(!format!("{config:?}").contains("s3cret"));
    assert!(!format!("{:?}", env.into_iter().collect::<Environment>()).contains("s3cret"));
}

#[test]
fn the_password_of_admin_is_checked_before_anything_is_opened() {
    let error = load(&ServeFlags::default(), &[("TICKMARK_ADMIN_PASSWORD", "s3cret")], "").unwrap_err();
    assert_eq!(error, "TICKMARK_ADMIN_PASSWORD: the password is too short: at least 10 characters are needed");
    assert_eq!(load(&ServeFlags::default(), &[("TICKMARK_ADMIN_PASSWORD", "")], "").unwrap().admin_password, None);
}

#[test]
fn the_password_of_admin_gives_way_to_the_file_and_says_so() {
    let env = [("TICKMARK_ADMIN_PASSWORD", "long enough")];
    let config = load(&ServeFlags::default(), &env, "[[user]]\nname='admin'\npassword='another one'").unwrap();
    assert_eq!(config.admin_password, None);
    assert_eq!(config.notices, ["TICKMARK_ADMIN_PASSWORD is set and not used: the configuration file says the password of admin."]);
    let config = load(&ServeFlags::default(), &env, "[[user]]\nname='ann'\npassword='another one'").unwrap();
    assert_eq!((config.admin_password.is_some(), config.notices.len()), (true, 0));
}

#[test]
fn localhost_is_an_address() {
    assert_eq!(load(&listen("localhost:9000"), &[], "").unwrap().listen.to_string(), "127.0.0.1:9000");
    assert_eq!(load(&listen("[::]:9000"), &[], "").unwrap().listen.to_string(), "[::]:9000");
}

#[test]
fn https_needs_both_files() {
    let flags = ServeFlags { tls_cert: Some("cert.pem".to_owned()), ..ServeFlags::default() };
    let refused = load(&flags, &[], "").unwrap_err();
    assert!(refused.contains("tls_key is missing"), "{refused}");
    let config = load(&flags, &[("TICKMARK_TLS_KEY", "key.pem")], "").unwrap();
    assert_eq!(config.tls, Some(TlsFiles { cert: "cert.pem".into(), key: "key.pem".into() }));
}
