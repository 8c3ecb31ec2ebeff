//! What the store knows about one model.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use tenfold_core::{ModelFiles, ModelFormat};

use crate::HubError;
use crate::checksum::is_hex;

/// A manifest is never larger; a larger file is none.
const MAX_BYTES: u64 = 16 << 20;
const UPDATE: &str = "update Tenfold, or use another data folder (TENFOLD_HOME)";

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
        self.files.iter().fold(0, |sum, file| sum.saturating_add(file.bytes))
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

/// The one thing that every version of a manifest has.
#[derive(Deserialize)]
struct Head {
    version: u32,
}

/// Why a file is no manifest that this program can use.
#[derive(Debug, PartialEq, Eq)]
enum Unusable {
    Newer(u32),
    Wrong(String),
}

impl Manifest {
    /// Reads a manifest; `None` if there is none.
    pub(crate) fn read(path: &Path) -> Result<Option<Self>, HubError> {
        let mut bytes = Vec::new();
        let read = File::open(path)
            .and_then(|file| file.take(MAX_BYTES + 1).read_to_end(&mut bytes).map(drop));
        match read {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            other => other.map_err(HubError::io("read", path))?,
        }
        let key = path.file_stem().unwrap_or_default().to_string_lossy();
        Self::parse(&bytes, &key).map(Some).map_err(|reason| unusable(path, reason))
    }

    fn parse(bytes: &[u8], key: &str) -> Result<Self, Unusable> {
        let wrong = |error: serde_json::Error| Unusable::Wrong(error.to_string());
        let head: Head = serde_json::from_slice(bytes).map_err(wrong)?;
        if head.version > VERSION {
            return Err(Unusable::Newer(head.version));
        }
        let manifest: Self = serde_json::from_slice(bytes).map_err(wrong)?;
        manifest.check(key).map_err(|problem| Unusable::Wrong(problem.to_owned()))?;
        Ok(manifest)
    }

    #[cfg(any(test, fuzzing))]
    pub(crate) fn promise(bytes: &[u8]) {
        let Ok(manifest) = Self::parse(bytes, &super::key("m")) else { return };
        assert!(manifest.files.iter().all(|file| is_hex(&file.sha256, 64)));
        assert!(manifest.pulled_at() >= UNIX_EPOCH);
    }

    fn check(&self, key: &str) -> Result<(), &'static str> {
        if super::key(&self.name) != key {
            return Err("it does not belong to the model that its file is named after");
        }
        if format_named(&self.format).is_none() {
            return Err("the format of the model is not known");
        }
        if !self.files.iter().any(|file| file.role == FileRole::Weights) {
            return Err("there are no weights");
        }
        // Hashes become file names, so a manifest may hold nothing else.
        if !self.files.iter().all(|file| is_hex(&file.sha256, 64)) {
            return Err("a hash is wrong");
        }
        Ok(())
    }

    /// Whether files of it lie in a hub cache.
    pub(crate) fn is_in_place(&self) -> bool {
        self.files.iter().any(|file| file.path.is_some())
    }

    pub(crate) fn pulled_at(&self) -> SystemTime {
        UNIX_EPOCH.checked_add(Duration::from_secs(self.pulled_at)).unwrap_or(UNIX_EPOCH)
    }
}

fn unusable(path: &Path, reason: Unusable) -> HubError {
    let (problem, newer, remedy) = match reason {
        Unusable::Newer(version) => {
            let problem = format!(
                "a newer version of Tenfold wrote it (format {version}; this one reads {VERSION})"
            );
            (problem, true, UPDATE)
        }
        Unusable::Wrong(problem) => {
            let problem = format!("the record of a stored model is damaged: {problem}");
            (problem, false, "pull that model again, or remove the file")
        }
    };
    HubError::Manifest { path: path.to_owned(), problem, newer, remedy: remedy.to_owned() }
}

pub(crate) fn format_named(name: &str) -> Option<ModelFormat> {
    let stored = [ModelFormat::Gguf, ModelFormat::Safetensors, ModelFormat::Mlx];
    stored.into_iter().find(|format| format.name() == name)
}

pub(crate) fn seconds_now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn manifest() -> serde_json::Value {
        serde_json::json!({
            "version": 1, "name": "m", "format": "gguf", "source": "test", "license": null,
            "quantization": null, "pulled_at": 1,
            "files": [{"name": "m.gguf", "role": "weights", "bytes": 1, "sha256": "0".repeat(64)}],
        })
    }

    fn parse(value: &serde_json::Value) -> Result<Manifest, Unusable> {
        Manifest::parse(value.to_string().as_bytes(), &super::super::key("m"))
    }

    #[test]
    fn what_does_not_hold_together_is_refused() {
        assert!(parse(&manifest()).is_ok());
        for (key, value) in [
            ("version", 0.5.into()),
            ("name", "other".into()),
            ("format", "onnx".into()),
            ("files", serde_json::json!([])),
            (
                "files",
                serde_json::json!([{"name": "m", "role": "weights", "bytes": 1, "sha256": "../x"}]),
            ),
            (
                "files",
                serde_json::json!([{"name": "m", "role": "companion", "bytes": 1, "sha256": "0".repeat(64)}]),
            ),
            ("pulled_at", (-1).into()),
        ] {
            let mut wrong = manifest();
            wrong[key] = value;
            assert!(matches!(parse(&wrong), Err(Unusable::Wrong(_))), "{wrong}");
        }
    }

    #[test]
    fn a_newer_version_is_told_apart_even_if_nothing_else_is_known() {
        let newer = serde_json::json!({"version": 7, "files": "elsewhere"});
        assert_eq!(parse(&newer), Err(Unusable::Newer(7)));
        let error = unusable(Path::new("/store/m.json"), Unusable::Newer(7));
        assert_eq!(
            error.to_string(),
            "/store/m.json: a newer version of Tenfold wrote it (format 7; this one reads 1)"
        );
        assert_eq!(error.remedy().as_deref(), Some(UPDATE));
    }

    #[test]
    fn absurd_numbers_do_not_overflow() {
        let mut absurd = manifest();
        absurd["pulled_at"] = u64::MAX.into();
        assert_eq!(parse(&absurd).unwrap().pulled_at(), UNIX_EPOCH);
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(Manifest::parse(&bytes, "m").is_err());
        }
    }
}
