//! A folder with the files of one model.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use tempfile::TempDir;
use tenfold_core::{ModelFiles, ModelFormat};
use tenfold_files::OpenModel;
use tenfold_formats::gguf::write::Builder;

/// A GGUF file that holds a vocabulary and no tensors, and what lies beside it.
pub(crate) struct Folder {
    folder: TempDir,
    builder: Builder<'static>,
    companions: BTreeMap<String, PathBuf>,
}

impl Folder {
    /// A vocabulary with these tokens besides the usual ones.
    pub(crate) fn new(tokens: &[&str]) -> Self {
        let tokens: Vec<&str> =
            ["<unk>", "<s>", "</s>", "a", "b"].iter().chain(tokens).copied().collect();
        let mut builder = Builder::new();
        builder.set("general.architecture", "llama").set("tokenizer.ggml.model", "llama");
        builder.set("tokenizer.ggml.tokens", &tokens);
        builder.set("tokenizer.ggml.scores", &vec![0.0_f32; tokens.len()]);
        builder.set("tokenizer.ggml.token_type", &vec![1_i32; tokens.len()]);
        builder.set("tokenizer.ggml.bos_token_id", &1_u32);
        builder.set("tokenizer.ggml.eos_token_id", &2_u32);
        Self { folder: tempfile::tempdir().unwrap(), builder, companions: BTreeMap::new() }
    }

    /// Sets a text of the header.
    pub(crate) fn set(mut self, key: &str, value: &str) -> Self {
        self.builder.set(key, value);
        self
    }

    /// Puts a file beside the weights.
    pub(crate) fn beside(mut self, name: &str, content: &str) -> Self {
        let path = self.folder.path().join(name);
        fs::write(&path, content).unwrap();
        self.companions.insert(name.to_owned(), path);
        self
    }

    pub(crate) fn files(&self) -> ModelFiles {
        let path = self.folder.path().join("model.gguf");
        fs::write(&path, self.builder.to_bytes().unwrap()).unwrap();
        ModelFiles {
            name: "model".to_owned(),
            format: ModelFormat::Gguf,
            weights: vec![path],
            companions: self.companions.clone(),
        }
    }

    pub(crate) fn open(&self) -> OpenModel {
        OpenModel::open(&self.files()).unwrap()
    }
}
