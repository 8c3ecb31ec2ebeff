//! The model manager: from a reference to files, and the other way round.

use std::path::Path;

use tenfold_core::ModelFiles;

use crate::catalogue::{Catalogue, CatalogueEntry, Source};
use crate::http::Http;
use crate::hub_cache::{self, CachedModel};
use crate::progress::Reporter;
use crate::pull::{Pull, hub_ref_of};
use crate::store::{Removed, Store, StoredModel, VerifyReport};
use crate::{
    CancelFlag, HubConfig, HubError, HubRef, ModelRef, PullProgress, SourceFailure, local,
};

/// The model manager of one data folder. Several, in several processes, may use the same folder.
pub struct Hub {
    config: HubConfig,
    catalogue: Catalogue,
    store: Store,
    http: Http,
}

/// A model that is on this machine now.
#[derive(Debug)]
#[non_exhaustive]
pub struct PulledModel {
    /// What it is called in full.
    pub name: String,
    /// Its files.
    pub files: ModelFiles,
    /// What the store knows about it; `None` for a path, which is not stored.
    pub stored: Option<StoredModel>,
    /// Whether nothing had to be fetched.
    pub was_there: bool,
    /// Sources that did not work before one did.
    pub failures: Vec<SourceFailure>,
}

/// What a reference means, with a name that is always the same.
pub(crate) enum Target<'a> {
    Catalogue(&'a CatalogueEntry),
    Hub(&'a HubRef),
    Url(&'a str),
}

impl Target<'_> {
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Catalogue(entry) => entry.full_name(),
            Self::Hub(hub) => hub.to_string(),
            Self::Url(url) => (*url).to_owned(),
        }
    }

    /// Whether a stored model is still what this means: the catalogue may name another file now.
    pub(crate) fn is_current(&self, model: &StoredModel) -> bool {
        match self {
            Self::Catalogue(entry) => model.files.iter().any(|file| file.sha256 == entry.sha256),
            Self::Hub(_) | Self::Url(_) => true,
        }
    }
}

impl Hub {
    /// A manager with this configuration. Nothing is created or asked before it is needed.
    ///
    /// # Errors
    /// When the catalogue file of the configuration cannot be used.
    pub fn new(mut config: HubConfig) -> Result<Self, HubError> {
        config.make_absolute();
        let mut catalogue = Catalogue::built_in()?;
        if let Some(file) = &config.catalogue_file {
            catalogue = catalogue.with_file(file)?;
        }
        let (store, http) = (Store::new(&config.home), Http::new(&config));
        Ok(Self { config, catalogue, store, http })
    }

    /// The configuration.
    pub fn config(&self) -> &HubConfig {
        &self.config
    }

    /// The models known by a short name.
    pub fn catalogue(&self) -> &Catalogue {
        &self.catalogue
    }

    /// Set it from another thread to stop the work in progress.
    pub fn cancel_flag(&self) -> CancelFlag {
        self.config.cancel.clone()
    }

    /// The folder where models are stored.
    pub fn store_folder(&self) -> &Path {
        self.store.root()
    }

    /// The files of a model that is on this machine: stored, in the hub cache, or at a path.
    ///
    /// # Errors
    /// [`HubError::NotPulled`] if it is known and not here, [`HubError::Damaged`] if a file is not
    /// what was pulled, and whatever is wrong with the reference.
    pub fn resolve(&self, reference: &ModelRef) -> Result<ModelFiles, HubError> {
        if let ModelRef::Path(path) = reference {
            return local::resolve(path, self.config.user_home.as_deref());
        }
        let name = self.name(reference)?;
        if let Some(model) = self.store.find(&name)? {
            return model.model_files();
        }
        let cached = self.cached(reference);
        cached.map(|cached| cached.files(&name)).ok_or(HubError::NotPulled { name })
    }

    /// Brings a model to this machine, if it is not here or damaged.
    ///
    /// What was fetched before a failure, a cancellation or the death of the process is kept, and
    /// the next call goes on from there. Two calls at once, in one process or two, fetch once.
    ///
    /// # Errors
    /// [`HubError::AllSourcesFailed`] with the reason of each source, the error itself if there
    /// is one source, and what no source can help: no room, cancelled, no access to the folder.
    pub fn pull(
        &self,
        reference: &ModelRef,
        progress: &mut dyn FnMut(PullProgress<'_>),
    ) -> Result<PulledModel, HubError> {
        if let ModelRef::Path(_) = reference {
            let files = self.resolve(reference)?;
            let name = files.name.clone();
            return Ok(PulledModel {
                name,
                files,
                stored: None,
                was_there: true,
                failures: vec![],
            });
        }
        let target = match self.target(reference) {
            Err(HubError::UnknownModel { name, suggestions }) => {
                // A model that the catalogue does not know any more.
                return self
                    .stored_pull(&name)
                    .ok_or(HubError::UnknownModel { name, suggestions })?;
            }
            target => target?,
        };
        let reporter = Reporter::new(self.config.cancel.clone(), progress);
        Pull::new(&self.store, &self.http, target, reporter).run()
    }

    fn stored_pull(&self, name: &str) -> Option<Result<PulledModel, HubError>> {
        let stored = match self.store.find(name).transpose()? {
            Ok(stored) => stored,
            Err(error) => return Some(Err(error)),
        };
        Some(stored.model_files().map(|files| PulledModel {
            name: stored.name.clone(),
            files,
            stored: Some(stored),
            was_there: true,
            failures: Vec::new(),
        }))
    }

    /// Every stored model, by name. Those that [`Hub::unusable`] tells of are not among them.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn list(&self) -> Result<Vec<StoredModel>, HubError> {
        self.store.list()
    }

