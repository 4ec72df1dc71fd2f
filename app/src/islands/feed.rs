//! The event stream of a page: closed while nobody sees the page or somebody holds it, opened anew where the browser gave up. It
//! tells [`connection`] whether the panel answers; what the events say is for whoever follows them. A browser has few connections to a
//! server: where two islands follow, as a page says by `data-events`, they share one stream.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    time::Duration,
};

use leptos::{
    prelude::{document, set_timeout},
    task::spawn_local,
};
use web_sys::Event;

use super::{
    browser::{self, Stream},
    connection, dom,
};
use crate::links;

/// How long after a refused stream another is tried.
const REOPEN_TIME: Duration = Duration::from_secs(5);

/// What is done with the data of events of one name; `open` and `error` come without data.
pub(super) type Heard = (&'static str, Rc<dyn Fn(String)>);

/// A stream that is followed for as long as the page lives, or until it is ended.
pub(super) struct Feed {
    /// Where it is followed, asked at each opening: the page may show something else by then.
    url: Box<dyn Fn() -> String>,
    heard: RefCell<Vec<Heard>>,
    stream: RefCell<Option<Stream>>,
    held: Cell<bool>,
    ended: Cell<bool>,
}

thread_local! {
    /// The stream that the islands of this page share.
    static SHARED: RefCell<Option<Rc<Feed>>> = const { RefCell::new(None) };
}

impl Feed {
    /// Begins to follow. Of a page that names its stream, that one is followed.
    pub(super) fn follow(url: impl Fn() -> String + 'static, heard: Vec<Heard>) -> Rc<Self> {
        let Some(shared) = dom::one("[data-events]").and_then(|page| page.get_attribute("data-events")) else {
            return Self::begin(Box::new(url), heard);
        };
        if let Some(feed) = SHARED.with_borrow(Clone::clone) {
            feed.heard.borrow_mut().extend(heard);
            // It begins anew, with a snapshot for those who came later.
            feed.open();
            return feed;
        }
        let feed = Self::begin(Box::new(move || shared.clone()), heard);
        SHARED.replace(Some(Rc::clone(&feed)));
        feed
    }

    fn begin(url: Box<dyn Fn() -> String>, heard: Vec<Heard>) -> Rc<Self> {
        let heard = RefCell::new(heard);
        let feed = Rc::new(Self { url, heard, stream: RefCell::default(), held: Cell::new(false), ended: Cell::new(false) });
        let this = Rc::downgrade(&feed);
        dom::on::<Event>(&document(), "visibilitychange", move |_| {
            if let Some(feed) = this.upgrade() {
                feed.open();
            }
        });
        feed.open();
        feed
    }

    /// Opens the stream anew, which begins with a snapshot; or closes it, while nobody is to see it.
    pub(super) fn open(self: &Rc<Self>) {
        self.stream.replace(None);
        if browser::is_hidden() || self.held.get() || self.ended.get() {
            return;
        }
        let Some(mut stream) = Stream::open(&(self.url)()) else { return };
        for (name, act) in self.heard.borrow().iter() {
            let act = Rc::clone(act);
            stream = stream.on(name, move |data| act(data));
        }
        let this = Rc::downgrade(self);
        let stream = stream
            .on("fault", |data| dom::fault(&data))
            .on("open", |_| connection::found())
            .on("error", move |_| this.upgrade().into_iter().for_each(|feed| feed.failed()));
        self.stream.replace(Some(stream));
    }

    /// Closes it until it is let go again.
    pub(super) fn hold(self: &Rc<Self>, held: bool) {
        self.held.set(held);
        self.open();
    }

    /// Closes it for good.
    pub(super) fn end(&self) {
        self.ended.set(true);
        self.stream.replace(None);
    }

    /// The browser connects again by itself, unless the server refused: then it is asked for the reason.
    fn failed(self: &Rc<Self>) {
        if !self.stream.borrow().as_ref().is_some_and(Stream::is_closed) {
            connection::lost();
            return;
        }
        let this = Rc::downgrade(self);
        spawn_local(async move {
            let me = browser::request("GET", &format!("{}/me", links::API), None).await;
            // Without a session every further try would be refused too; coming back to the page tries again.
            if me.is_err_and(|failure| failure.status == 401) {
                return;
            }
            let reopen = move || this.upgrade().into_iter().for_each(|feed| feed.open());
            set_timeout(reopen, REOPEN_TIME);
        });
    }
}
