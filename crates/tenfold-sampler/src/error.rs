//! What can go wrong while a token is picked.

use tenfold_core::{BoxError, GenerateError, TokenId};

/// The kind of a [`SamplerError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SamplerErrorKind {
    /// An option is out of range.
    InvalidOption,
    /// There is nothing to pick from.
    NoTokenLeft,
    /// The operating system gave no random numbers.
    NoEntropy,
}

/// Why no token could be picked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SamplerError {
    /// An option is out of range.
    #[error("option {option}: {value} is out of range, {allowed}")]
    InvalidOption {
        /// Name of the option.
        option: &'static str,
        /// What it was set to.
        value: String,
        /// What it may be.
        allowed: &'static str,
    },
    /// A logit bias names a token that the model does not have.
    #[error("option logit_bias: there is no token {token}, the vocabulary has {vocabulary} tokens")]
    UnknownToken {
        /// The token named.
        token: TokenId,
        /// Size of the vocabulary.
        vocabulary: usize,
    },
    /// The model gave no logits.
    #[error("the model gave no logits for this position")]
    NoLogits,
    /// Every token is forbidden.
    #[error(
        "no token is left to pick from: the filters (a logit bias, a grammar, a filter of the \
         caller) forbid every token, or every logit of the model is NaN"
    )]
    NoTokenLeft,
    /// The operating system gave no random numbers for a fresh seed.
    #[error("no fresh seed: the operating system gave no random numbers; set a seed")]
    NoEntropy(#[source] BoxError),
}

impl SamplerError {
    /// The kind, for programs.
    pub fn kind(&self) -> SamplerErrorKind {
        match self {
            Self::InvalidOption { .. } | Self::UnknownToken { .. } => {
                SamplerErrorKind::InvalidOption
            }
            Self::NoLogits | Self::NoTokenLeft => SamplerErrorKind::NoTokenLeft,
            Self::NoEntropy(_) => SamplerErrorKind::NoEntropy,
        }
    }
}

impl From<SamplerError> for GenerateError {
    fn from(error: SamplerError) -> Self {
        match error {
            SamplerError::InvalidOption { option, value, allowed } => Self::InvalidOption {
                option,
                problem: format!("{value} is out of range, {allowed}"),
            },
            SamplerError::UnknownToken { token, vocabulary } => Self::InvalidOption {
                option: "logit_bias",
                problem: format!(
                    "there is no token {token}, the vocabulary has {vocabulary} tokens"
                ),
            },
            other => Self::Backend {
                what: "picking the next token failed".to_owned(),
                source: Some(Box::new(other)),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use std::error::Error;

    use tenfold_core::GenerateErrorKind;

    use super::*;

    #[test]
    fn an_option_out_of_range_stays_one() {
        let error = SamplerError::InvalidOption {
            option: "top_p",
            value: "1.5".to_owned(),
            allowed: "it must be above 0 and at most 1",
        };
        assert_eq!(error.kind(), SamplerErrorKind::InvalidOption);
        let text = error.to_string();
        let error = GenerateError::from(error);
        assert_eq!(error.kind(), GenerateErrorKind::InvalidOption);
        assert_eq!(error.to_string(), text);
    }

    #[test]
    fn an_unknown_token_is_an_option_out_of_range() {
        let error = SamplerError::UnknownToken { token: 9, vocabulary: 4 };
        let text = error.to_string();
        assert_eq!(error.kind(), SamplerErrorKind::InvalidOption);
        assert_eq!(GenerateError::from(error).to_string(), text);
    }

    #[test]
    fn the_rest_keeps_its_cause() {
        let error = GenerateError::from(SamplerError::NoTokenLeft);
        assert_eq!(error.kind(), GenerateErrorKind::Backend);
        assert!(error.source().unwrap().to_string().contains("grammar"));
    }
}
