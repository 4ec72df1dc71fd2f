//! What is told: some alerts at once, as data of its own that every kind of destination words in its way. Pure.

use app::links;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Severity;
use crate::config::BUILTIN_BOX;

/// One message.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Message {
    /// Where the panel is.
    pub panel: String,
    /// The alerts that are told.
    pub alerts: Vec<Told>,
}

/// One alert of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Told {
    /// Stays the same from its begin to its end.
    pub id: i64,
    /// The rule; of a notice, the script.
    pub rule: String,
    /// The box.
    #[serde(rename = "box")]
    pub box_name: String,
    /// How bad it is.
    pub severity: Severity,
    /// Whether it is over.
    pub resolved: bool,
    /// The value by which it fired, or was found to be well.
    pub value: Option<f64>,
    /// What it says.
    pub text: String,
    /// Since when it is broken, epoch milliseconds.
    pub since: i64,
    /// When it fired, epoch milliseconds.
    pub fired: i64,
    /// When it was over, epoch milliseconds.
    pub ended: Option<i64>,
    /// A page that shows it.
    pub link: String,
    /// The statistic whose chart shows it, where there is one.
    pub chart: Option<String>,
    /// Where the picture of that chart is for a week, for receivers that take a picture by its address, where there is one for everybody.
    #[serde(default)]
    pub picture: Option<String>,
    /// It was told before, and still fires.
    #[serde(default)]
    pub again: bool,
    /// A script says it: nothing fires, and nothing will be over.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub notice: bool,
}

impl Told {
    /// `notice`, `firing`, `still firing` or `resolved`.
    #[must_use]
    pub fn state(&self) -> &'static str {
        if self.notice {
            return "notice";
        }
        match (self.resolved, self.again) {
            (true, _) => "resolved",
            (false, true) => "still firing",
            (false, false) => "firing",
        }
    }

    /// In a line: `[critical] firing: sip1: …`.
    #[must_use]
    pub fn line(&self) -> String {
        format!("[{}] {}: {}", self.severity.as_str(), self.state(), self.text)
    }
}

impl Message {
    /// A line for all of it.
    #[must_use]
    pub fn title(&self) -> String {
        match self.alerts.as_slice() {
            [one] => one.line(),
            many => {
                let firing = many.iter().filter(|told| !told.resolved).count();
                format!("{firing} alerts fire, {} are over", many.len() - firing)
            }
        }
    }

    /// All of it as text, a line each with its link.
    #[must_use]
    pub fn text(&self) -> String {
        self.alerts.iter().map(|told| format!("{}\n{}\n", told.line(), told.link)).collect()
    }

    /// The worst of what fires, else of all.
    #[must_use]
    pub fn severity(&self) -> Severity {
        let firing = self.alerts.iter().filter(|told| !told.resolved).map(|told| told.severity).max();
        firing.or_else(|| self.alerts.iter().map(|told| told.severity).max()).unwrap_or_default()
    }

    /// The address of the first picture that goes along, and what it shows.
    #[must_use]
    pub fn picture(&self) -> Option<(&str, String)> {
        let shown = |told: &Told| format!("{} of {}", told.chart.as_deref().unwrap_or_default(), told.box_name);
        self.alerts.iter().find_map(|told| Some((told.picture.as_deref()?, shown(told))))
    }

    /// What a destination is asked to take to try it.
    #[must_use]
    pub fn test(panel: &str, now_ms: i64) -> Self {
        let told = Told {
            id: 0,
            rule: "test".to_owned(),
            box_name: "tickmark".to_owned(),
            severity: Severity::Info,
            resolved: false,
            value: None,
            text: "This is a test: nothing is wrong".to_owned(),
            since: now_ms,
            fired: now_ms,
            ended: None,
            link: format!("{panel}/alerts"),
            chart: None,
            picture: None,
            again: false,
            notice: false,
        };
        Self { panel: panel.to_owned(), alerts: vec![told] }
    }

    /// What a script says. `panel` is where people find the panel.
    #[must_use]
    pub fn notice(panel: &str, script: &str, severity: Severity, text: &str, now_ms: i64) -> Self {
        let told = Told {
            id: 0,
            rule: script.to_owned(),
            box_name: BUILTIN_BOX.to_owned(),
            severity,
            resolved: false,
            value: None,
            text: text.to_owned(),
            since: now_ms,
            fired: now_ms,
            ended: None,
            link: format!("{}{}", panel.trim_end_matches("/cp"), links::script(script)),
            chart: None,
            picture: None,
            again: false,
            notice: true,
        };
        Self { panel: panel.to_owned(), alerts: vec![told] }
    }
}
