//! Whole files are read, all others refused with the place.

use super::super::table::encode;
use super::*;

/// A file with every table, and one setting.
fn written(origin: Origin, tables: &[Table]) -> Vec<u8> {
    let mut out = Writer::new(Vec::new()).unwrap();
    out.put(&Record::Origin(origin)).unwrap();
    for table in tables {
        let columns = table.columns.iter().map(|(name, _)| (*name).to_owned()).collect();
        out.put(&Record::Table(table.name.to_owned(), columns)).unwrap();
        let row = encode(&["starts", "7"].map(|text| Value::Text(text.to_owned())));
        let (mut rows, mut sum) = (0, crc32fast::Hasher::new());
        if table.name == "setting" {
            sum.update(&row);
            rows = 1;
            out.put(&Record::Row(row)).unwrap();
        }
        out.put(&Record::TableEnd(rows, sum.finalize())).unwrap();
    }
    out.put(&Record::End).unwrap();
    out.into_inner()
}

fn origin() -> Origin {
    Origin { id: [7; 16], schema: schema() }
}

fn opened(bytes: &[u8]) -> Result<ExportFile, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("moved");
    std::fs::write(&path, bytes).unwrap();
    ExportFile::open(&path, |_| {}).map_err(|error| error.to_string())
}

#[track_caller]
fn refused(bytes: &[u8], words: &[&str]) {
    let said = opened(bytes).err().unwrap();
    assert!(words.iter().all(|word| said.contains(word)), "{said}");
}

#[test]
fn a_whole_file_is_read() {
    let file = opened(&written(origin(), TABLES)).unwrap();
    assert_eq!((file.id(), file.parts.len(), file.parts[0].rows), ("07".repeat(16), TABLES.len(), 1));
}

#[test]
fn a_changed_bit_is_found_and_its_place_said() {
    let whole = written(origin(), TABLES);
    for place in 0..whole.len() {
        let mut bytes = whole.clone();
        bytes[place] ^= 1 << (place % 8);
        let said = opened(&bytes).err().unwrap_or_else(|| panic!("the bit at {place}"));
        if place >= MAGIC.len() + 2 {
            let at: usize = said.split_once("damaged at byte ").unwrap().1.split_once(',').unwrap().0.parse().unwrap();
            // A wrong length reaches on to where the record ends then.
            assert!(at <= place && said.contains("moved is damaged") && said.contains("record "), "{place}: {said}");
        }
    }
}

#[test]
fn a_file_that_was_cut_or_lengthened_is_refused() {
    let whole = written(origin(), TABLES);
    for length in 0..whole.len() {
        assert!(opened(&whole[..length]).is_err(), "cut at {length}");
    }
    refused(&whole[..whole.len() - 1], &["damaged at byte", "it ends there"]);
    refused(&[&whole[..], &[0]].concat(), &["damaged at byte", "something follows its end"]);
    refused(&written(origin(), &TABLES[..3]), &["a table is missing"]);
    refused(&written(origin(), &TABLES[..0]), &["a table is missing"]);
}

#[test]
fn what_is_newer_or_something_else_is_refused() {
    let whole = written(origin(), TABLES);
    let newer = String::from_utf8_lossy(&whole).replacen("export 1\n", "export 2\n", 1);
    refused(newer.as_bytes(), &["newer Tickmark (format 2, this one knows 1)", "with that version"]);
    let schema_of_later = Origin { schema: schema() + 1, ..origin() };
    refused(&written(schema_of_later, TABLES), &["newer Tickmark (schema", "with that version"]);
    refused(b"SQLite format 3\0", &["no export of Tickmark", "tickmark export FILE"]);
    refused(b"", &["no export of Tickmark"]);
    let Err(said) = ExportFile::open(Path::new("/"), |_| {}) else { panic!("a folder") };
    assert!(said.to_string().contains("is no file"), "{said}");
}
