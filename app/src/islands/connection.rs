//! Whether the panel answers this page, and what the page says of it: one notice above everything, and values marked as old. Who asks
//! tells what came of it; this knows neither streams nor requests.

use std::{cell::Cell, time::Duration};

use leptos::prelude::set_timeout;

use super::{browser, dom};

/// So long nothing is said: a panel that is started anew is back by then.
const PATIENCE: Duration = Duration::from_millis(1500);

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// It answered last time.
    Here,
    /// It did not; the number tells one loss from the next.
    Lost(u32),
    /// It is said on the page.
    Told,
    /// The session is over.
    Ended,
}

thread_local! {
    static STATE: Cell<State> = const { Cell::new(State::Here) };
    static LOSSES: Cell<u32> = const { Cell::new(0) };
}

/// Nobody answered. It is said when it lasts.
pub(super) fn lost() {
    if STATE.get() != State::Here {
        return;
    }
    let since = browser::wall_clock();
    let loss = LOSSES.get().wrapping_add(1);
    LOSSES.set(loss);
    STATE.set(State::Lost(loss));
    set_timeout(
        move || {
            if STATE.get() == State::Lost(loss) {
                STATE.set(State::Told);
                tell(
                    &format!("The panel does not answer since {since}. What is shown is the last known; it is asked again by itself."),
                    false,
                );
            }
        },
        PATIENCE,
    );
}

/// The panel answered, and knows who asks.
pub(super) fn found() {
    let before = STATE.replace(State::Here);
    if matches!(before, State::Told | State::Ended) {
        show(false);
        dom::hear("The panel answers again.");
    }
}

/// The panel answered that it does not know who asks.
pub(super) fn ended() {
    if STATE.replace(State::Ended) != State::Ended {
        tell("Your session has ended. What is shown is the last known.", true);
    }
}

fn tell(text: &str, can_sign_in: bool) {
    if let Some(words) = dom::one("#lost span") {
        dom::write(&words, text);
    }
    if let Some(link) = dom::one("#lost a") {
        dom::show(&link, can_sign_in);
    }
    show(true);
    dom::hear(text);
}

fn show(shown: bool) {
    if let Some(notice) = dom::one("#lost") {
        dom::show(&notice, shown);
    }
    if let Some(main) = dom::one("#main") {
        let _ = main.class_list().toggle_with_force("stale", shown);
    }
}
