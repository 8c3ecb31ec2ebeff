//! What the CPU can do, found out once.

use std::fmt;

/// Proof that this CPU runs a certain set of instructions, and the choice to use it.
///
/// A value exists only for instructions that were detected, so kernels may rely on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Kernels(pub(crate) Isa);

/// The instruction sets that kernels are written for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Isa {
    /// Plain Rust.
    Portable,
}

/// One instruction set, its name, and how to find out whether the CPU has it.
struct Choice {
    isa: Isa,
    name: &'static str,
    detected: fn() -> bool,
}

/// Best first. The last one always runs.
const CHOICES: &[Choice] = &[Choice { isa: Isa::Portable, name: "portable", detected: || true }];

impl Kernels {
    /// The best that this CPU runs.
    pub fn detect() -> Self {
        Self::available().first().copied().unwrap_or(Self::portable())
    }

    /// All that this CPU runs, best first.
    pub fn available() -> Vec<Self> {
        let runs = CHOICES.iter().filter(|choice| (choice.detected)());
        runs.map(|choice| Self(choice.isa)).collect()
    }

    /// Plain Rust, which every CPU runs.
    pub const fn portable() -> Self {
        Self(Isa::Portable)
    }

    /// A short name such as `avx2`.
    pub fn name(self) -> &'static str {
        let choice = CHOICES.iter().find(|choice| choice.isa == self.0);
        choice.map_or("portable", |choice| choice.name)
    }
}

impl fmt::Display for Kernels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
