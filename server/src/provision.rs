//! Brings the store in line with what the configuration file declares, at each start, before the first box is asked.
//! It must not know how the file is written.

use std::collections::BTreeMap;

use app::model::{BoxKind, Origin};
use futures::future::join_all;

use crate::{
    auth::{AuthError, PasswordError, Passwords},
    board::{RuleError, Rules},
    config::{BUILTIN_BOX, Provided, ProvidedBox},
    store::{BoxSpec, Store, StoreError, StoredBox, TickRule},
    vault::{Vault, VaultError},
};

mod alerts;
mod derived;
mod kind;
mod users;

use kind::Found;
pub use kind::{Guess, find_out_later};

/// Why the store could not be brought in line.
#[derive(Debug, thiserror::Error)]
pub enum ProvisionError {
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A password could not be sealed.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// A password could not be hashed.
    #[error(transparent)]
    Auth(#[from] AuthError),
    /// A tick of the file cannot be one.
    #[error(transparent)]
    Rule(#[from] RuleError),
}

/// What the file ticks, by the number of the box: these ticks cannot be taken away in the panel.
pub type FileTicks = BTreeMap<i64, Vec<String>>;

impl From<PasswordError> for ProvisionError {
    fn from(error: PasswordError) -> Self {
        Self::Auth(error.into())
    }
}

/// One change of a box.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    Add(BoxSpec),
    Change(i64, BoxSpec),
    /// The file has it no more; what was recorded of it stays.
    Remove(i64),
}

/// Makes the built-in box, if it is not there yet.
///
/// # Errors
/// When the store fails.
pub async fn builtin(store: &Store, now_ms: i64) -> Result<(), StoreError> {
    let there = store.boxes().await?.into_iter().any(|stored| stored.spec.origin == Origin::Builtin);
    if !there {
        let spec = BoxSpec { origin: Origin::Builtin, ..BoxSpec::new(BUILTIN_BOX, BoxKind::Tickmark, "") };
        store.add_box(&spec, now_ms).await?;
    }
    Ok(())
}

/// What came of bringing the store in line.
#[derive(Clone, Debug, Default)]
pub struct Done {
    /// Lines to print.
    pub notices: Vec<String>,
    /// What the file ticks.
    pub ticks: FileTicks,
    /// The boxes to ask again: see [`find_out_later`].
    pub guesses: Vec<Guess>,
}

/// Adds and changes what the file declares, and removes the boxes, ticks and accounts that it declared before.
///
/// # Errors
/// When the database, the key file or hashing fails.
pub async fn provision(
    store: &Store,
    passwords: &Passwords,
    vault: &Vault,
    provided: &Provided,
    now_ms: i64,
) -> Result<Done, ProvisionError> {
    users::provide_users(store, passwords, &provided.users, now_ms).await?;
    derived::provide_derived(store, &provided.derived, now_ms).await?;
    alerts::provide_destinations(store, vault, &provided.destinations, now_ms).await?;
    let mut notices = alerts::provide_alerts(store, &provided.alerts, now_ms).await?;
    let existing = store.boxes().await?;
    let found_for = store.found_for().await?;
    let found = join_all(provided.boxes.iter().map(|wanted| {
        let stored = called(&existing, &wanted.name);
        kind::find_out(wanted, stored, stored.and_then(|stored| found_for.get(&stored.id)).map(String::as_str))
    }));
    let found = found.await;
    let mut specs = Vec::with_capacity(found.len());
    for (wanted, found) in provided.boxes.iter().zip(&found) {
        specs.push(spec_of(wanted, found, called(&existing, &wanted.name), vault)?);
    }
    for step in plan(&existing, specs) {
        match step {
            Step::Add(spec) => {
                store.add_box(&spec, now_ms).await?;
            }
            Step::Change(id, spec) => store.change_box(id, &spec).await?,
            Step::Remove(id) => store.remove_box(id, false, now_ms).await?,
        }
    }
    let guesses = kind::remember(store, &provided.boxes, &found).await?;
    let ticks = provide_ticks(store, &provided.boxes).await?;
    notices.extend(found.into_iter().filter_map(|found| found.notice));
    Ok(Done { notices, ticks, guesses })
}

fn plan(existing: &[StoredBox], specs: Vec<BoxSpec>) -> Vec<Step> {
    let dropped = |stored: &&StoredBox| stored.spec.origin == Origin::Config && !specs.iter().any(|spec| spec.name == stored.spec.name);
    let mut steps: Vec<Step> = existing.iter().filter(dropped).map(|stored| Step::Remove(stored.id)).collect();
    for spec in specs {
        match called(existing, &spec.name) {
            None => steps.push(Step::Add(spec)),
            Some(stored) if stored.spec != spec => steps.push(Step::Change(stored.id, spec)),
            Some(_) => {}
        }
    }
    steps
}

fn called<'a>(existing: &'a [StoredBox], name: &str) -> Option<&'a StoredBox> {
    existing.iter().find(|stored| stored.spec.name == name)
}

