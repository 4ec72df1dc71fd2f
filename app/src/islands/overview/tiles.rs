//! One tile with what changes on it, and writing that. Knows no stream.

use web_sys::Element;

use crate::{
    course, format,
    islands::{browser, dom},
    json,
    model::{BoxState, Kind, LiveStatistic, LiveValues, Number, SPARK_POINTS, Spark},
    reading::BoxNews,
    tile, wording,
};

/// A box's tile.
pub(super) struct Tile {
    pub(super) element: Element,
    pub(super) id: i64,
    pub(super) name: String,
    pub(super) state: BoxState,
    pub(super) rank: u8,
    /// What a search looks through.
    pub(super) words: String,
    /// When it answered last, by this browser's clock, epoch milliseconds.
    answered_ms: Option<f64>,
    numbers: Vec<Shown>,
}

/// A number on it.
struct Shown {
    name: String,
    value: Element,
    path: Option<Element>,
    kind: Kind,
    unit: String,
    /// The statistic that it is a share of, and that one's value.
    of: Option<(String, Option<Number>)>,
    last: (Option<Number>, Option<f64>),
    points: Vec<Option<f32>>,
}

impl Tile {
    /// Every tile of the page, in its order.
    pub(super) fn all() -> Vec<Self> {
        dom::all("#tiles > li").into_iter().filter_map(Self::read).collect()
    }

    #[expect(clippy::cast_precision_loss, reason = "ages")]
    fn read(element: Element) -> Option<Self> {
        let told = |what: &str| element.get_attribute(what);
        let key = told("data-state")?;
        let states = [BoxState::Up, BoxState::Down, BoxState::Paused, BoxState::Waiting];
        let age: Option<i64> = told("data-age-ms").and_then(|age| age.parse().ok());
        Some(Self {
            id: told("data-id")?.parse().ok()?,
            name: told("data-box")?,
            state: states.into_iter().find(|state| wording::state_key(*state) == key)?,
            rank: told("data-rank")?.parse().ok()?,
            words: told("data-words")?,
            answered_ms: age.map(|age| browser::now_ms() - age as f64),
            numbers: dom::all_in(&element, "[data-name]").into_iter().filter_map(|one| Shown::read(&one)).collect(),
            element,
        })
    }

    fn part(&self, selector: &str) -> Option<Element> {
        self.element.query_selector(selector).ok().flatten()
    }

    /// Takes what a poll brought. Answers whether it tells of other statistics than are shown here.
    pub(super) fn values(&mut self, news: &LiveValues) -> bool {
        // A poll arrives as it happens; a snapshot may be of long ago.
        if !news.snapshot {
            self.answered_ms = Some(browser::now_ms());
            self.write_age();
        }
        let told = |name: &str| news.statistics.iter().find(|one| one.name == name);
        for number in &mut self.numbers {
            number.take(&told, news.snapshot);
        }
        // A page cannot hold NUL; see how it escapes.
        let is_shown = |name: &str| {
            let name = name.replace('\0', "\u{fffd}");
            self.numbers.iter().any(|one| one.name == name || one.of.as_ref().is_some_and(|(of, _)| *of == name))
        };
        news.snapshot && !news.statistics.iter().all(|one| is_shown(&one.name))
    }

    /// Takes how the box does.
    #[expect(clippy::cast_precision_loss, reason = "ages")]
    pub(super) fn changed(&mut self, news: &BoxNews) {
        if news.state != self.state {
            dom::hear(&wording::state_news(&self.name, news.state, news.reason.as_deref()));
        }
        self.state = news.state;
        self.rank = tile::rank(news.state, news.notice.is_some());
        if let Some(age) = news.age_ms {
            self.answered_ms = Some(browser::now_ms() - age as f64);
        }
        let _ = self.element.set_attribute("data-state", wording::state_key(news.state));
        let _ = self.element.set_attribute("data-rank", &self.rank.to_string());
        let _ = self.element.class_list().toggle_with_force("stale", news.state != BoxState::Up);
        let (dot, word) = wording::state_look(news.state);
        if let Some(mark) = self.part("h2 span") {
            mark.set_class_name(dot);
        }
        if let Some(place) = self.part("[data-word]") {
            dom::write(&place, if news.state == BoxState::Up { "" } else { word });
        }
        if let Some(place) = self.part(".why") {
            let why = news.reason.as_deref().or(news.notice.as_deref()).map(wording::sentence).unwrap_or_default();
            let why = crate::shown::visible(&why);
            dom::show(&place, !why.is_empty());
            dom::write(&place, &why);
            let _ = place.set_attribute("title", &why);
        }
        self.write_age();
    }

