//! Slows down guessing: a growing delay for each client that gave wrong passwords. Pure: time is passed in.
//!
//! A client waits for its own failures; neither other clients nor accounts are ever locked. It is known by its address. Two things
//! need more than that:
//! - Strangers may share an address (a network behind one router, a name in a header). A browser that signed in before is known by its
//!   cookie instead, so that nobody at its address can make it wait.
//! - A proxy on this very host names addresses in `X-Forwarded-For`, and so could any program there, another one at each try. Such
//!   addresses are not those of connections, whose owners they must not harm; and all of them together have a pace, so that naming
//!   ever new ones gives no more tries than that.

use std::{
    collections::HashMap,
    fmt,
    net::{IpAddr, Ipv6Addr},
    time::Duration,
};

use axum::http::HeaderMap;

use super::device::Device;

/// So many wrong passwords cost no delay: people mistype.
pub(super) const FREE_TRIES: u32 = 5;
/// The delay after the first wrong password beyond that; it doubles with each further one.
pub(super) const FIRST_DELAY: Duration = Duration::from_secs(1);
/// The delay grows no further than this.
pub(super) const MAX_DELAY: Duration = Duration::from_secs(5 * 60);
/// So many wrong passwords from all addresses that were named in a header cost no delay but their own.
pub(super) const FREE_NAMED_TRIES: u32 = 100;
/// After that, one is taken in this time: more than people mistype, and too few to guess.
pub(super) const NAMED_DELAY: Duration = Duration::from_secs(5);
/// Failures are forgotten after so much quiet.
pub(super) const FORGET_AFTER: Duration = Duration::from_secs(60 * 60);
/// So many clients are remembered; then the one that was quiet the longest is forgotten.
pub(super) const MAX_CLIENTS: usize = 10_000;

/// How failures become a delay.
#[derive(Clone, Copy, Debug)]
struct Pace {
    free: u32,
    first: Duration,
    max: Duration,
}

const OWN: Pace = Pace { free: FREE_TRIES, first: FIRST_DELAY, max: MAX_DELAY };
const NAMED: Pace = Pace { free: FREE_NAMED_TRIES, first: NAMED_DELAY, max: NAMED_DELAY };

/// What is remembered of one client, or of all that were named.
#[derive(Clone, Copy, Debug, Default)]
struct Failures {
    count: u32,
    last_ms: i64,
}

impl Failures {
    fn wait(self, pace: Pace, now_ms: i64) -> Duration {
        let Some(beyond) = self.count.checked_sub(pace.free) else { return Duration::ZERO };
        let delay = pace.first.saturating_mul(2_u32.saturating_pow(beyond)).min(pace.max);
        let wait_ms = self.last_ms.saturating_add(millis(delay)).saturating_sub(now_ms);
        // A clock that was set back must not make anybody wait longer than the longest delay.
        Duration::from_millis(u64::try_from(wait_ms).unwrap_or(0)).min(pace.max)
    }

    fn is_forgotten(self, now_ms: i64) -> bool {
        now_ms.saturating_sub(self.last_ms) >= millis(FORGET_AFTER)
    }

    /// With one more, unless they are forgotten.
    fn and_one(self, now_ms: i64) -> Self {
        let count = if self.is_forgotten(now_ms) { 0 } else { self.count };
        Self { count: count.saturating_add(1), last_ms: now_ms }
    }

    fn less_one(&mut self) {
        self.count = self.count.saturating_sub(1);
    }
}

/// Who tries to sign in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Client {
    address: IpAddr,
    known_by: KnownBy,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum KnownBy {
    /// The connection comes from this address.
    Connection,
    /// A header names it.
    Header,
    /// The browser signed in before.
    Cookie(Device),
}

/// Whose failures are counted together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Key {
    Connection(IpAddr),
    Named(IpAddr),
    Device(Device),
}

