//! What the tests of Tenfold share.
//!
//! ```text
//! TinySpec ─→ TinyModel ─┬─→ GGUF bytes, Hugging Face folder, OnDisk ─→ what is tested
//!                        └─→ Reference: a plain forward pass ─→ what it must agree with
//! a backend ─→ conformance: the promises that it breaks
//! ```
//!
//! ```
//! use tenfold_testkit::reference::Reference;
//! use tenfold_testkit::tiny::TinyModel;
//!
//! let model = TinyModel::named("llama")?;
//! let reference = Reference::from_tiny(&model)?;
//! let answer = reference.greedy(&[1, 300, 301], 4)?;
//! assert_eq!(answer.len(), 4);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! This crate knows nothing about the engine that it tests, and nothing depends on it but tests.

pub mod conformance;
pub mod fake;
mod on_disk;
pub mod reference;
pub mod rng;
pub mod tensor;
pub mod text;
pub mod tiny;

pub use on_disk::{OnDisk, OnDiskError};
