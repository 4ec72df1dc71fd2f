//! Many who ask at once.

use std::{collections::BTreeMap, thread};

use super::*;
use crate::mi::stage::stage;

/// Who asks at once.
const CLIENTS: usize = 64;
/// By all together.
const PICKS: usize = 1_000_000;

fn destinations(many: usize) -> Vec<String> {
    (0..many).map(|number| format!("sip:gw{number}.example:5060")).collect()
}

impl Mi {
    fn pick(&self, destinations: &[String]) -> (String, i64) {
        let words = std::iter::once("load_%u".to_owned()).chain(destinations.iter().cloned()).collect();
        let picked = self.run(Ask { command: Command::Select, words, weights: Vec::new() });
        let Ok(Reply::Load { destination, load }) = picked else { panic!("nothing was picked") };
        (destination, load)
    }

    fn release(&self, destination: String) -> i64 {
        let words = vec!["load_%u".to_owned(), destination];
        let released = self.run(Ask { command: Command::Release, words, weights: Vec::new() });
        let Ok(Reply::Load { load, .. }) = released else { panic!("nothing was released") };
        load
    }

    fn loads(&self) -> Vec<i64> {
        let Reply::Values(_, values) = self.get(&["script:".to_owned()]) else { panic!() };
        values.into_iter().map(|(_, value)| if let Number::Int(load) = value { load } else { panic!() }).collect()
    }

    fn loads_of(&self, destinations: &[String]) -> Vec<i64> {
        let value = |destination: &String| {
            let Reply::Values(_, values) = self.get(&[format!("script:load_{destination}")]) else { panic!() };
            if let [(_, Number::Int(load))] = values[..] { load } else { panic!() }
        };
        destinations.iter().map(value).collect()
    }
}

#[tokio::test]
async fn a_million_picks_by_64_clients_are_spread_evenly_and_none_is_lost() {
    let mi = stage(true).await;
    let destinations = destinations(3);
    let told: Vec<BTreeMap<String, (i64, i64)>> = thread::scope(|scope| {
        let client = || {
            // How often each was told, and the sum of the loads that were told.
            let mut told = BTreeMap::new();
            for _ in 0..PICKS / CLIENTS {
                let (destination, load) = mi.pick(&destinations);
                let (times, sum) = told.entry(destination).or_insert((0, 0));
                *times += 1;
                *sum += load;
            }
            told
        };
        let clients: Vec<_> = (0..CLIENTS).map(|_| scope.spawn(client)).collect();
        clients.into_iter().map(|client| client.join().unwrap()).collect()
    });
    let loads = mi.loads();
    let (least, most) = (loads.iter().min().unwrap(), loads.iter().max().unwrap());
    assert!(most - least <= 1, "{loads:?}");
    assert_eq!((loads.len(), loads.iter().sum::<i64>()), (3, i64::try_from(PICKS).unwrap()));
    for (destination, load) in destinations.iter().zip(mi.loads_of(&destinations)) {
        let of = told.iter().filter_map(|told| told.get(destination));
        let (times, sum) = of.fold((0, 0), |all, one| (all.0 + one.0, all.1 + one.1));
        // Each load from one up was told, and to one client alone.
        assert_eq!((times, sum), (load, load * (load + 1) / 2), "{destination}");
    }
}

#[tokio::test]
async fn what_is_picked_and_released_by_many_comes_to_nothing() {
    let mi = stage(true).await;
    let destinations = destinations(5);
    thread::scope(|scope| {
        for client in 0..CLIENTS {
            let (mi, destinations) = (&mi, &destinations);
            scope.spawn(move || {
                for turn in 0..500 {
                    let (destination, load) = mi.pick(destinations);
                    assert!(load >= 1 && load <= i64::try_from(CLIENTS).unwrap(), "{load}");
                    if (client + turn) % 3 == 0 {
                        thread::yield_now();
                    }
                    assert!(mi.release(destination) >= 0);
                }
            });
        }
    });
    assert_eq!(mi.loads(), [0; 5]);
}
