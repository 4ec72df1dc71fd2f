//! `tickmark import ocp`: boxes, ticks and history of OpenSIPS Control Panel.

use std::{
    collections::{BTreeMap, HashMap},
    io::Write,
    path::{Path, PathBuf},
    process::ExitCode,
};

use app::{matching::word_of, shown::visible};
use clap::{Args, ValueHint};
use futures::StreamExt;
use serde_json::Value;

use super::{
    super::{CliError, Place, boxes},
    alone,
    bringing::{Bringing, Care, Lines},
};
use crate::{
    board::Rules,
    ocp::{OcpBox, OcpSample, Row, Rows},
    source::parse_address,
    store::{BoxSpec, OcpDatabase, Store},
};

/// Where from.
#[derive(Args, Debug)]
#[command(after_help = "\
Have MySQL or MariaDB print the tables:
  mysql --batch --quick -e 'select * from ocp_boxes_config; select * from ocp_monitored_stats;
    select name, time, value, box_id from ocp_monitoring_stats' opensips | tickmark import ocp")]
pub(super) struct OcpArgs {
    /// A URL of PostgreSQL, such as postgres://user@host/opensips; or a file of tab-separated rows as `mysql --batch` or `psql -A -F $'\t'`
    /// print them; - is standard input
    #[arg(value_hint = ValueHint::FilePath, default_value = "-")]
    source: String,
    /// Which box here one of theirs is, such as 1=sip1; else it is the one at its address, or of its name, or it is added
    #[arg(long = "box", value_name = "ID=NAME", value_parser = pair)]
    boxes: Vec<(i64, String)>,
    /// What to do with lines that are wrong.
    #[command(flatten)]
    care: Care,
}

fn pair(text: &str) -> Result<(i64, String), String> {
    let pair = text.split_once('=').and_then(|(id, name)| Some((id.trim().parse().ok()?, name.trim().to_owned())));
    pair.ok_or_else(|| format!("{text:?} does not say which box: write ID=NAME, such as 1=sip1"))
}

pub(super) async fn run(args: &OcpArgs, place: &Place<'_>, out: &mut dyn Write) -> Result<ExitCode, CliError> {
    let is_url = ["postgres://", "postgresql://"].iter().any(|scheme| args.source.starts_with(scheme));
    // Before a database is made for it.
    let source = if is_url {
        Source::Server(Box::new(OcpDatabase::connect(&args.source).await?))
    } else {
        Source::Lines(Lines::of(Path::new(&args.source))?, PathBuf::from(&args.source))
    };
    let store = place.store_or_new().await?;
    let imported = import(&store, args, source, place, out).await;
    store.close().await;
    imported.map(|()| ExitCode::SUCCESS)
}

enum Source {
    Server(Box<OcpDatabase>),
    Lines(Lines, PathBuf),
}

async fn import(store: &Store, args: &OcpArgs, source: Source, place: &Place<'_>, out: &mut dyn Write) -> Result<(), CliError> {
    let _one_alone = alone(store, &place.database()?).await?;
    let mut import = Import {
        store,
        now_ms: place.now_ms,
        bringing: Bringing::new(store, &args.care, place.now_ms)?,
        boxes: HashMap::new(),
        ticks: BTreeMap::new(),
    };
    for (id, name) in &args.boxes {
        import.boxes.insert(*id, boxes::named(store, name).await?.id);
    }
    match source {
        Source::Lines(lines, path) => import.lines(lines, &path, out).await?,
        Source::Server(server) => import.server(*server, out).await?,
    }
    let ticks = import.keep_ticks().await?;
    import.bringing.end(out).await?;
    if ticks > 0 {
        writeln!(out, "{ticks} statistics are ticked now that were not.")?;
    }
    Ok(())
}

struct Import<'a> {
    store: &'a Store,
    now_ms: i64,
    bringing: Bringing<'a>,
    /// Ours, by the numbers of theirs.
    boxes: HashMap<i64, i64>,
    ticks: BTreeMap<i64, Vec<String>>,
}

