//! The stream of all boxes and what it brings to their tiles; tiles that move, come and go.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    time::Duration,
};

use leptos::{
    prelude::{document, set_interval, set_timeout, window},
    task::spawn_local,
};
use wasm_bindgen::JsCast;
use web_sys::{Event, HtmlElement, KeyboardEvent};

use super::{search, tiles::Tile};
use crate::{
    islands::{
        browser, dom,
        feed::{Feed, Heard},
    },
    model::{LiveValues, Removed},
    order,
    reading::{self, BoxNews},
    tile, wording,
};

/// How often ages are written anew.
const AGE_STEP: Duration = Duration::from_secs(1);
/// How long is waited before the tiles are asked for anew: what changes together comes together.
const GATHER: Duration = Duration::from_millis(300);
/// So long it is not done again.
const RENEW_REST: Duration = Duration::from_secs(3);
/// What the stream tells: of each box what its tile shows.
const EVENTS: &str = "/cp/events?show=overview";

/// What the island knows of the page.
pub(super) struct Page {
    pub(super) tiles: RefCell<Vec<Tile>>,
    feed: RefCell<Option<Rc<Feed>>>,
    /// The boxes that the stream told of since it was opened.
    told: RefCell<Vec<i64>>,
    renewing: Cell<bool>,
    behind: Cell<bool>,
}

/// Begins to follow.
pub(super) fn start() {
    if dom::one("#tiles").is_none() {
        return;
    }
    let page = Rc::new(Page {
        tiles: RefCell::new(Tile::all()),
        feed: RefCell::default(),
        told: RefCell::default(),
        renewing: Cell::new(false),
        behind: Cell::new(false),
    });
    search::listen(&page);
    listen(&page);
    follow(&page);
    set_interval(move || page.tiles.borrow().iter().for_each(Tile::write_age), AGE_STEP);
}

fn follow(page: &Rc<Page>) {
    let heard = |name: &'static str, act: fn(&Rc<Page>, &str)| -> Heard {
        let page = Rc::downgrade(page);
        (name, Rc::new(move |data: String| page.upgrade().into_iter().for_each(|page| act(&page, &data))))
    };
    let heard = vec![
        heard("open", |page, _| {
            page.told.borrow_mut().clear();
            dom::write_live(true);
        }),
        heard("error", |_, _| dom::write_live(false)),
        heard("values", |page, data| {
            if let Some(news) = reading::read(data) {
                page.values(&news);
            }
        }),
        heard("box", |page, data| {
            if let Some(news) = reading::read(data) {
                page.box_changed(&news);
            }
        }),
        heard("removed", |page, data| {
            if let Some(Removed { box_name }) = reading::read(data) {
                page.remove(|tile| tile.name == box_name);
            }
        }),
        // All boxes are told by now.
        heard("build", |page, _| {
            let told = page.told.borrow().clone();
            page.remove(|tile| !told.contains(&tile.id));
        }),
    ];
    page.feed.replace(Some(Feed::follow(|| EVENTS.to_owned(), heard)));
}

fn listen(page: &Rc<Page>) {
    dom::on::<KeyboardEvent>(&document(), "keydown", |event| keys(&event));
    // What waited for the pointer, or for the focus, to leave.
    if let Some(list) = dom::one("#tiles") {
        for name in ["pointerleave", "focusout"] {
            let page = page.clone();
            dom::on::<Event>(&list, name, move |_| {
                let page = page.clone();
                set_timeout(move || page.settle(), Duration::ZERO);
            });
        }
    }
}

impl Page {
    fn values(self: &Rc<Self>, news: &LiveValues) {
        let differs = self.tiles.borrow_mut().iter_mut().find(|tile| tile.name == news.box_name).map(|tile| tile.values(news));
        if differs == Some(true) {
            self.renew();
        }
    }

    fn box_changed(self: &Rc<Self>, news: &BoxNews) {
        {
            let mut told = self.told.borrow_mut();
            if !told.contains(&news.id) {
                told.push(news.id);
            }
        }
        let known = {
            let mut tiles = self.tiles.borrow_mut();
            let tile = tiles.iter_mut().find(|tile| tile.id == news.id);
            tile.is_some_and(|tile| {
                let had_numbers = news.statistics == 0 || tile.element.query_selector(".none").ok().flatten().is_none();
                tile.changed(news);
                tile.name == news.name && had_numbers
            })
        };
        if !known {
            self.renew();
        }
        self.write_tally();
        search::apply(self);
        self.settle();
    }

    fn remove(&self, is_gone: impl Fn(&Tile) -> bool) {
        self.tiles.borrow_mut().retain(|tile| {
            let gone = is_gone(tile);
            if gone {
                tile.element.remove();
                dom::hear(&wording::removed_news(&tile.name));
            }
            !gone
        });
        self.write_tally();
    }

    fn write_tally(&self) {
        if let Some(place) = dom::one("[data-tally]") {
            let states: Vec<_> = self.tiles.borrow().iter().map(|tile| tile.state).collect();
            dom::write(&place, &tile::tally(&states));
        }
    }

