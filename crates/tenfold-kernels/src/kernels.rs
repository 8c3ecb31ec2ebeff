//! What the CPU can do, found out once.

use std::fmt;

#[cfg(target_arch = "x86_64")]
use crate::simd::avx2::{Avx2, AvxVnni};
#[cfg(target_arch = "x86_64")]
use crate::simd::avx512::Avx512;
#[cfg(target_arch = "aarch64")]
use crate::simd::neon::{Neon, NeonDot};
use crate::simd::{Task, portable::Portable};

/// Proof that this CPU runs a certain set of instructions, and the choice to use it.
///
/// A value exists only for instructions that were detected, so kernels may rely on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Kernels(Isa);

macro_rules! choices {
    ($($(#[$cfg:meta])* $name:literal $isa:ident = $detect:expr;)*) => {
        /// The instruction sets that kernels are written for.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        enum Isa { $($(#[$cfg])* $isa($isa),)* }

        /// Every instruction set, best first, if the CPU has it.
        const CHOICES: &[fn() -> Option<Isa>] = &[$($(#[$cfg])* || $detect.map(Isa::$isa),)*];

        impl Kernels {
            /// A short name such as `avx2`.
            pub const fn name(self) -> &'static str {
                match self.0 { $($(#[$cfg])* Isa::$isa(_) => $name,)* }
            }

            /// Runs the task as it was compiled for these instructions.
            pub(crate) fn run<T: Task>(self, task: T) -> T::Output {
                match self.0 { $($(#[$cfg])* Isa::$isa(simd) => simd.run(task),)* }
            }
        }
    };
}

// Best first; the last one always runs.
choices! {
    #[cfg(target_arch = "x86_64")]
    "avx512-vnni" Avx512 = Avx512::detect();
    #[cfg(target_arch = "x86_64")]
    "avx-vnni" AvxVnni = AvxVnni::detect();
    #[cfg(target_arch = "x86_64")]
    "avx2" Avx2 = Avx2::detect();
    #[cfg(target_arch = "aarch64")]
    "neon-dotprod" NeonDot = NeonDot::detect();
    #[cfg(target_arch = "aarch64")]
    "neon" Neon = Neon::detect();
    "portable" Portable = Some(Portable);
}

impl Kernels {
    /// The best that this CPU runs.
    pub fn detect() -> Self {
        Self::available().first().copied().unwrap_or(Self::portable())
    }

    /// All that this CPU runs, best first.
    pub fn available() -> Vec<Self> {
        CHOICES.iter().filter_map(|choice| choice()).map(Self).collect()
    }

    /// Plain Rust, which every CPU runs.
    pub const fn portable() -> Self {
        Self(Isa::Portable(Portable))
    }
}

impl fmt::Display for Kernels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
