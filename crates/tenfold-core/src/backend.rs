//! One framework behind one trait.

use std::fmt;
use std::sync::Arc;

use crate::{
    LoadError, LoadOptions, LoadProgress, Model, ModelFiles, ModelFormat, ModelInfo, Remedy,
    Unsupported,
};

/// The short, stable name of a backend, such as `native` or `llamacpp`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BackendId(std::borrow::Cow<'static, str>);

impl BackendId {
    /// A name known when the program is written.
    pub const fn new(name: &'static str) -> Self {
        Self(std::borrow::Cow::Borrowed(name))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<String> for BackendId {
    fn from(name: String) -> Self {
        Self(name.into())
    }
}

impl fmt::Display for BackendId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// What a backend is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackendInfo {
    /// Short, stable name for options and files.
    pub id: BackendId,
    /// Name for people.
    pub name: &'static str,
    /// Version of the framework that would run a model, where it is known.
    pub version: Option<String>,
    /// Formats of model files that it reads.
    pub formats: &'static [ModelFormat],
    /// Hardware it computes on, such as `CPU (AVX2)`.
    pub devices: Vec<String>,
}

/// Whether a backend can work here and now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Availability {
    /// It can load models.
    Available,
    /// It cannot; both texts are sentences for the user.
    Unavailable {
        /// What is missing.
        reason: String,
        /// What to do about it.
        remedy: Remedy,
    },
}

impl Availability {
    /// True if models can be loaded.
    pub fn is_available(&self) -> bool {
        matches!(self, Self::Available)
    }
}

/// Whether a backend can run a certain model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Support {
    /// It can; of several backends the one with the highest rank is chosen.
    Supported {
        /// 0 (works) to 100 (made for exactly this).
        rank: u8,
    },
    /// It cannot, and why.
    Unsupported(Unsupported),
}

/// An adapter to one framework.
///
/// Every method but [`Backend::load`] is cheap and has no side effect.
pub trait Backend: Send + Sync {
    /// What this backend is.
    fn info(&self) -> &BackendInfo;

    /// Whether it can work on this machine, now.
    fn availability(&self) -> Availability;

    /// Whether it can run this model.
    fn supports(&self, model: &ModelInfo) -> Support;

    /// Loads a model; `progress` is called from this thread.
    ///
    /// # Errors
    /// A [`LoadError`] that says what happened, where, and what to do.
    fn load(
        &self,
        files: &ModelFiles,
        options: &LoadOptions,
        progress: &mut dyn FnMut(LoadProgress),
    ) -> Result<Arc<dyn Model>, LoadError>;
}
