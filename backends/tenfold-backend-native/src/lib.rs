//! The native engine as a Tenfold backend.
//!
//! Opening the files, loading the weights and putting tokenizer and template beside them is all there
//! is to it; the decode loop is the one that every backend with logits shares:
//!
//! ```text
//! ModelFiles ─ OpenModel: mapped, described ─ Engine::load: packed weights ─→ TextModel
//! ```
//!
//! ```
//! use tenfold_backend_native::NativeBackend;
//! use tenfold_core::Backend;
//!
//! let backend = NativeBackend::new();
//! assert_eq!(backend.info().id.as_str(), "native");
//! assert!(backend.availability().is_available());
//! ```
//!
//! This crate knows nothing about where models come from and who else could run them.

mod memory;

use std::sync::Arc;

use tenfold_core::{
    Availability, Backend, BackendId, BackendInfo, LoadError, LoadOptions, LoadProgress, Model,
    ModelFiles, ModelFormat, ModelInfo, Support, Unsupported,
};
use tenfold_engine::{Engine, EngineOptions};
use tenfold_files::OpenModel;
use tenfold_generate::{TextModel, TextParts};
use tenfold_kernels::Kernels;

/// Formats of weights that the engine reads.
const FORMATS: &[ModelFormat] = &[ModelFormat::Gguf, ModelFormat::Safetensors];

/// Better than any framework that has to be installed, and leaves room for one that was made for
/// the machine's accelerator.
const RANK: u8 = 80;

/// Tenfold's own engine on the CPU.
pub struct NativeBackend {
    info: BackendInfo,
    kernels: Kernels,
}

impl NativeBackend {
    /// The backend with the best kernels that this CPU has.
    pub fn new() -> Self {
        Self::with_kernels(Kernels::detect())
    }

    /// The backend with these kernels.
    pub fn with_kernels(kernels: Kernels) -> Self {
        let info = BackendInfo {
            id: BackendId::new("native"),
            name: "Tenfold native",
            version: Some(env!("CARGO_PKG_VERSION").to_owned()),
            formats: FORMATS,
            devices: vec![format!("CPU ({})", kernels.name())],
        };
        Self { info, kernels }
    }

    fn engine(
        &self,
        open: &OpenModel,
        options: &LoadOptions,
        progress: &mut dyn FnMut(LoadProgress),
    ) -> Result<Engine, LoadError> {
        let options = EngineOptions {
            context_length: options.context_length,
            threads: Some(options.threads.unwrap_or_else(tenfold_device::usable_cores)),
            kernels: Some(self.kernels),
        };
        Ok(Engine::load(open.description(), &open.shards(), &options, progress)?)
    }
}

impl Default for NativeBackend {
    fn default() -> Self {
        Self::new()
    }
}

impl Backend for NativeBackend {
    fn info(&self) -> &BackendInfo {
        &self.info
    }

    fn availability(&self) -> Availability {
        Availability::Available
    }

    fn supports(&self, model: &ModelInfo) -> Support {
        match check(model) {
            Ok(()) => Support::Supported { rank: RANK },
            Err(unsupported) => Support::Unsupported(unsupported),
        }
    }

    fn load(
        &self,
        files: &ModelFiles,
        options: &LoadOptions,
        progress: &mut dyn FnMut(LoadProgress),
    ) -> Result<Arc<dyn Model>, LoadError> {
        let located = |error: LoadError| match error.location() {
            Some(_) => error,
            None => error.at(files.main().display().to_string()),
        };
        let open = OpenModel::open(files)?;
        check(&open.info())?;
        Engine::supports(open.description()).map_err(|error| located(error.into()))?;
        memory::check(&open.info()).map_err(located)?;
        let tokenizer = Arc::new(open.tokenizer()?);
        let opened = open.template(&tokenizer)?;
        let engine = self.engine(&open, options, progress).map_err(located)?;
        let parts = TextParts {
            info: open.info(),
            tokenizer,
            template: Arc::new(opened.template),
            notices: opened.notices,
        };
        Ok(Arc::new(TextModel::new(engine, parts).map_err(located)?))
    }
}

fn check(model: &ModelInfo) -> Result<(), Unsupported> {
    match model.format {
        Some(format) if FORMATS.contains(&format) => {
            Engine::supports_architecture(&model.architecture)
        }
        format => {
            let format = format.map_or_else(|| "unknown".to_owned(), |format| format.to_string());
            let reason = "the native engine reads GGUF files and folders with safetensors";
            Err(Unsupported::new(format!("the format {format}"), reason)
                .with_remedy("get the model as a GGUF file"))
        }
    }
}
