//! How this host fares: load, memory, network, disk, as the operating system tells it. What it does not tell is unknown, not zero.

use app::model::Number;
use sysinfo::{
    Disk, DiskRefreshKind, Disks, LoadAvg, MemoryRefreshKind, NetworkData, Networks, Pid, ProcessRefreshKind, ProcessesToUpdate, System,
};

use super::whole;
use crate::source::{Reading, Unknown};

/// What is kept between two readings, since processor shares are differences. A part is missing where the system does not tell it.
pub(super) struct Host {
    system: Option<System>,
    networks: Option<Networks>,
    disks: Option<Disks>,
    own: Option<Pid>,
}

impl Host {
    pub(super) fn new() -> Self {
        Self {
            system: System::new().ok(),
            networks: Networks::new_with_refreshed_list().ok(),
            disks: Disks::new_with_refreshed_list_specifics(DiskRefreshKind::nothing().with_storage()).ok(),
            own: sysinfo::get_current_pid().ok(),
        }
    }

    pub(super) fn read(&mut self) -> Vec<(String, Reading)> {
        if let Some(system) = &mut self.system {
            system.refresh_cpu_usage();
            system.refresh_memory_specifics(MemoryRefreshKind::everything());
        }
        let load = System::load_average().ok();
        let average = |of: fn(&LoadAvg) -> f64| load.as_ref().map(|load| Number::Float(of(load))).ok_or(Unknown::NotTold);
        let system = self.system.as_ref();
        let memory = |of: fn(&System) -> u64| system.ok_or(Unknown::NotTold).and_then(|system| whole(of(system)));
        let cpu = system.map(|system| Number::Float(tenths(system.global_cpu_usage()))).ok_or(Unknown::NotTold);
        let mut pairs = vec![
            ("host:load_1m".to_owned(), average(|load| load.one)),
            ("host:load_5m".to_owned(), average(|load| load.five)),
            ("host:load_15m".to_owned(), average(|load| load.fifteen)),
            ("host:cpu_used".to_owned(), cpu),
            ("host:memory_total".to_owned(), memory(System::total_memory)),
            ("host:memory_used".to_owned(), memory(System::used_memory)),
            ("host:swap_used".to_owned(), memory(System::used_swap)),
            ("host:uptime".to_owned(), System::uptime().map_err(|_| Unknown::NotTold).and_then(whole)),
        ];
        pairs.push(("panel:memory".to_owned(), self.own_memory()));
        pairs.extend(self.network());
        pairs.extend(self.disk());
        pairs
    }

    fn own_memory(&mut self) -> Reading {
        let own = self.own.ok_or(Unknown::NotTold)?;
        let system = self.system.as_mut().ok_or(Unknown::NotTold)?;
        let wanted = ProcessRefreshKind::nothing().with_memory().without_tasks();
        system.refresh_processes_specifics(ProcessesToUpdate::Some(&[own]), false, wanted);
        whole(system.process(own).ok_or(Unknown::NotTold)?.memory())
    }

    fn network(&mut self) -> [(String, Reading); 5] {
        if let Some(networks) = &mut self.networks {
            networks.refresh(true);
        }
        let networks = self.networks.as_ref();
        let sum = |of: fn(&NetworkData) -> u64| {
            let networks = networks.ok_or(Unknown::NotTold)?;
            whole(networks.values().map(of).fold(0, u64::saturating_add))
        };
        [
            ("network:received".to_owned(), sum(NetworkData::total_received)),
            ("network:sent".to_owned(), sum(NetworkData::total_transmitted)),
            ("network:packets_received".to_owned(), sum(NetworkData::total_packets_received)),
            ("network:packets_sent".to_owned(), sum(NetworkData::total_packets_transmitted)),
            ("network:errors".to_owned(), sum(|data| data.total_errors_on_received().saturating_add(data.total_errors_on_transmitted()))),
        ]
    }

    /// The disk whose mount point is the longest prefix of the working folder.
    fn disk(&mut self) -> [(String, Reading); 2] {
        let here = std::env::current_dir().unwrap_or_default();
        let disks = self.disks.as_mut().map(|disks| &mut disks[..]).unwrap_or_default();
        let holding = disks.iter_mut().filter(|disk| here.starts_with(disk.mount_point()));
        let mut disk = holding.max_by_key(|disk| disk.mount_point().as_os_str().len());
        if let Some(disk) = &mut disk {
            disk.refresh_specifics(DiskRefreshKind::nothing().with_storage());
        }
        let space = |of: fn(&Disk) -> u64| disk.as_deref().ok_or(Unknown::NotTold).and_then(|disk| whole(of(disk)));
        [("disk:total".to_owned(), space(Disk::total_space)), ("disk:free".to_owned(), space(Disk::available_space))]
    }
}

fn tenths(share: f32) -> f64 {
    (f64::from(share) * 10.0).round() / 10.0
}
