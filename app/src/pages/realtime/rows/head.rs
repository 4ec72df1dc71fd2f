//! The heads above the rows of a group: by what they can be sorted, each a link.

use super::push_text;
use crate::{
    links,
    model::{By, Sort},
};

/// Where nothing is sorted: only to be heard.
pub(in crate::pages) const PLAIN_HEAD: &str = concat!(
    r#"<thead class="vh"><tr><th scope="col">Recorded</th><th scope="col">Statistic</th><th scope="col">Course</th>"#,
    r#"<th scope="col">Value</th><th scope="col">Per second</th><th scope="col">Chart, reset</th></tr></thead>"#
);

/// The same for all groups of a page: `here` is its address.
pub(in crate::pages) fn head(here: &str, sort: Sort) -> String {
    let mut out = String::from(r#"<thead><tr><th scope="col" class="tick"><span class="vh">Recorded</span></th>"#);
    for (by, class, words, tip) in [
        (By::Name, "name", "Statistic", "Sort by name"),
        (By::Moved, "spark", "Course", "Sort by when each moved last"),
        (By::Value, "val", "Value", "Sort by value"),
        (By::Rate, "rate", "Per second", "Sort by the increase per second"),
    ] {
        let sorted = match (sort.by == by, sort.is_ascending()) {
            (false, _) => "",
            (true, true) => r#" aria-sort="ascending""#,
            (true, false) => r#" aria-sort="descending""#,
        };
        out.push_str(r#"<th scope="col" class=""#);
        out.push_str(class);
        out.push('"');
        out.push_str(sorted);
        out.push_str(r#"><a href=""#);
        push_text(&mut out, &links::with_word(here, "sort", &sort.pressed(by).word()));
        out.push_str(r#"" title=""#);
        out.push_str(tip);
        out.push_str(r#"">"#);
        out.push_str(words);
        out.push_str("</a></th>");
    }
    out.push_str(r#"<th scope="col" class="act"><span class="vh">Chart, reset</span></th></tr></thead>"#);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_lead_to_other_orders_and_say_which_it_is() {
        let html = head("/cp?box=sip1&match=a", Sort::default());
        assert!(html.contains(r#"class="name" aria-sort="ascending"><a href="/cp?box=sip1&amp;match=a&amp;sort=-name""#), "{html}");
        assert!(html.contains(r#"class="rate"><a href="/cp?box=sip1&amp;match=a&amp;sort=rate""#), "{html}");
        let html = head("/cp?box=sip1&sort=rate", Sort::parse("rate"));
        assert!(html.contains(r#"class="rate" aria-sort="descending"><a href="/cp?box=sip1&amp;sort=-rate""#), "{html}");
        assert!(html.contains(r#"class="name"><a href="/cp?box=sip1""#), "{html}");
    }
}
