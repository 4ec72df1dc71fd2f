//! Which certificates the two ends of HTTPS show each other: folded away while not used, as most boxes are asked without.

use leptos::prelude::*;

use super::form::{field, is_wrong};
use crate::model::BoxForm;

/// Draws the fields.
pub(super) fn section(form: &BoxForm, focus: Option<&str>) -> AnyView {
    let told = &form.certificates;
    let open = !told.is_empty() || told.files().iter().any(|(name, _)| is_wrong(form, name));
    view! {
        <details class="field wide" open=open>
            <summary>"Certificates"</summary>
            <div class="fields">
                {field(form, focus, "ca", "Issuer", &told.ca, "/etc/tickmark/ca.pem", "Who issued the server's certificate: a PEM file on the panel's host. Empty: whom the system trusts.")}
                {field(form, focus, "cert", "Certificate of the panel", &told.cert, "/etc/tickmark/panel.pem", "Shown to a server that wants to know who asks. Empty: none.")}
                {field(form, focus, "key", "Its key", &told.key, "/etc/tickmark/panel.key", "Empty: it is in the same file.")}
                <div class="field wide">
                    <label class="check">
                        <input id="f-verify" type="checkbox" name="verify" value="off" checked=told.unchecked aria-describedby="h-verify" />
                        " Take any certificate"
                    </label>
                    <p class="hint" id="h-verify">
                        <b>"Not safe: "</b>
                        "whoever is between the panel and the server can read and forge everything, the password too. To try things out; every page says so as long as it is on."
                    </p>
                </div>
            </div>
            <p class="hint">"For addresses that begin with https://. They are kept behind the # of the address."</p>
        </details>
    }
    .into_any()
}
