//! Tiny models as files, for tests of what opens files.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

use tempfile::TempDir;
use tenfold_core::{DType, ModelFiles, ModelFormat};

use crate::tiny::{TinyError, TinyModel};

/// A tiny model in a folder of its own, which goes away with this value.
#[derive(Debug)]
pub struct OnDisk {
    folder: TempDir,
    files: ModelFiles,
}

/// Why a tiny model could not be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OnDiskError {
    /// It could not be made.
    #[error(transparent)]
    Tiny(#[from] TinyError),
    /// The system refused.
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl OnDisk {
    /// The tiny model with this name as a GGUF file.
    ///
    /// # Errors
    /// When there is none, its matrices cannot be stored in the format, or the system refuses.
    pub fn gguf(name: &str, dtype: DType) -> Result<Self, OnDiskError> {
        Self::of(&TinyModel::named(name)?, dtype)
    }

    /// A tiny model as a GGUF file.
    ///
    /// # Errors
    /// When its matrices cannot be stored in the format, or the system refuses.
    pub fn of(model: &TinyModel, dtype: DType) -> Result<Self, OnDiskError> {
        let folder = tempfile::tempdir()?;
        let name = model.spec().name;
        let path = folder.path().join(format!("{name}.gguf"));
        fs::write(&path, model.gguf(dtype)?)?;
        let files = ModelFiles {
            name: name.to_owned(),
            format: ModelFormat::Gguf,
            weights: vec![path],
            companions: BTreeMap::new(),
        };
        Ok(Self { folder, files })
    }

    /// The tiny model with this name as a Hugging Face folder.
    ///
    /// # Errors
    /// When there is none, the format is no float, or the system refuses.
    pub fn hf(name: &str, dtype: DType) -> Result<Self, OnDiskError> {
        let folder = tempfile::tempdir()?;
        let mut companions = BTreeMap::new();
        for (file, bytes) in TinyModel::named(name)?.hf(dtype)? {
            let path = folder.path().join(file);
            fs::write(&path, bytes)?;
            companions.insert(file.to_owned(), path);
        }
        let weights = companions.remove("model.safetensors").into_iter().collect();
        let format = ModelFormat::Safetensors;
        let files = ModelFiles { name: name.to_owned(), format, weights, companions };
        Ok(Self { folder, files })
    }

    /// The files, as a backend takes them.
    pub fn files(&self) -> &ModelFiles {
        &self.files
    }

    /// The folder that holds them.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }
}
