//! Bytes to a validated description of a model file: GGUF, safetensors, config.json.
//!
//! Everything here is a pure function of bytes. A parser turns a file into a checked view, and a
//! `describe` function turns views into one [`ModelDescription`], whatever the format:
//!
//! ```text
//! &[u8] ─ gguf::Gguf ───────────────┐
//! &[u8] ─ safetensors::Safetensors ─┴→ describe_… → ModelDescription → engine, `show`, ModelInfo
//! ```
//!
//! No byte is believed: every count, offset and length is checked before it is used, so that any
//! input gives a description or a [`FormatError`] that says what is wrong and where.
//!
//! ```
//! use tenfold_core::DType;
//! use tenfold_formats::{describe_gguf, gguf::write::Builder, sniff};
//!
//! let mut builder = Builder::new();
//! builder.set("general.architecture", "rwkv7").set("rwkv7.block_count", &2_u32);
//! builder.tensor("token_embd.weight", DType::F32, &[8, 4], vec![0; 128]);
//! let file = builder.to_bytes()?;
//!
//! let model = describe_gguf(&[&file])?;
//! assert_eq!((model.architecture.as_str(), model.config.layers), ("rwkv7", 2));
//! let tensor = model.tensors.view("token_embd.weight", &[&file]).unwrap();
//! assert_eq!((tensor.shape, tensor.data.len()), (&[8, 4][..], 128));
//!
//! let error = describe_gguf(&[b"<!doctype html>"]).unwrap_err();
//! assert_eq!(error.to_string(), "byte 0: this is not a GGUF file but a web page (HTML)");
//! # Ok::<(), tenfold_formats::FormatError>(())
//! ```
//!
//! This crate knows nothing about files and paths, about what tensors compute, or about turning
//! text into tokens.

mod bytes;
mod describe;
mod description;
mod error;
pub mod gguf;
pub mod hf;
pub mod safetensors;
mod shard_name;
mod sniff;

pub use describe::{
    SafetensorsModel, describe_gguf, describe_gguf_files, describe_safetensors, vocabulary,
};
pub use description::{
    ModelConfig, ModelDescription, RopeConfig, RopeLayout, RopeScaling, TensorEntry, TensorTable,
    TensorView, TokenKind, Vocabulary, VocabularyKind,
};
pub use error::{FormatError, FormatErrorKind, Item, Location, Problem};
pub use shard_name::ShardName;
pub use sniff::{FileKind, sniff};
