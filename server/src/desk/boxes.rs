//! Adding, changing and removing boxes.

use std::collections::BTreeMap;

use app::model::{BoxKind, BoxView, Origin};

use super::{Desk, DeskError, check_not_of_file};
use crate::{
    board::Entry,
    clock,
    config::{check_box_name, parse_interval},
    source::{self, Secret, Typed, TypedError},
    store::BoxSpec,
};

/// The longest user name or password of a box.
const MAX_CREDENTIAL_LEN: usize = 256;
/// So many labels a box may have, each of at most this length.
const MAX_LABELS: usize = 32;
const MAX_LABEL_LEN: usize = 128;

/// A new box, as people and tools describe it.
#[derive(Clone, Debug, Default)]
pub struct BoxInput {
    /// Its name.
    pub name: String,
    /// Its address; a login that it holds is taken out of it.
    pub address: String,
    /// The dialect; none: find out.
    pub kind: Option<BoxKind>,
    /// The interval, such as `10s`; none: the panel's.
    pub interval: Option<String>,
    /// The user name for Basic auth.
    pub user: Option<String>,
    /// The password for Basic auth.
    pub password: Option<Secret>,
    /// The operator's labels.
    pub labels: BTreeMap<String, String>,
    /// Whether to leave it alone at first.
    pub paused: bool,
}

/// What is to change; a field that is none stays.
#[derive(Clone, Debug, Default)]
pub struct BoxPatch {
    /// Its name.
    pub name: Option<String>,
    /// Its address; a login that it holds is taken out of it.
    pub address: Option<String>,
    /// The dialect.
    pub kind: Option<BoxKind>,
    /// The interval; empty: the panel's.
    pub interval: Option<String>,
    /// The user name; empty: none.
    pub user: Option<String>,
    /// The password; empty: none.
    pub password: Option<Secret>,
    /// The labels, all of them.
    pub labels: Option<BTreeMap<String, String>>,
    /// Whether it is left alone.
    pub paused: Option<bool>,
}

fn check_name(name: &str) -> Result<(), DeskError> {
    check_box_name(name).map_err(|message| DeskError::invalid("name", message))
}

fn check_interval(text: &str) -> Result<i64, DeskError> {
    let interval = parse_interval(text).map_err(|message| DeskError::invalid("interval", message))?;
    Ok(i64::try_from(interval.as_millis()).unwrap_or(i64::MAX))
}

impl From<TypedError> for DeskError {
    fn from(error: TypedError) -> Self {
        Self::invalid(error.field(), error.to_string())
    }
}

impl BoxPatch {
    /// A login that stands in the address is a change of user and password.
    fn with_login_apart(mut self) -> Result<Self, DeskError> {
        if let Some(address) = &self.address {
            let typed = Typed::read(address, self.user.as_deref(), self.password.as_ref())?;
            self.address = Some(typed.address.to_string());
            self.user = typed.user.or(self.user);
            self.password = typed.password.or(self.password);
        }
        Ok(self)
    }
}

/// The kind and the address fit together.
fn check_kind(kind: BoxKind, address: &str) -> Result<(), DeskError> {
    let fits = source::parse_address(address).map_err(|message| DeskError::invalid("address", message))?.check_kind(kind);
    fits.map_err(|message| DeskError::invalid("kind", message))
}

fn check_credential(field: &'static str, text: &str) -> Result<(), DeskError> {
    if text.len() > MAX_CREDENTIAL_LEN || text.chars().any(char::is_control) || (field == "user" && text.contains(':')) {
        let colon = if field == "user" { " without a colon" } else { "" };
        return Err(DeskError::invalid(field, format!("at most {MAX_CREDENTIAL_LEN} visible characters{colon}")));
    }
    Ok(())
}

fn check_labels(labels: &BTreeMap<String, String>) -> Result<(), DeskError> {
    let long = |text: &String| text.len() > MAX_LABEL_LEN || text.chars().any(char::is_control);
    if labels.len() > MAX_LABELS || labels.iter().any(|(key, value)| key.is_empty() || long(key) || long(value)) {
        return Err(DeskError::invalid("labels", format!("at most {MAX_LABELS} labels of {MAX_LABEL_LEN} visible characters each")));
    }
    Ok(())
}

impl Desk {
    /// Adds a box and begins to ask it. Without a kind it is asked what it is.
    ///
    /// # Errors
    /// When a field is wrong, the name is taken, or nothing says what kind it is.
    pub async fn add_box(&self, input: BoxInput) -> Result<BoxView, DeskError> {
        check_name(&input.name)?;
        let Typed { address, user, password } = Typed::read(&input.address, input.user.as_deref(), input.password.as_ref())?;
        let mut address = address.to_string();
        let interval_ms = input.interval.as_deref().filter(|text| !text.is_empty()).map(check_interval).transpose()?;
        check_credential("user", user.as_deref().unwrap_or_default())?;
        check_credential("password", password.as_ref().map_or("", |password| &password.0))?;
        check_labels(&input.labels)?;
        if self.board.find(&input.name).is_some() {
            return Err(DeskError::Taken(format!("a box named {} exists already: choose another name", input.name)));
        }
        let kind = match input.kind {
            Some(kind) => {
                check_kind(kind, &address)?;
                kind
            }
            None => {
                let report = source::probe(&address, user.as_deref(), password.as_ref()).await;
                address = report.address;
                report.kind.ok_or_else(|| DeskError::invalid("address", format!("{} (name its kind to add it anyhow)", report.message)))?
            }
        };
        let spec = BoxSpec {
            name: input.name,
            address,
            kind,
            interval_ms,
            labels: input.labels,
            paused: input.paused,
            origin: Origin::Panel,
            user,
            password_sealed: self.seal(password.as_ref())?,
        };
        let id = self.store.add_box(&spec, clock::now_ms()).await?;
        self.sampler.reload().await?;
        self.view(id)
    }

