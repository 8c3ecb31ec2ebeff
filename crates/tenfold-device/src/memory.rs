//! Memory of the machine, of the container, and of this process.

use sysinfo::{MemoryRefreshKind, System};

/// Memory in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Memory {
    /// What the process may use at most: the machine's memory or its container's limit.
    pub total_bytes: u64,
    /// What can be taken now without swapping; caches that the system would give up count as free.
    pub available_bytes: u64,
}

impl Memory {
    pub(crate) fn probe(system: Option<&mut System>) -> Self {
        system.map_or(Self { total_bytes: 0, available_bytes: 0 }, Self::read)
    }

    fn read(system: &mut System) -> Self {
        system.refresh_memory_specifics(MemoryRefreshKind::nothing().with_ram());
        let machine =
            Self { total_bytes: system.total_memory(), available_bytes: system.available_memory() };
        match system.cgroup_limits() {
            Some(limits) => machine.within(limits.total_memory, limits.free_memory),
            None => machine,
        }
    }

    /// A container's limit counts where it is lower; 0 means it has none.
    fn within(self, limit: u64, free: u64) -> Self {
        if limit == 0 || limit >= self.total_bytes {
            return self;
        }
        Self { total_bytes: limit, available_bytes: self.available_bytes.min(free) }
    }
}

/// Highest resident memory of this process so far in bytes; 0 where the system does not tell.
#[cfg(unix)]
pub fn peak_memory_bytes() -> u64 {
    use nix::sys::resource::{UsageWho, getrusage};
    // Apple's kernels count bytes, all others kibibytes.
    let unit = if cfg!(target_vendor = "apple") { 1 } else { 1024 };
    getrusage(UsageWho::RUSAGE_SELF)
        .map_or(0, |usage| u64::try_from(usage.max_rss()).unwrap_or(0) * unit)
}

/// Highest resident memory of this process so far in bytes; 0 where the system does not tell.
#[cfg(not(unix))]
pub fn peak_memory_bytes() -> u64 {
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lower_container_limit_counts() {
        let machine = Memory { total_bytes: 1000, available_bytes: 600 };
        assert_eq!(machine.within(0, 0), machine);
        assert_eq!(machine.within(2000, 1500), machine);
        let inside = Memory { total_bytes: 500, available_bytes: 200 };
        assert_eq!(machine.within(500, 200), inside);
    }

    #[cfg(unix)]
    #[test]
    fn peak_memory_grows_with_use() {
        let before = peak_memory_bytes();
        let block = std::hint::black_box(vec![1u8; 64 << 20]);
        assert!(peak_memory_bytes() >= before.max(64 << 20), "{} bytes live", block.len());
    }
}
