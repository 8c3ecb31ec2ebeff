//! What every operation needs: the CPU's abilities, threads, and memory to work in.

use std::num::NonZeroUsize;
use std::sync::Arc;

use crate::matrix::Prepared;
use crate::{Kernels, ThreadPool};

/// The kernels that this CPU runs and the threads that run them; handed to every operation.
#[derive(Clone, Debug)]
pub struct Compute {
    kernels: Kernels,
    pool: Arc<ThreadPool>,
}

impl Compute {
    /// These kernels on these threads.
    pub fn new(kernels: Kernels, pool: Arc<ThreadPool>) -> Self {
        Self { kernels, pool }
    }

    /// The best kernels of this CPU on a pool of its own.
    pub fn with_threads(threads: NonZeroUsize) -> Self {
        Self::new(Kernels::detect(), Arc::new(ThreadPool::new(threads)))
    }

    /// The kernels in use.
    pub fn kernels(&self) -> Kernels {
        self.kernels
    }

    /// The threads in use.
    pub fn pool(&self) -> &ThreadPool {
        &self.pool
    }

    /// Number of threads, the caller's included.
    pub fn threads(&self) -> usize {
        self.pool.threads()
    }
}

/// Memory that operations reuse from call to call, so that none is allocated for each token.
///
/// One scratch serves matrices of any size, one call at a time.
#[derive(Debug, Default)]
pub struct Scratch {
    /// Inputs of a matrix.
    pub(crate) prepared: Vec<Prepared>,
    /// What parts of an attention give.
    pub(crate) partial: Vec<f32>,
}