    /// Changes a box.
    ///
    /// # Errors
    /// When there is none, it is read-only, or a field is wrong.
    pub async fn change_box(&self, name: &str, patch: BoxPatch) -> Result<BoxView, DeskError> {
        let entry = self.entry(name)?;
        // One change at a time: each reads the box, changes it and writes it whole.
        let turn = self.sampler.hold().await;
        let mut stored = entry.lock().stored.clone();
        check_changeable(&entry, &patch)?;
        let patch = patch.with_login_apart()?;
        check_password_stays(&stored.spec, &patch)?;
        let spec = &mut stored.spec;
        if let Some(name) = patch.name {
            check_name(&name)?;
            spec.name = name;
        }
        if let Some(address) = patch.address {
            spec.address = address;
        }
        if let Some(kind) = patch.kind {
            spec.kind = kind;
        }
        if spec.origin == Origin::Panel {
            check_kind(spec.kind, &spec.address)?;
        }
        if let Some(interval) = patch.interval {
            spec.interval_ms = if interval.is_empty() { None } else { Some(check_interval(&interval)?) };
        }
        if let Some(user) = patch.user {
            check_credential("user", &user)?;
            spec.user = Some(user).filter(|user| !user.is_empty());
        }
        if let Some(password) = patch.password {
            check_credential("password", &password.0)?;
            spec.password_sealed = self.seal(Some(&password).filter(|password| !password.0.is_empty()))?;
        }
        if let Some(labels) = patch.labels {
            check_labels(&labels)?;
            spec.labels = labels;
        }
        spec.paused = patch.paused.unwrap_or(spec.paused);
        self.store.change_box(stored.id, &stored.spec).await?;
        drop(turn);
        self.sampler.reload().await?;
        self.view(stored.id)
    }

    /// Removes a box with its ticks; its history only when that is asked for.
    ///
    /// # Errors
    /// When there is none, or it is read-only.
    pub async fn remove_box(&self, name: &str, delete_history: bool) -> Result<(), DeskError> {
        let entry = self.entry(name)?;
        check_panel_owned(&entry)?;
        let id = entry.lock().stored.id;
        self.store.remove_box(id, delete_history, clock::now_ms()).await?;
        if delete_history {
            self.sampler.shared().recorder.forget(id);
        }
        self.sampler.reload().await?;
        Ok(())
    }

    fn seal(&self, password: Option<&Secret>) -> Result<Option<Vec<u8>>, DeskError> {
        let sealed = password.map(|password| self.vault.seal(password)).transpose();
        sealed.map_err(|error| DeskError::invalid("password", error.to_string()))
    }

    fn view(&self, id: i64) -> Result<BoxView, DeskError> {
        let entry = self.board.by_id(id).ok_or_else(|| DeskError::NotFound("the box was removed meanwhile".into()))?;
        let view = entry.lock().view(std::time::Instant::now());
        Ok(view)
    }
}

fn check_panel_owned(entry: &Entry) -> Result<(), DeskError> {
    let now = entry.lock();
    let name = &now.stored.spec.name;
    check_not_of_file(name, now.stored.spec.origin)?;
    match now.stored.spec.origin {
        Origin::Builtin => Err(DeskError::ReadOnly(format!("{name} is the panel itself: only its interval, labels and pause can change"))),
        Origin::Panel | Origin::Config => Ok(()),
    }
}

/// A password is for one server: it is not sent to another host because somebody changed the address, perhaps in order to read it.
fn check_password_stays(spec: &BoxSpec, patch: &BoxPatch) -> Result<(), DeskError> {
    let Some(address) = patch.address.as_deref().filter(|_| spec.password_sealed.is_some() && patch.password.is_none()) else {
        return Ok(());
    };
    if let (Ok(new), Ok(old)) = (source::parse_address(address), source::parse_address(&spec.address))
        && new.is_same_server(&old)
    {
        return Ok(());
    }
    Err(DeskError::invalid("password", "the address names another server: type the password again, so that it is sent there on purpose"))
}

/// The built-in box may be paused, labelled and asked at another interval; nothing else of it may change.
fn check_changeable(entry: &Entry, patch: &BoxPatch) -> Result<(), DeskError> {
    let same = patch.name.is_none() && patch.address.is_none() && patch.kind.is_none() && patch.user.is_none() && patch.password.is_none();
    if entry.lock().stored.spec.origin == Origin::Builtin && same {
        return Ok(());
    }
    check_panel_owned(entry)
}
