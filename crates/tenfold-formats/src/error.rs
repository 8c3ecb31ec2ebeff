//! What can be wrong with a model file: facts for programs, sentences for people.

use std::fmt;

use tenfold_core::{LoadError, LoadErrorKind};

/// The kind of a [`FormatError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FormatErrorKind {
    /// The bytes are another kind of file altogether.
    WrongFormat,
    /// The file ends too early.
    Truncated,
    /// The file breaks the rules of its format.
    Malformed,
    /// The file is fine, but Tenfold cannot use it.
    Unsupported,
    /// A key or tensor that the model needs is not there.
    Missing,
    /// Two parts of the model do not fit together.
    Mismatch,
}

/// What is wrong.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// The bytes are another kind of file.
    #[error("this is not {expected} but {found}")]
    WrongFormat {
        /// What was expected, with its article.
        expected: &'static str,
        /// What the bytes look like, with its article.
        found: &'static str,
        /// What to do, where that is known.
        remedy: Option<&'static str>,
    },
    /// The version of the format is not one that can be read.
    #[error("{what} is not supported")]
    Version {
        /// The version in words.
        what: String,
    },
    /// The file ends too early.
    #[error("the file ends too early: {needed} bytes are needed here and {left} are left")]
    Truncated {
        /// Bytes needed from here on.
        needed: u64,
        /// Bytes left from here on.
        left: u64,
    },
    /// More of something than fits or is sensible.
    #[error("{count} {what} are more than {limit}, the most that are possible here")]
    TooMany {
        /// What is counted.
        what: &'static str,
        /// The count.
        count: u64,
        /// The most that is possible.
        limit: u64,
    },
    /// A number that stands for a type is not known.
    #[error("the value type {id} does not exist in this format")]
    UnknownValueType {
        /// The number.
        id: u32,
    },
    /// A number format is not known.
    #[error("the number format {dtype} is not supported")]
    UnknownDType {
        /// Its name or number.
        dtype: String,
    },
    /// A value has another type than its meaning needs.
    #[error("the value should be {expected} and is {found}")]
    WrongType {
        /// The type needed.
        expected: &'static str,
        /// The type found.
        found: String,
    },
    /// Text is not UTF-8.
    #[error("the text is not valid UTF-8")]
    NotUtf8,
    /// Text is not the JSON it should be.
    #[error("the JSON cannot be read: {reason}")]
    Json {
        /// What the JSON parser says.
        reason: String,
    },
    /// Arrays within arrays, too deep.
    #[error("arrays are nested deeper than {limit} levels")]
    NestedTooDeep {
        /// The deepest nesting allowed.
        limit: usize,
    },
    /// The same name twice.
    #[error("the name occurs twice")]
    Duplicate,
    /// The sizes of a tensor are impossible.
    #[error("the shape {shape:?} is not possible: {reason}")]
    BadShape {
        /// The sizes, slowest first.
        shape: Vec<u64>,
        /// What is wrong with them.
        reason: &'static str,
    },
    /// An offset is no multiple of the alignment.
    #[error("the offset {offset} is not a multiple of the alignment {alignment}")]
    Misaligned {
        /// The offset.
        offset: u64,
        /// The alignment.
        alignment: u64,
    },
    /// A range goes beyond the data.
    #[error("its bytes {start} to {end} go beyond the end of the data at {len}")]
    BeyondEnd {
        /// First byte.
        start: u64,
        /// Byte after the last, saturated.
        end: u64,
        /// Length of the data.
        len: u64,
    },
    /// Two tensors share bytes.
    #[error("its bytes overlap those of {other}")]
    Overlap {
        /// The other tensor.
        other: String,
    },
    /// Bytes that belong to no tensor where the format allows none.
    #[error("{count} bytes belong to no tensor")]
    Gap {
        /// How many.
        count: u64,
    },
    /// A key or tensor is not there.
    #[error("it is missing")]
    Missing,
    /// A value is outside of what makes sense.
    #[error("the value {value} is not possible: it should be {allowed}")]
    OutOfRange {
        /// The value.
        value: String,
        /// What would be possible.
        allowed: String,
    },
    /// Two facts contradict each other.
    #[error("it is {found}, but {expected} is expected from {reason}")]
    Mismatch {
        /// What is there.
        found: String,
        /// What should be.
        expected: String,
        /// Where the expectation comes from.
        reason: String,
    },
    /// Something that is fine in the file and cannot be used.
    #[error("{what} is not supported")]
    Unsupported {
        /// What it is.
        what: String,
    },
    /// Some of the files that make up the model were not given.
    #[error("the model has {expected} files and {found} were given")]
    MissingShards {
        /// Files that belong to it.
        expected: u64,
        /// Files given.
        found: u64,
    },
}

/// What in a file a [`FormatError`] is about.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Item {
    /// A metadata key, or a path in a JSON file.
    Key(String),
    /// A tensor.
    Tensor(String),
    /// A token of the vocabulary.
    Token(usize),
    /// A number that shapes the computation, by its name in [`ModelConfig`](crate::ModelConfig).
    Hyperparameter(&'static str),
    /// A fixed part of the format, such as `header`.
    Part(&'static str),
}

impl fmt::Display for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(key) => write!(f, "key {key:?}"),
            Self::Tensor(name) => write!(f, "tensor {name:?}"),
            Self::Token(id) => write!(f, "token {id}"),
            Self::Hyperparameter(name) => write!(f, "hyperparameter {name}"),
            Self::Part(part) => f.write_str(part),
        }
    }
}

