//! The order in which people look for statistics: group by group, and numbers by their size. Knows names alone.

use std::cmp::Ordering;

use app::model::split_name;

/// Which of two full names comes first: that of the earlier group; in a group, `2-size` before `10-size`.
#[must_use]
pub fn by_name(one: &str, other: &str) -> Ordering {
    let ((group, name), (other_group, other_name)) = (split_name(one), split_name(other));
    natural(group, other_group).then_with(|| natural(name, other_name)).then_with(|| one.cmp(other))
}

fn natural(one: &str, other: &str) -> Ordering {
    let (mut one, mut other) = (one.as_bytes(), other.as_bytes());
    while let (Some(a), Some(b)) = (one.first(), other.first()) {
        let order = if a.is_ascii_digit() && b.is_ascii_digit() {
            let ((number, rest), (other_number, other_rest)) = (number(one), number(other));
            (one, other) = (rest, other_rest);
            // Without leading zeros the longer one is the larger.
            number.len().cmp(&other_number.len()).then_with(|| number.cmp(other_number))
        } else {
            let order = a.cmp(b);
            (one, other) = (&one[1..], &other[1..]);
            order
        };
        if order != Ordering::Equal {
            return order;
        }
    }
    one.len().cmp(&other.len())
}

/// The digits at the start without leading zeros, and what follows them.
fn number(text: &[u8]) -> (&[u8], &[u8]) {
    let end = text.iter().position(|c| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    let zeros = digits.iter().take_while(|c| **c == b'0').count();
    (&digits[zeros..], rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_people_count() {
        let sorted = [
            "",
            "2",
            ":a",
            "core:a",
            "core:a2",
            "core:a10",
            "core:b",
            "core x:a",
            "load:1m",
            "load:5m",
            "load:15m",
            "load:load-2",
            "load:load-10",
            "pkmem:1-free",
            "pkmem:1-used",
            "pkmem:2-free",
            "pkmem:10-free",
            "x:007",
            "x:7",
            "x:é",
        ];
        let mut shuffled = sorted;
        shuffled.reverse();
        shuffled.sort_by(|one, other| by_name(one, other));
        assert_eq!(shuffled, sorted);
    }

    proptest::proptest! {
        #[test]
        fn it_is_an_order(mut names in proptest::collection::vec("[a0-2:]{0,6}", 3)) {
            names.sort_by(|one, other| by_name(one, other));
            for pair in names.windows(2) {
                proptest::prop_assert_ne!(by_name(&pair[0], &pair[1]), Ordering::Greater);
                proptest::prop_assert_eq!(by_name(&pair[0], &pair[1]), by_name(&pair[1], &pair[0]).reverse());
            }
            proptest::prop_assert_ne!(by_name(&names[0], &names[2]), Ordering::Greater);
        }
    }
}
