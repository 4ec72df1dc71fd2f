//! The form to push a value to a statistic of one's own.

use leptos::prelude::*;

use crate::links;

/// Draws it.
pub(super) fn form() -> AnyView {
    view! {
        <section class="card form" aria-labelledby="push-title">
            <h2 id="push-title">"Push a value"</h2>
            <p class="muted">
                "Statistics of your own live on the box " <a href=links::realtime("tickmark", "", "")>"tickmark"</a>
                ": they tick, chart and export like any other, and survive a restart. Scripts push with a token of "
                <code>"tickmark token create NAME --scope push"</code> "."
            </p>
            <form method="post" action="/cp/push" autocomplete="off">
                <input type="hidden" name="return" value=links::BOXES />
                <div class="fields">
                    {field("name", "Statistic", "calls:failed", "As group:name. It is made when it is not there.")}
                    {field("value", "Value", "+1", "+1 or -4 adds, =7 sets. To remove it: none.")}
                </div>
                <div class="buttons">
                    <button class="btn main">"Push"</button>
                    <button class="btn" name="do" value="remove">"Remove it"</button>
                </div>
            </form>
        </section>
    }
    .into_any()
}

fn field(name: &'static str, label: &'static str, example: &'static str, hint: &'static str) -> AnyView {
    view! {
        <div class="field">
            <label for=format!("p-{name}")>{label}</label>
            <input
                id=format!("p-{name}")
                name=name
                placeholder=example
                aria-describedby=format!("ph-{name}")
                required={name == "name"}
                autocomplete="off"
                autocapitalize="none"
                spellcheck="false"
            />
            <p class="hint" id=format!("ph-{name}")>{hint}</p>
        </div>
    }
    .into_any()
}
