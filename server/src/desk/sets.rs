//! Chart sets: those of the catalogue, offered for a box, and those that people put together, share, and move as TOML.

use app::model::{ChartSpec, SpecError};
use serde::{Deserialize, Serialize};

use super::{Desk, DeskError, Word};
use crate::{
    catalogue::{self, Preset},
    clock,
    store::{ChartSet, StoreError},
};

/// So many sets are enough for anyone.
const MAX_SETS: usize = 500;
/// A page has no more charts.
pub const MAX_SET_CHARTS: usize = 200;
/// The longest name, letters.
const MAX_NAME: usize = 60;

/// A set as it was written.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetInput {
    /// Its name.
    pub name: String,
    /// Whether the start page leads to it.
    #[serde(default)]
    pub pinned: bool,
    /// Its charts, each as its text says it.
    pub charts: Vec<String>,
}

/// Sets in a file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SetFile {
    set: Vec<SetInput>,
}

impl SetInput {
    /// The same, read and checked.
    fn read(&self, by: &str) -> Result<ChartSet, DeskError> {
        let name = self.name.trim();
        if name.is_empty() {
            return Err(DeskError::invalid("name", "is missing: call the set something"));
        }
        if name.chars().count() > MAX_NAME || name.chars().any(char::is_control) {
            return Err(DeskError::invalid("name", format!("has at most {MAX_NAME} letters, all on one line")));
        }
        let lines = self.charts.iter().enumerate().filter(|(_, line)| !line.trim().is_empty());
        let chart = |(place, line): (usize, &String)| {
            let wrong = |SpecError(why)| DeskError::invalid("charts", format!("line {}: {why}", place + 1));
            line.parse::<ChartSpec>().map_err(wrong)
        };
        let charts: Vec<ChartSpec> = lines.map(chart).collect::<Result<_, _>>()?;
        match charts.len() {
            0 => Err(DeskError::invalid("charts", "names no chart: write one a line, such as core:rcv_requests core:rcv_replies .rate")),
            1..=MAX_SET_CHARTS => Ok(ChartSet { name: name.to_owned(), pinned: self.pinned, charts, by: by.to_owned() }),
            many => Err(DeskError::invalid("charts", format!("has {many} charts: {MAX_SET_CHARTS} is the most"))),
        }
    }

    /// As it was kept.
    #[must_use]
    pub fn of(set: &ChartSet) -> Self {
        Self { name: set.name.clone(), pinned: set.pinned, charts: set.charts.iter().map(ToString::to_string).collect() }
    }
}