fn spec_of(wanted: &ProvidedBox, found: &Found, stored: Option<&StoredBox>, vault: &Vault) -> Result<BoxSpec, VaultError> {
    let sealed = stored.and_then(|stored| stored.spec.password_sealed.as_ref());
    let password_sealed = match (&wanted.password, sealed) {
        (None, _) => None,
        // Sealed anew it would be other bytes, and look like a change at each start.
        (Some(password), Some(sealed)) if vault.unseal(sealed).is_ok_and(|known| known == *password) => Some(sealed.clone()),
        (Some(password), _) => Some(vault.seal(password)?),
    };
    Ok(BoxSpec {
        name: wanted.name.clone(),
        address: found.address.clone(),
        kind: found.kind,
        interval_ms: wanted.interval.and_then(|interval| i64::try_from(interval.as_millis()).ok()),
        labels: wanted.labels.clone(),
        paused: wanted.paused,
        origin: Origin::Config,
        user: wanted.user.clone(),
        password_sealed,
    })
}

/// Ticks what the file ticks, beside what people have ticked, and takes back what it ticked before.
async fn provide_ticks(store: &Store, boxes: &[ProvidedBox]) -> Result<FileTicks, ProvisionError> {
    let stored = store.boxes().await?;
    let mut provided = FileTicks::new();
    for wanted in boxes {
        let Some(stored) = called(&stored, &wanted.name) else { continue };
        let words = wanted.ticks.as_deref().unwrap_or_default();
        let before = store.ticks(stored.id).await?;
        let rules = rules_with(&before, words)?;
        if rules != before {
            store.replace_ticks(stored.id, &rules).await?;
        }
        if !words.is_empty() {
            provided.insert(stored.id, words.to_vec());
        }
    }
    Ok(provided)
}

