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
    /// The template has no place for what was asked, such as tools.
    Unsupported,
    /// The template takes too much work or memory.
    Limit,
    /// The template failed while it ran.
    Failed,
}

/// Why a template could not be used: what happened, where, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateError {
    kind: TemplateErrorKind,
    what: String,
    origin: String,
    line: Option<usize>,
}

impl TemplateError {
    pub(crate) fn new(kind: TemplateErrorKind, origin: &str, what: impl Into<String>) -> Self {
        Self { kind, what: what.into(), origin: origin.to_owned(), line: None }
    }

    pub(crate) fn in_line(mut self, line: Option<usize>) -> Self {
        self.line = line;
        self
    }

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

    /// The line of the template, counted from 1.
    pub fn line(&self) -> Option<usize> {
        self.line
    }

    /// What to do about it.
    pub fn remedy(&self) -> &'static str {
        match self.kind {
            TemplateErrorKind::Refused => "change the messages as the template asks",
            TemplateErrorKind::Unsupported => {
                "leave it out, or use a model that was trained for it"
            }
            _ => "put a chat_template.jinja that works beside the weights, or use no template",
        }
    }
}

impl fmt::Display for TemplateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.origin)?;
        if let Some(line) = self.line {
            write!(f, ", line {line}")?;
        }
        write!(f, ": {}", self.what)
    }
}

impl std::error::Error for TemplateError {}
