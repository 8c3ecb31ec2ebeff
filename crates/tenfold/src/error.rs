//! What can go wrong on the way from a name to an answer.

use tenfold_core::{GenerateError, LoadError};
use tenfold_hub::HubError;

/// Any error of Tenfold.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The model could not be found, pulled or verified.
    #[error(transparent)]
    Hub(#[from] HubError),
    /// The model could not be loaded.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// The answer could not be generated.
    #[error(transparent)]
    Generate(#[from] GenerateError),
}

impl Error {
    /// What to do about it, if something is known to help.
    pub fn remedy(&self) -> Option<String> {
        match self {
            Self::Hub(error) => error.remedy(),
            Self::Load(error) => error.remedy().map(str::to_owned),
            Self::Generate(error) => error.remedy().map(str::to_owned),
        }
    }
}