    /// Writes what time alone changes.
    pub(super) fn write_age(&self) {
        let Some(at) = self.answered_ms else { return };
        #[expect(clippy::cast_possible_truncation, reason = "milliseconds since 1970 fit")]
        let age = (browser::now_ms() - at).max(0.0) as i64;
        if let Some(place) = self.part("[data-age]") {
            dom::write(&place, &format!("{} ago", format::age(age)));
        }
    }
}

impl Shown {
    fn read(place: &Element) -> Option<Self> {
        let told = |what: &str| place.get_attribute(what);
        let whole = || told("data-whole").and_then(|whole| json::float(&whole)).map(Number::Float);
        Some(Self {
            name: told("data-name")?,
            value: place.query_selector(".val").ok().flatten()?,
            path: place.query_selector("path").ok().flatten(),
            kind: Kind::parse(&told("data-kind")?)?,
            unit: told("data-unit").unwrap_or_default(),
            of: told("data-of").map(|name| (name, whole())),
            last: (None, None),
            points: Vec::new(),
        })
    }

    fn take<'a>(&mut self, told: &impl Fn(&str) -> Option<&'a LiveStatistic>, snapshot: bool) {
        let whole = self.of.as_ref().and_then(|(of, _)| told(of));
        if let (Some((_, known)), Some(whole)) = (&mut self.of, whole) {
            *known = whole.value;
        }
        let own = told(&self.name);
        if let Some(own) = own {
            self.last = (own.value, own.rate);
        }
        if own.is_some() || whole.is_some() {
            self.write();
        }
        match own {
            Some(own) if snapshot => {
                self.points = own.spark.as_ref().map(Spark::points).unwrap_or_default();
                self.draw();
            }
            Some(own) => {
                let point = if self.kind == Kind::Counter { own.rate } else { own.value.map(Number::as_f64) };
                #[expect(clippy::cast_possible_truncation, reason = "a spark line is 18 pixels high")]
                self.push(point.map(|point| point as f32));
            }
            // What did not change still took part in the poll.
            None if !snapshot => {
                if let Some(last) = self.points.last().copied() {
                    self.push(last);
                }
            }
            None => {}
        }
    }

    fn write(&self) {
        let of = self.of.as_ref().map(|(_, value)| *value);
        let (value, rate) = self.last;
        let told = tile::number(self.kind, &self.unit, value, rate, of);
        let _ = self.value.class_list().toggle_with_force("unknown", told.is_none());
        let (text, tip) = match told {
            Some(told) => (told.text, told.more),
            None => ("unknown".to_owned(), tile::missing(self.kind, value, of.is_some(), None)),
        };
        if let Ok(Some(place)) = self.value.query_selector("b") {
            dom::write(&place, &text);
        }
        // Only where there is no value it is read out why.
        if let Ok(Some(reason)) = self.value.query_selector(".vh") {
            dom::write(&reason, &if text == "unknown" { format!(": {tip}") } else { String::new() });
        }
        let _ = self.value.set_attribute("title", &tip);
    }

    fn push(&mut self, point: Option<f32>) {
        // Before a snapshot the points of the line on screen are not known.
        if self.points.is_empty() {
            return;
        }
        if self.points.len() >= SPARK_POINTS {
            self.points.remove(0);
        }
        self.points.push(point);
        self.draw();
    }

    fn draw(&self) {
        if let Some(path) = &self.path {
            let path_now = course::path(&self.points);
            if path.get_attribute("d").as_deref() != Some(&path_now) {
                let _ = path.set_attribute("d", &path_now);
            }
        }
    }
}
