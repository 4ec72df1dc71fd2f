//! Sorting in a few hundred bytes of code: the standard library's way weighs some ten kilobytes in the client, anew for each kind of thing.

/// The places of so many things in their order, where `before` says whether the thing at one place comes before that at another. What is
/// alike stays as it is.
pub(crate) fn places(count: usize, before: &dyn Fn(usize, usize) -> bool) -> Vec<usize> {
    let mut order: Vec<usize> = (0..count).collect();
    let mut merged = Vec::with_capacity(count);
    let mut run = 1;
    while run < count {
        merged.clear();
        for begin in (0..count).step_by(2 * run) {
            let (middle, end) = ((begin + run).min(count), (begin + 2 * run).min(count));
            let (mut left, mut right) = (begin, middle);
            while left < middle || right < end {
                let is_right = left == middle || (right < end && before(order[right], order[left]));
                let next = if is_right { &mut right } else { &mut left };
                merged.push(order[*next]);
                *next += 1;
            }
        }
        std::mem::swap(&mut order, &mut merged);
        run *= 2;
    }
    order
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_is_the_order_of_a_stable_sort(things in proptest::collection::vec(0_u8..9, 0..70)) {
            let mut expect: Vec<usize> = (0..things.len()).collect();
            expect.sort_by_key(|place| things[*place]);
            prop_assert_eq!(places(things.len(), &|a, b| things[a] < things[b]), expect);
        }
    }
}
