//! Bytes to a validated description of a model file: GGUF, safetensors, config.json.

mod description;

pub use description::{
    ModelConfig, ModelDescription, RopeConfig, RopeLayout, RopeScaling, TensorEntry, TensorTable,
    TensorView, TokenKind, Vocabulary, VocabularyKind,
};
