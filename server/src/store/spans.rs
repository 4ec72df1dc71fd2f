//! The poll times of spans that were read lately, decoded: the charts of one box share them, and they are as long to decode as the
//! values. It must not know SQL.

use std::{collections::HashMap, sync::Arc};

use super::chunk::Times;

/// A generation keeps so many polls, eight bytes each: a day at one second, and some.
const MAX_POLLS: usize = 128 << 10;

/// Names a span: its box, its start, its number and its check sum.
pub(super) type SpanKey = (i64, i64, i64, u32);

/// Two generations: what was not asked for while the younger one filled up goes.
#[derive(Default)]
pub(super) struct Spans {
    young: HashMap<SpanKey, Arc<Times>>,
    old: HashMap<SpanKey, Arc<Times>>,
    /// Those of the younger one.
    polls: usize,
}

impl Spans {
    /// The times of a span, if they are still here.
    pub(super) fn get(&mut self, key: SpanKey) -> Option<Arc<Times>> {
        if let Some(times) = self.young.get(&key) {
            return Some(Arc::clone(times));
        }
        let times = self.old.remove(&key)?;
        self.put(key, Arc::clone(&times));
        Some(times)
    }

    /// Keeps the times of a span.
    pub(super) fn put(&mut self, key: SpanKey, times: Arc<Times>) {
        if self.polls + times.at_ms.len() > MAX_POLLS {
            self.old = std::mem::take(&mut self.young);
            self.polls = 0;
        }
        self.polls += times.at_ms.len();
        self.young.insert(key, times);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times(polls: usize) -> Arc<Times> {
        Arc::new(Times { at_ms: (0..).take(polls).collect(), intervals: vec![(0, 1)] })
    }

    #[test]
    fn what_is_asked_for_stays_and_the_rest_goes() {
        let mut spans = Spans::default();
        for span in 0..20 {
            spans.put((1, span, span, 0), times(MAX_POLLS / 4));
            assert!(spans.get((1, 0, 0, 0)).is_some(), "{span}");
            assert!(spans.young.len() + spans.old.len() <= 8);
        }
        assert!(spans.get((1, 1, 1, 0)).is_none());
        assert!(spans.get((1, 19, 19, 1)).is_none(), "another check sum is another span");
    }
}