impl Import<'_> {
    async fn lines(&mut self, mut lines: Lines, path: &Path, out: &mut dyn Write) -> Result<(), CliError> {
        let mut rows = Rows::default();
        loop {
            let number = lines.count + 1;
            let Some(line) = lines.next()? else { return Ok(()) };
            // Old tables are in latin1, and a client may print them so.
            let row = rows.line(&String::from_utf8_lossy(line));
            let taken = match row {
                Ok(Some(row)) => self.take(row, out).await?,
                Ok(None) => Ok(()),
                Err(why) => Err(why),
            };
            if let Err(why) = taken {
                self.bringing.refuse(&format!("line {number} of {}", path.display()), &why)?;
            }
        }
    }

    async fn server(&mut self, mut server: OcpDatabase, out: &mut dyn Write) -> Result<(), CliError> {
        let text = |row: &Value, column: &str| row[column].as_str().map(str::to_owned).unwrap_or_default();
        for row in server.boxes().await? {
            let said = [text(&row, "mi_conn"), text(&row, "name"), text(&row, "desc")];
            let one = OcpBox::new(row["id"].as_i64().unwrap_or_default(), &said[0], &said[1], &said[2]);
            if let Err(why) = self.take(Row::Box(one), out).await? {
                self.bringing.refuse(&format!("the row {} of ocp_boxes_config", row["id"]), &why)?;
            }
        }
        for row in server.ticks().await? {
            if !text(&row, "extra").is_empty() {
                continue;
            }
            let (box_id, name) = (row["box_id"].as_i64().unwrap_or_default(), text(&row, "name"));
            if let Err(why) = self.take(Row::Tick { box_id, name: name.clone() }, out).await? {
                self.bringing.refuse(&format!("the row {name} of ocp_monitored_stats"), &why)?;
            }
        }
        if let Some(samples) = server.samples_estimated().await? {
            eprintln!("reading some {samples} samples");
        }
        let mut samples = std::pin::pin!(server.samples());
        while let Some(row) = samples.next().await {
            let [box_id, name, time, value] = row?;
            let taken = match OcpSample::new(&box_id, &name, &time, &value) {
                Ok(sample) => self.take(Row::Sample(sample), out).await?,
                Err(why) => Err(why),
            };
            if let Err(why) = taken {
                self.bringing.refuse(&format!("the row of ocp_monitoring_stats of {name:?} at {time} of box {box_id}"), &why)?;
            }
        }
        Ok(())
    }

    /// Takes a row; inside, what is wrong with it.
    async fn take(&mut self, row: Row, out: &mut dyn Write) -> Result<Result<(), String>, CliError> {
        let (id, name) = match row {
            Row::Box(one) => return self.take_box(&one, out).await,
            Row::Tick { box_id, name } => match self.ours(box_id) {
                Ok(id) => (id, name),
                Err(why) => return Ok(Err(why)),
            },
            Row::Sample(sample) => {
                let id = match self.ours(sample.box_id) {
                    Ok(id) => id,
                    Err(why) => return Ok(Err(why)),
                };
                self.bringing.sample(id, &sample.name, sample.at_ms, Some(sample.value)).await?;
                return Ok(Ok(()));
            }
        };
        self.ticks.entry(id).or_default().push(name);
        Ok(Ok(()))
    }

    fn ours(&self, box_id: i64) -> Result<i64, String> {
        self.boxes.get(&box_id).copied().ok_or_else(|| {
            format!(
                "its box_id {box_id} is in no row of ocp_boxes_config before it: send that table first, or say which box here it is \
                 with --box {box_id}=NAME"
            )
        })
    }

    /// Finds the box here, or adds it.
    async fn take_box(&mut self, theirs: &OcpBox, out: &mut dyn Write) -> Result<Result<(), String>, CliError> {
        if self.boxes.contains_key(&theirs.id) {
            return Ok(Ok(()));
        }
        let (address, kind) = match theirs.address() {
            Ok(found) => found,
            Err(why) => return Ok(Err(format!("{why}; add it yourself and say --box {}=NAME", theirs.id))),
        };
        let all = self.store.boxes().await?;
        let is_there = |stored: &&crate::store::StoredBox| parse_address(&stored.spec.address).is_ok_and(|other| other == address);
        let taken: Vec<i64> = self.boxes.values().copied().collect();
        let same_name = |name: &str| all.iter().find(|stored| stored.spec.name == name && !taken.contains(&stored.id));
        if let Some(stored) = all.iter().find(is_there).or_else(|| same_name(&theirs.name)) {
            writeln!(out, "Their box {} is {} here.", theirs.id, stored.spec.name)?;
            self.boxes.insert(theirs.id, stored.id);
            return Ok(Ok(()));
        }
        let is_taken = all.iter().any(|stored| stored.spec.name == theirs.name);
        let name = if is_taken { format!("ocp-{}", theirs.id) } else { theirs.name.clone() };
        let spec = BoxSpec::new(name, kind, address.to_string());
        let id = self.store.add_box(&spec, self.now_ms).await?;
        writeln!(out, "Their box {} was added: {} ({}, {}).", theirs.id, visible(&spec.name), kind.as_str(), spec.address)?;
        self.boxes.insert(theirs.id, id);
        Ok(Ok(()))
    }

    /// Ticks what they monitor; says how many were not ticked yet.
    async fn keep_ticks(&mut self) -> Result<usize, CliError> {
        let mut count = 0;
        for (box_id, names) in std::mem::take(&mut self.ticks) {
            let mut rules = Rules::new(self.store.ticks(box_id).await?);
            let new: Vec<&String> = names.iter().filter(|name| !rules.ticked(name)).collect();
            let words: Vec<_> = new.iter().map(|name| word_of(name)).collect();
            let words: Vec<&str> = words.iter().map(|word| &**word).collect();
            rules.tick(&words).map_err(|error| CliError::Failed(error.to_string()))?;
            self.store.replace_ticks(box_id, &rules.list()).await?;
            count += new.len();
        }
        Ok(count)
    }
}