/// The rules of a box once the file ticks these words. A rule that somebody made in the panel stays theirs, also when the file has it too.
fn rules_with(before: &[TickRule], words: &[String]) -> Result<Vec<TickRule>, RuleError> {
    let stays = |rule: &&TickRule| rule.origin != Origin::Config || words.contains(&rule.pattern);
    let kept: Vec<TickRule> = before.iter().filter(stays).cloned().collect();
    let mut rules = Rules::new(kept.clone());
    rules.tick(&words.iter().map(String::as_str).collect::<Vec<_>>())?;
    let of_file = |rule: &TickRule| TickRule { origin: if kept.contains(rule) { rule.origin } else { Origin::Config }, ..rule.clone() };
    Ok(rules.list().iter().map(of_file).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Secret;

    fn wanted(name: &str) -> ProvidedBox {
        ProvidedBox {
            name: name.to_owned(),
            address: "http://10.0.0.5:8888/".parse().unwrap(),
            kind: Some(BoxKind::Kamailio),
            interval: None,
            user: None,
            password: Some(Secret("s3cret".to_owned())),
            labels: BTreeMap::new(),
            paused: false,
            ticks: None,
        }
    }

    fn found() -> Found {
        Found { kind: BoxKind::Kamailio, address: "http://10.0.0.5:8888/RPC".to_owned(), found_for: None, notice: None }
    }

    fn stored(id: i64, spec: &BoxSpec) -> StoredBox {
        StoredBox { id, spec: spec.clone() }
    }

    #[test]
    fn a_second_start_changes_nothing() {
        let vault = Vault::in_memory().unwrap();
        let spec = spec_of(&wanted("a"), &found(), None, &vault).unwrap();
        assert_eq!(plan(&[], vec![spec.clone()]), [Step::Add(spec.clone())]);
        let existing = [stored(7, &spec)];
        let again = spec_of(&wanted("a"), &found(), existing.first(), &vault).unwrap();
        assert_eq!(plan(&existing, vec![again]), []);
    }

    #[test]
    fn what_the_file_changes_is_changed() {
        let vault = Vault::in_memory().unwrap();
        let spec = spec_of(&wanted("a"), &found(), None, &vault).unwrap();
        let existing = [stored(7, &spec)];
        let other = ProvidedBox { password: Some(Secret("other".to_owned())), ..wanted("a") };
        let changed = spec_of(&other, &found(), existing.first(), &vault).unwrap();
        assert_eq!(vault.unseal(changed.password_sealed.as_ref().unwrap()).unwrap(), Secret("other".to_owned()));
        assert_eq!(plan(&existing, vec![changed.clone()]), [Step::Change(7, changed)]);
    }

    #[test]
    fn with_another_key_file_the_password_of_the_file_is_sealed_anew() {
        let spec = spec_of(&wanted("a"), &found(), None, &Vault::in_memory().unwrap()).unwrap();
        let vault = Vault::in_memory().unwrap();
        let again = spec_of(&wanted("a"), &found(), Some(&stored(7, &spec)), &vault).unwrap();
        assert_eq!(vault.unseal(again.password_sealed.as_ref().unwrap()).unwrap(), Secret("s3cret".to_owned()));
    }

    fn ticked(before: &[TickRule], words: &[&str]) -> Vec<TickRule> {
        rules_with(before, &words.iter().map(|&word| word.to_owned()).collect::<Vec<_>>()).unwrap()
    }

    fn rule(pattern: &str, origin: Origin) -> TickRule {
        TickRule { pattern: pattern.to_owned(), except: false, origin }
    }

    #[test]
    fn ticks_of_the_file_leave_with_it_and_those_of_the_panel_stay() {
        let panel = [rule("dialog:", Origin::Panel), rule("core:rcv_requests", Origin::Panel)];
        let both = ticked(&panel, &["dialog:", "shmem:"]);
        assert_eq!(both, [&panel[..], &[rule("shmem:", Origin::Config)]].concat());
        assert_eq!(ticked(&both, &["dialog:", "shmem:"]), both, "a second start changes nothing");
        assert_eq!(ticked(&both, &["tm:"]), [&panel[..], &[rule("tm:", Origin::Config)]].concat());
        assert_eq!(ticked(&both, &[]), panel);
    }

    #[test]
    fn a_name_that_a_pattern_of_the_file_covered_is_ticked_when_that_leaves() {
        let before = ticked(&[], &["core:", "core:rcv_requests"]);
        assert_eq!(before, [rule("core:", Origin::Config)]);
        assert_eq!(ticked(&before, &["core:rcv_requests"]), [rule("core:rcv_requests", Origin::Config)]);
    }

    #[test]
    fn only_boxes_of_the_file_are_removed_and_those_of_the_panel_are_taken_over() {
        let vault = Vault::in_memory().unwrap();
        let gone = spec_of(&wanted("gone"), &found(), None, &vault).unwrap();
        let panel = BoxSpec { origin: Origin::Panel, ..spec_of(&wanted("panel"), &found(), None, &vault).unwrap() };
        let other = BoxSpec { name: "other".to_owned(), ..panel.clone() };
        let existing = [stored(1, &gone), stored(2, &panel), stored(3, &other)];
        let spec = spec_of(&wanted("panel"), &found(), Some(&existing[1]), &vault).unwrap();
        assert_eq!(plan(&existing, vec![spec.clone()]), [Step::Remove(1), Step::Change(2, spec)]);
    }
}
