//! Models on the disk: files by their hash, and a manifest for each model.
//!
//! ```text
//! <home>/models/blobs/<sha256>        files, shared by the models that have them
//!               manifests/<key>.json  which files make a model, and where it came from
//!               partial/<key>/        what an unfinished pull has so far
//!               damaged/<id>.json     files that a verification found wrong
//!               locks/<key>.lock      one pull of a model at a time; store.lock guards changes
//! ```
//!
//! A pull fills `partial` under the lock of its model. Under the lock of the store it then renames
//! the files to `blobs` and writes the manifest, so a model is there whole or not at all, whenever
//! the process dies.

mod lock;
mod manifest;
mod verify;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

pub(crate) use lock::Lock;
pub use manifest::{FileRole, FileState, StoredFile, StoredModel};
use manifest::{Manifest, ManifestFile, VERSION, format_named, seconds_now};
pub use verify::{FileCheck, VerifyReport};

use crate::checksum::sha256_hex;
use crate::disk::{
    file_length, folder_bytes, make_folder, persist, read_json, remove_file, remove_folder,
    write_json,
};
use crate::{CancelFlag, HubError};

/// The models of one data folder.
#[derive(Clone, Debug)]
pub(crate) struct Store {
    root: PathBuf,
}

/// What [`Hub::remove`](crate::Hub::remove) did.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Removed {
    /// Bytes that are free now.
    pub bytes_freed: u64,
    /// Whether files of a hub cache were left where they are.
    pub kept_in_place: bool,
}

/// A model ready to be stored.
pub(crate) struct NewModel {
    pub(crate) name: String,
    pub(crate) format: tenfold_core::ModelFormat,
    pub(crate) files: Vec<NewFile>,
    pub(crate) source: String,
    pub(crate) license: Option<String>,
    pub(crate) quantization: Option<String>,
    pub(crate) revision: Option<String>,
}

/// A file ready to be stored.
pub(crate) struct NewFile {
    pub(crate) name: String,
    pub(crate) role: FileRole,
    pub(crate) bytes: u64,
    pub(crate) sha256: String,
    pub(crate) place: Place,
}

/// Where a file is before it is stored.
pub(crate) enum Place {
    /// In the partial folder of its model.
    Partial(PathBuf),
    /// In the store, because another model has it.
    Blob,
    /// In a hub cache, where it stays.
    External(PathBuf),
}

/// A file found to have another hash than it should.
#[derive(Debug, Serialize, Deserialize)]
struct Damage {
    path: PathBuf,
    found: String,
}

impl Store {
    pub(crate) fn new(home: &Path) -> Self {
        Self { root: home.join("models") }
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    pub(crate) fn blob_path(&self, sha256: &str) -> PathBuf {
        self.root.join("blobs").join(sha256)
    }

    pub(crate) fn partial_folder(&self, name: &str) -> PathBuf {
        self.root.join("partial").join(key(name))
    }

    fn manifest_path(&self, name: &str) -> PathBuf {
        self.root.join("manifests").join(format!("{}.json", key(name)))
    }

    /// One pull of a model at a time, over all processes.
    pub(crate) fn lock_model(
        &self,
        name: &str,
        cancel: &CancelFlag,
        waiting: &mut dyn FnMut(),
    ) -> Result<Lock, HubError> {
        lock::lock(&self.lock_path(name), cancel, waiting)
    }

    fn lock_path(&self, name: &str) -> PathBuf {
        self.root.join("locks").join(format!("{}.lock", key(name)))
    }

    /// One change of blobs and manifests at a time; held for moments only.
    fn lock_store(&self, cancel: &CancelFlag) -> Result<Lock, HubError> {
        lock::lock(&self.root.join("locks").join("store.lock"), cancel, &mut || ())
    }

    /// The model with this name, if there is one.
    pub(crate) fn find(&self, name: &str) -> Result<Option<StoredModel>, HubError> {
        let manifest = Manifest::read(&self.manifest_path(name))?;
        Ok(manifest.and_then(|manifest| self.describe(&manifest)))
    }

    /// Every model, by name; what cannot be read is passed over.
    pub(crate) fn list(&self) -> Result<Vec<StoredModel>, HubError> {
        let manifests: Vec<Manifest> = self.manifests()?.into_iter().flatten().collect();
        let mut models: Vec<_> = manifests.iter().filter_map(|one| self.describe(one)).collect();
        models.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(models)
    }

    /// Why some models are not in the list.
    pub(crate) fn unusable(&self) -> Result<Vec<HubError>, HubError> {
        Ok(self.manifests()?.into_iter().filter_map(Result::err).collect())
    }

    /// Every manifest, in the order of their files.
    fn manifests(&self) -> Result<Vec<Result<Manifest, HubError>>, HubError> {
        let folder = self.root.join("manifests");
        let entries = match std::fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(HubError::io("read", &folder)(error)),
        };
        let paths = entries.flatten().map(|entry| entry.path());
        let mut paths: Vec<PathBuf> =
            paths.filter(|path| path.extension().is_some_and(|end| end == "json")).collect();
        paths.sort();
        Ok(paths.iter().filter_map(|path| Manifest::read(path).transpose()).collect())
    }

