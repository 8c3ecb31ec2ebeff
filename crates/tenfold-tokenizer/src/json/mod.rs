//! A tokenizer from `tokenizer.json`, run by the library that defines the format.

mod config;
mod model;
mod pieces;

use std::collections::BTreeMap;

use tenfold_core::TokenId;

use self::config::Config;
pub(crate) use self::model::JsonModel;
use self::pieces::PieceRule;
use crate::special::{self, Known};
use crate::tokenizer::{Model, Rules, Tokenizer};
use crate::tokens::{Kinds, TokenTable};
use crate::{SpecialTokens, TokenizeOptions, TokenizerError};

/// The files beside a model that describe its tokenizer.
#[derive(Clone, Copy, Debug, Default)]
pub struct TokenizerFiles<'a> {
    /// `tokenizer.json`.
    pub tokenizer: &'a [u8],
    /// `tokenizer_config.json`: names the special tokens.
    pub tokenizer_config: Option<&'a [u8]>,
    /// `generation_config.json`, or else `config.json`: further ends of generation.
    pub generation_config: Option<&'a [u8]>,
}

impl Tokenizer {
    /// The tokenizer that `tokenizer.json` describes.
    ///
    /// What it adds around a text is as the file says; the rules for special tokens in text and for
    /// ends of generation are those of [`Tokenizer::from_vocabulary`].
    ///
    /// # Errors
    /// When a file is not what its name says, or token ids have large gaps.
    pub fn from_json(files: &TokenizerFiles<'_>) -> Result<Self, TokenizerError> {
        let model = JsonModel::new(files.tokenizer)?;
        let config = Config::new(files)?;
        let mut tokens = token_table(&model)?;
        let mut special = config.special_tokens(&tokens);
        let listed = &config.end_of_generation;
        let end_of_generation =
            special::complete(&mut special, listed, &mut tokens, Known::Control);
        let rule = PieceRule::new(&model.decoder());
        tokens.set_pieces(|text, _| rule.piece(text));
        let (first, last) = frame(&model.tokenize(b"", TokenizeOptions::default())?, &special);
        let adds_space = rule.strips_first_space();
        let rules = Rules { first, last, adds_space, ..Rules::default() };
        let model = Model::Json(Box::new(model));
        Ok(Self { tokens, special, end_of_generation, rules, model, notices: Vec::new() })
    }
}

/// What is put before and after a text, from what an empty text becomes.
fn frame(ids: &[TokenId], special: &SpecialTokens) -> (Option<TokenId>, Option<TokenId>) {
    match *ids {
        [] => (None, None),
        [one] if special.eos == Some(one) && special.bos != Some(one) => (None, Some(one)),
        [one] => (Some(one), None),
        [first, .., last] => (Some(first), Some(last)),
    }
}

/// Ids may have gaps, but not so many that a file could ask for any amount of memory.
fn token_table(model: &JsonModel) -> Result<TokenTable, TokenizerError> {
    let tokens: BTreeMap<TokenId, (String, Kinds)> = model.tokens();
    let Some((&last, _)) = tokens.last_key_value() else { return Err(TokenizerError::NoTokens) };
    if last as usize > tokens.len() * 4 + 4096 {
        return Err(TokenizerError::SparseIds { id: last, tokens: tokens.len() });
    }
    let token =
        |id| tokens.get(&id).map_or(("", Kinds::UNUSED), |(text, kinds)| (text.as_str(), *kinds));
    Ok(TokenTable::new((0..=last).map(token)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_of_an_empty_text() {
        let special = SpecialTokens { bos: Some(1), eos: Some(2), ..SpecialTokens::default() };
        let cases: [(&[TokenId], _); 4] = [
            (&[], (None, None)),
            (&[1], (Some(1), None)),
            (&[2], (None, Some(2))),
            (&[1, 2], (Some(1), Some(2))),
        ];
        for (ids, expected) in cases {
            assert_eq!(frame(ids, &special), expected, "{ids:?}");
        }
    }
}
