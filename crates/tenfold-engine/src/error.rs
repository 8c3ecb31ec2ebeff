//! What the engine can refuse, with the facts of each case.

use tenfold_core::{DType, GenerateError, LoadError, LoadErrorKind, TokenId, Unsupported};
use tenfold_kernels::{PackError, PackErrorKind};

/// The kind of an [`EngineError`], for programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EngineErrorKind {
    /// The model is fine, but the engine cannot run it.
    Unsupported,
    /// The model's files contradict themselves or miss something.
    InvalidModel,
    /// An option of the caller is out of range.
    InvalidOption,
    /// A call asked for something that its sequence or the model does not have.
    InvalidStep,
    /// There is no memory.
    OutOfMemory,
}

/// Why the engine refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// The engine cannot run this model.
    #[error(transparent)]
    Unsupported(#[from] Unsupported),
    /// A tensor that the architecture needs is not in the file.
    #[error("the tensor {name} is missing")]
    MissingTensor {
        /// Canonical name.
        name: String,
    },
    /// A tensor has other sizes than the hyperparameters say.
    #[error("the tensor {name} has the sizes {found:?} instead of {expected:?}")]
    TensorShape {
        /// Canonical name.
        name: String,
        /// Sizes that the file states.
        found: Vec<usize>,
        /// Sizes that the hyperparameters ask for.
        expected: Vec<usize>,
    },
    /// The bytes of a tensor do not lie within the files, or are too few or too many.
    #[error("the tensor {name} ({dtype}) should have {expected} bytes and has {found}")]
    TensorBytes {
        /// Canonical name.
        name: String,
        /// Number format.
        dtype: DType,
        /// Bytes found.
        found: usize,
        /// Bytes that its sizes ask for.
        expected: usize,
    },
    /// A hyperparameter makes no sense.
    #[error("the hyperparameter {name} {problem}")]
    Hyperparameter {
        /// Name as in [`tenfold_formats::ModelConfig`].
        name: &'static str,
        /// What is wrong with it.
        problem: String,
    },
    /// An option is out of range.
    #[error("option {option}: {problem}")]
    InvalidOption {
        /// Name of the option.
        option: &'static str,
        /// What is wrong, with the range allowed.
        problem: String,
    },
    /// A token is not in the vocabulary.
    #[error("the token {token} is not in the vocabulary of {vocabulary_size} tokens")]
    UnknownToken {
        /// The token.
        token: TokenId,
        /// Tokens in the vocabulary.
        vocabulary_size: usize,
    },
    /// A step carries no tokens.
    #[error("a step has no tokens")]
    EmptyStep,
    /// More logits are asked than the step has tokens.
    #[error("a step asks for the logits of {wanted} positions and has {tokens}")]
    TooManyWanted {
        /// Positions asked.
        wanted: usize,
        /// Tokens in the step.
        tokens: usize,
    },
    /// The tokens do not fit in the sequence.
    #[error("the sequence would hold {requested} tokens, and has room for {allowed}")]
    SequenceFull {
        /// Tokens after the step.
        requested: usize,
        /// Tokens that it can hold.
        allowed: usize,
    },
    /// The sequence was made by another model.
    #[error("the sequence belongs to another model")]
    ForeignSequence,
    /// There is no memory.
    #[error("there is no memory for the {what} of {tokens} tokens")]
    OutOfMemory {
        /// What it is for.
        what: &'static str,
        /// Tokens that the sequence would hold.
        tokens: usize,
    },
    /// The kernels cannot take a matrix.
    #[error("the tensor {name}: {source}")]
    Pack {
        /// Canonical name; of stacked tensors the first one's.
        name: String,
        /// What they say.
        source: PackError,
    },
}