    fn describe(&self, manifest: &Manifest) -> Option<StoredModel> {
        Some(StoredModel {
            name: manifest.name.clone(),
            format: format_named(&manifest.format)?,
            files: manifest.files.iter().map(|file| self.describe_file(file)).collect(),
            source: manifest.source.clone(),
            license: manifest.license.clone(),
            quantization: manifest.quantization.clone(),
            revision: manifest.revision.clone(),
            pulled_at: manifest.pulled_at(),
        })
    }

    fn describe_file(&self, file: &ManifestFile) -> StoredFile {
        let path = file.path.clone().unwrap_or_else(|| self.blob_path(&file.sha256));
        StoredFile {
            name: file.name.clone(),
            role: file.role,
            bytes: file.bytes,
            sha256: file.sha256.clone(),
            state: self.file_state(&path, file.bytes),
            in_place: file.path.is_some(),
            path,
        }
    }

    /// What is known about a file without reading it.
    fn file_state(&self, path: &Path, bytes: u64) -> FileState {
        match path.metadata() {
            Err(_) => FileState::Missing,
            Ok(metadata) if metadata.len() != bytes => {
                FileState::WrongSize { found: metadata.len() }
            }
            Ok(_) => self.known_damage(path),
        }
    }

    fn known_damage(&self, path: &Path) -> FileState {
        let mark = self.damage_path(path);
        match read_json::<Damage>(&mark) {
            Some(damage) => FileState::Damaged { found: damage.found },
            None if mark.exists() => FileState::Damaged { found: "another hash".to_owned() },
            None => FileState::Present,
        }
    }

    /// Where damage is remembered: under the name of a file of the store, so that the store may
    /// be moved, and under the hash of the path of another one.
    fn damage_path(&self, file: &Path) -> PathBuf {
        let id = match file.strip_prefix(self.root.join("blobs")) {
            Ok(name) => name.to_string_lossy().into_owned(),
            Err(_) => sha256_hex(file.as_os_str().as_encoded_bytes()),
        };
        self.root.join("damaged").join(format!("{id}.json"))
    }

    /// Whether the store has a file with this hash, not known to be damaged.
    pub(crate) fn has_blob(&self, sha256: &str, bytes: u64) -> bool {
        self.file_state(&self.blob_path(sha256), bytes) == FileState::Present
    }

    /// Whether a file of a hub cache may be used.
    pub(crate) fn is_trusted(&self, path: &Path) -> bool {
        self.file_state(path, file_length(path)) == FileState::Present
    }

    /// Stores a model. `None` if a file that another model shared is gone by now: pull it then.
    pub(crate) fn commit(
        &self,
        model: &NewModel,
        cancel: &CancelFlag,
    ) -> Result<Option<StoredModel>, HubError> {
        let _lock = self.lock_store(cancel)?;
        make_folder(&self.root.join("blobs"))?;
        make_folder(&self.root.join("manifests"))?;
        for file in &model.files {
            if !self.settle(file)? {
                return Ok(None);
            }
        }
        let manifest = manifest_of(model);
        let path = self.manifest_path(&model.name);
        let before = Manifest::read(&path).ok().flatten();
        write_json(&path, &manifest)?;
        self.collect(&before.map(own_hashes).unwrap_or_default())?;
        Ok(self.describe(&manifest))
    }

    /// Brings one file to its place; false if it is nowhere.
    fn settle(&self, file: &NewFile) -> Result<bool, HubError> {
        let blob = self.blob_path(&file.sha256);
        match &file.place {
            Place::External(path) => Ok(path.exists()),
            Place::Blob => Ok(self.has_blob(&file.sha256, file.bytes)),
            Place::Partial(path) => {
                if self.has_blob(&file.sha256, file.bytes) {
                    remove_file(path)?;
                } else {
                    persist(path, &blob)?;
                    remove_file(&self.damage_path(&blob))?;
                }
                Ok(true)
            }
        }
    }

