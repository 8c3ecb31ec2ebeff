//! What the store knows about one model.

use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use tenfold_core::{ModelFiles, ModelFormat};

use crate::HubError;

/// A model in the store.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StoredModel {
    /// What the user calls it.
    pub name: String,
    /// Format of its weights.
    pub format: ModelFormat,
    /// Its files, weights first and in shard order.
    pub files: Vec<StoredFile>,
    /// Where it came from, in words.
    pub source: String,
    /// Licence as the source states it.
    pub license: Option<String>,
    /// Mix of number formats, where the name tells.
    pub quantization: Option<String>,
    /// Commit of the repository it came from.
    pub revision: Option<String>,
    /// When it was pulled.
    pub pulled_at: SystemTime,
}

/// One file of a stored model.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StoredFile {
    /// Its usual name.
    pub name: String,
    /// What it is for.
    pub role: FileRole,
    /// Its size.
    pub bytes: u64,
    /// Its SHA-256.
    pub sha256: String,
    /// Where it lies.
    pub path: PathBuf,
    /// Whether it lies in a hub cache, which Tenfold reads and never changes.
    pub in_place: bool,
    /// Whether it is what was pulled, as far as is known without hashing it.
    pub state: FileState,
}

/// What a file is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FileRole {
    /// Weights.
    Weights,
    /// A file beside the weights, such as `tokenizer.json`.
    Companion,
}

/// Whether a file is what was pulled.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FileState {
    /// There, with the right size, and never found damaged.
    Present,
    /// Not there.
    Missing,
    /// Of another size.
    WrongSize {
        /// Its size.
        found: u64,
    },
    /// Found to have another hash.
    Damaged {
        /// The hash it has.
        found: String,
    },
}

impl StoredFile {
    /// What it should be and what it is; `None` if nothing is known to be wrong.
    pub fn problem(&self) -> Option<(String, String)> {
        Some(match &self.state {
            FileState::Present => return None,
            FileState::Missing => (format!("{} bytes", self.bytes), "no file".to_owned()),
            FileState::WrongSize { found } => {
                (format!("{} bytes", self.bytes), format!("{found} bytes"))
            }
            FileState::Damaged { found } => (self.sha256.clone(), found.clone()),
        })
    }
}

impl StoredModel {
    /// Bytes of all its files.
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.bytes).sum()
    }

    /// Whether a file is known to be missing or damaged.
    pub fn is_damaged(&self) -> bool {
        self.files.iter().any(|file| file.state != FileState::Present)
    }

    /// The first damage, as the error that loading gives.
    ///
    /// # Errors
    /// [`HubError::Damaged`] with the file, what was expected and what was found.
    pub fn check(&self) -> Result<(), HubError> {
        let damage = self.files.iter().find_map(|file| Some((file, file.problem()?)));
        let Some((file, (expected, found))) = damage else { return Ok(()) };
        Err(HubError::Damaged {
            model: self.name.clone(),
            file: file.path.clone(),
            expected,
            found,
        })
    }

    /// The files as a backend takes them.
    ///
    /// # Errors
    /// When a file is known to be damaged.
    pub fn model_files(&self) -> Result<ModelFiles, HubError> {
        self.check()?;
        let of = |role| self.files.iter().filter(move |file| file.role == role);
        Ok(ModelFiles {
            name: self.name.clone(),
            format: self.format,
            weights: of(FileRole::Weights).map(|file| file.path.clone()).collect(),
            companions: of(FileRole::Companion)
                .map(|file| (file.name.clone(), file.path.clone()))
                .collect(),
        })
    }
}

/// The file on the disk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Manifest {
    pub(crate) version: u32,
    pub(crate) name: String,
    pub(crate) format: String,
    pub(crate) files: Vec<ManifestFile>,
    pub(crate) source: String,
    pub(crate) license: Option<String>,
    pub(crate) quantization: Option<String>,
    #[serde(default)]
    pub(crate) revision: Option<String>,
    pub(crate) pulled_at: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ManifestFile {
    pub(crate) name: String,
    pub(crate) role: FileRole,
    pub(crate) bytes: u64,
    pub(crate) sha256: String,
    /// A file of a hub cache; in the store if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) path: Option<PathBuf>,
}

pub(crate) const VERSION: u32 = 1;

impl Manifest {
    /// Whether this program can use it: a newer one may mean something else.
    pub(crate) fn is_usable(&self) -> bool {
        self.version == VERSION
            && format_named(&self.format).is_some()
            && self.files.iter().any(|file| file.role == FileRole::Weights)
            && self.files.iter().all(|file| is_sha256(&file.sha256))
    }

    pub(crate) fn pulled_at(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(self.pulled_at)
    }
}

/// Hashes become file names, so a manifest may hold nothing else.
fn is_sha256(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit())
}

pub(crate) fn format_named(name: &str) -> Option<ModelFormat> {
    [ModelFormat::Gguf, ModelFormat::Safetensors].into_iter().find(|format| format.name() == name)
}

pub(crate) fn seconds_now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs())
}
