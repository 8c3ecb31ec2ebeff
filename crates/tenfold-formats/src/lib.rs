//! Bytes to a validated description of a model file: GGUF, safetensors, config.json.

mod bytes;
mod description;
mod error;
pub mod gguf;
mod sniff;

pub use description::{
    ModelConfig, ModelDescription, RopeConfig, RopeLayout, RopeScaling, TensorEntry, TensorTable,
    TensorView, TokenKind, Vocabulary, VocabularyKind,
};
pub use error::{FormatError, FormatErrorKind, Item, Location, Problem};
pub use sniff::{FileKind, sniff};
