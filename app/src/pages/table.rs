//! A table as pages have them, with the card around it. Knows no page.

use leptos::prelude::*;

use crate::format;

/// The head of a column of buttons: it is only read out.
pub(super) const ACTIONS: &str = "Actions";

/// A table; `named_by` is the id of the heading that names it.
pub(super) fn table(named_by: &'static str, heads: &[&'static str], rows: AnyView) -> AnyView {
    let heads = heads.iter().map(|&head| match head {
        ACTIONS => view! { <th scope="col"><span class="vh">{head}</span></th> }.into_any(),
        _ => view! { <th scope="col">{head}</th> }.into_any(),
    });
    view! {
        <table aria-labelledby=named_by>
            <thead>
                <tr>{heads.collect_view()}</tr>
            </thead>
            <tbody>{rows}</tbody>
        </table>
    }
    .into_any()
}

/// A card with a heading of this id, and a table below it.
pub(super) fn card(id: &'static str, title: String, heads: &[&'static str], rows: AnyView) -> AnyView {
    view! {
        <section class="card list" aria-labelledby=id>
            <h2 id=id>{title}</h2>
            {table(id, heads, rows)}
        </section>
    }
    .into_any()
}

/// An instant: in UTC; the frame's island tells the local time with it.
pub(super) fn instant(ms: i64) -> AnyView {
    let utc = format::utc(ms);
    view! { <time datetime=utc.replace(" UTC", "Z") data-ms=ms.to_string()>{utc.clone()}</time> }.into_any()
}
