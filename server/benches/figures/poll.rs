//! What a poll of four hundred statistics costs: from its bytes to the board, and all of it, over HTTP until it is stored.

use std::{
    fmt::Write as _,
    net::SocketAddr,
    thread,
    time::{Duration, Instant},
};

use app::model::{BoxKind, Origin};
use server::{
    board::{BoxNow, Rules},
    source::Replies,
    store::{BoxSpec, StoredBox, TickRule},
};

use crate::{
    Outcome,
    client::{Client, get},
    clocks,
    panel::Panel,
    roles::Role,
    table::Spread,
    traffic::{self, Traffic},
};

/// The statistics of the box.
pub(crate) const STATISTICS: usize = 400;
/// So many different answers in a row.
const ANSWERS: usize = 64;
/// So many rounds of them are timed.
const ROUNDS: usize = 200;
/// Whole polls are counted in windows of so long.
const WINDOW: Duration = Duration::from_secs(2);
const WINDOWS: usize = 5;

/// Microseconds of processor time from the bytes of an answer to the board.
pub(crate) fn to_board() -> Outcome<Spread> {
    let (names, mut traffic) = (traffic::names(STATISTICS), Traffic::new(STATISTICS));
    let bodies: Vec<String> = (0..ANSWERS).map(|second| traffic::reply(&names, traffic.next(), second as u64, "1")).collect();
    let mut replies = Replies::new(BoxKind::Opensips);
    let mut now = BoxNow::new(
        a_box(),
        Rules::new(vec![TickRule { pattern: "*".to_owned(), except: false, origin: Origin::Panel }]),
        Vec::new(),
        1_000,
    );
    let (mut at_ms, mut instant) = (1_760_000_000_000, Instant::now());
    let (mut took, mut restarts) = (Vec::with_capacity(ROUNDS), 0);
    for round in 0..=ROUNDS {
        let begun = clocks::thread_us();
        for body in &bodies {
            let answer = replies.read(body.as_bytes(), 1, at_ms)?;
            restarts += usize::from(now.apply(&answer, None, instant).restarted);
            at_ms += 1_000;
            instant += Duration::from_secs(1);
        }
        #[expect(clippy::cast_precision_loss, reason = "a few")]
        let each = (clocks::thread_us() - begun) / ANSWERS as f64;
        if round > 0 {
            took.push(each);
        }
    }
    // The answers begin anew in each round, and with them the uptime.
    let whole = now.values.len() == STATISTICS && restarts == ROUNDS;
    if whole { Ok(Spread::of(took)) } else { Err("the board did not take all that was said".into()) }
}

/// The bytes of one answer, for what stands beside.
pub(crate) fn one_answer() -> String {
    traffic::reply(&traffic::names(STATISTICS), Traffic::new(STATISTICS).next(), 81, "1")
}

fn a_box() -> StoredBox {
    let spec = BoxSpec { interval_ms: Some(1_000), ..BoxSpec::new("sip1", BoxKind::Opensips, "http://127.0.0.1:9/mi") };
    StoredBox { id: 1, spec }
}

/// Microseconds of the panel's processor time for a whole poll: everything that its process does, divided by the polls of so many
/// boxes that are asked every 200 ms.
pub(crate) fn whole(boxes: usize) -> Outcome<Spread> {
    let fake = Role::a_box(STATISTICS)?;
    let mut config = String::new();
    for number in 1..=boxes {
        let address = fake.address;
        write!(
            config,
            "[[box]]\nname = \"sip{number}\"\nkind = \"opensips\"\naddress = \"http://{address}/mi\"\ninterval = \"200ms\"\nticks = [\"*\"]\n"
        )?;
    }
    let panel = Panel::start(tempfile::tempdir()?, &config, "10s")?;
    for number in 1..=boxes {
        let all = format!("\"statistics\":{STATISTICS},\"recorded\":{STATISTICS}");
        panel.until(&format!("/cp/api/v1/boxes/sip{number}"), |text| text.contains(&all))?;
    }
    let mut took = Vec::with_capacity(WINDOWS);
    for window in 0..=WINDOWS {
        let (polls, cpu_us) = (polls_of(fake.address)?, clocks::process_of_us(panel.pid())?);
        thread::sleep(WINDOW);
        let used_us = clocks::process_of_us(panel.pid())? - cpu_us;
        let each = used_us / (polls_of(fake.address)? - polls);
        if window > 0 {
            took.push(each);
        }
    }
    Ok(Spread::of(took))
}

fn polls_of(fake: SocketAddr) -> Outcome<f64> {
    let mut client = Client::connect(fake)?;
    client.ask(&get("/polls", ""))?;
    Ok(String::from_utf8_lossy(&client.body).parse()?)
}
