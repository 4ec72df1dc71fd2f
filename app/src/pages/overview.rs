//! Overview: a tile for every box, what needs somebody first. The island keeps the tiles true, finds among them and moves them.

mod tiles;

use leptos::prelude::*;

use super::frame::{self, search_like, switch};
use crate::{
    islands::overview::OverviewLive,
    links,
    model::{Frame, Order, OverviewPage, Size},
    tile,
};

/// Draws it.
pub(super) fn page(frame: &Frame, page: &OverviewPage) -> AnyView {
    let nothing = !page.tiles.iter().any(|one| one.found);
    let class = match page.size {
        Size::Tiles => "tiles",
        Size::Lines => "tiles lines",
    };
    let left_out = (page.left_out > 0).then(|| {
        let shown = page.tiles.iter().filter(|one| one.found).count();
        view! { <p class="note">{format!("{shown} boxes are shown, {} more match: narrow the search.", page.left_out)}</p> }
    });
    view! {
        <main id="main">
            <h1 class="vh">"Overview"</h1>
            {frame::notices(frame)} {tools(page)}
            <p class="note" id="nothing" hidden=!nothing>
                <span>"No box matches. A part of a name, a label, a kind, an address or a state finds boxes."</span>
                <a href=Address { search: "", ..Address::of(page) }.link()>"Show all boxes"</a>
            </p>
            <ul
                id="tiles"
                class=class
                data-order=page.order.as_str()
                data-whole=page.whole.then_some("true")
                inner_html=tiles::tiles(&page.tiles)
            ></ul>
            {left_out} {first(page)} <OverviewLive />
        </main>
    }
    .into_any()
}

/// While there is only the panel itself: what to do next.
fn first(page: &OverviewPage) -> Option<impl IntoView + use<>> {
    (page.tiles.len() == 1 && page.search.is_empty()).then(|| {
        view! {
            <section class="empty">
                <h2>"Only the panel itself is here yet"</h2>
                <p>"Each SIP server that is added as a box gets its tile here, with how it does and its liveliest numbers."</p>
                <a class="btn main" href=format!("{}#form", links::BOXES)>"Add a SIP server"</a>
            </section>
        }
    })
}

/// What this page shows, as its address says it.
#[derive(Clone, Copy)]
struct Address<'a> {
    search: &'a str,
    order: Order,
    /// Empty: as many boxes as there are ask for.
    size: &'a str,
}

impl<'a> Address<'a> {
    fn of(page: &'a OverviewPage) -> Self {
        let size = if page.size == page.usual_size { "" } else { page.size.as_str() };
        Self { search: &page.search, order: page.order, size }
    }

    fn order(self) -> &'static str {
        if self.order == Order::default() { "" } else { self.order.as_str() }
    }

    fn link(self) -> String {
        links::with_query(links::OVERVIEW, &[("sort", self.order()), ("size", self.size), ("match", self.search)])
    }
}

fn tools(page: &OverviewPage) -> AnyView {
    let at = Address::of(page);
    let order = |order: Order, text: &str| (Address { order, ..at }.link(), text.to_owned(), page.order == order);
    let size = |size: Size, text: &str| {
        let word = if size == page.usual_size { "" } else { size.as_str() };
        (Address { size: word, ..at }.link(), text.to_owned(), page.size == size)
    };
    let states: Vec<_> = page.tiles.iter().map(|one| one.view.state).collect();
    view! {
        <div class="tools">
            {search_like(
                links::OVERVIEW,
                "Find boxes",
                "sip1  site=fra  no answer",
                &page.search,
                &[("sort", at.order()), ("size", at.size)],
                Address { search: "", ..at }.link(),
            )} {switch("Order", vec![order(Order::Problems, "problems first"), order(Order::Name, "by name")])}
            {switch("Size", vec![size(Size::Tiles, "tiles"), size(Size::Lines, "lines")])}
            <div class="state" id="live">
                <span class="pulse" hidden></span>
                <span data-live hidden></span>
                " "
                <span data-tally>{tile::tally(&states)}</span>
            </div>
        </div>
    }
    .into_any()
}
