//! SIMD kernels, packed weights and the thread pool of the native engine.
//!
//! Weights are turned once, at load, into a private layout that the kernels read straight through;
//! inputs are quantized to 8 bits once per product; all work goes through one pool of threads:
//!
//! ```text
//! MatrixSource (bytes as in the file) ── pack ─→ PackedMatrix ┐
//! f32 input ── quantized in Scratch ──────────────────────────┴─ matmul ─→ f32 output ─→ ops, attention
//! ```
//!
//! What the CPU can do is found out once, as [`Kernels`], and travels with the pool in [`Compute`].
//!
//! ```
//! use std::num::NonZeroUsize;
//! use tenfold_core::DType;
//! use tenfold_kernels::{Compute, MatrixSource, PackedMatrix, Scratch};
//!
//! let compute = Compute::with_threads(NonZeroUsize::MIN);
//! let numbers: [f32; 6] = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
//! let bytes: Vec<u8> = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
//! let source = MatrixSource { dtype: DType::F32, rows: 2, cols: 3, data: &bytes };
//! let matrix = PackedMatrix::pack(&compute, &[source])?;
//!
//! let mut out = [0.0; 2];
//! matrix.matmul(&compute, &[1.0, 0.0, -1.0], 1, &mut Scratch::default(), &mut out);
//! assert_eq!(out, [-2.0, -2.0]);
//! # Ok::<(), tenfold_kernels::PackError>(())
//! ```
//!
//! This crate knows nothing about files, tensor names, model families or tokens.

// Vector instructions, and tasks that borrow from the caller's stack, are what this crate is for;
// both need unsafe code.
#![allow(unsafe_code)]

mod attention;
mod compute;
mod error;
mod floats;
mod kernels;
mod lines;
mod matrix;
pub mod ops;
mod pool;
mod simd;
#[cfg(test)]
mod testing;

pub use attention::{Attention, KvCache, KvRows, KvShape, attention};
pub use compute::{Compute, Scratch};
pub use error::{PackError, PackErrorKind};
pub use kernels::Kernels;
pub use matrix::{MatrixSource, PackedMatrix};
pub use pool::ThreadPool;
