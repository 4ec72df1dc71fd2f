//! The fields of the form of a box: what they say together, what is wrong with each, and how they are shown again. Changes nothing.

use std::collections::BTreeMap;

use app::model::{BoxForm, Certificates};

use super::forms::Form;
use crate::{
    config::{check_box_name, parse_interval},
    source::{Address, Secret, Tls, Typed, parse_address, without_login},
};

/// Stands at the field of a password that the page could not keep.
const PASSWORD_AGAIN: &str = "Type the password again: a page never holds one.";

/// A field, and what is wrong with it.
pub(super) type Wrong = (&'static str, String);

/// Everything that is wrong with a form, so that one need not send it once for each. A field that is not there is not wrong.
pub(super) fn wrong_fields(form: &Form, is_new: bool) -> Vec<Wrong> {
    let check = |field: &'static str, is_optional: bool, check: fn(&str) -> Result<(), String>| {
        let text = form.0.given(field).or(is_new.then_some(""))?.trim();
        let left_out = is_optional && text.is_empty();
        (!left_out).then(|| check(text).err()).flatten().map(|message| (field, message))
    };
    let checks = [
        form.0.given("address").or(is_new.then_some("")).and_then(|_| typed(form).err()),
        check("name", false, check_box_name),
        check("interval", true, |text| parse_interval(text).map(drop)),
        check("labels", true, |text| labels(text).map(drop)),
        password_lost(form).then(|| ("password", PASSWORD_AGAIN.to_owned())),
    ];
    checks.into_iter().flatten().collect()
}

/// The address with its certificates, and the login that stands in it or in its own fields.
pub(super) fn typed(form: &Form) -> Result<Typed, Wrong> {
    let typed = Typed::read(&whole_address(form)?, form.0.get("user"), password(form).as_ref());
    typed.map_err(|error| (error.field(), error.to_string()))
}

/// The address as it is kept: with what the fields of certificates say behind it.
pub(super) fn whole_address(form: &Form) -> Result<String, Wrong> {
    let (text, mut told) = (form.text("address").trim(), certificates(form));
    if told.is_empty() {
        return Ok(text.to_owned());
    }
    check_certificates(&told)?;
    // What is wrong with the address is said of it alone.
    let Ok(Typed { address, .. }) = Typed::read(text, None, None) else { return Ok(text.to_owned()) };
    let (plain, behind) = apart(&address);
    if !plain.contains("https://") {
        return Err(("address", "certificates are for addresses that begin with https://: write it so, or clear their fields".into()));
    }
    let another = |field| Err((field, "the address names another file behind its #; give one of the two".into()));
    for (file, named, field) in [(&mut told.ca, behind.ca, "ca"), (&mut told.cert, behind.cert, "cert"), (&mut told.key, behind.key, "key")]
    {
        match (file.is_empty(), named.is_empty()) {
            (true, _) => *file = named,
            (false, false) if *file != named => return another(field),
            _ => {}
        }
    }
    told.unchecked |= behind.unchecked;
    check_certificates(&told)?;
    Ok(told.behind(text.split('#').next().unwrap_or_default()))
}

fn certificates(form: &Form) -> Certificates {
    let text = |name: &str| form.text(name).trim().to_owned();
    Certificates { ca: text("ca"), cert: text("cert"), key: text("key"), unchecked: form.text("verify") == "off" }
}

fn check_certificates(told: &Certificates) -> Result<(), Wrong> {
    for (field, path) in told.files() {
        if !path.is_empty() && (!path.starts_with('/') || path.len() == 1 || path.chars().any(char::is_control)) {
            return Err((field, format!("give the whole path of a file on the panel's host, such as /etc/tickmark/{field}.pem")));
        }
    }
    if told.cert.is_empty() && !told.key.is_empty() {
        return Err(("cert", "name the certificate that the key belongs to, or clear the key".into()));
    }
    if told.unchecked && !told.ca.is_empty() {
        return Err(("ca", "when any certificate is taken, nobody looks at its issuer: clear this field, or the check box".into()));
    }
    Ok(())
}

/// An address as its form shows it: without what stands behind the `#`, and that.
pub(super) fn address_apart(text: &str) -> (String, Certificates) {
    parse_address(text).map_or_else(|_| (text.to_owned(), Certificates::default()), |address| apart(&address))
}

fn apart(address: &Address) -> (String, Certificates) {
    let Address::Http { url, content, tls } = address else { return (address.to_string(), Certificates::default()) };
    let path = |path: &Option<std::path::PathBuf>| path.as_ref().map(|path| path.display().to_string()).unwrap_or_default();
    let told = Certificates { ca: path(&tls.ca), cert: path(&tls.cert), key: path(&tls.key), unchecked: tls.is_unchecked };
    (Address::Http { url: url.clone(), content: *content, tls: Tls::default() }.to_string(), told)
}

pub(super) fn password(form: &Form) -> Option<Secret> {
    form.0.get("password").map(|password| Secret(password.to_owned()))
}

/// Whether a password was typed before and is not here any more: a page that is drawn again never holds one.
fn password_lost(form: &Form) -> bool {
    let has_user = !form.text("user").is_empty();
    form.text("had_password") == "true" && has_user && typed(form).is_ok_and(|typed| typed.password.is_none())
}

/// A password that was typed is gone with the page it was typed into.
pub(super) fn tell_of_password(form: &Form, fields: &mut BoxForm) {
    let in_address = match Typed::read(form.text("address"), None, None) {
        Ok(typed) => typed.password.is_some(),
        Err(_) => without_login(form.text("address")) != form.text("address"),
    };
    let was_typed = in_address || form.0.get("password").is_some() || form.text("had_password") == "true";
    if was_typed && !fields.errors.iter().any(|(field, _)| *field == "password") {
        fields.errors.push(("password", PASSWORD_AGAIN.to_owned()));
    }
}

/// The form as it was filled in, fit to be shown.
pub(super) fn fields(form: &Form) -> BoxForm {
    let text = |name: &str| form.text(name).to_owned();
    // A login in the address goes where it is kept; its password is gone with the page it was typed into.
    let user = typed(form).ok().and_then(|typed| typed.user);
    let typed = whole_address(form).ok().and_then(|address| Typed::read(&address, None, None).ok());
    let (address, certificates) = match typed {
        // Nothing has to be taken out of it: it stays as it was typed.
        Some(typed) if !text("address").contains(['@', '#']) => (text("address"), apart(&typed.address).1),
        Some(typed) => apart(&typed.address),
        None => (without_login(form.text("address")), certificates(form)),
    };
    BoxForm {
        name: text("name"),
        address,
        certificates,
        kind: text("kind"),
        interval: text("interval"),
        user: user.unwrap_or_else(|| text("user")),
        labels: text("labels"),
        errors: Vec::new(),
    }
}

/// `site=fra, role=edge` as labels.
pub(super) fn labels(text: &str) -> Result<BTreeMap<String, String>, String> {
    let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
    parts
        .map(|part| {
            let pair = part.split_once('=').map(|(key, value)| (key.trim().to_owned(), value.trim().to_owned()));
            pair.ok_or_else(|| format!("{part:?} is no label: write them as site=fra, role=edge"))
        })
        .collect()
}
