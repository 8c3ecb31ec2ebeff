//! Models that other programs put in the standard hub cache, read where they lie.
//!
//! ```text
//! models--org--name/refs/main           the commit that a branch means
//!                   snapshots/<commit>/ the files, as links to
//!                   blobs/<hash>        SHA-256 for large files, a git hash for small ones
//! ```

use std::path::{Path, PathBuf};

use tenfold_core::{ModelFiles, ModelFormat};

use crate::HubRef;
use crate::catalogue::CatalogueEntry;
use crate::checksum::is_hex;
use crate::choose::{Chosen, choose};
use crate::disk::file_length;
use crate::local::refined;

/// Folders below a snapshot that are looked into.
const MAX_DEPTH: usize = 8;
const TOKENIZER: &str = "tokenizer.json";

/// The files of one model in a hub cache.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct CachedModel {
    pub(crate) snapshot: PathBuf,
    pub(crate) commit: String,
    pub(crate) chosen: Chosen,
}

impl CachedModel {
    /// Its files, weights first.
    pub(crate) fn paths(&self) -> impl Iterator<Item = PathBuf> + '_ {
        let names = self.chosen.weights.iter().chain(&self.chosen.companions);
        names.map(|name| self.snapshot.join(name))
    }

    /// Whether it is the one file of this entry, as far as its size and the cache say.
    pub(crate) fn is_entry(&self, entry: &CatalogueEntry) -> bool {
        let Some(path) = self.paths().next() else { return false };
        file_length(&path) == entry.bytes
            && known_sha256(&path).is_none_or(|sha256| sha256 == entry.sha256)
    }

    pub(crate) fn format(&self) -> ModelFormat {
        refined(self.chosen.format, &self.snapshot.join("config.json"))
    }

    /// Its files as a backend takes them.
    pub(crate) fn files(&self, name: &str) -> ModelFiles {
        let path = |file: &String| self.snapshot.join(file);
        ModelFiles {
            name: name.to_owned(),
            format: self.format(),
            weights: self.chosen.weights.iter().map(path).collect(),
            companions: self
                .chosen
                .companions
                .iter()
                .map(|file| (file.clone(), path(file)))
                .collect(),
        }
    }
}

/// The first cache that has every file of the model.
pub(crate) fn find(caches: &[PathBuf], hub: &HubRef) -> Option<CachedModel> {
    caches.iter().find_map(|cache| find_in(cache, hub))
}

fn find_in(cache: &Path, hub: &HubRef) -> Option<CachedModel> {
    let folder = cache.join(format!("models--{}", hub.repo.replace('/', "--")));
    let commit = commit(&folder, hub.revision())?;
    let snapshot = folder.join("snapshots").join(&commit);
    let mut paths = Vec::new();
    walk(&snapshot, "", MAX_DEPTH, &mut paths);
    let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
    let chosen = choose(&paths, &hub.select).ok().filter(is_usable)?;
    Some(CachedModel { snapshot, commit, chosen })
}

/// Other programs fetch single files: weights without their tokenizer are no model.
fn is_usable(chosen: &Chosen) -> bool {
    chosen.format == ModelFormat::Gguf || chosen.companions.iter().any(|name| name == TOKENIZER)
}

fn commit(folder: &Path, revision: &str) -> Option<String> {
    if folder.join("snapshots").join(revision).is_dir() {
        return Some(revision.to_owned());
    }
    let text = std::fs::read_to_string(folder.join("refs").join(revision)).ok()?;
    let commit = text.trim();
    let plain = !commit.is_empty() && commit.bytes().all(|b| b.is_ascii_alphanumeric());
    plain.then(|| commit.to_owned())
}

