//! Tiny models of every architecture, made on the spot: same name, same bits, on every machine.

mod gguf;
mod hf;
mod spec;
mod tokenizer;
mod train;
mod vocabulary;
mod weights;

use std::collections::BTreeMap;

use tenfold_core::DType;
use tenfold_formats::{FormatError, ModelConfig, Vocabulary};
use tenfold_quant::QuantError;

use crate::tensor::Tensors;

pub use spec::{TinySpec, all, find};
pub use vocabulary::TinyVocabulary;

/// Why a tiny model could not be made or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TinyError {
    /// There is no tiny model with this name.
    #[error("there is no tiny model named {0:?}; tiny::all() lists them")]
    Unknown(String),
    /// A tensor cannot be stored in the format asked.
    #[error("the tensor {tensor} cannot be stored: {source}")]
    Quant {
        /// Which tensor.
        tensor: String,
        /// Why.
        source: QuantError,
    },
    /// Safetensors files hold no blocks.
    #[error("a Hugging Face folder holds F32, F16 or BF16, not {0}")]
    NoSafetensors(DType),
    /// The file cannot be laid out.
    #[error(transparent)]
    Format(#[from] FormatError),
}

/// A tiny model in memory: weights in f32 under canonical names, and a vocabulary.
#[derive(Clone, Debug)]
pub struct TinyModel {
    spec: TinySpec,
    config: ModelConfig,
    vocabulary: Vocabulary,
    tensors: Tensors,
}

impl TinyModel {
    /// Makes the model that this row describes.
    pub fn make(spec: TinySpec) -> Self {
        let vocabulary = spec.vocabulary.make();
        let vocabulary_size = vocabulary.tokens.len();
        let spec = TinySpec { config: ModelConfig { vocabulary_size, ..spec.config }, ..spec };
        let tensors = weights::make(&spec);
        Self { config: spec.config.clone(), spec, vocabulary, tensors }
    }

    /// Makes the model with this name.
    ///
    /// # Errors
    /// When there is none.
    pub fn named(name: &str) -> Result<Self, TinyError> {
        find(name).map(Self::make).ok_or_else(|| TinyError::Unknown(name.to_owned()))
    }

    /// What it was made from.
    pub fn spec(&self) -> &TinySpec {
        &self.spec
    }

    /// Its hyperparameters, as a Hugging Face folder means them.
    pub fn config(&self) -> &ModelConfig {
        &self.config
    }

    /// Its vocabulary.
    pub fn vocabulary(&self) -> &Vocabulary {
        &self.vocabulary
    }

    /// Its weights, as a Hugging Face folder means them.
    pub fn tensors(&self) -> &Tensors {
        &self.tensors
    }

    /// Its chat template.
    pub fn chat_template(&self) -> &'static str {
        self.spec.vocabulary.chat_template()
    }

    /// The model as a GGUF file whose matrices are stored in this format.
    ///
    /// # Errors
    /// When the rows of a matrix are no whole blocks of the format (see [`TinySpec::wide`]), or the
    /// format cannot be quantized to.
    pub fn gguf(&self, dtype: DType) -> Result<Vec<u8>, TinyError> {
        gguf::write(self, dtype)
    }

    /// The model as the files of a Hugging Face folder, by name; weights in F32, F16 or BF16.
    ///
    /// # Errors
    /// When the format is none of these.
    pub fn hf(&self, dtype: DType) -> Result<BTreeMap<&'static str, Vec<u8>>, TinyError> {
        hf::files(self, dtype)
    }
}

/// Numbers as the bytes of this format.
fn encode(name: &str, dtype: DType, numbers: &[f32]) -> Result<Vec<u8>, TinyError> {
    tenfold_quant::quantize_to_vec(dtype, numbers)
        .map_err(|source| TinyError::Quant { tensor: name.to_owned(), source })
}
