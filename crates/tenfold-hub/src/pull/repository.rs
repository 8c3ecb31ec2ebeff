//! A repository of the hub: the files that make a model, at one commit.

use tenfold_core::ModelFormat;

use super::{Pull, Wanted, new_file};
use crate::choose::{Chosen, NoChoice, choose};
use crate::disk::{ensure_space, file_length, folder_bytes, make_folder};
use crate::download::Fetched;
use crate::error::did_you_mean;
use crate::http::Http;
use crate::local::refined;
use crate::progress::PullProgress;
use crate::repository::{RepoFile, Repository, explain};
use crate::store::{FileRole, NewFile, NewModel, Place};
use crate::suggest::nearest;
use crate::{HubError, HubRef, HubSelect, hub_cache};

/// Files that an error lists.
const MAX_LISTED: usize = 8;

impl Pull<'_> {
    pub(super) fn obtain_repository(&mut self, hub: &HubRef) -> Result<NewModel, HubError> {
        if let Some(model) = self.cached_repository(hub)? {
            return Ok(model);
        }
        self.online()?;
        let source = format!("hub repository {}", hub.repo);
        self.reporter.send(PullProgress::Source { source: &source });
        let reporter = &mut self.reporter;
        let repository = Repository::ask(self.http, hub, &mut |error, wait| {
            reporter.send(PullProgress::Retrying { error, wait });
        })?;
        let paths: Vec<&str> = repository.files.iter().map(|file| file.path.as_str()).collect();
        let chosen =
            choose(&paths, &hub.select).map_err(|reason| no_choice(reason, hub, &paths))?;
        let files = self.fetch_repository(&repository, &chosen);
        let files = files.map_err(|error| explain_file(error, hub, self.http))?;
        Ok(NewModel {
            name: self.name.clone(),
            format: format(&chosen, &files),
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
        let listed = || paths().filter_map(|path| repository.file(path));
        let total = sum(listed().map(|file| file.bytes));
        let missing = sum(listed().filter(|file| !self.has(file)).map(|file| file.bytes));
        make_folder(&self.folder)?;
        let there = folder_bytes(&self.folder);
        let reserve = self.settings().reserve_bytes;
        ensure_space(&self.folder, missing.saturating_sub(there), reserve)?;
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
        if let Some(file) = file.filter(|file| self.has(file)) {
            self.reporter.finish_file(file.bytes);
            let fetched = Fetched { bytes: file.bytes, sha256: file.sha256().unwrap_or_default() };
            return Ok(new_file(path, role, fetched, Place::Blob));
        }
        let url = repository.address(self.http, path);
        let wanted = Wanted {
            url: &url,
            label: path,
            bytes: file.map(|file| file.bytes),
            checksum: file.and_then(|file| file.checksum.as_ref()),
            is_gguf: role == FileRole::Weights && format == ModelFormat::Gguf,
        };
        let (place, fetched) = self.fetch(&wanted)?;
        self.reporter.finish_file(fetched.bytes);
        Ok(new_file(path, role, fetched, Place::Partial(place)))
    }

    /// Whether the store has this file already, because another model has it too.
    fn has(&self, file: &RepoFile) -> bool {
        file.sha256().is_some_and(|sha256| self.store.has_blob(&sha256, file.bytes))
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
            format: cached.format(),
            files,
            source: format!("the hub cache (hub repository {})", hub.repo),
            license: None,
            quantization: chosen.quantization.clone(),
            revision: Some(cached.commit.clone()),
        }))
    }
}

/// The format that the files have, as far as their `config.json` tells.
fn format(chosen: &Chosen, files: &[NewFile]) -> ModelFormat {
    let config = files.iter().find(|file| file.name == "config.json");
    match config.map(|file| &file.place) {
        Some(Place::Partial(path) | Place::External(path)) => refined(chosen.format, path),
        _ => chosen.format,
    }
}

/// Sizes come from a server: they are added without trust.
fn sum(sizes: impl Iterator<Item = u64>) -> u64 {
    sizes.fold(0, u64::saturating_add)
}

/// A gated repository lists its files to everybody and refuses them one by one.
fn explain_file(error: HubError, hub: &HubRef, http: &Http) -> HubError {
    match error {
        HubError::Unauthorized { .. } => explain(error, hub, http),
        other => other,
    }
}

fn role_of(path: &str, chosen: &Chosen) -> FileRole {
    if chosen.weights.iter().any(|weights| weights == path) {
        FileRole::Weights
    } else {
        FileRole::Companion
    }
}

fn no_choice(reason: NoChoice, hub: &HubRef, paths: &[&str]) -> HubError {
    let place = format!("hub repository {}", hub.repo);
    let (what, remedy) = match reason {
        NoChoice::NoFile => match &hub.select {
            HubSelect::File(file) => (format!("file {file}"), similar_files(file, paths)),
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

/// Files that are there and may have been meant.
fn similar_files(file: &str, paths: &[&str]) -> Option<String> {
    let similar = nearest(file, paths.iter().copied(), 3);
    did_you_mean(&similar).or_else(|| {
        let weights = |path: &&&str| path.ends_with(".gguf") || path.ends_with(".safetensors");
        let there: Vec<&str> = paths.iter().filter(weights).copied().take(MAX_LISTED).collect();
        (!there.is_empty()).then(|| format!("it has {}", there.join(", ")))
    })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_quantization_is_answered_with_those_that_exist() {
        let hub =
            HubRef { repo: "o/r".into(), revision: None, select: HubSelect::Quant("Q5_0".into()) };
        let error = no_choice(NoChoice::NoQuant(vec!["Q4_0".into(), "Q8_0".into()]), &hub, &[]);
        assert_eq!(error.to_string(), "hub repository o/r has no GGUF file of quantization Q5_0");
        assert_eq!(error.remedy().as_deref(), Some("choose one of Q4_0, Q8_0"));
    }

    #[test]
    fn a_missing_file_is_answered_with_those_that_look_alike() {
        let paths = ["README.md", "m-Q4_0.gguf", "m-Q8_0.gguf"];
        for (file, remedy) in [
            ("m-Q4_O.gguf", "did you mean m-Q4_0.gguf or m-Q8_0.gguf?"),
            ("something-else.bin", "it has m-Q4_0.gguf, m-Q8_0.gguf"),
        ] {
            let select = HubSelect::File(file.into());
            let hub = HubRef { repo: "o/r".into(), revision: None, select };
            let error = no_choice(NoChoice::NoFile, &hub, &paths);
            assert_eq!(error.to_string(), format!("hub repository o/r has no file {file}"));
            assert_eq!(error.remedy().as_deref(), Some(remedy));
        }
    }

    #[test]
    fn sizes_that_a_server_makes_up_do_not_overflow() {
        assert_eq!(sum([u64::MAX, 1].into_iter()), u64::MAX);
    }
}
