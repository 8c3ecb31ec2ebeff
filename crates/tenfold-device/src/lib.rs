//! What this machine is: cores, memory, CPU features.
//!
//! [`Host::probe`] takes one look and returns plain data; nothing is cached, nothing runs in the
//! background.
//!
//! ```
//! let host = tenfold_device::Host::probe();
//! assert!(host.cpu.usable_cores.get() >= 1);
//! assert!(host.memory.available_bytes <= host.memory.total_bytes);
//! ```
//!
//! This crate knows nothing about models, backends or files of Tenfold.

mod cpu;
mod memory;

pub use cpu::{Cpu, usable_cores};
pub use memory::{Memory, peak_memory_bytes};

/// This machine, as the process may use it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host {
    /// Operating system, such as `linux`.
    pub os: &'static str,
    /// Instruction set, such as `x86_64`.
    pub arch: &'static str,
    /// Processor.
    pub cpu: Cpu,
    /// Memory.
    pub memory: Memory,
}

impl Host {
    /// Looks at the machine.
    pub fn probe() -> Self {
        // Where the system tells nothing, names are empty and sizes 0.
        let mut system = sysinfo::System::new().ok();
        Self {
            os: std::env::consts::OS,
            arch: std::env::consts::ARCH,
            cpu: Cpu::probe(system.as_mut()),
            memory: Memory::probe(system.as_mut()),
        }
    }
}
