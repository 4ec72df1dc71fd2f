//! What of a group a server has once per process: these are one family, and folded. Knows no HTML.

use crate::{model::RowView, processes::family_of};

/// Fewer are no family.
const FEWEST: usize = 2;

/// One statistic of every process.
pub(super) struct Family<'a> {
    /// The pattern that all of them match, and no others of their group.
    pub(super) pattern: String,
    /// The number of each process, and its row.
    pub(super) rows: Vec<(u32, &'a RowView)>,
}

/// The rows of a group that stand for themselves, and the families, in the order of the rows.
pub(super) fn split(rows: &[RowView]) -> (Vec<&RowView>, Vec<Family<'_>>) {
    let (mut plain, mut families) = (Vec::with_capacity(rows.len()), Vec::<Family<'_>>::new());
    for row in rows {
        match family_of(&row.name) {
            Some((pattern, process)) => match families.iter_mut().find(|family| family.pattern == pattern) {
                Some(family) => family.rows.push((process, row)),
                None => families.push(Family { pattern, rows: vec![(process, row)] }),
            },
            None => plain.push(row),
        }
    }
    if families.iter().any(|family| family.rows.len() < FEWEST) {
        let (whole, single): (Vec<_>, Vec<_>) = families.into_iter().partition(|family| family.rows.len() >= FEWEST);
        let alone = |row: &&RowView| single.iter().any(|family| std::ptr::eq(family.rows[0].1, *row));
        // They keep their place among the others.
        plain = rows.iter().filter(|row| family_of(&row.name).is_none() || alone(row)).collect();
        families = whole;
    }
    (plain, families)
}
