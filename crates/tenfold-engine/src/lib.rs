//! The native engine: weights to logits on the CPU, in plain Rust.
//!
//! A model family is a few lines of plain data: a `Plan` says where the family differs from the
//! plain decoder. The plan decides which tensors are read and how the one forward pass goes:
//!
//! ```text
//! ModelDescription ─ arch: the family ─→ Plan ─┐
//! bytes of the files ─ loader: checked, packed ┴─→ Weights ─→ Engine
//! tokens of several sequences ─ forward ─→ keys and values in each EngineSequence, logits
//! ```
//!
//! One [`Engine`] serves any number of [`EngineSequence`]s, and a call of `forward` takes steps of
//! several of them, so that each weight matrix is read once for all.
//!
//! ```
//! use tenfold_engine::Engine;
//!
//! assert!(Engine::supports_architecture("llama").is_ok());
//! let refused = Engine::supports_architecture("rwkv7").unwrap_err();
//! assert!(refused.reason.contains("gemma3"), "it says what it knows");
//! ```
//!
//! This crate knows nothing about text, tokenizers, files and paths, HTTP or async.

mod arch;
mod cache;
mod check;
mod engine;
mod error;
mod forward;
mod loader;
mod plan;
mod rope;
mod weights;
mod workspace;

pub use cache::EngineSequence;
pub use engine::{Engine, EngineOptions};
pub use error::{EngineError, EngineErrorKind};