/// Where it is wrong; each part where it is known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Location {
    /// Which of several weight files, from 0; `None` for a model of one file.
    pub shard: Option<usize>,
    /// Byte offset in the file.
    pub offset: Option<u64>,
    /// The key, tensor or part of the file.
    pub item: Option<Item>,
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = [
            self.shard.map(|shard| format!("file {}", shard + 1)),
            self.item.as_ref().map(Item::to_string),
            self.offset.map(|offset| format!("byte {offset}")),
        ];
        f.write_str(&parts.into_iter().flatten().collect::<Vec<_>>().join(", "))
    }
}

/// Why bytes are not a usable model file: what is wrong, and where.
#[derive(Clone, Debug, PartialEq)]
pub struct FormatError(Box<Inner>);

#[derive(Clone, Debug, PartialEq)]
struct Inner {
    problem: Problem,
    location: Location,
}

impl FormatError {
    pub(crate) fn new(problem: Problem) -> Self {
        Self(Box::new(Inner { problem, location: Location::default() }))
    }

    pub(crate) fn at_key(key: impl Into<String>, problem: Problem) -> Self {
        Self::new(problem).item(Item::Key(key.into()))
    }

    pub(crate) fn at_tensor(name: impl Into<String>, problem: Problem) -> Self {
        Self::new(problem).item(Item::Tensor(name.into()))
    }

    /// Names the item unless a more precise place already did.
    pub(crate) fn item(mut self, item: Item) -> Self {
        self.0.location.item.get_or_insert(item);
        self
    }

    /// Adds the byte offset unless a more precise place already did.
    pub(crate) fn offset(mut self, offset: usize) -> Self {
        self.0.location.offset.get_or_insert(offset as u64);
        self
    }

    /// Adds the number of the file unless a more precise place already did.
    pub(crate) fn shard(mut self, shard: usize) -> Self {
        self.0.location.shard.get_or_insert(shard);
        self
    }

    /// The kind, for programs.
    pub fn kind(&self) -> FormatErrorKind {
        match &self.0.problem {
            Problem::WrongFormat { .. } => FormatErrorKind::WrongFormat,
            Problem::Truncated { .. } => FormatErrorKind::Truncated,
            Problem::Version { .. }
            | Problem::UnknownDType { .. }
            | Problem::Unsupported { .. } => FormatErrorKind::Unsupported,
            Problem::Missing | Problem::MissingShards { .. } => FormatErrorKind::Missing,
            Problem::Mismatch { .. } => FormatErrorKind::Mismatch,
            _ => FormatErrorKind::Malformed,
        }
    }

    /// What is wrong, as facts.
    pub fn problem(&self) -> &Problem {
        &self.0.problem
    }

    /// Where it is wrong.
    pub fn location(&self) -> &Location {
        &self.0.location
    }

    /// What to do about it: a clause without a full stop.
    pub fn remedy(&self) -> &'static str {
        match &self.0.problem {
            Problem::WrongFormat { remedy: Some(remedy), .. } => remedy,
            Problem::Version { .. } => "convert the model again with current tools",
            Problem::UnknownDType { .. } => {
                "choose another quantization of the model, such as Q4_K_M or Q8_0"
            }
            Problem::Unsupported { .. } => "choose another model",
            Problem::MissingShards { .. } => {
                "put all files of the model into one folder and name any of them"
            }
            Problem::Truncated { .. } | Problem::BeyondEnd { .. } => {
                "download the file again; it is probably not complete"
            }
            _ => "download the file again, or get it from another source",
        }
    }
}

impl fmt::Display for FormatError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { problem, location } = &*self.0;
        let is_placed = *location != Location::default();
        if is_placed { write!(f, "{location}: {problem}") } else { problem.fmt(f) }
    }
}

impl std::error::Error for FormatError {}

impl From<FormatError> for LoadError {
    fn from(error: FormatError) -> Self {
        let is_unsupported = error.kind() == FormatErrorKind::Unsupported;
        let kind =
            if is_unsupported { LoadErrorKind::Unsupported } else { LoadErrorKind::InvalidFile };
        Self::new(kind, error.to_string()).with_remedy(error.remedy())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_says_where_and_what() {
        let error = FormatError::new(Problem::Truncated { needed: 8, left: 3 })
            .offset(24)
            .item(Item::Key("general.name".into()))
            .shard(1)
            .offset(99);
        assert_eq!(
            error.to_string(),
            "file 2, key \"general.name\", byte 24: the file ends too early: \
             8 bytes are needed here and 3 are left"
        );
        assert_eq!(error.kind(), FormatErrorKind::Truncated);
        assert!(error.remedy().contains("download"));
        assert_eq!(LoadError::from(error).kind(), LoadErrorKind::InvalidFile);
    }

    #[test]
    fn an_error_without_a_place_is_just_the_problem() {
        assert_eq!(FormatError::new(Problem::Missing).to_string(), "it is missing");
    }
}
