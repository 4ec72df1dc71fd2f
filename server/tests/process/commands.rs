//! The binary itself, as a person at a shell meets it.

use std::{
    io::{Read, Write},
    net::TcpStream,
    os::unix::fs::PermissionsExt,
    process::Command,
    time::{Duration, Instant},
};

use crate::served::{Served, command, run, text};

#[test]
fn it_says_where_it_is_and_a_signal_ends_it_whatever_clients_do() {
    let folder = tempfile::tempdir().unwrap();
    for signal in ["TERM", "INT"] {
        let mut panel = Served::start(folder.path(), &[]);
        assert!(panel.lines[1].contains("/cp/setup?token="), "{:?}", panel.lines);
        // A request that is never finished must not keep it.
        let mut half = TcpStream::connect(&panel.address).unwrap();
        half.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\n").unwrap();
        panel.signal(signal);
        assert!(panel.child.wait().unwrap().success());
    }
    assert!(folder.path().join("tickmark.db").exists());
}

#[test]
fn health_is_told_to_anyone() {
    let folder = tempfile::tempdir().unwrap();
    let mut panel = Served::start(folder.path(), &["serve", "--interval", "1s"]);
    let mut stream = TcpStream::connect(&panel.address).unwrap();
    stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("ok\n"), "{answer}");
    panel.signal("KILL");
    panel.child.wait().unwrap();
    let check = run(folder.path(), &["check"]);
    assert!(check.status.success(), "{}{}", text(&check.stdout), text(&check.stderr));
}

#[test]
fn a_wrong_value_names_the_option_the_value_and_what_is_allowed() {
    let folder = tempfile::tempdir().unwrap();
    let cases: [(&[&str], &[&str]); 4] = [
        (&["--interval", "10"], &["--interval", "10", "10s"]),
        (&["--listen", "here"], &["--listen", "here", "127.0.0.1:8888"]),
        (&["--log", "xml"], &["--log", "xml", "text", "json"]),
        (&["--database", "mysql://x"], &["--database", "mysql", "sqlite"]),
    ];
    for (arguments, named) in cases {
        let output = run(folder.path(), arguments);
        let told = text(&output.stderr);
        assert!(!output.status.success(), "{arguments:?}");
        for word in named {
            assert!(told.contains(word), "{arguments:?} should name {word}: {told}");
        }
    }
}

#[test]
fn a_weak_password_of_admin_is_a_wrong_configuration() {
    let folder = tempfile::tempdir().unwrap();
    let output = command(folder.path(), &[]).env("TICKMARK_ADMIN_PASSWORD", "s3cret").output().unwrap();
    let told = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{told}");
    assert!(told.contains("TICKMARK_ADMIN_PASSWORD") && told.contains("at least 10 characters") && !told.contains("s3cret"), "{told}");
    assert!(!folder.path().join("tickmark.db").exists());
}

#[test]
fn boxes_users_and_tokens_are_managed_beside_a_running_panel() {
    let folder = tempfile::tempdir().unwrap();
    let mut panel = Served::start(folder.path(), &[]);
    let added = run(folder.path(), &["box", "add", "sip1", "http://127.0.0.1:1/mi", "--kind", "opensips", "--interval", "5s"]);
    assert!(added.status.success(), "{}", text(&added.stderr));
    let listed = run(folder.path(), &["box", "list"]);
    assert!(text(&listed.stdout).contains("sip1") && text(&listed.stdout).contains("http://127.0.0.1:1/mi"), "{}", text(&listed.stdout));
    let token = run(folder.path(), &["token", "create", "grafana", "--scope", "read"]);
    let token = text(&token.stdout).split_whitespace().find(|word| word.starts_with("tmk_")).unwrap().to_owned();
    let ask = |path: &str| {
        let mut stream = TcpStream::connect(&panel.address).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    };
    // The panel looks for changes of others twice a second: ask until it has seen this one.
    let began = Instant::now();
    while !ask("/cp/api/v1/boxes").contains("\"sip1\"") {
        assert!(began.elapsed() < Duration::from_secs(60), "{}", ask("/cp/api/v1/boxes"));
        std::thread::yield_now();
    }
    let kept = run(folder.path(), &["box", "remove", "sip1"]);
    assert!(!kept.status.success() && text(&kept.stderr).contains("--history"), "{}", text(&kept.stderr));
    assert!(run(folder.path(), &["box", "remove", "sip1", "--history", "keep"]).status.success());
    panel.signal("TERM");
    panel.child.wait().unwrap();
}

