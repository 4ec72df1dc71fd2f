//! How this host fares: load, memory, network, disk, as the operating system tells it. What it does not tell is unknown, not zero.

use app::model::Number;
use sysinfo::{
    Disk, DiskRefreshKind, Disks, LoadAvg, MemoryRefreshKind, NetworkData, Networks, Pid, ProcessRefreshKind, ProcessesToUpdate, System,
};

use super::panel::whole;

/// A value with its full name; none where the system does not tell it.
type Row = (&'static str, Option<Number>);

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

    pub(super) fn read(&mut self) -> Vec<Row> {
        if let Some(system) = &mut self.system {
            system.refresh_cpu_usage();
            system.refresh_memory_specifics(MemoryRefreshKind::everything());
        }
        let load = System::load_average().ok();
        let average = |of: fn(&LoadAvg) -> f64| load.as_ref().map(|load| Number::Float(of(load)));
        let system = self.system.as_ref();
        let memory = |of: fn(&System) -> u64| system.map(|system| whole(of(system)));
        let cpu = system.map(|system| Number::Float(tenths(system.global_cpu_usage())));
        let mut pairs = vec![
            ("host:load_1m", average(|load| load.one)),
            ("host:load_5m", average(|load| load.five)),
            ("host:load_15m", average(|load| load.fifteen)),
            ("host:cpu_used", cpu),
            ("host:memory_total", memory(System::total_memory)),
            ("host:memory_used", memory(System::used_memory)),
            ("host:swap_used", memory(System::used_swap)),
            ("host:uptime", System::uptime().ok().map(whole)),
        ];
        pairs.push(("panel:memory", self.own_memory()));
        pairs.extend(self.network());
        pairs.extend(self.disk());
        pairs
    }

    fn own_memory(&mut self) -> Option<Number> {
        let own = self.own?;
        let system = self.system.as_mut()?;
        let wanted = ProcessRefreshKind::nothing().with_memory().without_tasks();
        system.refresh_processes_specifics(ProcessesToUpdate::Some(&[own]), false, wanted);
        system.process(own).map(|process| whole(process.memory()))
    }

    fn network(&mut self) -> [Row; 5] {
        if let Some(networks) = &mut self.networks {
            networks.refresh(true);
        }
        let networks = self.networks.as_ref();
        let sum = |of: fn(&NetworkData) -> u64| networks.map(|networks| whole(networks.values().map(of).fold(0, u64::saturating_add)));
        [
            ("network:received", sum(NetworkData::total_received)),
            ("network:sent", sum(NetworkData::total_transmitted)),
            ("network:packets_received", sum(NetworkData::total_packets_received)),
            ("network:packets_sent", sum(NetworkData::total_packets_transmitted)),
            ("network:errors", sum(|data| data.total_errors_on_received().saturating_add(data.total_errors_on_transmitted()))),
        ]
    }

    /// The disk whose mount point is the longest prefix of the working folder.
    fn disk(&mut self) -> [Row; 2] {
        let here = std::env::current_dir().unwrap_or_default();
        let disks = self.disks.as_mut().map(|disks| &mut disks[..]).unwrap_or_default();
        let holding = disks.iter_mut().filter(|disk| here.starts_with(disk.mount_point()));
        let mut disk = holding.max_by_key(|disk| disk.mount_point().as_os_str().len());
        if let Some(disk) = &mut disk {
            disk.refresh_specifics(DiskRefreshKind::nothing().with_storage());
        }
        let space = |of: fn(&Disk) -> u64| disk.as_deref().map(|disk| whole(of(disk)));
        [("disk:total", space(Disk::total_space)), ("disk:free", space(Disk::available_space))]
    }
}

fn tenths(share: f32) -> f64 {
    (f64::from(share) * 10.0).round() / 10.0
}
