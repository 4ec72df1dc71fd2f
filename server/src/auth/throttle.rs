//! Slows down guessing: a growing delay for each client address that gave wrong passwords. Pure: time is passed in.
//!
//! An address waits for its own failures only; neither other addresses nor accounts are ever locked.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    time::Duration,
};

use axum::http::HeaderMap;

/// So many wrong passwords cost no delay: people mistype.
pub(super) const FREE_TRIES: u32 = 5;
/// The delay after the first wrong password beyond that; it doubles with each further one.
pub(super) const FIRST_DELAY: Duration = Duration::from_secs(1);
/// The delay grows no further than this.
pub(super) const MAX_DELAY: Duration = Duration::from_secs(5 * 60);
/// Failures are forgotten after so much quiet.
pub(super) const FORGET_AFTER: Duration = Duration::from_secs(60 * 60);
/// So many addresses are remembered; then the one that was quiet the longest is forgotten.
pub(super) const MAX_ADDRESSES: usize = 10_000;

/// What is remembered of one address.
#[derive(Clone, Copy, Debug)]
struct Failures {
    count: u32,
    last_ms: i64,
}

impl Failures {
    fn free_from_ms(self) -> i64 {
        let Some(beyond) = self.count.checked_sub(FREE_TRIES) else { return self.last_ms };
        let delay = FIRST_DELAY.saturating_mul(2_u32.saturating_pow(beyond)).min(MAX_DELAY);
        self.last_ms.saturating_add(millis(delay))
    }

    fn is_forgotten(self, now_ms: i64) -> bool {
        now_ms.saturating_sub(self.last_ms) >= millis(FORGET_AFTER)
    }
}

/// The failures of all addresses.
#[derive(Debug, Default)]
pub struct Throttle {
    addresses: HashMap<IpAddr, Failures>,
}

impl Throttle {
    /// Begins a try: counted as failed until [`Self::succeeded`], so that tries at the same time cannot slip past the delay.
    ///
    /// # Errors
    /// How long to wait, when this address failed too often.
    pub fn begin(&mut self, client: IpAddr, now_ms: i64) -> Result<(), Duration> {
        let key = network(client);
        let known = self.addresses.get(&key).copied().filter(|failures| !failures.is_forgotten(now_ms));
        let wait_ms = known.map_or(0, |failures| failures.free_from_ms().saturating_sub(now_ms));
        // A clock that was set back must not make anybody wait longer than the longest delay.
        let wait = Duration::from_millis(u64::try_from(wait_ms).unwrap_or(0)).min(MAX_DELAY);
        if !wait.is_zero() {
            return Err(wait);
        }
        if known.is_none() {
            self.make_room(now_ms);
        }
        let count = known.map_or(0, |failures| failures.count).saturating_add(1);
        self.addresses.insert(key, Failures { count, last_ms: now_ms });
        Ok(())
    }

    /// The try was right: the address begins anew.
    pub fn succeeded(&mut self, client: IpAddr) {
        self.addresses.remove(&network(client));
    }

    /// The try was neither right nor wrong, as nothing was checked: it does not count.
    pub fn not_checked(&mut self, client: IpAddr) {
        if let Some(failures) = self.addresses.get_mut(&network(client)) {
            failures.count = failures.count.saturating_sub(1);
        }
    }

    fn make_room(&mut self, now_ms: i64) {
        if self.addresses.len() < MAX_ADDRESSES {
            return;
        }
        self.addresses.retain(|_, failures| !failures.is_forgotten(now_ms));
        if self.addresses.len() >= MAX_ADDRESSES {
            let quietest = self.addresses.iter().min_by_key(|(_, failures)| failures.last_ms).map(|(key, _)| *key);
            quietest.map(|key| self.addresses.remove(&key));
        }
    }
}

