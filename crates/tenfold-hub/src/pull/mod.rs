//! One pull: sources in turn, each failure kept, the result stored whole or not at all.

mod address;
mod entry;
mod repository;

use std::path::{Path, PathBuf};

pub(crate) use self::entry::hub_ref_of;
use crate::checksum::{Checksum, Hasher, sha256_hex};
use crate::disk::{file_length, remove_folder};
use crate::download::{Fetch, Fetched, download};
use crate::http::Http;
use crate::hub::{PulledModel, Target};
use crate::hub_cache::known_sha256;
use crate::progress::{PullProgress, Reporter};
use crate::store::{FileRole, NewFile, NewModel, Place, Store, StoredModel};
use crate::{HubConfig, HubError, SourceFailure};

const GGUF_MAGIC: &[u8] = b"GGUF";
/// A file that another model shared can vanish between fetching and storing; that is rare.
const ATTEMPTS: usize = 3;

/// A pull in progress.
pub(crate) struct Pull<'a> {
    store: &'a Store,
    http: &'a Http,
    target: Target<'a>,
    name: String,
    /// Where unfinished files gather.
    folder: PathBuf,
    reporter: Reporter<'a>,
    failures: Vec<SourceFailure>,
}

/// A file to download.
struct Wanted<'a> {
    url: &'a str,
    label: &'a str,
    bytes: Option<u64>,
    checksum: Option<&'a Checksum>,
    is_gguf: bool,
}

impl<'a> Pull<'a> {
    pub(crate) fn new(
        store: &'a Store,
        http: &'a Http,
        target: Target<'a>,
        reporter: Reporter<'a>,
    ) -> Self {
        let name = target.name();
        let folder = store.partial_folder(&name);
        Self { store, http, target, name, folder, reporter, failures: Vec::new() }
    }

    pub(crate) fn run(mut self) -> Result<PulledModel, HubError> {
        // Without a lock first: what is there can be used from a store that nobody may write.
        if let Some(model) = self.stored()? {
            return self.done(model, true);
        }
        let cancel = self.reporter.cancel().clone();
        let reporter = &mut self.reporter;
        let _lock = self.store.lock_model(&self.name, &cancel, &mut || {
            reporter.send(PullProgress::Waiting);
        })?;
        if let Some(model) = self.stored()? {
            return self.done(model, true);
        }
        for _ in 0..ATTEMPTS {
            let model = self.obtain()?;
            if let Some(stored) = self.store.commit(&model, &cancel)? {
                remove_folder(&self.folder)?;
                return self.done(stored, false);
            }
        }
        Err(HubError::NotPulled { name: self.name })
    }

    /// The stored model, if there is nothing to mend about it.
    fn stored(&self) -> Result<Option<StoredModel>, HubError> {
        let found = match self.store.find(&self.name) {
            // Pulling again is what mends a damaged manifest.
            Err(HubError::Manifest { newer: false, .. }) => None,
            found => found?,
        };
        Ok(found.filter(|model| !model.is_damaged() && self.target.is_current(model)))
    }

    fn done(self, stored: StoredModel, was_there: bool) -> Result<PulledModel, HubError> {
        Ok(PulledModel {
            name: self.name,
            files: stored.model_files()?,
            stored: Some(stored),
            was_there,
            failures: self.failures,
        })
    }

    fn settings(&self) -> &'a HubConfig {
        self.http.settings()
    }

    fn online(&self) -> Result<(), HubError> {
        if self.settings().offline {
            return Err(HubError::Offline { what: format!("pulling {}", self.name) });
        }
        Ok(())
    }

    fn obtain(&mut self) -> Result<NewModel, HubError> {
        match self.target {
            Target::Catalogue(entry) => self.obtain_entry(entry),
            Target::Hub(hub) => self.obtain_repository(hub),
            Target::Url(url) => self.obtain_url(url),
        }
    }

    /// Downloads into a partial file whose name says which content it is.
    fn fetch(&mut self, wanted: &Wanted<'_>) -> Result<(PathBuf, Fetched), HubError> {
        let id = match wanted.checksum {
            Some(checksum) => checksum.hex().to_owned(),
            None => sha256_hex(wanted.url.as_bytes()),
        };
        let path = self.folder.join(format!("{id}.part"));
        let fetch = Fetch {
            url: wanted.url,
            label: wanted.label,
            target: &path,
            bytes: wanted.bytes,
            checksum: wanted.checksum,
            magic: wanted.is_gguf.then_some(GGUF_MAGIC),
        };
        let fetched = download(self.http, &fetch, &mut self.reporter)?;
        Ok((path, fetched))
    }

    /// The hash that a hub cache says, or the one that the file has.
    fn cached_sha256(&mut self, path: &Path) -> Result<String, HubError> {
        if let Some(sha256) = known_sha256(path) {
            return Ok(sha256);
        }
        let label = path.file_name().unwrap_or_default().to_string_lossy();
        let mut hasher = Hasher::new(None);
        hasher.update_from(path, file_length(path), &label, &mut self.reporter)?;
        Ok(hasher.finish().sha256)
    }
}

/// A file under its own name, without the folders of a repository.
fn new_file(path: &str, role: FileRole, fetched: Fetched, place: Place) -> NewFile {
    let name = path.rsplit('/').next().unwrap_or(path).to_owned();
    NewFile { name, role, bytes: fetched.bytes, sha256: fetched.sha256, place }
}
