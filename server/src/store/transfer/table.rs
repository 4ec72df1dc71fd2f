//! The tables as they are moved: their columns, their order, their rows as bytes. It must not know files.

use std::collections::BTreeSet;

use futures::TryStreamExt;
use sqlx::any::{AnyArguments, AnyRow};
use sqlx::query::Query;
use sqlx::{Any, AnyConnection, AssertSqlSafe, Row};

use super::super::bytes::{Damage, Decoded, Reader, put_varint, unzigzag, zigzag};
use super::super::tier::Tier;
use super::super::{StoreError, months};
use super::tables::TABLES;

/// So many rows are asked for at once: what is asked of a server must be answered within seconds.
const PAGE_ROWS: usize = 1024;

/// No value is longer.
const MAX_VALUE_BYTES: usize = 64 << 20;

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::store) enum Sort {
    Int,
    Text,
    Bytes,
}

/// A column: its name, and what it holds.
pub(in crate::store) type Column = (&'static str, Sort);

/// A table.
pub(in crate::store) struct Table {
    pub(in crate::store) name: &'static str,
    /// The first ones are its key.
    pub(in crate::store) columns: &'static [Column],
    /// So many are its key, by which its rows are in order.
    pub(in crate::store) key: usize,
    /// Which rows are moved; none: all.
    pub(super) only: Option<&'static str>,
    /// Whether the database numbers its rows, in the first column.
    pub(super) is_numbered: bool,
}

/// A value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::store) enum Value {
    Null,
    Int(i64),
    Text(String),
    Bytes(Vec<u8>),
}

/// The bytes of a row: of each value how it is written, then what it is.
pub(super) fn encode(row: &[Value]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut put = |sort: u8, bytes: &[u8]| {
        out.push(sort);
        put_varint(&mut out, bytes.len() as u64);
        out.extend_from_slice(bytes);
    };
    for value in row {
        match value {
            Value::Text(text) => put(2, text.as_bytes()),
            Value::Bytes(bytes) => put(3, bytes),
            Value::Null => put(0, &[]),
            Value::Int(int) => {
                let mut bytes = Vec::with_capacity(10);
                put_varint(&mut bytes, zigzag(*int));
                put(1, &bytes);
            }
        }
    }
    out
}

/// Reads the bytes of a row of such columns.
pub(super) fn decode(columns: &[Column], bytes: &[u8]) -> Decoded<Vec<Value>> {
    let mut reader = Reader::new(bytes);
    let mut row = Vec::with_capacity(columns.len());
    for (_, sort) in columns {
        let written = reader.byte()?;
        let length = reader.count(MAX_VALUE_BYTES)?;
        let bytes = reader.take(length)?;
        row.push(match (written, sort) {
            (0, _) => Value::Null,
            (1, Sort::Int) => Value::Int(unzigzag(Reader::new(bytes).varint()?)),
            (2, Sort::Text) => Value::Text(String::from_utf8(bytes.to_vec()).map_err(|_| Damage("a text is no UTF-8"))?),
            (3, Sort::Bytes) => Value::Bytes(bytes.to_vec()),
            _ => return Err(Damage("a value is not what its column holds")),
        });
    }
    if reader.is_empty() { Ok(row) } else { Err(Damage("a row has too many values")) }
}

