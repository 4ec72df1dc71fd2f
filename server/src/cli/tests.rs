use clap::CommandFactory;

use super::*;

async fn ran(words: &[&str]) -> Result<Outcome, String> {
    let words = std::iter::once("tickmark").chain(words.iter().copied());
    let cli = Cli::try_parse_from(words).map_err(|error| error.to_string())?;
    run(cli, &Environment::default()).await.map_err(|error| format!("{:?}: {error}", error.exit_code()))
}

fn refused(words: &[&str]) -> String {
    let words = std::iter::once("tickmark").chain(words.iter().copied());
    Cli::try_parse_from(words).unwrap_err().to_string()
}

#[test]
fn the_command_line_is_sound() {
    Cli::command().debug_assert();
}

#[tokio::test]
async fn serve_need_not_be_named() {
    for words in [&["--listen", "127.0.0.1:9"][..], &["serve", "--listen", "127.0.0.1:9"], &["--listen", "127.0.0.1:9", "serve"]] {
        let Ok(Outcome::Serve(config)) = ran(words).await else { panic!("{words:?}") };
        assert_eq!(config.listen.port(), 9);
    }
    let Ok(Outcome::Serve(config)) = ran(&["serve", "--database", "sqlite:x.db"]).await else { panic!("no serve") };
    assert_eq!(config.database.url(), "sqlite:x.db");
}

#[tokio::test]
async fn an_option_of_serve_does_not_fit_other_commands() {
    let error = ran(&["--listen", "127.0.0.1:9", "user", "list"]).await.unwrap_err();
    assert!(error.contains("--listen is an option of tickmark serve"), "{error}");
}

#[tokio::test]
async fn an_account_of_the_configuration_file_is_changed_there() {
    let folder = tempfile::tempdir().unwrap();
    let database = format!("sqlite:{}", folder.path().join("t.db").display());
    let store = Store::open(&database).await.unwrap();
    for (name, origin) in [("ann", app::model::Origin::Config), ("bob", app::model::Origin::Panel)] {
        store.add_account(name, "x", 0).await.unwrap();
        store.set_account_origin(name, origin).await.unwrap();
    }
    for words in [["user", "remove", "ann"], ["user", "password", "ann"]] {
        let error = ran(&[&words[..], &["--database", &database]].concat()).await.unwrap_err();
        assert!(error.contains("the account ann comes from the configuration file: change it there"), "{error}");
    }
    ran(&["user", "remove", "bob", "--database", &database]).await.unwrap();
    assert_eq!(store.accounts().await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_database_that_is_not_there_is_said() {
    for words in [&["user", "list"][..], &["box", "list"], &["token", "revoke", "x"], &["check"], &["export", "x"]] {
        let error = ran(&[words, &["--database", "sqlite:/nowhere/t.db"]].concat()).await.unwrap_err();
        assert!(error.contains("there is no database /nowhere/t.db") && error.contains("--database"), "{error}");
    }
}

#[test]
fn a_wrong_value_names_the_option_the_value_and_what_is_allowed() {
    #[track_caller]
    fn check(words: &[&str], parts: &[&str]) {
        let error = refused(words);
        assert!(parts.iter().all(|part| error.contains(part)), "{error}");
    }
    check(&["box", "add", "s", "h", "--interval", "5x"], &["--interval", "5x", "500ms"]);
    check(&["box", "add", "s", "h", "--interval", "2h"], &["--interval", "2h", "200ms to 1h"]);
    check(&["box", "add", "s", "h", "--kind", "asterisk"], &["--kind", "asterisk", "opensips, opensips2, kamailio, prometheus"]);
    check(&["box", "add", "1s", "h"], &["NAME", "1s", "a letter first"]);
    check(&["box", "add", "s", "h", "--label", "x"], &["--label", "KEY=VALUE"]);
    check(&["box", "remove", "s"], &["--history"]);
    check(&["token", "create", "t", "--scope", "root"], &["--scope", "root", "read, tick, push or admin"]);
    check(&["token", "create", "t"], &["--scope"]);
    check(&["user", "add", "a b"], &["NAME", "a b", "letters"]);
}

#[test]
fn help_names_every_option_and_variable() {
    let help = Cli::command().render_long_help().to_string();
    for option in crate::config::option_names() {
        let variable = format!("TICKMARK_{}", option.to_ascii_uppercase());
        assert!(help.contains(&variable), "{variable} is not in\n{help}");
        if !["log_filter", "mi_token"].contains(&option) {
            assert!(help.contains(&format!("--{}", option.replace('_', "-"))), "{option}");
        }
    }
    for word in ["TICKMARK_CONFIG", "TICKMARK_ADMIN_PASSWORD", "Exit codes", "[[box]]", "[[user]]", "password_file"] {
        assert!(help.contains(word), "{word}");
    }
}

#[test]
fn tables_are_aligned() {
    let mut out = Vec::new();
    let rows = [["a", "bb", ""], ["ccc", "d", "e"]].map(|row| row.map(str::to_owned).to_vec());
    print_table(&mut out, &rows).unwrap();
    assert_eq!(String::from_utf8(out).unwrap(), "a    bb\nccc  d   e\n");
}

#[tokio::test]
async fn a_login_in_an_address_becomes_user_and_password() {
    const ADDRESS: &str = "http://op:s3cret@127.0.0.1:1/mi";
    let folder = tempfile::tempdir().unwrap();
    let database = format!("sqlite:{}", folder.path().join("t.db").display());
    ran(&["box", "add", "sip1", ADDRESS, "--kind", "opensips", "--database", &database]).await.unwrap();
    let spec = Store::open(&database).await.unwrap().boxes().await.unwrap().remove(0).spec;
    assert_eq!((spec.address.as_str(), spec.user.as_deref()), ("http://127.0.0.1:1/mi", Some("op")));
    let vault = crate::vault::Vault::open(&folder.path().join("tickmark.key")).unwrap();
    assert_eq!(vault.unseal(&spec.password_sealed.unwrap()).unwrap().0, "s3cret");
    for command in [&["get"][..], &["list"], &["watch"], &["box", "probe"], &["box", "add", "sip2"]] {
        let error = ran(&[command, &[ADDRESS, "--user", "other"]].concat()).await.unwrap_err();
        let expect = format!("{:?}: ADDRESS: the address names another user, \"op\"; give one of the two", ExitCode::from(2));
        assert_eq!(error, expect, "{command:?}");
    }
}
