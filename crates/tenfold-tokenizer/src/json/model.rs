//! The library's tokenizer, once with and once without special tokens in text.

use std::collections::{BTreeMap, HashMap};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Deserializer};
use tenfold_core::TokenId;
use tokenizers::tokenizer::{Model, Result as LibraryResult, Token, TokenizerImpl};
use tokenizers::{
    DecoderWrapper, ModelWrapper, NormalizerWrapper, PostProcessorWrapper, PreTokenizerWrapper,
};

use crate::tokens::Kinds;
use crate::utf8::to_text;
use crate::{TokenizeOptions, TokenizerError};

type Library = TokenizerImpl<
    SharedModel,
    NormalizerWrapper,
    PreTokenizerWrapper,
    PostProcessorWrapper,
    DecoderWrapper,
>;

/// A vocabulary that two tokenizers share.
#[derive(Clone, Debug)]
struct SharedModel(Arc<ModelWrapper>);

impl<'de> Deserialize<'de> for SharedModel {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        ModelWrapper::deserialize(deserializer).map(|model| Self(Arc::new(model)))
    }
}

impl Model for SharedModel {
    type Trainer = <ModelWrapper as Model>::Trainer;

    fn tokenize(&self, sequence: &str) -> LibraryResult<Vec<Token>> {
        self.0.tokenize(sequence)
    }

    fn token_to_id(&self, token: &str) -> Option<u32> {
        self.0.token_to_id(token)
    }

    fn id_to_token(&self, id: u32) -> Option<String> {
        self.0.id_to_token(id)
    }

    fn get_vocab(&self) -> HashMap<String, u32> {
        self.0.get_vocab()
    }

    fn get_vocab_size(&self) -> usize {
        self.0.get_vocab_size()
    }

    fn save(&self, folder: &Path, prefix: Option<&str>) -> LibraryResult<Vec<PathBuf>> {
        self.0.save(folder, prefix)
    }

    fn get_trainer(&self) -> Self::Trainer {
        self.0.get_trainer()
    }
}

/// Whether special tokens are parsed is a setting of the library's tokenizer, so there are two.
#[derive(Debug)]
pub(crate) struct JsonModel {
    parsing: Library,
    plain: Library,
}

impl JsonModel {
    pub(super) fn new(json: &[u8]) -> Result<Self, TokenizerError> {
        let invalid = |source| TokenizerError::InvalidFile { file: "tokenizer.json", source };
        let read = || serde_json::from_slice(json).map_err(Into::into);
        let mut parsing: Library = guarded(read).map_err(invalid)?;
        // Files may ask for texts of one length, which is right for training only.
        parsing.with_padding(None);
        parsing.with_truncation(None).map_err(invalid)?;
        let mut plain = parsing.clone();
        plain.set_encode_special_tokens(true);
        Ok(Self { parsing, plain })
    }

    pub(crate) fn tokenize(
        &self,
        text: &[u8],
        options: TokenizeOptions,
    ) -> Result<Vec<TokenId>, TokenizerError> {
        let library = if options.parse_special { &self.parsing } else { &self.plain };
        let encoding = guarded(|| library.encode_fast(to_text(text), options.add_special));
        let encoding = encoding.map_err(|source| TokenizerError::Tokenize { source })?;
        Ok(encoding.get_ids().to_vec())
    }

    /// All tokens by id.
    pub(super) fn tokens(&self) -> BTreeMap<TokenId, (String, Kinds)> {
        let added = self.parsing.get_added_tokens_decoder();
        let kinds = |id| match added.get(&id) {
            Some(token) if token.special => Kinds::CONTROL,
            Some(_) => Kinds::USER_DEFINED,
            None => Kinds::NORMAL,
        };
        let tokens = self.parsing.get_vocab(true).into_iter();
        tokens.map(|(text, id)| (id, (text, kinds(id)))).collect()
    }

    /// The description of the decoder.
    pub(super) fn decoder(&self) -> serde_json::Value {
        serde_json::to_value(self.parsing.get_decoder()).unwrap_or_default()
    }
}

/// Turns a panic of the library into an error: it panics on descriptions that contradict themselves,
/// such as a template that names a token without an id.
fn guarded<T>(run: impl FnOnce() -> LibraryResult<T>) -> LibraryResult<T> {
    let result = catch_unwind(AssertUnwindSafe(run));
    result.unwrap_or_else(|_| Err("the description of the tokenizer contradicts itself".into()))
}