impl EngineError {
    /// The kind, for programs.
    pub fn kind(&self) -> EngineErrorKind {
        match self {
            Self::Unsupported(_) => EngineErrorKind::Unsupported,
            Self::MissingTensor { .. }
            | Self::TensorShape { .. }
            | Self::TensorBytes { .. }
            | Self::Hyperparameter { .. } => EngineErrorKind::InvalidModel,
            Self::InvalidOption { .. } => EngineErrorKind::InvalidOption,
            Self::UnknownToken { .. }
            | Self::EmptyStep
            | Self::TooManyWanted { .. }
            | Self::SequenceFull { .. }
            | Self::ForeignSequence => EngineErrorKind::InvalidStep,
            Self::OutOfMemory { .. } => EngineErrorKind::OutOfMemory,
            Self::Pack { source, .. } => match source.kind() {
                PackErrorKind::Unsupported => EngineErrorKind::Unsupported,
                _ => EngineErrorKind::InvalidModel,
            },
        }
    }

    /// A hyperparameter that makes no sense.
    pub(crate) fn hyperparameter(name: &'static str, problem: impl Into<String>) -> Self {
        Self::Hyperparameter { name, problem: problem.into() }
    }

    fn load_kind(&self) -> LoadErrorKind {
        match self.kind() {
            EngineErrorKind::Unsupported => LoadErrorKind::Unsupported,
            EngineErrorKind::InvalidModel => LoadErrorKind::InvalidFile,
            EngineErrorKind::InvalidOption | EngineErrorKind::InvalidStep => {
                LoadErrorKind::InvalidOption
            }
            EngineErrorKind::OutOfMemory => LoadErrorKind::OutOfMemory,
        }
    }

    fn remedy(&self) -> Option<&'static str> {
        match self.kind() {
            EngineErrorKind::InvalidModel => {
                Some("check the file with `verify`, or pull or convert the model again")
            }
            EngineErrorKind::OutOfMemory => {
                Some("choose a smaller model, a smaller quantization or a shorter context")
            }
            _ => None,
        }
    }
}

impl From<EngineError> for LoadError {
    fn from(error: EngineError) -> Self {
        if let EngineError::Unsupported(unsupported) = error {
            return unsupported.into();
        }
        let load_error = Self::new(error.load_kind(), error.to_string());
        let load_error = match error.remedy() {
            Some(remedy) => load_error.with_remedy(remedy),
            None => load_error,
        };
        load_error.with_source(error)
    }
}

impl From<EngineError> for GenerateError {
    fn from(error: EngineError) -> Self {
        match error {
            EngineError::Unsupported(unsupported) => Self::Unsupported(unsupported),
            EngineError::EmptyStep => Self::EmptyPrompt,
            EngineError::SequenceFull { requested, allowed } => {
                Self::ContextOverflow { requested, allowed }
            }
            other => Self::Backend { what: other.to_string(), source: Some(other.into()) },
        }
    }
}

#[cfg(test)]
mod tests {
    use tenfold_core::GenerateErrorKind;

    use super::*;

    #[test]
    fn a_damaged_file_is_told_from_one_that_is_beyond_the_engine() {
        let missing = LoadError::from(EngineError::MissingTensor { name: "output.weight".into() });
        assert_eq!(missing.kind(), LoadErrorKind::InvalidFile);
        assert!(missing.to_string().contains("output.weight"));
        assert!(missing.remedy().is_some());

        let unsupported =
            Unsupported::new("architecture \"rwkv7\"", "unknown").with_remedy("other");
        let unsupported = LoadError::from(EngineError::from(unsupported));
        assert_eq!(unsupported.kind(), LoadErrorKind::Unsupported);
        assert_eq!(unsupported.remedy(), Some("other"));
    }

    #[test]
    fn a_full_sequence_is_a_context_overflow() {
        let error = EngineError::SequenceFull { requested: 9, allowed: 8 };
        assert_eq!(error.kind(), EngineErrorKind::InvalidStep);
        assert!(matches!(
            GenerateError::from(error),
            GenerateError::ContextOverflow { requested: 9, allowed: 8 }
        ));
        assert_eq!(
            GenerateError::from(EngineError::EmptyStep).kind(),
            GenerateErrorKind::EmptyPrompt
        );
    }
}
