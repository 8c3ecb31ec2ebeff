//! Text to tokens and back.
//!
//! A [`Tokenizer`] is made from the vocabulary of a GGUF file or from `tokenizer.json`, and gives the
//! token ids that llama.cpp or the `tokenizers` library would give, whatever the text:
//!
//! ```text
//! bytes -> special tokens cut out -> words -> merges or best cuts -> ids
//! ids -> Detokenizer (whole characters) -> StopMatcher (no stop sequence) -> text
//! ```
//!
//! ```
//! use tenfold_formats::{Vocabulary, VocabularyKind};
//! use tenfold_tokenizer::{DetokenizeOptions, TokenizeOptions, Tokenizer};
//!
//! # fn vocabulary() -> Vocabulary {
//! #     let text = |text: &&str| text.to_string();
//! #     Vocabulary {
//! #         kind: VocabularyKind::Bpe, pre: Some("gpt-2".into()),
//! #         tokens: ["l", "o", "w", "lo", "low", "Ġ", "e", "r"].iter().map(text).collect(),
//! #         merges: ["l o", "lo w"].iter().map(text).collect(),
//! #         scores: vec![], kinds: vec![], bos: None, eos: None, eot: None, eom: None, unk: None,
//! #         sep: None, pad: None, end_of_generation: vec![], add_bos: None, add_eos: None,
//! #         add_space_prefix: None, remove_extra_whitespaces: None, precompiled_charsmap: vec![],
//! #         lowercase: None, strip_accents: None,
//! #     }
//! # }
//! let tokenizer = Tokenizer::from_vocabulary(&vocabulary())?;
//! let ids = tokenizer.tokenize(b"low lower", TokenizeOptions::default())?;
//! assert_eq!(ids, [4, 5, 4, 6, 7]);
//! assert_eq!(tokenizer.detokenize(&ids, DetokenizeOptions::default()), b"low lower");
//! # Ok::<(), tenfold_tokenizer::TokenizerError>(())
//! ```
//!
//! This crate knows nothing about models, files on disk, chat templates or sampling.

mod bpe;
mod byte_level;
mod charsmap;
mod clean;
mod detokenizer;
mod error;
mod json;
mod merge;
mod options;
mod partition;
mod sentencepiece;
mod special;
mod stop;
#[cfg(test)]
mod testing;
mod tokenizer;
mod tokens;
mod trie;
mod unicode;
mod unigram;
mod utf8;
mod vocabulary;
mod wordpiece;

pub use detokenizer::Detokenizer;
pub use error::{TokenizerError, TokenizerErrorKind};
pub use json::TokenizerFiles;
pub use options::{DetokenizeOptions, TokenizeOptions};
pub use special::SpecialTokens;
pub use stop::{StopMatcher, StopProgress};
pub use tokenizer::Tokenizer;
pub use vocabulary::VocabularyHints;