#[test]
fn a_backup_beside_a_running_panel_is_whole() {
    let folder = tempfile::tempdir().unwrap();
    let mut panel = Served::start(folder.path(), &["--interval", "200ms"]);
    for round in 0..3 {
        let file = format!("backup{round}.db");
        let made = run(folder.path(), &["backup", &file]);
        assert!(made.status.success(), "{}{}", text(&made.stdout), text(&made.stderr));
        assert!(text(&made.stdout).contains("samples") && !folder.path().join(format!("{file}.part")).exists());
        let checked = run(folder.path(), &["check", "--database", &format!("sqlite:{file}")]);
        assert!(checked.status.success(), "{}{}", text(&checked.stdout), text(&checked.stderr));
        let listed = run(folder.path(), &["box", "list", "--database", &format!("sqlite:{file}")]);
        assert!(text(&listed.stdout).contains("tickmark"), "{}", text(&listed.stdout));
    }
    let again = run(folder.path(), &["backup", "backup0.db"]);
    assert!(!again.status.success() && text(&again.stderr).contains("is there already"), "{}", text(&again.stderr));
    let nowhere = run(folder.path(), &["backup", "no/such/folder.db"]);
    assert!(!nowhere.status.success() && text(&nowhere.stderr).contains("cannot write no/such/folder.db"), "{}", text(&nowhere.stderr));
    let mode = folder.path().join("backup0.db").metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode, 0o600, "it holds hashes and tokens");
    panel.signal("TERM");
    panel.child.wait().unwrap();
}

#[test]
fn a_panel_is_moved_beside_itself() {
    let folder = tempfile::tempdir().unwrap();
    let mut panel = Served::start_set_up(folder.path(), &["--interval", "200ms"]);
    assert!(run(folder.path(), &["box", "add", "sip1", "http://127.0.0.1:1/mi", "--kind", "opensips"]).status.success());
    let exported = run(folder.path(), &["export", "moved"]);
    let said = text(&exported.stdout);
    assert!(exported.status.success() && said.contains("moved holds 2 boxes") && said.contains("--key-file"), "{exported:?}");
    assert!(text(&exported.stderr).contains("exported 100 %"), "{exported:?}");
    assert_eq!(folder.path().join("moved").metadata().unwrap().permissions().mode() & 0o777, 0o600, "it holds hashes and tokens");
    let import = |file: &str, database: &str| run(folder.path(), &["import", file, "--database", database]);
    let there = import("moved", "sqlite:there.db");
    let said = text(&there.stdout);
    assert!(there.status.success() && said.contains("there.db holds all of moved, compared row by row: 2 boxes"), "{there:?}");
    let told = text(&there.stderr);
    assert!(["checked 100 %", "imported 100 %", "compared 100 %"].iter().all(|word| told.contains(word)), "{told}");
    let again = import("moved", "sqlite:there.db");
    assert!(again.status.success() && text(&again.stdout).contains("before: nothing is left to do"), "{again:?}");
    let listed = run(folder.path(), &["box", "list", "--database", "sqlite:there.db"]);
    assert!(text(&listed.stdout).contains("sip1"), "{listed:?}");
    let used = import("moved", "sqlite:tickmark.db");
    assert!(!used.status.success() && text(&used.stderr).contains("another Tickmark serves tickmark.db"), "{used:?}");
    panel.signal("TERM");
    panel.child.wait().unwrap();
    let full = import("moved", "sqlite:tickmark.db");
    assert!(!full.status.success() && text(&full.stderr).contains("this database holds boxes (tickmark, sip1) already"), "{full:?}");
    std::fs::write(folder.path().join("other"), "no export").unwrap();
    let other = import("other", "sqlite:new.db");
    assert!(!other.status.success() && text(&other.stderr).contains("other is no export of Tickmark"), "{other:?}");
    assert!(!folder.path().join("new.db").exists(), "nothing is made for a file that cannot be read");
}

#[test]
fn help_documents_every_flag() {
    let folder = tempfile::tempdir().unwrap();
    let help = text(&run(folder.path(), &["serve", "--help"]).stdout);
    for flag in ["listen", "database", "interval", "mi-listen", "mi-fifo", "tls-cert", "tls-key", "log", "config"] {
        assert!(help.contains(&format!("--{flag}")), "--{flag}");
        assert!(help.contains(&format!("TICKMARK_{}", flag.replace('-', "_").to_uppercase())), "{flag}");
    }
    assert!(help.contains("TICKMARK_ADMIN_PASSWORD"));
    for command in ["box", "user", "token", "get", "list", "reset", "watch", "check", "backup", "import", "export"] {
        assert!(text(&run(folder.path(), &["--help"]).stdout).contains(command), "{command}");
    }
}

#[test]
fn make_finds_cargo_where_rustup_puts_it() {
    let makefile = concat!(env!("CARGO_MANIFEST_DIR"), "/../Makefile");
    let print = ["-f", makefile, "--no-print-directory", "--eval", "tell-path: ; @echo $$PATH", "tell-path"];
    let path = std::env::var_os("PATH").unwrap();
    let told = Command::new("make").args(print).env_clear().env("PATH", &path).env("HOME", "/home/ann").output().unwrap();
    let (told, path) = (text(&told.stdout), path.into_string().unwrap());
    // Behind what is there already: a cargo of one's own choice stays the one.
    let added = told.trim_end().strip_prefix(&path).unwrap_or_else(|| panic!("{told}"));
    assert!(added.split(':').any(|folder| folder == "/home/ann/.cargo/bin"), "{told}");
}
