//! Which parts of the page are in sight, or nearly.

use wasm_bindgen::prelude::*;
use web_sys::{Element, IntersectionObserver, IntersectionObserverEntry, IntersectionObserverInit};

/// How far from the window a part is nearly in sight.
const MARGIN: &str = "200px 0px";

/// What the browser calls when parts come into sight or leave it.
type Changed = Closure<dyn Fn(js_sys::Array)>;

/// The parts in sight, for as long as this is there.
#[derive(Default)]
pub(super) struct Sight {
    seen: Option<js_sys::Set>,
    observer: Option<(IntersectionObserver, Changed)>,
}

impl Sight {
    /// Watches these.
    pub(super) fn of(parts: &[Element]) -> Self {
        let seen = js_sys::Set::new(&JsValue::UNDEFINED);
        let told = seen.clone();
        let changed = Changed::new(move |entries: js_sys::Array| {
            for entry in entries.iter().filter_map(|entry| entry.dyn_into::<IntersectionObserverEntry>().ok()) {
                if entry.is_intersecting() {
                    told.add(&entry.target());
                } else {
                    told.delete(&entry.target());
                }
            }
        });
        let init = IntersectionObserverInit::new();
        init.set_root_margin(MARGIN);
        let Ok(observer) = IntersectionObserver::new_with_options(changed.as_ref().unchecked_ref(), &init) else { return Self::default() };
        parts.iter().for_each(|part| observer.observe(part));
        Self { seen: Some(seen), observer: Some((observer, changed)) }
    }

    /// Whether a part is in sight.
    pub(super) fn has(&self, part: &Element) -> bool {
        self.seen.as_ref().is_none_or(|seen| seen.has(part))
    }
}

impl Drop for Sight {
    fn drop(&mut self) {
        if let Some((observer, _)) = &self.observer {
            observer.disconnect();
        }
    }
}