impl Desk {
    /// All sets that people put together, in their order.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn sets(&self) -> Result<Vec<ChartSet>, DeskError> {
        Ok(self.store.sets().await?)
    }

    /// One of them.
    ///
    /// # Errors
    /// When there is none of this name, or the database fails.
    pub async fn set(&self, name: &str) -> Result<ChartSet, DeskError> {
        let found = self.sets().await?.into_iter().find(|set| set.name == name);
        found.ok_or_else(|| DeskError::NotFound(format!("there is no chart set {name:?}: GET sets lists them")))
    }

    /// Adds a set.
    ///
    /// # Errors
    /// When a field is wrong, the name is taken, there are too many, or the database fails.
    pub async fn add_set(&self, input: &SetInput, by: &str) -> Result<(), DeskError> {
        let set = input.read(by)?;
        if self.sets().await?.len() >= MAX_SETS {
            return Err(DeskError::Full(format!("there are {MAX_SETS} chart sets already: remove one first")));
        }
        self.store.add_set(&set, clock::now_ms()).await.map_err(told)?;
        self.pin_again().await
    }

    /// Replaces a set; the input's name may be another one.
    ///
    /// # Errors
    /// When it is not there, a field is wrong, the name is taken, or the database fails.
    pub async fn change_set(&self, name: &str, input: &SetInput, by: &str) -> Result<(), DeskError> {
        self.store.change_set(name, &input.read(by)?, clock::now_ms()).await.map_err(told)?;
        self.pin_again().await
    }

    /// Adds one with the same charts, under a name that is free.
    ///
    /// # Errors
    /// When it is not there, there are too many, or the database fails.
    pub async fn duplicate_set(&self, name: &str, by: &str) -> Result<String, DeskError> {
        let set = self.set(name).await?;
        let taken: Vec<String> = self.sets().await?.into_iter().map(|set| set.name).collect();
        let base: String = name.chars().take(MAX_NAME - 6).collect();
        let free = (2..).map(|number| format!("{base} ({number})")).find(|name| !taken.contains(name)).unwrap_or(base);
        self.add_set(&SetInput { name: free.clone(), pinned: false, ..SetInput::of(&set) }, by).await?;
        Ok(free)
    }

    /// Puts a set so many places further up or, negative, down.
    ///
    /// # Errors
    /// When it is not there, or the database fails.
    pub async fn move_set(&self, name: &str, up: i64) -> Result<(), DeskError> {
        self.store.move_set(name, up).await.map_err(told)?;
        self.pin_again().await
    }

    /// Removes a set. What it ticked stays ticked.
    ///
    /// # Errors
    /// When it is not there, or the database fails.
    pub async fn remove_set(&self, name: &str) -> Result<(), DeskError> {
        self.store.remove_set(name).await.map_err(told)?;
        self.pin_again().await
    }

    /// The start page leads to those that are pinned now.
    async fn pin_again(&self) -> Result<(), DeskError> {
        self.board.pin(self.store.pinned_sets().await?);
        Ok(())
    }

    /// All sets as a file.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn sets_file(&self) -> Result<String, DeskError> {
        let file = SetFile { set: self.sets().await?.iter().map(SetInput::of).collect() };
        // Texts, flags and lists: it can always be written.
        Ok(format!(
            "# Chart sets of Tickmark. A chart is a line: statistics, then how it is drawn.\n{}",
            toml::to_string_pretty(&file).unwrap_or_default()
        ))
    }

    /// Adds the sets of a file, and replaces those of the same name: all of them, or none. Gives how many.
    ///
    /// # Errors
    /// When the file is not right: it is said where; when the database fails.
    pub async fn take_sets(&self, text: &str, by: &str) -> Result<usize, DeskError> {
        let file: SetFile = toml::from_str(text).map_err(|error| DeskError::invalid("file", error.to_string().trim_end().to_owned()))?;
        for input in &file.set {
            input.read(by).map_err(|error| DeskError::invalid("file", format!("the set {:?}: {error}", input.name)))?;
        }
        let known: Vec<String> = self.sets().await?.into_iter().map(|set| set.name).collect();
        let new = file.set.iter().filter(|input| !known.contains(&input.name)).count();
        if known.len() + new > MAX_SETS {
            return Err(DeskError::Full(format!("these were more than {MAX_SETS} chart sets in all")));
        }
        for input in &file.set {
            if known.contains(&input.name) {
                self.change_set(&input.name, input, by).await?;
            } else {
                self.add_set(input, by).await?;
            }
        }
        Ok(file.set.len())
    }

    /// The catalogue's sets for a box, with those of their charts that it has something for.
    ///
    /// # Errors
    /// When there is no such box.
    pub fn presets(&self, box_name: &str) -> Result<Vec<(&'static Preset, Vec<ChartSpec>)>, DeskError> {
        let entry = self.entry(box_name)?;
        let now = entry.lock();
        let kind = now.stored.spec.kind;
        let has = |chart: &ChartSpec| {
            let patterns: Vec<_> = chart.statistics.iter().map(app::model::Wanted::pattern).collect();
            now.layout.asked.iter().any(|name| patterns.iter().any(|pattern| pattern.matches(name)))
        };
        let offered = catalogue::presets_of(kind).map(|(preset, charts)| (preset, charts.into_iter().filter(has).collect::<Vec<_>>()));
        Ok(offered.filter(|(_, charts)| !charts.is_empty()).collect())
    }

    /// Ticks what charts show of a box, as they name it: what a pattern matches later is recorded too. Gives how many are recorded then.
    ///
    /// # Errors
    /// When there is no such box, or the database fails.
    pub async fn tick_charts(&self, box_name: &str, charts: &[ChartSpec]) -> Result<usize, DeskError> {
        let of_box = |wanted: &&app::model::Wanted| wanted.box_name.as_deref().is_none_or(|name| name == box_name);
        let mut words: Vec<&str> =
            charts.iter().flat_map(|chart| &chart.statistics).filter(of_box).map(|wanted| wanted.word.as_str()).collect();
        words.dedup();
        let of_all = charts.iter().filter_map(|chart| chart.of.as_deref()).map(Word::Name);
        let words: Vec<Word<'_>> = words.into_iter().map(Word::Pattern).chain(of_all).collect();
        self.tick(box_name, &words, true).await
    }
}

fn told(error: StoreError) -> DeskError {
    match error {
        StoreError::Taken(_) => DeskError::Taken("there is a chart set of this name already: choose another name".to_owned()),
        StoreError::Missing(what) => DeskError::NotFound(format!("{what} does not exist")),
        other => DeskError::Store(other),
    }
}
