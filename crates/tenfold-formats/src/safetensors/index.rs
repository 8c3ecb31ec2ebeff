//! `model.safetensors.index.json`: which of several files holds which tensor.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::Safetensors;
use crate::error::{FormatError, Item, Problem};
use crate::hf::json_problem;

const FILE: &str = "model.safetensors.index.json";

/// The index of a model in several safetensors files.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Index {
    weight_map: BTreeMap<String, String>,
}

impl Index {
    /// Reads the index.
    ///
    /// # Errors
    /// When the bytes are no such JSON, or a file's name is a path that leads elsewhere.
    pub fn parse(json: &[u8]) -> Result<Self, FormatError> {
        let index: Self = serde_json::from_slice(json)
            .map_err(|error| FormatError::new(json_problem(&error)).item(Item::Part(FILE)))?;
        match index.weight_map.values().find(|name| !is_plain(name)) {
            Some(name) => Err(FormatError::new(Problem::OutOfRange {
                value: format!("{name:?}"),
                allowed: "the name of a file in the same folder".into(),
            })
            .item(Item::Part(FILE))),
            None => Ok(index),
        }
    }

    /// The names of the files, in order and without repetition.
    pub fn files(&self) -> BTreeSet<&str> {
        self.weight_map.values().map(String::as_str).collect()
    }

    /// The file that holds each tensor.
    pub fn weight_map(&self) -> &BTreeMap<String, String> {
        &self.weight_map
    }

    /// Checks that every tensor of the index is in one of the files.
    ///
    /// # Errors
    /// When one is missing.
    pub fn check(&self, shards: &[Safetensors<'_>]) -> Result<(), FormatError> {
        let tensors = shards.iter().flat_map(Safetensors::tensors);
        let present: BTreeSet<&str> = tensors.map(|tensor| &*tensor.name).collect();
        match self.weight_map.keys().find(|name| !present.contains(name.as_str())) {
            Some(missing) => Err(FormatError::at_tensor(missing, Problem::Missing)),
            None => Ok(()),
        }
    }
}

/// Whether a name stays in its folder on every operating system.
fn is_plain(name: &str) -> bool {
    !name.is_empty() && !name.starts_with('.') && !name.contains(['/', '\\', ':', '\0'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_files_are_listed_once_each() {
        let json = br#"{"metadata": {"total_size": 12}, "weight_map": {
            "b": "model-00002-of-00002.safetensors", "a": "model-00001-of-00002.safetensors",
            "c": "model-00001-of-00002.safetensors"}}"#;
        let index = Index::parse(json).unwrap();
        let files: Vec<_> = index.files().into_iter().collect();
        assert_eq!(files, ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"]);
        assert!(index.check(&[]).unwrap_err().to_string().contains("\"a\""));
    }

    #[test]
    fn paths_that_lead_elsewhere_are_refused() {
        for name in ["../x", "/etc/passwd", "a/b", "C:\\x", "..", ""] {
            let json = serde_json::json!({"weight_map": {"a": name}}).to_string();
            assert!(Index::parse(json.as_bytes()).is_err(), "{name:?}");
        }
    }
}
