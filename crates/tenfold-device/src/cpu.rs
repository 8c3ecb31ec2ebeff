//! Cores and instruction sets.

use std::num::NonZeroUsize;
use std::thread;

use sysinfo::{CpuRefreshKind, System};

/// The processor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cpu {
    /// Name as the maker gives it; empty where the system does not tell.
    pub name: String,
    /// Physical cores of the machine.
    pub physical_cores: usize,
    /// Threads that the machine runs at once.
    pub logical_cores: usize,
    /// Physical cores that this process may use: affinity and container limits counted.
    pub usable_cores: NonZeroUsize,
    /// Instruction sets that matter for inference, such as `avx2`.
    pub features: Vec<&'static str>,
}

impl Cpu {
    pub(crate) fn probe(system: Option<&mut System>) -> Self {
        Self {
            name: system.and_then(brand).unwrap_or_default(),
            physical_cores: num_cpus::get_physical(),
            logical_cores: num_cpus::get(),
            usable_cores: usable_cores(),
            features: features(),
        }
    }
}

fn brand(system: &mut System) -> Option<String> {
    system.refresh_cpu_list(CpuRefreshKind::nothing());
    system.cpus().first().map(|cpu| cpu.brand().trim().to_owned())
}

/// Physical cores that this process may use: the default number of compute threads.
///
/// Two threads of one core share its arithmetic units, so more threads than cores only add waiting.
pub fn usable_cores() -> NonZeroUsize {
    let allowed = thread::available_parallelism().map_or(1, NonZeroUsize::get);
    NonZeroUsize::new(allowed.min(num_cpus::get_physical())).unwrap_or(NonZeroUsize::MIN)
}

#[cfg(target_arch = "x86_64")]
fn features() -> Vec<&'static str> {
    let known = [
        ("sse4.1", is_x86_feature_detected!("sse4.1")),
        ("avx", is_x86_feature_detected!("avx")),
        ("avx2", is_x86_feature_detected!("avx2")),
        ("fma", is_x86_feature_detected!("fma")),
        ("f16c", is_x86_feature_detected!("f16c")),
        ("avxvnni", is_x86_feature_detected!("avxvnni")),
        ("avx512f", is_x86_feature_detected!("avx512f")),
        ("avx512bw", is_x86_feature_detected!("avx512bw")),
        ("avx512vnni", is_x86_feature_detected!("avx512vnni")),
        ("avx512bf16", is_x86_feature_detected!("avx512bf16")),
    ];
    known.into_iter().filter(|(_, present)| *present).map(|(name, _)| name).collect()
}

#[cfg(target_arch = "aarch64")]
fn features() -> Vec<&'static str> {
    use std::arch::is_aarch64_feature_detected as detected;
    let known = [
        ("neon", detected!("neon")),
        ("dotprod", detected!("dotprod")),
        ("i8mm", detected!("i8mm")),
        ("fp16", detected!("fp16")),
        ("bf16", detected!("bf16")),
        ("sve", detected!("sve")),
    ];
    known.into_iter().filter(|(_, present)| *present).map(|(name, _)| name).collect()
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
fn features() -> Vec<&'static str> {
    Vec::new()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_process_uses_no_more_cores_than_there_are() {
        let cpu = Cpu::probe(None);
        assert!(cpu.usable_cores.get() <= cpu.physical_cores);
        assert!(cpu.physical_cores <= cpu.logical_cores);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn features_agree_with_the_kernel() {
        let info = std::fs::read_to_string("/proc/cpuinfo").unwrap();
        for feature in ["avx2", "fma", "f16c"] {
            let listed = info.split_whitespace().any(|word| word == feature);
            assert_eq!(features().contains(&feature), listed, "{feature}");
        }
    }
}
