//! The one description that every weight format is turned into.

use std::collections::BTreeMap;
use std::ops::Range;

use tenfold_core::{DType, ModelFormat, ModelInfo};

/// What the header of a model says, checked, and independent of the file format.
///
/// Tensors carry the names that GGUF files use (`blk.0.attn_q.weight`), whatever the source.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelDescription {
    /// Where it comes from.
    pub format: ModelFormat,
    /// Architecture by its GGUF name: `llama`, `qwen2`, `gemma3`, …
    pub architecture: String,
    /// Name that the file gives itself.
    pub title: Option<String>,
    /// Licence that the file states.
    pub license: Option<String>,
    /// Mix of number formats, such as `Q4_K_M`, or the most common one.
    pub quantization: Option<String>,
    /// Numbers that shape the computation.
    pub config: ModelConfig,
    /// Where each tensor lies.
    pub tensors: TensorTable,
    /// The vocabulary, when the weight file carries it (GGUF does).
    pub vocabulary: Option<Vocabulary>,
    /// The chat template, when the weight file carries it.
    pub chat_template: Option<String>,
}

impl ModelDescription {
    /// What users see of the model; `name` is what they call it.
    pub fn info(&self, name: &str, file_bytes: u64) -> ModelInfo {
        ModelInfo {
            name: name.to_owned(),
            title: self.title.clone(),
            architecture: self.architecture.clone(),
            format: Some(self.format),
            quantization: self.quantization.clone(),
            parameters: self.tensors.parameters(),
            file_bytes,
            context_length: self.config.context_length,
            embedding_length: self.config.embedding_length,
            layers: self.config.layers,
            vocabulary_size: self.config.vocabulary_size,
            kv_bytes_per_token: self.config.kv_bytes_per_token(),
            license: self.license.clone(),
            has_chat_template: self.chat_template.is_some(),
        }
    }
}

/// Hyperparameters under one set of names; numbers only, cheap to copy around.
///
/// `None` means the file does not say; the family decides then.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ModelConfig {
    /// Tokens in the vocabulary (rows of the embedding).
    pub vocabulary_size: usize,
    /// Longest context the model was trained for.
    pub context_length: usize,
    /// Numbers in a hidden state.
    pub embedding_length: usize,
    /// Transformer blocks.
    pub layers: usize,
    /// Inner size of the feed-forward network.
    pub feed_forward_length: usize,
    /// Query heads.
    pub heads: usize,
    /// Key and value heads.
    pub kv_heads: usize,
    /// Numbers in one query or key head; `embedding_length / heads` unless the file says otherwise.
    pub key_length: usize,
    /// Numbers in one value head.
    pub value_length: usize,
    /// Epsilon of the norms.
    pub norm_epsilon: f32,
    /// Added to every norm weight before use: 1 for Gemma's safetensors (GGUF files have it added).
    pub norm_weight_offset: f32,
    /// Rotary position embedding.
    pub rope: RopeConfig,
    /// Tokens that a sliding-window layer looks back on.
    pub sliding_window: Option<usize>,
    /// Every n-th layer is global, the others slide (Gemma 3: 6, Gemma 2: 2); 0: none is global.
    /// `None` with a `sliding_window`: every layer slides.
    pub sliding_window_pattern: Option<usize>,
    /// `cap · tanh(x / cap)` on attention scores.
    pub attention_soft_cap: Option<f32>,
    /// `cap · tanh(x / cap)` on the logits.
    pub final_soft_cap: Option<f32>,
    /// Scale of attention scores where it is not `1 / sqrt(key_length)`.
    pub attention_scale: Option<f32>,
    /// Activation of the feed-forward network as the file names it (`silu`, `gelu_pytorch_tanh`).
    pub activation: Option<String>,
    /// Attention and feed-forward read the same normed input (StableLM 2 12B, some Phi).
    pub parallel_residual: bool,
    /// Feed-forward networks to choose from in each block; 0 where there is just one.
    pub experts: usize,
}