/// The files that are really there; a link to a file still arriving leads nowhere.
fn walk(folder: &Path, prefix: &str, depth: usize, paths: &mut Vec<String>) {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    for entry in entries {
        let Ok(name) = entry.file_name().into_string() else { continue };
        let (path, relative) = (entry.path(), format!("{prefix}{name}"));
        if path.is_file() {
            paths.push(relative);
        } else if depth > 0 && entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            walk(&path, &format!("{relative}/"), depth - 1, paths);
        }
    }
}

/// The SHA-256 that the cache keeps a file under; small files are kept under another hash.
pub(crate) fn known_sha256(path: &Path) -> Option<String> {
    let blob = path.canonicalize().ok()?;
    let name = blob.file_name()?.to_str()?;
    is_hex(name, 64).then(|| name.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::HubSelect;

    const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

    fn cache(files: &[&str]) -> tempfile::TempDir {
        let cache = tempfile::tempdir().unwrap();
        let folder = cache.path().join("models--o--r");
        std::fs::create_dir_all(folder.join("refs")).unwrap();
        std::fs::write(folder.join("refs/main"), COMMIT).unwrap();
        for file in files {
            let path = folder.join("snapshots").join(COMMIT).join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, b"x").unwrap();
        }
        cache
    }

    fn find_model(cache: &Path, revision: Option<&str>, select: HubSelect) -> Option<Chosen> {
        let hub = HubRef { repo: "o/r".into(), revision: revision.map(str::to_owned), select };
        find(&[PathBuf::from("/nowhere"), cache.to_owned()], &hub).map(|model| model.chosen)
    }

    #[test]
    fn models_are_found_by_branch_and_commit() {
        let cache = cache(&["m-Q8_0.gguf", "sub/m-Q4_0.gguf"]);
        let found = |revision, select| {
            find_model(cache.path(), revision, select).map(|chosen| chosen.weights)
        };
        assert_eq!(found(None, HubSelect::Auto), Some(vec!["sub/m-Q4_0.gguf".to_owned()]));
        let quant = HubSelect::Quant("Q8_0".into());
        assert_eq!(found(Some(COMMIT), quant), Some(vec!["m-Q8_0.gguf".to_owned()]));
        assert_eq!(found(Some("dev"), HubSelect::Auto), None);
        assert_eq!(found(None, HubSelect::Quant("Q5_0".into())), None);
    }

    #[test]
    fn a_half_filled_cache_is_not_used() {
        let cache = cache(&["config.json", "tokenizer.json"]);
        assert_eq!(find_model(cache.path(), None, HubSelect::Auto), None);
        let cache = self::cache(&["config.json", "model.safetensors"]);
        assert_eq!(find_model(cache.path(), None, HubSelect::Auto), None, "no tokenizer");
        let all = self::cache(&["config.json", "model.safetensors", "tokenizer.json"]);
        assert!(find_model(all.path(), None, HubSelect::Auto).is_some());
    }

    #[cfg(unix)]
    #[test]
    fn links_name_the_hash_and_broken_ones_are_no_files() {
        let cache = cache(&[]);
        let folder = cache.path().join("models--o--r");
        let snapshot = folder.join("snapshots").join(COMMIT);
        std::fs::create_dir_all(&snapshot).unwrap();
        std::fs::create_dir_all(folder.join("blobs")).unwrap();
        let hash = "a".repeat(64);
        let link = |name: &str, target: &str| {
            std::os::unix::fs::symlink(Path::new("../../blobs").join(target), snapshot.join(name))
        };
        link("m.gguf", &hash).unwrap();
        assert_eq!(find_model(cache.path(), None, HubSelect::Auto), None, "nothing there yet");
        std::fs::write(folder.join("blobs").join(&hash), b"x").unwrap();
        assert!(find_model(cache.path(), None, HubSelect::Auto).is_some());
        assert_eq!(known_sha256(&snapshot.join("m.gguf")), Some(hash));
        std::fs::write(folder.join("blobs/0123"), b"x").unwrap();
        link("config.json", "0123").unwrap();
        assert_eq!(known_sha256(&snapshot.join("config.json")), None);
    }
}
