//! A field of a form that comes back as it was filled in, with what is wrong beside it. Knows no form.

use leptos::prelude::*;

use crate::wording;

/// One field.
pub(super) struct Field<'a> {
    /// What the ids of this form begin with.
    pub(super) form: &'static str,
    /// Its name.
    pub(super) name: &'static str,
    /// As it was filled in.
    pub(super) value: &'a str,
    /// What stands above it, in it while it is empty, and below it.
    pub(super) label: &'static str,
    pub(super) example: &'static str,
    pub(super) hint: &'static str,
    pub(super) is_required: bool,
}

impl Field<'_> {
    /// Draws it; `wrong` is what is wrong with it.
    pub(super) fn draw(self, wrong: Option<&str>) -> AnyView {
        let Self { form, name, value, label, example, hint, is_required } = self;
        let described = if wrong.is_some() { format!("{form}e-{name} {form}h-{name}") } else { format!("{form}h-{name}") };
        view! {
            <div class="field">
                <label for=format!("{form}-{name}")>{label}</label>
                <input
                    id=format!("{form}-{name}")
                    name=name
                    value=value.to_owned()
                    placeholder=example
                    aria-describedby=described
                    aria-invalid=wrong.map(|_| "true")
                    required=is_required
                    autocomplete="off"
                    autocapitalize="none"
                    spellcheck="false"
                    autofocus=wrong.is_some()
                />
                {wrong.map(|text| view! { <p class="problem" id=format!("{form}e-{name}")>{wording::sentence(text)}</p> })}
                <p class="hint" id=format!("{form}h-{name}")>{hint}</p>
            </div>
        }
        .into_any()
    }
}

/// What is wrong that belongs to no field.
pub(super) fn general_error(text: &str) -> AnyView {
    view! { <p class="note bad" role="alert" tabindex="-1" autofocus>{wording::sentence(text)}</p> }.into_any()
}