    /// Removes a model, what an unfinished pull left of it, and the files that no other model has.
    pub(crate) fn remove(&self, name: &str, cancel: &CancelFlag) -> Result<Removed, HubError> {
        let (path, partial) = (self.manifest_path(name), self.partial_folder(name));
        if !path.exists() && !partial.exists() {
            return Err(self.no_model(name));
        }
        let busy = || HubError::Busy { name: name.to_owned() };
        let _model = lock::try_lock(&self.lock_path(name))?.ok_or_else(busy)?;
        let _store = self.lock_store(cancel)?;
        let (files, kept_in_place) = self.files_to_remove(&path)?;
        let mut bytes_freed = folder_bytes(&partial);
        remove_folder(&partial)?;
        remove_file(&path)?;
        bytes_freed += self.collect(&files)?;
        Ok(Removed { bytes_freed, kept_in_place })
    }

    /// The files of the store that may go with a manifest, and whether it names others.
    fn files_to_remove(&self, manifest: &Path) -> Result<(BTreeSet<String>, bool), HubError> {
        match Manifest::read(manifest) {
            // Nobody knows which files it had: all that belong to nobody may go.
            Err(HubError::Manifest { newer: false, .. }) => {
                Ok((file_names(&self.root.join("blobs")), false))
            }
            Ok(Some(manifest)) => {
                let in_place = manifest.is_in_place();
                Ok((own_hashes(manifest), in_place))
            }
            other => other.map(|_| (BTreeSet::new(), false)),
        }
    }

    fn no_model(&self, name: &str) -> HubError {
        HubError::NotFound {
            what: format!("model {name}"),
            place: format!("the store {}", self.root.display()),
            remedy: Some("see what there is: tenfold list".to_owned()),
        }
    }

    /// Removes those of the files that no manifest names; the lock of the store is held.
    fn collect(&self, candidates: &BTreeSet<String>) -> Result<u64, HubError> {
        let Some(used) = self.used_blobs()? else { return Ok(0) };
        let mut freed = 0;
        for sha256 in candidates.difference(&used) {
            let blob = self.blob_path(sha256);
            freed += file_length(&blob);
            remove_file(&blob)?;
            remove_file(&self.damage_path(&blob))?;
        }
        Ok(freed)
    }

    /// The files that manifests name; `None` if a manifest cannot be read, for then nobody knows.
    fn used_blobs(&self) -> Result<Option<BTreeSet<String>>, HubError> {
        let mut used = BTreeSet::new();
        for manifest in self.manifests()? {
            let Ok(manifest) = manifest else { return Ok(None) };
            used.extend(own_hashes(manifest));
        }
        Ok(Some(used))
    }

    /// Removes what unfinished pulls left, and files that no model has.
    pub(crate) fn prune(&self, cancel: &CancelFlag) -> Result<u64, HubError> {
        let mut freed = 0;
        for folder in subfolders(&self.root.join("partial")) {
            let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let path = self.root.join("locks").join(format!("{name}.lock"));
            // Somebody pulls it right now: leave it.
            let Some(_lock) = lock::try_lock(&path)? else { continue };
            freed += folder_bytes(&folder);
            remove_folder(&folder)?;
        }
        let _store = self.lock_store(cancel)?;
        Ok(freed + self.collect(&file_names(&self.root.join("blobs")))?)
    }
}

/// The files of the store that a manifest names.
fn own_hashes(manifest: Manifest) -> BTreeSet<String> {
    let own = manifest.files.into_iter().filter(|file| file.path.is_none());
    own.map(|file| file.sha256).collect()
}

fn manifest_of(model: &NewModel) -> Manifest {
    let files = model.files.iter().map(|file| ManifestFile {
        name: file.name.clone(),
        role: file.role,
        bytes: file.bytes,
        sha256: file.sha256.clone(),
        path: match &file.place {
            Place::External(path) => Some(path.clone()),
            Place::Partial(_) | Place::Blob => None,
        },
    });
    Manifest {
        version: VERSION,
        name: model.name.clone(),
        format: model.format.name().to_owned(),
        files: files.collect(),
        source: model.source.clone(),
        license: model.license.clone(),
        quantization: model.quantization.clone(),
        revision: model.revision.clone(),
        pulled_at: seconds_now(),
    }
}

/// Reads a manifest for the model `m`, and checks what it promises.
#[cfg(any(test, fuzzing))]
pub(crate) fn parse_manifest(bytes: &[u8]) {
    Manifest::promise(bytes);
}

fn subfolders(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).filter(|path| path.is_dir()).collect()
}

fn file_names(folder: &Path) -> BTreeSet<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().into_string().ok()).collect()
}

/// A name for files and folders: readable, the same on every system, different for every model.
fn key(name: &str) -> String {
    let readable: String = name
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' })
        .take(60)
        .collect();
    let hash = sha256_hex(name.as_bytes());
    format!("{readable}-{}", hash.get(..16).unwrap_or_default())
}

#[cfg(test)]
mod tests;