impl Client {
    /// From whom the connection is, what the headers say, and the browser, where it is known.
    #[must_use]
    pub fn new(peer: IpAddr, headers: &HeaderMap, device: Option<Device>) -> Self {
        let peer = peer.to_canonical();
        let named = forwarded_for(peer, headers);
        let known_by = match device {
            Some(device) => KnownBy::Cookie(device),
            None if named.is_some() => KnownBy::Header,
            None => KnownBy::Connection,
        };
        Self { address: named.unwrap_or(peer), known_by }
    }

    fn key(self) -> Key {
        match self.known_by {
            KnownBy::Connection => Key::Connection(network(self.address)),
            KnownBy::Header => Key::Named(network(self.address)),
            KnownBy::Cookie(device) => Key::Device(device),
        }
    }

    fn is_named(self) -> bool {
        self.known_by == KnownBy::Header
    }
}

impl fmt::Display for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let by = match self.known_by {
            KnownBy::Connection => "",
            KnownBy::Header => ", as this host's proxy says",
            KnownBy::Cookie(_) => ", from a browser that signed in before",
        };
        write!(f, "{}{by}", self.address)
    }
}

/// The failures of all clients.
#[derive(Debug, Default)]
pub struct Throttle {
    clients: HashMap<Key, Failures>,
    /// Those of all addresses that were named in a header.
    named: Failures,
}

impl Throttle {
    /// Begins a try: counted as failed until [`Self::succeeded`], so that tries at the same time cannot slip past the delay.
    ///
    /// # Errors
    /// How long to wait, when this client failed too often.
    pub fn begin(&mut self, client: Client, now_ms: i64) -> Result<(), Duration> {
        let key = client.key();
        let known = self.clients.get(&key).copied();
        let own = known.filter(|failures| !failures.is_forgotten(now_ms)).map_or(Duration::ZERO, |failures| failures.wait(OWN, now_ms));
        let wait = if client.is_named() && !self.named.is_forgotten(now_ms) { own.max(self.named.wait(NAMED, now_ms)) } else { own };
        if !wait.is_zero() {
            return Err(wait);
        }
        if known.is_none() {
            self.make_room(now_ms);
        }
        self.clients.insert(key, known.unwrap_or_default().and_one(now_ms));
        if client.is_named() {
            self.named = self.named.and_one(now_ms);
        }
        Ok(())
    }

    /// The try was right: the client begins anew.
    pub fn succeeded(&mut self, client: Client) {
        self.clients.remove(&client.key());
        if client.is_named() {
            self.named.less_one();
        }
    }

    /// The try was neither right nor wrong, as nothing was checked: it does not count.
    pub fn not_checked(&mut self, client: Client) {
        if let Some(failures) = self.clients.get_mut(&client.key()) {
            failures.less_one();
        }
        if client.is_named() {
            self.named.less_one();
        }
    }

    fn make_room(&mut self, now_ms: i64) {
        if self.clients.len() < MAX_CLIENTS {
            return;
        }
        self.clients.retain(|_, failures| !failures.is_forgotten(now_ms));
        if self.clients.len() >= MAX_CLIENTS {
            let quietest = self.clients.iter().min_by_key(|(_, failures)| failures.last_ms).map(|(key, _)| *key);
            quietest.map(|key| self.clients.remove(&key));
        }
    }
}

/// The address that a proxy on this very host was asked from: it appends it to `X-Forwarded-For`. From elsewhere the header is
/// anybody's claim and is not read.
fn forwarded_for(peer: IpAddr, headers: &HeaderMap) -> Option<IpAddr> {
    let forwarded = headers.get_all("x-forwarded-for").iter().next_back().filter(|_| peer.is_loopback())?;
    let last = forwarded.to_str().ok()?.rsplit(',').next()?;
    last.trim().parse::<IpAddr>().ok().map(|address| address.to_canonical())
}

/// What counts as one address: an IPv4 address, or the 64 bits of an IPv6 address that a customer usually gets as a whole.
fn network(client: IpAddr) -> IpAddr {
    match client.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX))),
        address => address,
    }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
