//! What the lines of a chart are called: as shortly as tells them apart.

use crate::model::Series;
use crate::shown::short;

/// A name for each line: the statistic, the box, or both, as far as they differ.
#[must_use]
pub fn labels(lines: &[&Series]) -> Vec<String> {
    let differ = |pick: fn(&Series) -> &str| lines.windows(2).any(|two| pick(two[0]) != pick(two[1]));
    let (names, boxes) = (differ(|one| &one.name), differ(|one| &one.box_name));
    let label = |one: &&Series| match (names, boxes) {
        (false, true) if !one.box_name.is_empty() => one.box_name.clone(),
        (_, true) if !one.box_name.is_empty() => format!("{} · {}", one.box_name, short(&one.name)),
        _ => short(&one.name).into_owned(),
    };
    lines.iter().map(label).collect()
}
