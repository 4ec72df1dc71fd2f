//! Charts that somebody puts together: what a page's forms change in them, and which names those forms offer. Everything stands in addresses.

use app::{
    links,
    matching::word_of,
    model::{ChartSpec, Composed, Mode, SpecError, Wanted},
};

use super::rows::Room;
use crate::{
    api::Ask,
    problem::{Problem, problem},
};

/// So many charts one page has that somebody put together.
const MAX_COMPOSED: usize = 40;
/// So many names the fields offer; any other can be typed.
const MAX_NAMES: usize = 1_000;

/// The charts of an address.
pub(super) fn read(ask: &Ask) -> Vec<Composed> {
    ask.all("chart").take(MAX_COMPOSED).map(Composed::read).collect()
}

/// Where a form leads that changes a chart: to the address that has it changed. None: nothing is to be changed.
pub(super) fn changed(ask: &Ask) -> Result<Option<String>, Problem> {
    let (add, of) = (ask.get("add"), ask.get("of"));
    if add.is_none() && of.is_none() {
        return Ok(None);
    }
    let mut charts = read(ask);
    let place: usize = ask.get("place").and_then(|place| place.parse().ok()).unwrap_or_default();
    let chart = charts.get_mut(place).ok_or_else(|| refused("there is no chart at this place of the page: go back and try again"))?;
    let mut spec = chart.spec.clone().map_err(|why| refused(&why))?;
    for word in add.map(app::matching::words).unwrap_or_default() {
        let wanted = wanted(&word, &spec)?;
        spec = spec.with(wanted);
    }
    if let Some(of) = of {
        // Names come with their box from the list, and a share is one of the same box.
        let of = of.parse::<Wanted>().ok().and_then(|of| of.pattern().exact().map(str::to_owned)).unwrap_or_else(|| of.to_owned());
        (spec.mode, spec.of) = (Some(Mode::Percent), Some(of));
    }
    spec.check().map_err(|SpecError(why)| refused(&why))?;
    *chart = Composed::of(spec);
    let kept = ["box", "mode", "scale", "axis", "compare"].map(|name| (name, ask.get(name).unwrap_or_default()));
    let link = charts.iter().fold(links::with_query(links::CHARTS, &kept), |link, chart| links::with_chart(&link, &chart.text));
    Ok(Some(links::with_span(&link, ask.range()?, ask.get("span").unwrap_or_default())))
}

/// What is typed into a chart's field: without a box it is of that of the chart's first statistic.
fn wanted(word: &str, spec: &ChartSpec) -> Result<Wanted, Problem> {
    let typed: Wanted = word.parse().map_err(|SpecError(why)| refused(&why))?;
    let of_first = spec.statistics.first().and_then(|first| first.box_name.clone());
    Ok(Wanted { box_name: typed.box_name.or(of_first), ..typed })
}

fn refused(why: &str) -> Problem {
    problem(axum::http::StatusCode::BAD_REQUEST, "The chart is not right", why.to_owned())
}

/// The names that a page's fields offer, as they are collected box by box.
pub(super) struct Names {
    names: Vec<String>,
    room: Room,
}

impl Names {
    pub(super) fn new() -> Self {
        Self { names: Vec::new(), room: Room::of(MAX_NAMES) }
    }

    pub(super) fn add(&mut self, box_name: &str, full: &str) {
        if self.room.take(1, full) {
            self.names.push(Wanted { box_name: Some(box_name.to_owned()), word: word_of(full).into_owned() }.to_string());
        }
    }

    pub(super) fn take(self) -> Vec<String> {
        self.names
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn leads(query: &str, expect: &str) {
        assert_eq!(changed(&Ask::parse(query)).map_err(|problem| problem.detail), Ok(Some(expect.to_owned())));
    }

    #[test]
    fn a_form_leads_to_the_chart_as_it_is_then() {
        leads("chart=sip1/a:b&place=0&add=c:d", "/cp/charts?chart=sip1/a:b+sip1/c:d");
        leads("chart=sip1/a:b&add=sip2/a:*,sip1/a:b&span=1h&box=sip1", "/cp/charts?box=sip1&chart=sip1/a:b+sip2/a:*&span=1h");
        leads(
            "chart=x:y&chart=a:b+.log&place=1&add=%22=x:a+b%22&from=5&to=9",
            "/cp/charts?chart=x:y&chart=a:b+%22%3Dx:a+b%22+.log&from=5&to=9",
        );
        leads("chart=shmem:used_size+.rate&of=sip1/shmem:total_size", "/cp/charts?chart=shmem:used_size+.percent+.of%3Dshmem:total_size");
        assert_eq!(changed(&Ask::parse("chart=a:b&place=0")).map_err(|problem| problem.detail), Ok(None));
        for (query, says) in [
            ("chart=a:b&place=1&add=c:d", "no chart at this place"),
            ("chart=.fast&add=c:d", "after the dot"),
            ("chart=a:b&add=b!/c:d", "no name of a box"),
            ("add=c:d", "no chart"),
        ] {
            let why = changed(&Ask::parse(query)).unwrap_err().detail;
            assert!(why.contains(says), "{query}: {why}");
        }
    }
}
