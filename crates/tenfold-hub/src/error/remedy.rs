//! What to do about each error.

use std::io::ErrorKind;

use tenfold_core::Remedy;

use super::HubError;

const WRONG_BYTES: &str =
    "pull again; if it stays so, the source changed: report it and use another one";

impl HubError {
    /// What to do about it, where something can be said.
    pub fn remedy(&self) -> Option<Remedy> {
        let text = match self {
            Self::InvalidRef { remedy, .. }
            | Self::Unauthorized { remedy, .. }
            | Self::Manifest { remedy, .. } => remedy.clone(),
            Self::NotFound { remedy, .. } => return remedy.clone(),
            Self::UnknownModel { suggestions, .. } => return did_you_mean(suggestions),
            Self::NotPulled { name } => format!("pull it first: tenfold pull {name}"),
            Self::Damaged { model, .. } => format!("pull it again: tenfold pull {model}"),
            Self::Io { source, .. } => return io_remedy(source.kind()).map(str::to_owned),
            other => return other.general_remedy().map(str::to_owned),
        };
        Some(text)
    }

    fn general_remedy(&self) -> Option<&'static str> {
        Some(match self {
            Self::Offline { .. } => "leave offline mode (HF_HUB_OFFLINE), or name a local file",
            Self::Network { .. } => {
                "check the connection and the proxy, then pull again: it goes on where it stopped"
            }
            Self::ChecksumMismatch { .. } | Self::BadArchive { .. } => WRONG_BYTES,
            Self::DiskFull { .. } => {
                "free some space or move the store (TENFOLD_HOME), then pull again: it goes on where it stopped"
            }
            Self::AllSourcesFailed { .. } => {
                "mend one of these sources, or name a local file or another address of the model"
            }
            Self::Busy { .. } => "wait until it is done, or stop it",
            Self::Insecure { .. } => {
                "use the https address of that server; plain http is for this machine only"
            }
            Self::ClientMissing { client: "npm", .. } => {
                "install Node.js with npm, or use another source"
            }
            Self::ClientMissing { .. } => "install Python with pip, or use another source",
            Self::ClientFailed { .. } => {
                "run the same command yourself to see all it says; its own configuration sets index, mirror and proxy"
            }
            Self::Catalogue { .. } => "mend the file, or go without it (TENFOLD_CATALOGUE)",
            Self::Config { .. } => "mend that option, or go without it",
            _ => return None,
        })
    }
}

fn io_remedy(kind: ErrorKind) -> Option<&'static str> {
    match kind {
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => Some(
            "get the right to that place, or choose a data folder that you may write (TENFOLD_HOME)",
        ),
        ErrorKind::NotADirectory | ErrorKind::AlreadyExists => {
            Some("a file stands where a folder is needed: move it, or set TENFOLD_HOME")
        }
        _ => None,
    }
}

/// The names that look alike, as a question.
pub(crate) fn did_you_mean(suggestions: &[String]) -> Option<Remedy> {
    let (last, others) = suggestions.split_last()?;
    Some(match others {
        [] => format!("did you mean {last}?"),
        others => format!("did you mean {} or {last}?", others.join(", ")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suggestions_read_as_a_sentence() {
        let remedy = |names: &[&str]| {
            let suggestions = names.iter().map(|&name| name.to_owned()).collect();
            HubError::UnknownModel { name: "x".into(), suggestions }.remedy()
        };
        assert_eq!(remedy(&[]), None);
        assert_eq!(remedy(&["a"]).as_deref(), Some("did you mean a?"));
        assert_eq!(remedy(&["a", "b", "c"]).as_deref(), Some("did you mean a, b or c?"));
    }

    #[test]
    fn a_place_that_may_not_be_written_is_answered_with_another_one() {
        let error = |kind: ErrorKind| HubError::Io {
            action: "write",
            path: "/x".into(),
            source: kind.into(),
        };
        for kind in [ErrorKind::PermissionDenied, ErrorKind::ReadOnlyFilesystem] {
            assert!(error(kind).remedy().unwrap().contains("TENFOLD_HOME"), "{kind:?}");
        }
        assert_eq!(error(ErrorKind::Other).remedy(), None);
    }
}
