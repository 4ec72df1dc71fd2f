//! Tables as the clients of databases print them: a line with the names of the columns, then the rows, with tabs between. Several tables
//! follow one another. It must not know where lines come from.

use super::{OcpBox, OcpSample, Row, checked_name, number_of_box};

/// The columns of the tables, of all versions.
const COLUMNS: [&str; 14] = [
    "id",
    "name",
    "mi_conn",
    "monit_conn",
    "monit_user",
    "monit_pass",
    "monit_ssl",
    "smonitcharts",
    "assoc_id",
    "desc",
    "box_id",
    "time",
    "value",
    "extra",
];

/// What to have printed.
const EXPECTED: &str = "a table begins with a line that names its columns: have them printed, by mysql --batch without --skip-column-names, \
                        or by psql -A -F $'\\t' without -t";

/// Which table, and where in a row what is.
#[derive(Clone, Copy, Debug)]
enum Table {
    Boxes { id: usize, mi_conn: usize, name: Option<usize>, desc: Option<usize> },
    Ticks { name: usize, box_id: usize, extra: Option<usize> },
    Samples { name: usize, time: usize, value: usize, box_id: usize },
}

/// What the lines so far said.
#[derive(Debug, Default)]
pub struct Rows {
    table: Option<(Table, usize)>,
}

impl Rows {
    /// Reads a line; none: it holds no row.
    ///
    /// # Errors
    /// A sentence: what is wrong with it.
    pub fn line(&mut self, line: &str) -> Result<Option<Row>, String> {
        let cells: Vec<&str> = line.split('\t').collect();
        if line.is_empty() || is_count(line) {
            return Ok(None);
        }
        if let Some(table) = Table::of(&cells) {
            self.table = Some((table, cells.len()));
            return Ok(None);
        }
        let (table, columns) = self.table.ok_or_else(|| EXPECTED.to_owned())?;
        if cells.len() != columns {
            return Err(format!("it has {} columns, and the table has {columns}: they stand with tabs between", cells.len()));
        }
        let cell = |place: usize| unescaped(cells[place]);
        match table {
            Table::Boxes { id, mi_conn, name, desc } => {
                let said = |place: Option<usize>| place.map(cell).filter(|said| said != "NULL").unwrap_or_default();
                Ok(Some(Row::Box(OcpBox::new(number_of_box(cells[id])?, &said(Some(mi_conn)), &said(name), &said(desc)))))
            }
            Table::Ticks { extra: Some(extra), .. } if !matches!(cells[extra], "" | "NULL") => Ok(None),
            Table::Ticks { name, box_id, .. } => {
                Ok(Some(Row::Tick { box_id: number_of_box(cells[box_id])?, name: checked_name(&cell(name))? }))
            }
            Table::Samples { name, time, value, box_id } => {
                OcpSample::new(cells[box_id], &cell(name), cells[time], cells[value]).map(|sample| Some(Row::Sample(sample)))
            }
        }
    }
}

impl Table {
    /// The table whose columns these are.
    fn of(cells: &[&str]) -> Option<Self> {
        if !cells.iter().all(|cell| COLUMNS.contains(cell)) {
            return None;
        }
        let place = |column: &str| cells.iter().position(|cell| *cell == column);
        if let (Some(id), Some(mi_conn)) = (place("id"), place("mi_conn")) {
            return Some(Self::Boxes { id, mi_conn, name: place("name"), desc: place("desc") });
        }
        let (name, box_id) = (place("name")?, place("box_id")?);
        match (place("time"), place("value")) {
            (Some(time), Some(value)) => Some(Self::Samples { name, time, value, box_id }),
            (None, None) => Some(Self::Ticks { name, box_id, extra: place("extra") }),
            _ => None,
        }
    }
}

/// `(5 rows)`, which psql prints after a table.
fn is_count(line: &str) -> bool {
    let inner = line.strip_prefix('(').and_then(|line| line.strip_suffix(')'));
    let count = inner.and_then(|inner| inner.strip_suffix(" rows").or_else(|| inner.strip_suffix(" row")));
    count.is_some_and(|count| count.bytes().all(|byte| byte.is_ascii_digit()))
}

/// A cell as it was, before the client of MySQL wrote a backslash for what would end it.
fn unescaped(cell: &str) -> String {
    let mut text = String::with_capacity(cell.len());
    let mut chars = cell.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            text.push(c);
            continue;
        }
        match chars.next() {
            Some('t') => text.push('\t'),
            Some('n') => text.push('\n'),
            Some('0') => text.push('\0'),
            Some('\\') => text.push('\\'),
            other => text.extend(['\\'].into_iter().chain(other)),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use app::model::Number;

    use super::*;

    fn read(text: &str) -> Result<Vec<Row>, String> {
        let mut rows = Rows::default();
        text.lines().filter_map(|line| rows.line(line).transpose()).collect()
    }

    fn sample(box_id: i64, name: &str, at_ms: i64, value: impl Into<Number>) -> Row {
        Row::Sample(OcpSample { box_id, name: name.to_owned(), at_ms, value: value.into() })
    }

    #[test]
    fn tables_follow_one_another() {
        let text = "id\tmi_conn\tmonit_conn\tmonit_user\tmonit_pass\tmonit_ssl\tdesc\tsmonitcharts\tassoc_id\n\
                    1\tjson:10.0.0.5:8888/mi\tNULL\tNULL\tNULL\t0\tDefault box\t1\t1\n(1 row)\n\
                    name\textra\tbox_id\ncore:rcv_requests\t\t1\nno:such\tx\t1\n\
                    name\ttime\tvalue\tbox_id\ncore:rcv_requests\t1700000000\t18446744073709551611\t1\na:b\\tc\\\\d\t5\t0.5\t2\n(2 rows)\n\n";
        let expect = vec![
            Row::Box(OcpBox::new(1, "json:10.0.0.5:8888/mi", "", "Default box")),
            Row::Tick { box_id: 1, name: "core:rcv_requests".to_owned() },
            sample(1, "core:rcv_requests", 1_700_000_000_000, -5),
            sample(2, "a:b\tc\\d", 5_000, 0.5),
        ];
        assert_eq!(read(text), Ok(expect));
    }

    #[test]
    fn what_is_wrong_is_said() {
        const HEADER: &str = "name\ttime\tvalue\tbox_id\n";
        for (text, expect) in [
            ("core:x\t5\t1\t1\n".to_owned(), "a line that names its columns"),
            (format!("{HEADER}core:x\t5\tabc\t1\n"), "the value \"abc\" of core:x is not a number"),
            (format!("{HEADER}core:x\t5\t\t1\n"), "the value \"\" of core:x is not a number"),
            (format!("{HEADER}core:x\t5\tNaN\t1\n"), "is not a number"),
            (format!("{HEADER}core:x\t5.5\t1\t1\n"), "the time \"5.5\""),
            (format!("{HEADER}core:x\t1700000000000\t1\t1\n"), "epoch seconds"),
            (format!("{HEADER}core:x\t5\t1\tone\n"), "the box_id \"one\""),
            (format!("{HEADER}\t5\t1\t1\n"), "the name is empty"),
            (format!("{HEADER}core:x\t5\t1\n"), "it has 3 columns, and the table has 4"),
        ] {
            let error = read(&text).unwrap_err();
            assert!(error.contains(expect), "{text}: {error}");
        }
    }
}