impl ModelConfig {
    /// Bytes of key-value cache that one token takes at f16 when every layer keeps it.
    pub fn kv_bytes_per_token(&self) -> u64 {
        let per_head = self.key_length.saturating_add(self.value_length);
        let numbers = self.layers.saturating_mul(self.kv_heads).saturating_mul(per_head);
        2 * (numbers as u64).min(u64::MAX / 2)
    }
}

/// How positions enter the attention.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RopeConfig {
    /// Numbers of a head that are rotated; the rest passes through.
    pub dimensions: usize,
    /// Base of the frequencies.
    pub theta: f32,
    /// Base for the sliding-window layers where it differs (Gemma 3: 10,000).
    pub local_theta: Option<f32>,
    /// Which numbers form a pair.
    pub layout: RopeLayout,
    /// How the frequencies are stretched for long contexts; layers with `local_theta` are not.
    pub scaling: RopeScaling,
}

/// Which two numbers of a head are rotated together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RopeLayout {
    /// `(0, 1), (2, 3), …`: the `llama` family in GGUF files, whose q and k rows are permuted so.
    Interleaved,
    /// `(0, d/2), (1, d/2 + 1), …`: everything else.
    #[default]
    Halves,
}

/// How RoPE frequencies are stretched beyond the trained context.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum RopeScaling {
    /// Not at all, or by the factors of a `rope_freqs.weight` tensor.
    #[default]
    None,
    /// All positions divided by `factor`.
    Linear {
        /// The divisor.
        factor: f32,
    },
    /// YaRN.
    Yarn {
        /// How many times longer the context became.
        factor: f32,
        /// Context before that.
        original_context: usize,
        /// Upper bound of rotations that are interpolated (32).
        beta_fast: f32,
        /// Lower bound of rotations that are extrapolated (1).
        beta_slow: f32,
        /// Multiplies sine and cosine; `0.1 · ln(factor) + 1` when the file does not say.
        attention_factor: Option<f32>,
    },
    /// Llama 3.1's piecewise rule.
    Llama3 {
        /// Divisor of the long wavelengths.
        factor: f32,
        /// Below this share of the original context, `factor` applies in full.
        low_freq_factor: f32,
        /// Above this share, nothing changes.
        high_freq_factor: f32,
        /// Context before scaling.
        original_context: usize,
    },
    /// Phi 3's two tables; empty where they are tensors (`rope_factors_short.weight`, `…_long…`).
    LongRope {
        /// Divisors below the original context.
        short: Vec<f32>,
        /// Divisors above it.
        long: Vec<f32>,
        /// Context before scaling.
        original_context: usize,
        /// Multiplies sine and cosine; computed from the lengths when the file does not say.
        attention_factor: Option<f32>,
    },
}

/// Where one tensor lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TensorEntry {
    /// Number format.
    pub dtype: DType,
    /// Sizes, slowest first: a weight matrix is `[outputs, inputs]`.
    pub shape: Vec<usize>,
    /// Which weight file.
    pub shard: usize,
    /// Bytes within that file.
    pub range: Range<usize>,
}

/// All tensors of a model by canonical name. Ranges were checked against the lengths of the files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TensorTable {
    /// Entries by name.
    pub entries: BTreeMap<String, TensorEntry>,
}

/// One tensor with its bytes.
#[derive(Clone, Copy, Debug)]
pub struct TensorView<'a> {
    /// Canonical name.
    pub name: &'a str,
    /// Number format.
    pub dtype: DType,
    /// Sizes, slowest first.
    pub shape: &'a [usize],
    /// The numbers as stored, little-endian.
    pub data: &'a [u8],
}