impl Table {
    pub(super) fn of(name: &str) -> Option<&'static Self> {
        TABLES.iter().find(|table| table.name == name)
    }

    /// The columns of these names, when there are such ones and the key is among them.
    pub(super) fn columns_of(&self, names: &[String]) -> Option<Vec<Column>> {
        let column = |name: &String| self.columns.iter().find(|(known, _)| known == name).copied();
        let columns: Vec<Column> = names.iter().map(column).collect::<Option<_>>()?;
        (columns.get(..self.key)? == &self.columns[..self.key]).then_some(columns)
    }

    /// Whether there is no row to move.
    pub(super) async fn is_empty(&self, view: &mut AnyConnection) -> Result<bool, StoreError> {
        let only = self.only.map(|only| format!(" where {only}")).unwrap_or_default();
        let rows = format!("select count(*) from (select 1 from {}{only} limit 1) as one", self.name);
        let rows: i64 = sqlx::query_scalar(AssertSqlSafe(rows)).fetch_one(view).await?;
        Ok(rows == 0)
    }

    /// Tells every row, in the order of the key, so that no more than some are in memory.
    pub(in crate::store) async fn each_row(
        &self,
        view: &mut AnyConnection,
        columns: &[Column],
        mut tell: impl FnMut(&[Value]) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let key = &columns[..self.key];
        let mut last: Vec<Value> = Vec::new();
        loop {
            // Names are those above, and only numbers of placeholders are put together.
            let select = self.page(columns, !last.is_empty());
            let mut page = sqlx::query(AssertSqlSafe(select));
            for (value, (_, sort)) in last.iter().zip(key) {
                page = bind(page, value, *sort);
            }
            let mut rows = page.fetch(&mut *view);
            let mut count = 0;
            let mut next = Vec::new();
            while let Some(row) = rows.try_next().await? {
                let values = values_of(&row, columns)?;
                tell(&values)?;
                count += 1;
                if count == PAGE_ROWS {
                    next = values[..self.key].to_vec();
                }
            }
            drop(rows);
            if next.is_empty() {
                return Ok(());
            }
            last = next;
        }
    }

    fn page(&self, columns: &[Column], goes_on: bool) -> String {
        let list = |columns: &[Column]| columns.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
        let key = list(&columns[..self.key]);
        let after = goes_on.then(|| {
            let places: Vec<String> = (1..=self.key).map(|place| format!("${place}")).collect();
            format!("({key}) > ({})", places.join(", "))
        });
        let conditions: Vec<String> = self.only.map(str::to_owned).into_iter().chain(after).collect();
        let only = if conditions.is_empty() { String::new() } else { format!(" where {}", conditions.join(" and ")) };
        format!("select {} from {}{only} order by {key} limit {PAGE_ROWS}", list(columns), self.name)
    }

    /// Where rows of the history belong: their tiers, and starts in all months that they lie in.
    pub(super) fn starts(&self, columns: &[Column], rows: &[Vec<Value>]) -> BTreeSet<(Tier, i64)> {
        let place = |name: &str| columns.iter().position(|(column, _)| *column == name);
        let (Some(tier), Some(start)) = (place("tier"), place("start_ms")) else { return BTreeSet::new() };
        let of_row = |row: &Vec<Value>| match (&row[tier], &row[start]) {
            (Value::Int(tier), &Value::Int(start_ms)) => Some((Tier::of_number(*tier)?, months::first_ms(start_ms))),
            _ => None,
        };
        rows.iter().filter_map(of_row).collect()
    }

    /// Adds rows.
    pub(in crate::store) async fn insert(
        &self,
        change: &mut AnyConnection,
        columns: &[Column],
        rows: &[Vec<Value>],
    ) -> Result<(), StoreError> {
        let names: Vec<&str> = columns.iter().map(|(name, _)| *name).collect();
        let width = columns.len();
        let row = |row: usize| (1..=width).map(|place| format!("${}", row * width + place)).collect::<Vec<_>>().join(", ");
        let places: Vec<String> = (0..rows.len()).map(|number| format!("({})", row(number))).collect();
        let insert = format!("insert into {} ({}) values {}", self.name, names.join(", "), places.join(", "));
        let mut insert = sqlx::query(AssertSqlSafe(insert));
        for (value, (_, sort)) in rows.iter().flat_map(|row| row.iter().zip(columns)) {
            insert = bind(insert, value, *sort);
        }
        insert.execute(change).await?;
        Ok(())
    }
}

type Asked<'q> = Query<'q, Any, AnyArguments>;

fn bind<'q>(query: Asked<'q>, value: &'q Value, sort: Sort) -> Asked<'q> {
    match (value, sort) {
        (Value::Int(int), _) => query.bind(*int),
        (Value::Text(text), _) => query.bind(text.as_str()),
        (Value::Bytes(bytes), _) => query.bind(&bytes[..]),
        (Value::Null, Sort::Int) => query.bind(None::<i64>),
        (Value::Null, Sort::Text) => query.bind(None::<&str>),
        (Value::Null, Sort::Bytes) => query.bind(None::<&[u8]>),
    }
}

fn values_of(row: &AnyRow, columns: &[Column]) -> Result<Vec<Value>, StoreError> {
    let value = |(place, (_, sort)): (usize, &Column)| {
        Ok(match sort {
            Sort::Int => row.try_get::<Option<i64>, _>(place)?.map(Value::Int),
            Sort::Text => row.try_get::<Option<String>, _>(place)?.map(Value::Text),
            Sort::Bytes => row.try_get::<Option<Vec<u8>>, _>(place)?.map(Value::Bytes),
        }
        .unwrap_or(Value::Null))
    };
    columns.iter().enumerate().map(value).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn any_row() -> impl Strategy<Value = Vec<Value>> {
        let int = prop_oneof![Just(Value::Null), any::<i64>().prop_map(Value::Int)];
        let text = prop_oneof![Just(Value::Null), any::<String>().prop_map(Value::Text)];
        let bytes = prop_oneof![Just(Value::Null), any::<Vec<u8>>().prop_map(Value::Bytes)];
        (int, text, bytes).prop_map(|(int, text, bytes)| vec![int, text, bytes])
    }

    proptest! {
        #[test]
        fn rows_come_back(row in any_row(), nonsense: Vec<u8>) {
            let columns = [("a", Sort::Int), ("b", Sort::Text), ("c", Sort::Bytes)];
            prop_assert_eq!(decode(&columns, &encode(&row)), Ok(row));
            let _ = decode(&columns, &nonsense);
        }
    }

    #[test]
    fn unknown_columns_are_none() {
        let table = Table::of("kind").unwrap();
        let columns = |names: &[&str]| table.columns_of(&names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>());
        assert_eq!(columns(&["box_id", "name", "kind"]).as_deref(), Some(table.columns));
        assert_eq!(columns(&["box_id", "name"]).map(|columns| columns.len()), Some(2));
        for names in [&["box_id"][..], &["name", "box_id"], &["box_id", "name", "x; drop table box"]] {
            assert_eq!(columns(names), None);
        }
    }
}
