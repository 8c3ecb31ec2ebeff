//! Why a tokenizer could not be made or used.

use tenfold_core::BoxError;

/// The kind of a [`TokenizerError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TokenizerErrorKind {
    /// The vocabulary contradicts itself or lacks a part.
    InvalidVocabulary,
    /// A companion file is not what it should be.
    InvalidFile,
    /// The vocabulary is fine, but Tenfold cannot use it.
    Unsupported,
    /// The text is too long.
    TextTooLong,
    /// The rules of a `tokenizer.json` failed on this text.
    Tokenize,
}

/// Why a tokenizer could not be made or used: what, where, and what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TokenizerError {
    /// There is nothing to tokenize into.
    #[error("the vocabulary has no tokens; the file holds no usable tokenizer")]
    NoTokens,
    /// Lists that belong together differ in length.
    #[error(
        "the vocabulary has {tokens} tokens, but {found} {list}; \
         the file is damaged: download or convert it again"
    )]
    LengthMismatch {
        /// Which list.
        list: &'static str,
        /// How many tokens there are.
        tokens: usize,
        /// How many entries the list has.
        found: usize,
    },
    /// Ids leave out so many numbers that the file cannot be right.
    #[error(
        "the vocabulary has {tokens} tokens, but one of them has the id {id}; \
         the file is damaged: download or convert it again"
    )]
    SparseIds {
        /// The largest id.
        id: u32,
        /// How many tokens there are.
        tokens: usize,
    },
    /// A BPE vocabulary without merges would cut text into bytes.
    #[error("the BPE vocabulary has no merges; convert the model again with its merges")]
    NoMerges,
    /// The character map of the normalizer is not readable.
    #[error(
        "the character map of the vocabulary (precompiled_charsmap) is damaged: {what}; \
         download or convert the file again"
    )]
    InvalidCharacterMap {
        /// What is wrong with it.
        what: &'static str,
    },
    /// Nobody said how this vocabulary cuts text into words.
    #[error(
        "unknown pre-tokenizer {name:?} (tokenizer.ggml.pre); \
         use a newer Tenfold, or a conversion of the model that names a known one"
    )]
    UnknownPreTokenizer {
        /// The name in the file.
        name: String,
    },
    /// The algorithm is not one of those that Tenfold has.
    #[error("vocabularies of kind {kind} are not supported; use another conversion of the model")]
    UnknownKind {
        /// The kind.
        kind: String,
    },
    /// A file could not be understood.
    #[error("{file} is not a valid tokenizer file: {source}")]
    InvalidFile {
        /// The usual name of the file.
        file: &'static str,
        /// What its reader says.
        source: BoxError,
    },
    /// Positions in a text are 32-bit numbers.
    #[error("a text of {bytes} bytes is too long to tokenize at once; the limit is {limit}")]
    TextTooLong {
        /// Length of the text.
        bytes: usize,
        /// The limit.
        limit: usize,
    },
    /// The rules of a `tokenizer.json` failed.
    #[error("tokenizer.json could not tokenize the text: {source}")]
    Tokenize {
        /// What the library says.
        source: BoxError,
    },
}

impl TokenizerError {
    /// The kind, for programs.
    pub const fn kind(&self) -> TokenizerErrorKind {
        match self {
            Self::NoTokens
            | Self::LengthMismatch { .. }
            | Self::SparseIds { .. }
            | Self::NoMerges
            | Self::InvalidCharacterMap { .. } => TokenizerErrorKind::InvalidVocabulary,
            Self::UnknownPreTokenizer { .. } | Self::UnknownKind { .. } => {
                TokenizerErrorKind::Unsupported
            }
            Self::InvalidFile { .. } => TokenizerErrorKind::InvalidFile,
            Self::TextTooLong { .. } => TokenizerErrorKind::TextTooLong,
            Self::Tokenize { .. } => TokenizerErrorKind::Tokenize,
        }
    }
}
