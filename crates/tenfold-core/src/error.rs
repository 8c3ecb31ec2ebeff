//! What can go wrong, with facts for programs and sentences for people.

use std::error::Error;
use std::fmt;

/// The cause of an error, as another library reports it.
pub type BoxError = Box<dyn Error + Send + Sync>;

/// A sentence that says what to do.
pub type Remedy = String;

/// Something that a model, file or backend cannot do, known before any work starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsupported {
    /// What was asked, such as `architecture "rwkv7"`.
    pub what: String,
    /// Why it cannot be done.
    pub reason: String,
    /// What to do instead, if anything helps.
    pub remedy: Option<Remedy>,
}

impl Unsupported {
    /// Says what cannot be done, and why.
    pub fn new(what: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { what: what.into(), reason: reason.into(), remedy: None }
    }

    /// Adds what to do instead.
    #[must_use]
    pub fn with_remedy(mut self, remedy: impl Into<Remedy>) -> Self {
        self.remedy = Some(remedy.into());
        self
    }
}

impl fmt::Display for Unsupported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is not supported: {}", self.what, self.reason)
    }
}

impl Error for Unsupported {}

/// The kind of a [`LoadError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LoadErrorKind {
    /// A file or model is not there.
    NotFound,
    /// A file could not be read.
    Io,
    /// A file is not what it should be: wrong format, cut short, damaged.
    InvalidFile,
    /// The file is fine, but this model or backend cannot do it.
    Unsupported,
    /// The backend cannot work here.
    BackendUnavailable,
    /// Not enough memory.
    OutOfMemory,
    /// An option is out of range.
    InvalidOption,
    /// The framework failed.
    Backend,
}

/// Why a model could not be loaded: what happened, where, and what to do.
#[derive(Debug)]
pub struct LoadError {
    kind: LoadErrorKind,
    what: String,
    location: Option<String>,
    remedy: Option<Remedy>,
    source: Option<BoxError>,
}

impl LoadError {
    /// An error of this kind; `what` is a clause such as `the file is cut short`.
    pub fn new(kind: LoadErrorKind, what: impl Into<String>) -> Self {
        Self { kind, what: what.into(), location: None, remedy: None, source: None }
    }

    /// Adds where it happened: a path, a tensor, a key.
    #[must_use]
    pub fn at(mut self, location: impl Into<String>) -> Self {
        self.location = Some(location.into());
        self
    }

    /// Adds what to do.
    #[must_use]
    pub fn with_remedy(mut self, remedy: impl Into<Remedy>) -> Self {
        self.remedy = Some(remedy.into());
        self
    }

    /// Adds the cause.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<BoxError>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// The kind, for programs.
    pub fn kind(&self) -> LoadErrorKind {
        self.kind
    }

    /// Where it happened.
    pub fn location(&self) -> Option<&str> {
        self.location.as_deref()
    }

    /// What to do about it.
    pub fn remedy(&self) -> Option<&str> {
        self.remedy.as_deref()
    }
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(location) = &self.location {
            write!(f, "{location}: ")?;
        }
        f.write_str(&self.what)
    }
}

impl Error for LoadError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

impl From<Unsupported> for LoadError {
    fn from(unsupported: Unsupported) -> Self {
        let error = Self::new(LoadErrorKind::Unsupported, unsupported.to_string());
        match unsupported.remedy {
            Some(remedy) => error.with_remedy(remedy),
            None => error,
        }
    }
}

/// The kind of a [`GenerateError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum GenerateErrorKind {
    /// The prompt is empty.
    EmptyPrompt,
    /// Prompt and answer do not fit in the context.
    ContextOverflow,
    /// An option is out of range.
    InvalidOption,
    /// The model cannot do it.
    Unsupported,
    /// The chat template refused or failed.
    Template,
    /// The framework failed.
    Backend,
}

/// Why an answer could not be generated.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GenerateError {
    /// There is nothing to answer.
    #[error("the prompt is empty")]
    EmptyPrompt,
    /// The prompt does not fit in the context.
    #[error("the prompt has {requested} tokens, and the context has room for {allowed}")]
    ContextOverflow {
        /// Tokens of the prompt.
        requested: usize,
        /// Tokens allowed for it.
        allowed: usize,
    },
    /// An option is out of range.
    #[error("option {option}: {problem}")]
    InvalidOption {
        /// Name of the option.
        option: &'static str,
        /// What is wrong, with the range allowed.
        problem: String,
    },
    /// The model cannot do it.
    #[error(transparent)]
    Unsupported(#[from] Unsupported),
    /// The chat template refused these messages or failed.
    #[error("the chat template of the model failed: {0}")]
    Template(#[source] BoxError),
    /// The framework failed while it ran.
    #[error("{what}")]
    Backend {
        /// What it was doing.
        what: String,
        /// What it reported.
        #[source]
        source: Option<BoxError>,
    },
}

impl GenerateError {
    /// The kind, for programs.
    pub fn kind(&self) -> GenerateErrorKind {
        match self {
            Self::EmptyPrompt => GenerateErrorKind::EmptyPrompt,
            Self::ContextOverflow { .. } => GenerateErrorKind::ContextOverflow,
            Self::InvalidOption { .. } => GenerateErrorKind::InvalidOption,
            Self::Unsupported(_) => GenerateErrorKind::Unsupported,
            Self::Template(_) => GenerateErrorKind::Template,
            Self::Backend { .. } => GenerateErrorKind::Backend,
        }
    }

    /// What to do about it, where something general can be said.
    pub fn remedy(&self) -> Option<&str> {
        match self {
            Self::EmptyPrompt => Some("say something to answer"),
            Self::Unsupported(unsupported) => unsupported.remedy.as_deref(),
            Self::ContextOverflow { .. } => Some(
                "shorten the prompt, load the model with a longer context, or choose a policy that drops old turns",
            ),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_load_error_says_what_where_and_what_to_do() {
        let error = LoadError::new(LoadErrorKind::InvalidFile, "the file is cut short")
            .at("model.gguf")
            .with_remedy("pull the model again")
            .with_source(std::io::Error::other("eof"));
        assert_eq!(error.to_string(), "model.gguf: the file is cut short");
        assert_eq!(error.kind(), LoadErrorKind::InvalidFile);
        assert_eq!(error.location(), Some("model.gguf"));
        assert_eq!(error.remedy(), Some("pull the model again"));
        assert_eq!(error.source().unwrap().to_string(), "eof");
    }

    #[test]
    fn unsupported_keeps_its_remedy() {
        let unsupported =
            Unsupported::new("architecture \"rwkv7\"", "the engine has no such family")
                .with_remedy("use another backend");
        let error = LoadError::from(unsupported);
        assert_eq!(error.kind(), LoadErrorKind::Unsupported);
        assert_eq!(error.remedy(), Some("use another backend"));
        assert!(error.to_string().contains("rwkv7"));
    }
}
