//! Why a template could not be used.

use std::fmt;

/// The kind of a [`TemplateError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TemplateErrorKind {
    /// The source is no valid template.
    Syntax,
    /// The template refuses these messages, in its own words.
    Refused,
    /// The template takes too much work or memory.
    Limit,
    /// The template failed while it ran.
    Failed,
}

/// Why a template could not be used: what happened, where, and what to do.
#[derive(Debug)]
pub struct TemplateError {
    pub(crate) kind: TemplateErrorKind,
    pub(crate) what: String,
    pub(crate) origin: String,
    pub(crate) line: Option<usize>,
}

impl TemplateError {
    /// The kind, for programs.
    pub fn kind(&self) -> TemplateErrorKind {
        self.kind
    }

    /// What happened, without the place.
    pub fn what(&self) -> &str {
        &self.what
    }

    /// The file or key that the template comes from.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The line of the template.
    pub fn line(&self) -> Option<usize> {
        self.line
    }

    /// What to do about it.
    pub fn remedy(&self) -> &'static str {
        match self.kind {
            TemplateErrorKind::Refused => "change the messages as the template asks",
            _ => {
                "put a working chat_template.jinja beside the weights, or prompt without a template"
            }
        }
    }
}

impl fmt::Display for TemplateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.origin)?;
        if let Some(line) = self.line {
            write!(f, ", line {line}")?;
        }
        write!(f, ": {}", self.what)
    }
}

impl std::error::Error for TemplateError {}
