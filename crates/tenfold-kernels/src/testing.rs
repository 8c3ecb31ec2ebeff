//! What the tests of several modules share.

use std::num::NonZeroUsize;
use std::sync::Arc;

use crate::{Compute, Kernels, ThreadPool};

/// Repeatable random numbers.
#[derive(Clone, Debug)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub(crate) fn bits(&mut self) -> u32 {
        // xorshift64*
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 32) as u32
    }

    /// From 0 to `end`, without `end`.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        self.bits() as usize % end
    }

    /// Bell-shaped around 0, within ±2.
    pub(crate) fn float(&mut self) -> f32 {
        let mut uniform = || self.bits() as f32 / u32::MAX as f32;
        uniform() + uniform() + uniform() + uniform() - 2.0
    }

    pub(crate) fn floats(&mut self, len: usize) -> Vec<f32> {
        (0..len).map(|_| self.float()).collect()
    }
}

/// Every set of kernels that this CPU runs, on a pool of this many threads.
pub(crate) fn computes(threads: usize) -> Vec<Compute> {
    let pool = Arc::new(ThreadPool::new(NonZeroUsize::new(threads).unwrap()));
    let kernels = Kernels::available().into_iter();
    kernels.map(|kernels| Compute::new(kernels, Arc::clone(&pool))).collect()
}

/// Fails if a number is further from what is expected than its tolerance.
#[track_caller]
pub(crate) fn assert_close(what: &str, got: &[f32], expect: &[f64], tolerance: &[f64]) {
    assert_eq!(got.len(), expect.len(), "{what}");
    for (i, ((&got, &expect), &tolerance)) in got.iter().zip(expect).zip(tolerance).enumerate() {
        let error = (f64::from(got) - expect).abs();
        assert!(error <= tolerance, "{what}: [{i}] is {got}, not {expect} ± {tolerance}");
    }
}
