//! Names of statistics that a server has once for each of its processes. Knows no page and no wire.

/// The one group whose names begin with the number of a process.
const BY_NUMBER: &str = "pkmem";
/// What stands before the number elsewhere.
const BEFORE_NUMBER: &str = "-proc-";

/// The pattern of all processes and the number of the one, where a full name is of a process: `load:load-proc-3` is of `load:load-proc-*`,
/// `pkmem:3-used_size` of `pkmem:*-used_size`.
#[must_use]
pub fn family_of(full: &str) -> Option<(String, u32)> {
    let (group, name) = crate::model::split_name(full);
    let is_plain = !group.is_empty() && !full.starts_with('=') && !full.contains('*') && full.trim() == full;
    if !is_plain {
        return None;
    }
    let number = |digits: &str| if digits.bytes().all(|c| c.is_ascii_digit()) { digits.parse().ok() } else { None };
    if let Some((before, digits)) = name.rsplit_once(BEFORE_NUMBER) {
        return Some((format!("{group}:{before}{BEFORE_NUMBER}*"), number(digits)?));
    }
    let (digits, what) = name.split_once('-').filter(|(_, what)| group == BY_NUMBER && !what.is_empty())?;
    Some((format!("{group}:*-{what}"), number(digits)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matching::Pattern;

    #[test]
    fn what_is_of_a_process() {
        let family = |full| {
            family_of(full).map(|(pattern, process)| {
                assert!(Pattern::parse(&pattern).matches(full), "{pattern} {full}");
                (pattern, process)
            })
        };
        assert_eq!(family("load:load-proc-3"), Some(("load:load-proc-*".into(), 3)));
        assert_eq!(family("load:load10m-proc-12"), Some(("load:load10m-proc-*".into(), 12)));
        assert_eq!(family("pkmem:3-real_used_size"), Some(("pkmem:*-real_used_size".into(), 3)));
        for other in [
            "load:load-all",
            "load:load-proc-id",
            "load:-proc-",
            "script:404-replies",
            "pkmem:3-",
            "pkmem:x-y",
            "pkmem:a*-proc-1",
            "x-proc-1",
        ] {
            assert_eq!(family(other), None, "{other}");
        }
    }

    #[test]
    fn families_do_not_take_from_each_other() {
        let used = Pattern::parse("pkmem:*-used_size");
        assert!(used.matches("pkmem:1-used_size") && !used.matches("pkmem:1-real_used_size"));
        let now = Pattern::parse("load:load-proc-*");
        assert!(now.matches("load:load-proc-1") && !now.matches("load:load1m-proc-1"));
    }
}
