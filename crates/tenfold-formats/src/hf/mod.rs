//! The JSON files that lie beside safetensors: `config.json`, `generation_config.json` and
//! `tokenizer_config.json`.
//!
//! These are typed readings of what the files say; defaults and checks come with the description.

mod config;
mod generation;
mod tokenizer;

pub use config::{Config, QuantizationConfig, RopeParameters};
pub use generation::GenerationConfig;
pub use tokenizer::{ChatTemplate, TokenizerConfig};

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::error::{FormatError, Item, Problem};
use crate::sniff::wrong_format;

/// Largest JSON file that is read; `tokenizer_config.json` with all its added tokens has some MB.
const MAX_JSON: usize = 64 << 20;

/// Reads a JSON object; `file` names it in errors.
fn parse_object(json: &[u8], file: &'static str) -> Result<Value, FormatError> {
    let at_file = |problem| FormatError::new(problem).item(Item::Part(file));
    if json.len() > MAX_JSON {
        let (count, limit) = (json.len() as u64, MAX_JSON as u64);
        return Err(at_file(Problem::TooMany { what: "bytes", count, limit }));
    }
    let looks_like_json = json.trim_ascii_start().starts_with(b"{");
    if !looks_like_json {
        return Err(wrong_format("a JSON object", json).item(Item::Part(file)));
    }
    serde_json::from_slice(json).map_err(|error| at_file(json_problem(&error)))
}

/// Gives an object its types.
fn typed<T: DeserializeOwned>(value: Value, file: &'static str) -> Result<T, FormatError> {
    serde_json::from_value(value)
        .map_err(|error| FormatError::new(json_problem(&error)).item(Item::Part(file)))
}

/// What the JSON parser says.
pub(crate) fn json_problem(error: &serde_json::Error) -> Problem {
    Problem::Json { reason: error.to_string() }
}
