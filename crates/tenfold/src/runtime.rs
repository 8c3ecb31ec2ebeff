//! From the name of a model to a loaded one.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tenfold_core::{BackendId, LoadError, LoadOptions, LoadProgress, Model, ModelFiles, ModelInfo};
use tenfold_files::OpenModel;
use tenfold_hub::{Hub, HubConfig, HubError, ModelRef, PullProgress};
use tenfold_tokenizer::Tokenizer;

use crate::{BackendChoice, Candidate, Error, Registry};

/// The entry: a model manager and the backends of this build.
pub struct Runtime {
    hub: Hub,
    registry: Registry,
}

/// A loaded model and how it came to be.
pub struct Loaded {
    /// The model.
    pub model: Arc<dyn Model>,
    /// Which backend runs it.
    pub backend: BackendId,
    /// What it computes on, such as `CPU (avx2)`, where the backend tells.
    pub device: Option<String>,
    /// What every backend answered when it was asked, best first.
    pub candidates: Vec<Candidate>,
    /// How long loading took.
    pub load_time: Duration,
}

impl Runtime {
    /// A runtime with the backends that Tenfold comes with.
    ///
    /// # Errors
    /// When the configuration cannot be used.
    pub fn new(config: HubConfig) -> Result<Self, HubError> {
        Self::with_registry(config, Registry::with_defaults())
    }

    /// A runtime with other backends.
    ///
    /// # Errors
    /// When the configuration cannot be used.
    pub fn with_registry(config: HubConfig, registry: Registry) -> Result<Self, HubError> {
        Ok(Self { hub: Hub::new(config)?, registry })
    }

    /// The model manager.
    pub fn hub(&self) -> &Hub {
        &self.hub
    }

    /// The backends.
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// The files of a model; pulls it first if it is not on this machine.
    ///
    /// # Errors
    /// When it is unknown, cannot be pulled, or is damaged.
    pub fn fetch(
        &self,
        reference: &ModelRef,
        progress: &mut dyn FnMut(PullProgress<'_>),
    ) -> Result<ModelFiles, HubError> {
        match self.hub.resolve(reference) {
            Err(error) if error.kind() == tenfold_hub::HubErrorKind::NotPulled => {
                self.hub.pull(reference, progress)?;
                self.hub.resolve(reference)
            }
            resolved => resolved,
        }
    }

    /// What the header of a model says.
    ///
    /// # Errors
    /// When a file cannot be read or is not what it should be.
    pub fn describe(&self, files: &ModelFiles) -> Result<ModelInfo, LoadError> {
        Ok(OpenModel::open(files)?.info())
    }

    /// The tokenizer of a model, without its weights.
    ///
    /// # Errors
    /// When a file cannot be read, or holds no vocabulary that can be used.
    pub fn tokenizer(&self, files: &ModelFiles) -> Result<Tokenizer, LoadError> {
        OpenModel::open(files)?.tokenizer()
    }

    /// Loads a model with the best backend, or the chosen one.
    ///
    /// # Errors
    /// When no backend can run the model, or loading fails.
    pub fn load(
        &self,
        files: &ModelFiles,
        choice: &BackendChoice,
        options: &LoadOptions,
        progress: &mut dyn FnMut(LoadProgress),
    ) -> Result<Loaded, LoadError> {
        let started = Instant::now();
        let info = self.describe(files)?;
        let candidates = self.registry.ask(&info);
        let backend = self.registry.choose(&info, choice)?;
        let model = backend.load(files, options, progress)?;
        let device = backend.info().devices.first().cloned();
        let backend = backend.info().id.clone();
        Ok(Loaded { model, backend, device, candidates, load_time: started.elapsed() })
    }

    /// From a name to a loaded model: pulls it if needed, and takes every default.
    ///
    /// # Errors
    /// When it cannot be pulled or loaded.
    pub fn open(&self, name: &str) -> Result<Loaded, Error> {
        let reference: ModelRef = name.parse()?;
        let files = self.fetch(&reference, &mut |_| {})?;
        Ok(self.load(&files, &BackendChoice::Auto, &LoadOptions::default(), &mut |_| {})?)
    }
}