    /// Puts the tiles in their order, once nobody points at one or stands on one.
    fn settle(&self) {
        let Some(list) = dom::one("#tiles") else { return };
        let by_name = list.get_attribute("data-order").as_deref() == Some("name");
        if by_name || list.matches(":hover, :focus-within").unwrap_or(true) {
            return;
        }
        let mut tiles = self.tiles.borrow_mut();
        let key = |tile: &Tile| (tile.rank, tile.id);
        if tiles.is_sorted_by_key(key) {
            return;
        }
        let sorted = order::places(tiles.len(), &|a, b| key(&tiles[a]) < key(&tiles[b]));
        let mut before: Vec<Option<Tile>> = tiles.drain(..).map(Some).collect();
        tiles.extend(sorted.into_iter().filter_map(|place| before[place].take()));
        for (place, tile) in (0..).zip(tiles.iter()) {
            let there = list.child_nodes().item(place);
            if there.as_ref() != Some(tile.element.as_ref()) {
                let _ = list.insert_before(&tile.element, there.as_ref());
            }
        }
    }

    /// Asks for the tiles anew: there is a box without one, or one has other numbers now. Whoever asks meanwhile has it done once more.
    fn renew(self: &Rc<Self>) {
        if self.renewing.replace(true) {
            self.behind.set(true);
            return;
        }
        let page = Rc::clone(self);
        set_timeout(
            move || {
                page.behind.set(false);
                spawn_local(async move {
                    let here = window().location().search().unwrap_or_default();
                    if let Ok(html) = browser::request("GET", &format!("{}{here}", crate::links::OVERVIEW), None).await {
                        page.take_over(&html);
                    }
                    set_timeout(move || page.rested(), RENEW_REST);
                });
            },
            GATHER,
        );
    }

    fn rested(self: &Rc<Self>) {
        self.renewing.set(false);
        if self.behind.get() {
            self.renew();
        }
    }

    /// The tiles as the page has them now. Its HTML comes from this server, escaped as any page of it.
    fn take_over(&self, html: &str) {
        let (Some(old), Ok(page)) = (dom::one("#tiles"), document().create_element("div")) else { return };
        page.set_inner_html(html);
        let Ok(Some(new)) = page.query_selector("#tiles") else { return };
        let focused = document().active_element().and_then(|here| here.closest("#tiles > li").ok().flatten()?.get_attribute("data-id"));
        old.set_inner_html(&new.inner_html());
        old.set_class_name(&new.class_name());
        self.tiles.replace(Tile::all());
        search::apply(self);
        self.write_tally();
        let again = focused.and_then(|id| dom::one_html(&format!("#tiles > li[data-id='{id}'] a")));
        if let Some(link) = again {
            let _ = link.focus();
        }
        // The points of the spark lines come with the snapshot.
        if let Some(feed) = self.feed.borrow().as_ref() {
            feed.open();
        }
    }
}

/// From tile to tile, as they lie; from the search to the first.
fn keys(event: &KeyboardEvent) {
    let Some(here) = dom::origin(event, "#tiles a, [data-search]") else { return };
    let links: Vec<HtmlElement> = dom::all("#tiles > li:not([hidden]) h2 a").into_iter().filter_map(|link| link.dyn_into().ok()).collect();
    let place = links.iter().position(|link| **link == here);
    let next = match (event.key().as_str(), place) {
        ("ArrowDown", None) => links.first(),
        // Where not all are here, it sends the search.
        ("Enter", None) if dom::one("#tiles[data-whole]").is_some() => links.first(),
        ("ArrowRight", Some(at)) => links.get(at + 1),
        ("ArrowLeft", Some(at)) => at.checked_sub(1).and_then(|at| links.get(at)),
        ("ArrowDown", Some(at)) => below(&links, at, true),
        ("ArrowUp", Some(at)) => match below(&links, at, false) {
            Some(above) => Some(above),
            None => {
                event.prevent_default();
                if let Some(search) = dom::one_html("[data-search]") {
                    let _ = search.focus();
                }
                return;
            }
        },
        _ => return,
    };
    event.prevent_default();
    if let Some(next) = next {
        let _ = next.focus();
    }
}

/// The nearest in the next row, or in the one before.
fn below(links: &[HtmlElement], at: usize, down: bool) -> Option<&HtmlElement> {
    let edges = |link: &HtmlElement| link.get_bounding_client_rect();
    let here = edges(&links[at]);
    let is_beyond = |link: &&HtmlElement| if down { edges(link).top() > here.bottom() } else { edges(link).bottom() < here.top() };
    let distance = |link: &HtmlElement| {
        let there = edges(link);
        (there.top() - here.top()).abs() * 10_000.0 + (there.left() - here.left()).abs()
    };
    links.iter().filter(is_beyond).min_by(|one, other| distance(one).total_cmp(&distance(other)))
}
