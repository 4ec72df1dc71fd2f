//! The few statistics of a box that tell most of it at a glance, by its kind. Knows names alone.

use app::model::BoxKind;

/// One of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Choice {
    /// What it is called where there is little room.
    pub label: &'static str,
    /// Its full name.
    pub name: &'static str,
    /// The full name of the statistic that it is a share of.
    pub of: Option<&'static str>,
}

const fn plain(label: &'static str, name: &'static str) -> Choice {
    Choice { label, name, of: None }
}

const fn share(label: &'static str, name: &'static str, of: &'static str) -> Choice {
    Choice { label, name, of: Some(of) }
}

const OPENSIPS: &[Choice] = &[
    plain("requests", "core:rcv_requests"),
    plain("calls", "dialog:active_dialogs"),
    share("shared memory", "shmem:used_size", "shmem:total_size"),
    plain("load", "load:load"),
    plain("transactions", "tm:inuse_transactions"),
    plain("users", "usrloc:registered_users"),
];

const KAMAILIO: &[Choice] = &[
    plain("requests", "core:rcv_requests"),
    plain("calls", "dialog:active_dialogs"),
    share("shared memory", "shmem:used_size", "shmem:total_size"),
    plain("transactions", "tmx:inuse_transactions"),
    plain("users", "usrloc:registered_users"),
    plain("connections", "tcp:current_opened_connections"),
];

const TICKMARK: &[Choice] = &[
    plain("polls", "polls:answered"),
    plain("processors", "host:cpu_used"),
    share("memory", "host:memory_used", "host:memory_total"),
    share("disk free", "disk:free", "disk:total"),
];

/// As the exporters of OpenSIPS and Kamailio, of hosts, and of programs in general write them.
const PROMETHEUS: &[Choice] = &[
    plain("requests", "opensips:rcv_requests{group=\"core\"}"),
    plain("calls", "opensips:active_dialogs{group=\"dialog\"}"),
    share("shared memory", "opensips:used_size{group=\"shmem\"}", "opensips:total_size{group=\"shmem\"}"),
    plain("transactions", "opensips:inuse_transactions{group=\"tm\"}"),
    plain("requests", "kamailio:core_rcv_requests"),
    plain("calls", "kamailio:dialog_active_dialogs"),
    share("shared memory", "kamailio:shmem_used_size", "kamailio:shmem_total_size"),
    plain("transactions", "kamailio:tmx_inuse_transactions"),
    plain("load", "node:load1"),
    share("memory free", "node:memory_MemAvailable_bytes", "node:memory_MemTotal_bytes"),
    plain("memory", "process:resident_memory_bytes"),
    plain("processor time", "process:cpu_seconds_total"),
    plain("open files", "process:open_fds"),
    plain("goroutines", "go:goroutines"),
];

/// Those of a kind of box, the most telling first. A box has some of them.
#[must_use]
pub fn chosen(kind: BoxKind) -> &'static [Choice] {
    match kind {
        BoxKind::Opensips | BoxKind::Opensips2 => OPENSIPS,
        BoxKind::Kamailio => KAMAILIO,
        BoxKind::Prometheus => PROMETHEUS,
        BoxKind::Tickmark => TICKMARK,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{catalogue, engine};

    #[test]
    fn each_is_known_of_its_kind() {
        for kind in [BoxKind::Opensips, BoxKind::Kamailio, BoxKind::Tickmark] {
            for name in chosen(kind).iter().flat_map(|choice| std::iter::once(choice.name).chain(choice.of)) {
                let (group, own) = app::model::split_name(name);
                let known = catalogue::lookup(kind, group, own).is_some() || engine::describe(group, own).is_some();
                assert!(known, "{kind:?} {name}");
            }
        }
    }
}
