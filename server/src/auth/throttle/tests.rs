use axum::http::header;

use super::*;
use crate::{auth::device::Devices, source::Secret};

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

/// Whoever is connected from there.
fn from(address: &str) -> Client {
    Client::new(ip(address), &HeaderMap::new(), None)
}

/// Whoever a connection on this host says it is.
fn named(address: &str) -> Client {
    let headers = [("x-forwarded-for".parse().unwrap(), address.parse().unwrap())].into_iter().collect();
    Client::new(ip("127.0.0.1"), &headers, None)
}

/// Tries again as soon as it may, and says how long each try had to wait, in seconds.
fn waits(throttle: &mut Throttle, client: Client, tries: usize, now_ms: &mut i64) -> Vec<u64> {
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
    let waited = waits(&mut throttle, from("10.0.0.1"), 17, &mut 0);
    assert_eq!(waited, [0, 0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]);
}

#[test]
fn others_are_not_delayed() {
    let mut throttle = Throttle::default();
    let mut now_ms = 0;
    waits(&mut throttle, from("10.0.0.1"), 10, &mut now_ms);
    assert!(throttle.begin(from("10.0.0.1"), now_ms).is_err());
    assert_eq!(throttle.begin(from("10.0.0.2"), now_ms), Ok(()));
    assert_eq!(throttle.begin(from("2001:db8::1"), now_ms), Ok(()));
}

#[test]
fn tries_at_the_same_time_count() {
    let mut throttle = Throttle::default();
    let begun = (0..100).filter(|_| throttle.begin(from("10.0.0.1"), 7).is_ok()).count();
    assert_eq!(begun, FREE_TRIES as usize);
}

#[test]
fn a_right_password_begins_anew_and_quiet_is_forgotten() {
    let mut throttle = Throttle::default();
    let mut now_ms = 0;
    waits(&mut throttle, from("10.0.0.1"), 9, &mut now_ms);
    throttle.succeeded(from("10.0.0.1"));
    assert_eq!(throttle.begin(from("10.0.0.1"), now_ms), Ok(()));
    waits(&mut throttle, from("10.0.0.9"), 20, &mut now_ms);
    assert!(throttle.begin(from("10.0.0.9"), now_ms).is_err());
    assert_eq!(waits(&mut throttle, from("10.0.0.9"), 6, &mut (now_ms + millis(FORGET_AFTER))), [0, 0, 0, 0, 0, 1]);
}

#[test]
fn what_was_not_checked_does_not_count() {
    let mut throttle = Throttle::default();
    for _ in 0..100 {
        assert_eq!(throttle.begin(from("10.0.0.1"), 7), Ok(()));
        throttle.not_checked(from("10.0.0.1"));
    }
}

#[test]
fn a_clock_that_is_set_back_delays_no_longer_than_the_longest_delay() {
    let mut throttle = Throttle::default();
    let mut now_ms = 1_000_000_000;
    waits(&mut throttle, from("10.0.0.1"), 6, &mut now_ms);
    assert_eq!(throttle.begin(from("10.0.0.1"), 0), Err(MAX_DELAY));
}

#[test]
fn clients_are_bounded_and_the_quietest_goes_first() {
    let mut throttle = Throttle::default();
    for n in 0..=u32::try_from(MAX_CLIENTS).unwrap() {
        throttle.begin(Client::new(IpAddr::from(n.to_be_bytes()), &HeaderMap::new(), None), i64::from(n)).unwrap();
    }
    assert_eq!(throttle.clients.len(), MAX_CLIENTS);
    assert!(!throttle.clients.contains_key(&from("0.0.0.0").key()));
    assert!(throttle.clients.contains_key(&from("0.0.0.1").key()));
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
        assert_eq!(Client::new(ip(peer), &headers, None).to_string(), expect);
    }
    check("10.0.0.1", &[], "10.0.0.1");
    check("10.0.0.1", &["1.2.3.4"], "10.0.0.1");
    check("127.0.0.1", &[], "127.0.0.1");
    check("127.0.0.1", &["1.2.3.4"], "1.2.3.4, as this host's proxy says");
    check("::ffff:127.0.0.1", &["9.9.9.9, 1.2.3.4"], "1.2.3.4, as this host's proxy says");
    check("::1", &["9.9.9.9", "8.8.8.8, 2001:db8::1"], "2001:db8::1, as this host's proxy says");
    check("127.0.0.1", &["nonsense"], "127.0.0.1");
}

#[test]
fn naming_ever_new_addresses_gives_no_more_tries() {
    let mut throttle = Throttle::default();
    let address = |n: u32| named(&IpAddr::from(n.to_be_bytes()).to_string());
    let taken = (0..1_000).filter(|&n| throttle.begin(address(n), 0).is_ok()).count();
    assert_eq!(taken, FREE_NAMED_TRIES as usize);
    let mut now_ms = 0;
    let waited: Vec<u64> = (1_000..1_010).flat_map(|n| waits(&mut throttle, address(n), 1, &mut now_ms)).collect();
    assert_eq!(waited, [NAMED_DELAY.as_secs(); 10]);
    // Whoever signs in gives the try back.
    throttle.succeeded(address(1_009));
    now_ms += millis(FORGET_AFTER);
    assert_eq!(waits(&mut throttle, address(2_000), 6, &mut now_ms), [0, 0, 0, 0, 0, 1]);
}

#[test]
fn a_right_password_does_not_count_among_those_that_were_named() {
    let mut throttle = Throttle::default();
    for n in 0..FREE_NAMED_TRIES * 2 {
        let client = named(&IpAddr::from(n.to_be_bytes()).to_string());
        throttle.begin(client, 0).unwrap();
        if n % 2 == 0 { throttle.succeeded(client) } else { throttle.not_checked(client) }
    }
}

#[test]
fn nobody_is_harmed_by_being_named() {
    let mut throttle = Throttle::default();
    let mut now_ms = 0;
    waits(&mut throttle, named("10.0.0.1"), 12, &mut now_ms);
    assert!(throttle.begin(named("10.0.0.1"), now_ms).is_err());
    assert_eq!(throttle.begin(from("10.0.0.1"), now_ms), Ok(()));
    assert_eq!(throttle.begin(from("127.0.0.1"), now_ms), Ok(()));
    assert_eq!(throttle.begin(named("10.0.0.2"), now_ms), Ok(()));
}

#[test]
fn a_browser_that_signed_in_before_waits_for_its_own_failures_alone() {
    let devices = Devices::new(Secret("k".into()));
    let cookie = devices.cookie("anna", false).unwrap();
    let headers = [(header::COOKIE, cookie.to_str().unwrap().split(';').next().unwrap().parse().unwrap())].into_iter().collect();
    let anna = Client::new(ip("10.0.0.1"), &headers, devices.known(&headers, "anna"));
    let mut throttle = Throttle::default();
    let mut now_ms = 0;
    waits(&mut throttle, from("10.0.0.1"), 12, &mut now_ms);
    assert_eq!(waits(&mut throttle, anna, 7, &mut now_ms), [0, 0, 0, 0, 0, 1, 2]);
}
