//! A loaded model and what is known about one before it is loaded.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::{LoadError, Session, SessionOptions};

/// The file format of a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum ModelFormat {
    /// llama.cpp's single-file format.
    Gguf,
    /// A Hugging Face folder: `config.json`, `tokenizer.json`, `*.safetensors`.
    Safetensors,
    /// An ONNX graph.
    Onnx,
    /// An ExecuTorch program.
    Pte,
    /// A LiteRT flatbuffer.
    Tflite,
    /// A LiteRT-LM bundle.
    LiteRtLm,
    /// A folder written by mlx-lm.
    Mlx,
    /// A folder written by MLC-LLM.
    Mlc,
    /// A Core ML package.
    CoreMl,
    /// A picoLLM file.
    PicoLlm,
    /// A model that the operating system or a server holds.
    System,
}

impl ModelFormat {
    /// Short name for options, tables and JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Gguf => "gguf",
            Self::Safetensors => "safetensors",
            Self::Onnx => "onnx",
            Self::Pte => "pte",
            Self::Tflite => "tflite",
            Self::LiteRtLm => "litertlm",
            Self::Mlx => "mlx",
            Self::Mlc => "mlc",
            Self::CoreMl => "coreml",
            Self::PicoLlm => "pllm",
            Self::System => "system",
        }
    }
}

impl fmt::Display for ModelFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// The files of one model on this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelFiles {
    /// What the user calls it.
    pub name: String,
    /// The format of the weights.
    pub format: ModelFormat,
    /// Weight files in shard order; never empty.
    pub weights: Vec<PathBuf>,
    /// Files beside the weights by their usual name: `config.json`, `tokenizer.json`,
    /// `tokenizer_config.json`, `chat_template.jinja`, `generation_config.json`.
    pub companions: BTreeMap<String, PathBuf>,
}

impl ModelFiles {
    /// The first weight file: the one errors should name.
    pub fn main(&self) -> &Path {
        self.weights.first().map_or_else(|| Path::new(&self.name), PathBuf::as_path)
    }

    /// The file with this usual name, such as `tokenizer.json`.
    pub fn companion(&self, name: &str) -> Option<&Path> {
        self.companions.get(name).map(PathBuf::as_path)
    }
}

/// What is known about a model from its header, without loading it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ModelInfo {
    /// What the user calls it.
    pub name: String,
    /// The name inside the file, if any.
    pub title: Option<String>,
    /// Architecture, such as `llama` or `qwen2`.
    pub architecture: String,
    /// Format of the weights.
    pub format: Option<ModelFormat>,
    /// Mix of number formats, such as `Q4_K_M`, or the most common one.
    pub quantization: Option<String>,
    /// Number of weights.
    pub parameters: u64,
    /// Size of the weight files in bytes.
    pub file_bytes: u64,
    /// Longest context the model was trained for, in tokens.
    pub context_length: usize,
    /// Numbers in a hidden state.
    pub embedding_length: usize,
    /// Transformer blocks.
    pub layers: usize,
    /// Tokens in the vocabulary.
    pub vocabulary_size: usize,
    /// Bytes of key-value cache that one token takes at f16.
    pub kv_bytes_per_token: u64,
    /// Licence as the file states it.
    pub license: Option<String>,
    /// Whether the files carry a chat template.
    pub has_chat_template: bool,
}

/// What a loaded model can do. What is `false` fails early with a clear error.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Capabilities {
    /// Turns of several roles through a chat template.
    pub chat: bool,
    /// Gives token ids and log probabilities.
    pub logprobs: bool,
    /// Output constrained by a grammar.
    pub grammar: bool,
    /// Calls of tools.
    pub tools: bool,
    /// LoRA adapters.
    pub adapters: bool,
    /// Images in messages.
    pub images: bool,
    /// Attention weights.
    pub attention: bool,
    /// Embedding of texts.
    pub embeddings: bool,
}

/// Loaded weights: immutable and shared.
pub trait Model: Send + Sync {
    /// What is known about the model.
    fn info(&self) -> &ModelInfo;

    /// What it can do.
    fn capabilities(&self) -> Capabilities;

    /// Things the user should hear about this model, such as a missing chat template; sentences.
    fn notices(&self) -> &[String] {
        &[]
    }

    /// Starts a conversation.
    ///
    /// # Errors
    /// When the options cannot be met, for example a context longer than memory allows.
    fn start_session(
        self: Arc<Self>,
        options: &SessionOptions,
    ) -> Result<Box<dyn Session>, LoadError>;
}