/// Whom a request comes from. A proxy on this very host appends the address it was asked from to `X-Forwarded-For`;
/// from elsewhere the header is anybody's claim and is not read.
#[must_use]
pub fn client_address(peer: IpAddr, headers: &HeaderMap) -> IpAddr {
    let peer = peer.to_canonical();
    if !peer.is_loopback() {
        return peer;
    }
    let forwarded = headers.get_all("x-forwarded-for").iter().next_back();
    let last = forwarded.and_then(|value| value.to_str().ok()).and_then(|value| value.rsplit(',').next());
    last.and_then(|address| address.trim().parse::<IpAddr>().ok()).map_or(peer, |address| address.to_canonical())
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
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    /// Tries again as soon as it may, and says how long each try had to wait, in seconds.
    fn waits(throttle: &mut Throttle, client: IpAddr, tries: usize, now_ms: &mut i64) -> Vec<u64> {
        let mut waits = Vec::new();
        for _ in 0..tries {
            let wait = throttle.begin(client, *now_ms).err().unwrap_or_default();
            if !wait.is_zero() {
                *now_ms += millis(wait);
                throttle.begin(client, *now_ms).unwrap();
            }
            waits.push(wait.as_secs());
        }
        waits
    }

    #[test]
    fn the_delay_grows_and_has_an_end() {
        let mut throttle = Throttle::default();
        let waited = waits(&mut throttle, ip("10.0.0.1"), 17, &mut 0);
        assert_eq!(waited, [0, 0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]);
    }

    #[test]
    fn others_are_not_delayed() {
        let mut throttle = Throttle::default();
        let mut now_ms = 0;
        waits(&mut throttle, ip("10.0.0.1"), 10, &mut now_ms);
        assert!(throttle.begin(ip("10.0.0.1"), now_ms).is_err());
        assert_eq!(throttle.begin(ip("10.0.0.2"), now_ms), Ok(()));
        assert_eq!(throttle.begin(ip("2001:db8::1"), now_ms), Ok(()));
    }

    #[test]
    fn tries_at_the_same_time_count() {
        let mut throttle = Throttle::default();
        let begun = (0..100).filter(|_| throttle.begin(ip("10.0.0.1"), 7).is_ok()).count();
        assert_eq!(begun, FREE_TRIES as usize);
    }

    #[test]
    fn a_right_password_begins_anew_and_quiet_is_forgotten() {
        let mut throttle = Throttle::default();
        let mut now_ms = 0;
        waits(&mut throttle, ip("10.0.0.1"), 9, &mut now_ms);
        throttle.succeeded(ip("10.0.0.1"));
        assert_eq!(throttle.begin(ip("10.0.0.1"), now_ms), Ok(()));
        waits(&mut throttle, ip("10.0.0.9"), 20, &mut now_ms);
        assert!(throttle.begin(ip("10.0.0.9"), now_ms).is_err());
        assert_eq!(waits(&mut throttle, ip("10.0.0.9"), 6, &mut (now_ms + millis(FORGET_AFTER))), [0, 0, 0, 0, 0, 1]);
    }

    #[test]
    fn what_was_not_checked_does_not_count() {
        let mut throttle = Throttle::default();
        for _ in 0..100 {
            assert_eq!(throttle.begin(ip("10.0.0.1"), 7), Ok(()));
            throttle.not_checked(ip("10.0.0.1"));
        }
    }

    #[test]
    fn a_clock_that_is_set_back_delays_no_longer_than_the_longest_delay() {
        let mut throttle = Throttle::default();
        let mut now_ms = 1_000_000_000;
        waits(&mut throttle, ip("10.0.0.1"), 6, &mut now_ms);
        assert_eq!(throttle.begin(ip("10.0.0.1"), 0), Err(MAX_DELAY));
    }

    #[test]
    fn addresses_are_bounded_and_the_quietest_goes_first() {
        let mut throttle = Throttle::default();
        for n in 0..=u32::try_from(MAX_ADDRESSES).unwrap() {
            throttle.begin(IpAddr::from(n.to_be_bytes()), i64::from(n)).unwrap();
        }
        assert_eq!(throttle.addresses.len(), MAX_ADDRESSES);
        assert!(!throttle.addresses.contains_key(&ip("0.0.0.0")));
        assert!(throttle.addresses.contains_key(&ip("0.0.0.1")));
    }

    #[test]
    fn a_customer_of_ipv6_is_one_address() {
        assert_eq!(network(ip("2001:db8:1:2:3:4:5:6")), network(ip("2001:db8:1:2:ffff::")));
        assert_ne!(network(ip("2001:db8:1:2::")), network(ip("2001:db8:1:3::")));
        assert_eq!(network(ip("::ffff:10.0.0.1")), ip("10.0.0.1"));
    }

    #[test]
    fn only_a_proxy_on_this_host_is_believed() {
        #[track_caller]
        fn check(peer: &str, forwarded: &[&str], expect: &str) {
            let headers = forwarded.iter().map(|value| ("x-forwarded-for".parse().unwrap(), value.parse().unwrap())).collect();
            assert_eq!(client_address(ip(peer), &headers), ip(expect));
        }
        check("10.0.0.1", &[], "10.0.0.1");
        check("10.0.0.1", &["1.2.3.4"], "10.0.0.1");
        check("127.0.0.1", &[], "127.0.0.1");
        check("127.0.0.1", &["1.2.3.4"], "1.2.3.4");
        check("::ffff:127.0.0.1", &["9.9.9.9, 1.2.3.4"], "1.2.3.4");
        check("::1", &["9.9.9.9", "8.8.8.8, 2001:db8::1"], "2001:db8::1");
        check("127.0.0.1", &["nonsense"], "127.0.0.1");
    }
}
