//! The form to push a value to a statistic of one's own.

use leptos::prelude::*;

use super::super::field::{self, Field};
use crate::{links, model::PushForm};

/// The fields in their order.
const FIELDS: [&str; 2] = ["name", "value"];

/// Draws it as it was filled in.
pub(super) fn form(form: &PushForm) -> AnyView {
    let value = field(form, ("value", &form.value), "Value", "+1", "+1 or -4 adds, =7 sets. To remove it: none.");
    view! {
        <section class="card form" id="push" aria-labelledby="push-title">
            <h2 id="push-title">"Push a value"</h2>
            <p class="muted">
                "Statistics of your own live on the box " <a href=links::realtime("tickmark", "", "")>"tickmark"</a>
                ": they tick, chart and export like any other, and survive a restart. Scripts push with a token of "
                <code>"tickmark token create NAME --scope push"</code> "."
            </p>
            <form method="post" action="/cp/push" autocomplete="off">
                <input type="hidden" name="return" value=links::BOXES />
                {general_error(form)}
                <div class="fields">
                    {field(form, ("name", &form.name), "Statistic", "calls:failed", "As group:name. It is made when it is not there.")} {value}
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

/// What is wrong that belongs to neither field.
fn general_error(form: &PushForm) -> Option<AnyView> {
    let (_, text) = form.wrong.as_ref().filter(|(field, _)| !FIELDS.contains(field))?;
    Some(field::general_error(text))
}

fn field(form: &PushForm, (name, value): (&'static str, &str), label: &'static str, example: &'static str, hint: &'static str) -> AnyView {
    let wrong = form.wrong.as_ref().filter(|(field, _)| *field == name).map(|(_, text)| text.as_str());
    Field { form: "p", name, value, label, example, hint, is_required: name == "name" }.draw(wrong)
}