    /// Models of the store that cannot be listed, each as the error that says why: a newer version
    /// of Tenfold wrote the record, or it is damaged.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn unusable(&self) -> Result<Vec<HubError>, HubError> {
        self.store.unusable()
    }

    /// What the store knows about a model.
    ///
    /// # Errors
    /// [`HubError::NotPulled`] if it is not stored.
    pub fn show(&self, reference: &ModelRef) -> Result<StoredModel, HubError> {
        let name = self.name(reference)?;
        self.store.find(&name)?.ok_or(HubError::NotPulled { name })
    }

    /// The entry of the catalogue that a reference names, if it names one.
    pub fn entry(&self, reference: &ModelRef) -> Option<&CatalogueEntry> {
        match reference {
            ModelRef::Catalogue { name, tag } => self.catalogue.find(name, tag.as_deref()).ok(),
            _ => None,
        }
    }

    /// Removes a model, and what an unfinished pull left of it. Files that other models share and
    /// files of the hub cache stay.
    ///
    /// # Errors
    /// [`HubError::NotFound`] if it is not stored, [`HubError::Busy`] while it is pulled.
    pub fn remove(&self, reference: &ModelRef) -> Result<Removed, HubError> {
        self.store.remove(&self.name(reference)?, &self.config.cancel)
    }

    /// Hashes every file of a stored model. One that is not what was pulled is remembered, so that
    /// [`Hub::resolve`] refuses the model until it is pulled again.
    ///
    /// # Errors
    /// When it is not stored, or cannot be read. Damage is not an error but part of the report.
    pub fn verify(
        &self,
        reference: &ModelRef,
        progress: &mut dyn FnMut(PullProgress<'_>),
    ) -> Result<VerifyReport, HubError> {
        let model = self.show(reference)?;
        let mut reporter = Reporter::new(self.config.cancel.clone(), progress);
        self.store.verify(&model, &mut reporter)
    }

    /// Removes what unfinished pulls left, and files that belong to no model; gives the bytes that
    /// are free now.
    ///
    /// # Errors
    /// When the store cannot be changed.
    pub fn prune(&self) -> Result<u64, HubError> {
        self.store.prune(&self.config.cancel)
    }

    fn target<'a>(&'a self, reference: &'a ModelRef) -> Result<Target<'a>, HubError> {
        match reference {
            ModelRef::Catalogue { name, tag } => {
                let found = self.catalogue.find(name, tag.as_deref());
                found.map(Target::Catalogue).map_err(|error| suggest_path(error, name))
            }
            ModelRef::Hub(hub) => Ok(Target::Hub(hub)),
            ModelRef::Url(url) => Ok(Target::Url(url)),
            ModelRef::Path(path) => Err(HubError::invalid(
                &path.to_string_lossy(),
                "a path is not in the store",
                "files of your own are used where they are; the store is for pulled models",
            )),
        }
    }

    /// The name under which a model is stored, also if the catalogue does not know it any more.
    fn name(&self, reference: &ModelRef) -> Result<String, HubError> {
        match self.target(reference) {
            Err(HubError::UnknownModel { name, .. }) if self.store.find(&name)?.is_some() => {
                Ok(name)
            }
            target => target.map(|target| target.name()),
        }
    }

    /// The model in a hub cache, if its files are to be trusted.
    fn cached(&self, reference: &ModelRef) -> Option<CachedModel> {
        match self.target(reference).ok()? {
            Target::Hub(hub) => {
                let cached = hub_cache::find(&self.config.hub_caches, hub)?;
                let trusted = cached.paths().all(|path| self.store.is_trusted(&path));
                trusted.then_some(cached)
            }
            Target::Catalogue(entry) => {
                let find = |source: &Source| {
                    let cached = hub_cache::find(&self.config.hub_caches, &hub_ref_of(source)?)?;
                    cached.is_entry(entry).then_some(cached)
                };
                entry.sources.iter().find_map(find)
            }
            Target::Url(_) => None,
        }
    }
}

/// A name that is no model may be meant as a file here.
fn suggest_path(error: HubError, name: &str) -> HubError {
    match error {
        HubError::UnknownModel { name: typed, mut suggestions } if Path::new(name).exists() => {
            suggestions.push(format!("./{name}"));
            HubError::UnknownModel { name: typed, suggestions }
        }
        other => other,
    }
}
