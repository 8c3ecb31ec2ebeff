//! The files of a model, opened.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use tenfold_core::{LoadError, LoadErrorKind, ModelFiles, ModelFormat, ModelInfo};
use tenfold_formats::{
    FormatError, ModelDescription, SafetensorsModel, describe_gguf, describe_safetensors,
};
use tenfold_tokenizer::{Tokenizer, TokenizerFiles, VocabularyHints};

use crate::MappedFile;

/// A model whose weight files are mapped and described; nothing is loaded yet.
#[derive(Debug)]
pub struct OpenModel {
    pub(crate) files: ModelFiles,
    maps: Vec<MappedFile>,
    description: ModelDescription,
}

impl OpenModel {
    /// Maps the weight files and reads their headers.
    ///
    /// # Errors
    /// When a file is not there, cannot be read, or is not what it should be; the path is in the
    /// error.
    pub fn open(files: &ModelFiles) -> Result<Self, LoadError> {
        let maps = files.weights.iter().map(|path| map(path)).collect::<Result<Vec<_>, _>>()?;
        let shards: Vec<&[u8]> = maps.iter().map(MappedFile::bytes).collect();
        let description = describe(files, &shards)?;
        Ok(Self { files: files.clone(), maps, description })
    }

    /// What the headers say.
    pub fn description(&self) -> &ModelDescription {
        &self.description
    }

    /// The bytes of the weight files in shard order.
    pub fn shards(&self) -> Vec<&[u8]> {
        self.maps.iter().map(MappedFile::bytes).collect()
    }

    /// What is known about the model without loading it.
    pub fn info(&self) -> ModelInfo {
        let bytes = self.maps.iter().map(|map| map.bytes().len() as u64).sum();
        let mut info = self.description.info(&self.files.name, bytes);
        info.has_chat_template = info.has_chat_template || self.has_template();
        info
    }

    /// The tokenizer that the weight file or a file beside it carries.
    ///
    /// # Errors
    /// When there is none, or it breaks the rules of its format.
    pub fn tokenizer(&self) -> Result<Tokenizer, LoadError> {
        let Some(vocabulary) = &self.description.vocabulary else {
            return self.tokenizer_from_json();
        };
        let hints = VocabularyHints {
            model_name: self.description.title.as_deref(),
            architecture: Some(&self.description.architecture),
        };
        Tokenizer::from_vocabulary_with(vocabulary, hints)
            .map_err(|error| invalid(self.files.main(), error))
    }

    fn tokenizer_from_json(&self) -> Result<Tokenizer, LoadError> {
        let tokenizer = self.companion("tokenizer.json")?.ok_or_else(|| {
            LoadError::new(LoadErrorKind::NotFound, "there is no tokenizer with the model")
                .at(self.files.main().display().to_string())
                .with_remedy("put the tokenizer.json of the model beside its weights")
        })?;
        let tokenizer_config = self.companion("tokenizer_config.json")?;
        let generation_config = match self.companion("generation_config.json")? {
            Some(bytes) => Some(bytes),
            None => self.companion("config.json")?,
        };
        Tokenizer::from_json(&TokenizerFiles {
            tokenizer: &tokenizer,
            tokenizer_config: tokenizer_config.as_deref(),
            generation_config: generation_config.as_deref(),
        })
        .map_err(|error| invalid(self.files.main(), error))
    }

    /// The bytes of a file beside the weights, if there is one.
    pub(crate) fn companion(&self, name: &str) -> Result<Option<Vec<u8>>, LoadError> {
        self.files.companion(name).map(read).transpose()
    }
}

fn describe(files: &ModelFiles, shards: &[&[u8]]) -> Result<ModelDescription, LoadError> {
    let described = match files.format {
        ModelFormat::Gguf => describe_gguf(shards),
        ModelFormat::Safetensors => return describe_folder(files, shards),
        other => {
            let what = format!("Tenfold cannot read the header of {other} files");
            return Err(LoadError::new(LoadErrorKind::Unsupported, what)
                .at(files.main().display().to_string())
                .with_remedy("use a GGUF file or a folder with safetensors"));
        }
    };
    described.map_err(|error| at(files, error))
}

fn describe_folder(files: &ModelFiles, shards: &[&[u8]]) -> Result<ModelDescription, LoadError> {
    let optional = |name: &str| files.companion(name).map(read).transpose();
    let config = optional("config.json")?.ok_or_else(|| {
        LoadError::new(LoadErrorKind::NotFound, "there is no config.json beside the weights")
            .at(files.main().display().to_string())
            .with_remedy("name the folder that holds config.json, tokenizer.json and the weights")
    })?;
    let tokenizer_config = optional("tokenizer_config.json")?;
    let index = optional("model.safetensors.index.json")?;
    describe_safetensors(&SafetensorsModel {
        config: &config,
        tokenizer_config: tokenizer_config.as_deref(),
        index: index.as_deref(),
        shards,
    })
    .map_err(|error| at(files, error))
}

/// Names the file in which a shard's error is.
fn at(files: &ModelFiles, error: FormatError) -> LoadError {
    let shard = error.location().shard.unwrap_or(0);
    let path = files.weights.get(shard).map_or_else(|| files.main(), |path| path.as_path());
    LoadError::from(error).at(path.display().to_string())
}

fn invalid(path: &Path, error: impl std::error::Error + Send + Sync + 'static) -> LoadError {
    LoadError::new(LoadErrorKind::InvalidFile, error.to_string())
        .at(path.display().to_string())
        .with_remedy("get the model from another source, or use another one")
        .with_source(error)
}

fn map(path: &Path) -> Result<MappedFile, LoadError> {
    MappedFile::open(path).map_err(|error| io_error(path, &error))
}

fn read(path: &Path) -> Result<Vec<u8>, LoadError> {
    fs::read(path).map_err(|error| io_error(path, &error))
}

fn io_error(path: &Path, error: &std::io::Error) -> LoadError {
    let (kind, remedy) = match error.kind() {
        ErrorKind::NotFound => (LoadErrorKind::NotFound, "check the path, or pull the model"),
        ErrorKind::PermissionDenied => (LoadErrorKind::Io, "give yourself leave to read the file"),
        ErrorKind::InvalidInput => (LoadErrorKind::InvalidFile, "name a model file"),
        _ => (LoadErrorKind::Io, "check the disk"),
    };
    LoadError::new(kind, format!("cannot be read: {error}"))
        .at(path.display().to_string())
        .with_remedy(remedy)
}
