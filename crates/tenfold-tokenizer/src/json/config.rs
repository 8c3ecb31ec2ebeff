//! What `tokenizer_config.json` and `generation_config.json` say about special tokens.

use serde_json::Value;
use tenfold_core::TokenId;

use super::TokenizerFiles;
use crate::tokens::TokenTable;
use crate::{SpecialTokens, TokenizerError};

/// Both files, read.
#[derive(Debug, Default)]
pub(super) struct Config {
    tokenizer: Value,
    generation: Value,
    /// Ids that end generation.
    pub(super) end_of_generation: Vec<TokenId>,
}

impl Config {
    pub(super) fn new(files: &TokenizerFiles<'_>) -> Result<Self, TokenizerError> {
        let tokenizer = read("tokenizer_config.json", files.tokenizer_config)?;
        let generation = read("generation_config.json", files.generation_config)?;
        let end_of_generation = ids(&generation["eos_token_id"]);
        Ok(Self { tokenizer, generation, end_of_generation })
    }

    /// Named by text in the first file, or else by id in the second.
    pub(super) fn special_tokens(&self, tokens: &TokenTable) -> SpecialTokens {
        let exists = |id: &TokenId| (*id as usize) < tokens.len();
        let named = |key: &str| tokens.find(self.text(key)?.as_bytes());
        let numbered = |key: &str| ids(&self.generation[key]).into_iter().find(exists);
        SpecialTokens {
            bos: named("bos_token")
                .or_else(|| numbered("bos_token_id"))
                .or_else(|| named("cls_token")),
            eos: named("eos_token").or_else(|| numbered("eos_token_id")),
            unk: named("unk_token"),
            sep: named("sep_token"),
            pad: named("pad_token").or_else(|| numbered("pad_token_id")),
            ..SpecialTokens::default()
        }
    }

    /// A token is written as its text, or as an object that contains it.
    fn text(&self, key: &str) -> Option<&str> {
        let token = &self.tokenizer[key];
        token.as_str().or_else(|| token["content"].as_str())
    }
}

fn read(file: &'static str, bytes: Option<&[u8]>) -> Result<Value, TokenizerError> {
    let Some(bytes) = bytes else { return Ok(Value::Null) };
    serde_json::from_slice(bytes)
        .map_err(|error| TokenizerError::InvalidFile { file, source: error.into() })
}

/// One id, or a list of them.
fn ids(value: &Value) -> Vec<TokenId> {
    let id = |value: &Value| value.as_u64().and_then(|id| TokenId::try_from(id).ok());
    match value {
        Value::Array(list) => list.iter().filter_map(id).collect(),
        one => id(one).into_iter().collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tokens::Kinds;

    #[test]
    fn special_tokens_by_text_or_id() {
        let files = TokenizerFiles {
            tokenizer: b"",
            tokenizer_config: Some(br#"{"bos_token": {"content": "<s>"}, "pad_token": null}"#),
            generation_config: Some(br#"{"eos_token_id": [2, 7], "pad_token_id": 9}"#),
        };
        let config = Config::new(&files).unwrap();
        let tokens = TokenTable::new(["a", "<s>", "</s>"].map(|text| (text, Kinds::NORMAL)));
        let special = config.special_tokens(&tokens);
        assert_eq!((special.bos, special.eos, special.pad), (Some(1), Some(2), None));
        assert_eq!(config.end_of_generation, [2, 7]);
    }

    #[test]
    fn files_that_are_no_json_are_named() {
        let files = TokenizerFiles { tokenizer_config: Some(b"{"), ..TokenizerFiles::default() };
        let error = Config::new(&files).unwrap_err();
        assert!(error.to_string().starts_with("tokenizer_config.json"), "{error}");
    }
}
