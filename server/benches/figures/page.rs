//! Realtime Statistics under load, and what a first visit brings over the wire.

use std::time::Duration;

use crate::{
    Outcome,
    client::{Client, Load, get, load, post},
    panel::{PASSWORD, Panel},
    roles::Role,
};

/// The statistics of the box.
pub(crate) const STATISTICS: usize = 187;
/// Those who ask at once.
const CONNECTIONS: usize = 8;
const WINDOWS: usize = 5;
const WINDOW: Duration = Duration::from_millis(1_000);
/// What a browser says it takes.
const BROWSER: &str = "Accept-Encoding: gzip, deflate, br, zstd\r\n";

/// Requests a second.
pub(crate) struct Loads {
    pub(crate) plain: Load,
    pub(crate) brotli: Load,
    pub(crate) gzip: Load,
    /// A bare server's two letters, and as many bytes as the page has.
    pub(crate) bare: Load,
    pub(crate) bare_page: Load,
    /// Bytes of a first visit, and of it the client.
    pub(crate) visit: Visit,
}

/// Bytes on the wire.
pub(crate) struct Visit {
    pub(crate) all: u64,
    pub(crate) client: u64,
}

/// Loads the page in its three forms, then a bare server.
pub(crate) fn measure() -> Outcome<Loads> {
    let fake = Role::a_box(STATISTICS)?;
    let ticks = r#"["core:rcv_requests", "core:rcv_replies", "dialog:", "tm:"]"#;
    let address = fake.address;
    let config =
        format!("[[box]]\nname = \"sip1\"\nkind = \"opensips\"\naddress = \"http://{address}/mi\"\ninterval = \"1s\"\nticks = {ticks}\n");
    let panel = Panel::start(tempfile::tempdir()?, &config, "10s")?;
    panel.until("/cp/api/v1/boxes/sip1", |text| text.contains(&format!("\"statistics\":{STATISTICS}")))?;
    let session = sign_in(&panel)?;
    // Spark lines are full after forty polls, the points of the one that moves most two pixels apart; until then the page is smaller.
    let is_full = |text: &str| text.split("class=\"spark\"").any(|row| row.matches('L').count() > 36);
    panel.until_with(&session, "/cp?box=sip1", is_full)?;
    let of_page = |coding: &str| load_it(&panel, "/cp?box=sip1", &format!("{session}{coding}"));
    let plain = of_page("")?;
    let brotli = of_page("Accept-Encoding: br\r\n")?;
    let gzip = of_page("Accept-Encoding: gzip\r\n")?;
    let visit = visit(&panel, &session)?;
    drop(panel);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the size of a page")]
    let server = Role::bare(plain.bytes as usize)?;
    let bare = |path| load(server.address, &get(path, ""), CONNECTIONS, WINDOWS, WINDOW);
    Ok(Loads { plain, brotli, gzip, bare: bare("/")?, bare_page: bare("/page")?, visit })
}

fn load_it(panel: &Panel, path: &str, headers: &str) -> Outcome<Load> {
    load(panel.address, &get(path, headers), CONNECTIONS, WINDOWS, WINDOW)
}

/// The header of a session.
pub(crate) fn sign_in(panel: &Panel) -> Outcome<String> {
    let mut client = Client::connect(panel.address)?;
    client.ask(&post("/cp/api/v1/login", "", &format!(r#"{{"user":"admin","password":"{PASSWORD}"}}"#)))?;
    Ok(format!("Cookie: {}\r\n", client.cookies.join("; ")))
}

/// The page and everything it names, as a browser fetches it.
fn visit(panel: &Panel, session: &str) -> Outcome<Visit> {
    let mut client = Client::connect(panel.address)?;
    client.ask(&get("/cp?box=sip1", session))?;
    let page = String::from_utf8_lossy(&client.body).into_owned();
    let mut files: Vec<&str> = page.split('"').filter(|part| part.starts_with("/cp/assets/")).collect();
    files.sort_unstable();
    files.dedup();
    client.received = 0;
    client.ask(&get("/cp?box=sip1", &format!("{session}{BROWSER}")))?;
    let mut visit = Visit { all: client.received, client: 0 };
    for file in files {
        client.received = 0;
        client.ask(&get(file, &format!("{session}{BROWSER}")))?;
        visit.all += client.received;
        if !file.ends_with(".css") && !file.ends_with(".svg") {
            visit.client += client.body.len() as u64;
        }
    }
    Ok(visit)
}
