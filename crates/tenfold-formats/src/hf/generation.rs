//! `generation_config.json`: how its authors let a model run.

use serde::Deserialize;

use super::{parse_object, typed};
use crate::error::FormatError;

const FILE: &str = "generation_config.json";

/// What `generation_config.json` says; `None` where it is silent.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct GenerationConfig {
    /// Beginning of text.
    pub bos_token_id: Option<u32>,
    /// Padding.
    pub pad_token_id: Option<u32>,
    /// Whether to sample at all.
    pub do_sample: Option<bool>,
    /// Sampling temperature.
    pub temperature: Option<f64>,
    /// Most likely tokens to choose from.
    pub top_k: Option<u64>,
    /// Share of the probability to choose from.
    pub top_p: Option<f64>,
    /// Least share of the best token's probability.
    pub min_p: Option<f64>,
    /// Penalty on tokens that were there already.
    pub repetition_penalty: Option<f64>,
    eos_token_id: Option<OneOrMany>,
}

/// Files state one id or several.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(u32),
    Many(Vec<u32>),
}

impl GenerationConfig {
    /// Reads `generation_config.json`. The same keys in `config.json` are understood too.
    ///
    /// # Errors
    /// When the bytes are no JSON object, or a value has the wrong type.
    pub fn parse(json: &[u8]) -> Result<Self, FormatError> {
        typed(parse_object(json, FILE)?, FILE)
    }

    /// Ids that end generation.
    pub fn end_of_generation(&self) -> &[u32] {
        match &self.eos_token_id {
            None => &[],
            Some(OneOrMany::One(id)) => std::slice::from_ref(id),
            Some(OneOrMany::Many(ids)) => ids,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_id_or_several_end_generation() {
        let cases: &[(&str, &[u32])] = &[
            ("{}", &[]),
            (r#"{"eos_token_id": null}"#, &[]),
            (r#"{"eos_token_id": 2, "do_sample": true}"#, &[2]),
            (r#"{"eos_token_id": [128001, 128009]}"#, &[128_001, 128_009]),
        ];
        for (json, expected) in cases {
            let config = GenerationConfig::parse(json.as_bytes()).unwrap();
            assert_eq!(config.end_of_generation(), *expected, "{json}");
        }
    }

    #[test]
    fn wrong_types_are_named_with_the_file() {
        for json in [r#"{"eos_token_id": "x"}"#, r#"{"eos_token_id": -1}"#, "[1]", "", "{"] {
            let error = GenerationConfig::parse(json.as_bytes()).unwrap_err();
            assert!(error.to_string().starts_with("generation_config.json"), "{error}");
        }
    }
}