impl TensorTable {
    /// The tensor with this name, out of the files' bytes in shard order.
    ///
    /// `None` if there is no such tensor, or the bytes are shorter than when the header was read.
    pub fn view<'a>(&'a self, name: &str, shards: &[&'a [u8]]) -> Option<TensorView<'a>> {
        let (name, entry) = self.entries.get_key_value(name)?;
        let data = shards.get(entry.shard)?.get(entry.range.clone())?;
        Some(TensorView { name, dtype: entry.dtype, shape: &entry.shape, data })
    }

    /// Number of weights in all tensors.
    pub fn parameters(&self) -> u64 {
        self.entries.values().map(TensorEntry::numbers).fold(0, u64::saturating_add)
    }

    /// The number format that takes most bytes.
    pub fn main_dtype(&self) -> Option<DType> {
        let mut bytes: BTreeMap<DType, usize> = BTreeMap::new();
        for entry in self.entries.values() {
            *bytes.entry(entry.dtype).or_default() += entry.range.len();
        }
        bytes.into_iter().max_by_key(|&(_, bytes)| bytes).map(|(dtype, _)| dtype)
    }
}

impl TensorEntry {
    /// How many numbers it has.
    pub fn numbers(&self) -> u64 {
        self.shape.iter().fold(1, |product, &size| product.saturating_mul(size as u64))
    }
}

/// Which algorithm turns text into tokens (`tokenizer.ggml.model`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum VocabularyKind {
    /// SentencePiece BPE with byte fallback (`llama`).
    SentencePiece,
    /// Byte-level BPE with merges (`gpt2`, `gemma4`, `whitespace`).
    Bpe,
    /// WordPiece (`bert`).
    WordPiece,
    /// SentencePiece Unigram (`t5`).
    Unigram,
}

/// What a token is (`tokenizer.ggml.token_type`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum TokenKind {
    /// Text.
    #[default]
    Normal,
    /// Stands for what has no token.
    Unknown,
    /// Special: never produced from plain text, not part of the output's text.
    Control,
    /// Added by a user of the vocabulary; matched in text before anything else.
    UserDefined,
    /// Not in use.
    Unused,
    /// A raw byte, written `<0xAB>`.
    Byte,
}

/// The vocabulary of a GGUF file, checked: parallel lists have one length, ids are in range.
#[derive(Clone, Debug, PartialEq)]
pub struct Vocabulary {
    /// The algorithm.
    pub kind: VocabularyKind,
    /// Name of the pre-tokenizer of a BPE vocabulary (`tokenizer.ggml.pre`).
    pub pre: Option<String>,
    /// The text of each token by id.
    pub tokens: Vec<String>,
    /// Score of each token; empty if the file has none.
    pub scores: Vec<f32>,
    /// Kind of each token; empty if the file has none (all normal).
    pub kinds: Vec<TokenKind>,
    /// BPE merges, best first, as `left right`.
    pub merges: Vec<String>,
    /// Beginning of text.
    pub bos: Option<u32>,
    /// End of text.
    pub eos: Option<u32>,
    /// End of turn.
    pub eot: Option<u32>,
    /// End of message.
    pub eom: Option<u32>,
    /// Unknown.
    pub unk: Option<u32>,
    /// Separator (WordPiece).
    pub sep: Option<u32>,
    /// Padding.
    pub pad: Option<u32>,
    /// Further end-of-generation ids that the file lists.
    pub end_of_generation: Vec<u32>,
    /// Put `bos` first; `None` leaves it to the algorithm's usual rule.
    pub add_bos: Option<bool>,
    /// Put `eos` last.
    pub add_eos: Option<bool>,
    /// SentencePiece: put a space before the text.
    pub add_space_prefix: Option<bool>,
    /// SentencePiece: collapse runs of spaces.
    pub remove_extra_whitespaces: Option<bool>,
    /// SentencePiece: the compiled character map of the normalizer, if any.
    pub precompiled_charsmap: Vec<u8>,
    /// WordPiece: make text lower case; `None` leaves it to the algorithm's usual rule.
    pub lowercase: Option<bool>,
    /// WordPiece: take accents off; `None` means as `lowercase`.
    pub strip_accents: Option<bool>,
}
