//! What a repository of the hub holds.

use serde::Deserialize;

use crate::address::shown;
use crate::checksum::{Checksum, is_hex};
use crate::http::{Http, Waiting};
use crate::hub_ref::{is_safe_relative, percent_encode};
use crate::{HubError, HubRef};

/// Files that are listed; a repository of a model has far fewer.
const MAX_FILES: usize = 100_000;
const MAX_PAGES: usize = 100;
/// Longest name of a licence.
const MAX_LICENSE: usize = 100;

/// A repository at one commit.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Repository {
    pub(crate) repo: String,
    pub(crate) commit: String,
    pub(crate) license: Option<String>,
    pub(crate) files: Vec<RepoFile>,
}

/// One file of a repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RepoFile {
    pub(crate) path: String,
    pub(crate) bytes: u64,
    /// SHA-256 for large files, git's name for small ones.
    pub(crate) checksum: Option<Checksum>,
}

impl RepoFile {
    /// The name that the file has in the store, where the listing tells.
    pub(crate) fn sha256(&self) -> Option<String> {
        match &self.checksum {
            Some(Checksum::Sha256(hex)) => Some(hex.clone()),
            _ => None,
        }
    }
}

#[derive(Deserialize)]
struct Revision {
    sha: String,
    #[serde(default)]
    tags: Vec<String>,
}

#[derive(Deserialize)]
struct TreeEntry {
    #[serde(rename = "type")]
    kind: String,
    path: String,
    #[serde(default)]
    size: u64,
    #[serde(default)]
    oid: String,
    lfs: Option<Lfs>,
}

#[derive(Deserialize)]
struct Lfs {
    oid: String,
    size: Option<u64>,
}

impl Repository {
    /// Asks the hub.
    pub(crate) fn ask(
        http: &Http,
        hub: &HubRef,
        waiting: &mut Waiting<'_>,
    ) -> Result<Self, HubError> {
        let api = format!("{}/api/models/{}", endpoint(http), hub.repo);
        let revision = percent_encode(hub.revision()).replace('/', "%2F");
        let asked = http.json::<Revision>(&format!("{api}/revision/{revision}"), waiting);
        let (revision, _) = asked.map_err(|error| explain(error, hub, http))?;
        if !revision.sha.bytes().all(|b| b.is_ascii_alphanumeric()) || revision.sha.is_empty() {
            return Err(HubError::network(&api, "the commit is not a name", false));
        }
        let tree = format!("{api}/tree/{}?recursive=1", revision.sha);
        Ok(Self {
            repo: hub.repo.clone(),
            license: license(&revision.tags),
            files: list(http, &tree, waiting).map_err(|error| explain(error, hub, http))?,
            commit: revision.sha,
        })
    }

    /// Where a file can be downloaded.
    pub(crate) fn address(&self, http: &Http, path: &str) -> String {
        file_address(http, &self.repo, &self.commit, path)
    }

    pub(crate) fn file(&self, path: &str) -> Option<&RepoFile> {
        self.files.iter().find(|file| file.path == path)
    }
}

/// Where a file of the hub can be downloaded.
pub(crate) fn file_address(http: &Http, repo: &str, revision: &str, path: &str) -> String {
    let revision = percent_encode(revision).replace('/', "%2F");
    format!("{}/{repo}/resolve/{revision}/{}", endpoint(http), percent_encode(path))
}

fn endpoint(http: &Http) -> &str {
    http.settings().endpoint.trim_end_matches('/')
}

/// The licence among the tags, if it is a name and no more.
fn license(tags: &[String]) -> Option<String> {
    let name = tags.iter().find_map(|tag| tag.strip_prefix("license:"))?;
    let plain = name.len() <= MAX_LICENSE && !name.contains(char::is_control);
    plain.then(|| name.to_owned())
}

fn list(http: &Http, first: &str, waiting: &mut Waiting<'_>) -> Result<Vec<RepoFile>, HubError> {
    let mut files = Vec::new();
    let mut page = Some(first.to_owned());
    for _ in 0..MAX_PAGES {
        let Some(url) = page.take().filter(|_| files.len() <= MAX_FILES) else { break };
        let (entries, next) = http.json::<Vec<TreeEntry>>(&url, waiting)?;
        files.extend(entries.into_iter().filter_map(file));
        page = next;
    }
    if page.is_some() || files.len() > MAX_FILES {
        return Err(HubError::network(first, "the listing of files has no end", false));
    }
    Ok(files)
}

/// One page of a listing.
#[cfg(any(test, fuzzing))]
pub(crate) fn parse_listing(bytes: &[u8]) -> Result<Vec<RepoFile>, serde_json::Error> {
    let entries: Vec<TreeEntry> = serde_json::from_slice(bytes)?;
    Ok(entries.into_iter().filter_map(file).collect())
}

/// Folders are passed over, and so are names that would leave the folder they are put in.
fn file(entry: TreeEntry) -> Option<RepoFile> {
    if entry.kind != "file" || !is_safe_relative(&entry.path) {
        return None;
    }
    let bytes = entry.lfs.as_ref().and_then(|lfs| lfs.size).unwrap_or(entry.size);
    let checksum = match &entry.lfs {
        Some(lfs) => sha256(lfs.oid.trim_start_matches("sha256:")),
        None => {
            is_hex(&entry.oid, 40).then(|| Checksum::GitBlob(entry.oid.to_ascii_lowercase(), bytes))
        }
    };
    Some(RepoFile { path: entry.path, bytes, checksum })
}

fn sha256(oid: &str) -> Option<Checksum> {
    is_hex(oid, 64).then(|| Checksum::Sha256(oid.to_ascii_lowercase()))
}

/// Says it in the words of the hub: repositories and pages instead of addresses of its API.
pub(crate) fn explain(error: HubError, hub: &HubRef, http: &Http) -> HubError {
    let page = shown(&format!("{}/{}", endpoint(http), hub.repo));
    match error {
        HubError::NotFound { .. } => HubError::NotFound {
            what: format!("model repository {} at revision {}", hub.repo, hub.revision()),
            place: shown(endpoint(http)),
            remedy: Some(format!(
                "check the spelling; a folder of this machine is written ./{}",
                hub.repo
            )),
        },
        HubError::Unauthorized { status, problem, .. } => HubError::Unauthorized {
            remedy: match http.settings().token {
                Some(_) => format!("accept the terms on {page} with the account of the token"),
                None => format!(
                    "check the spelling; for a private or gated model accept its terms on {page} and set HF_TOKEN"
                ),
            },
            url: page,
            status,
            problem,
        },
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::HubConfig;

    #[test]
    fn listings_keep_safe_files_and_their_hashes() {
        let (oid, git) = ("AB".repeat(32), "CD".repeat(20));
        let text = serde_json::json!([
            {"type": "directory", "path": "sub", "size": 0, "oid": git},
            {"type": "file", "path": "config.json", "size": 7, "oid": git},
            {"type": "file", "path": "other.json", "size": 7, "oid": "short"},
            {"type": "file", "path": "m.gguf", "size": 9, "oid": git, "lfs": {"oid": oid, "size": 9}},
            {"type": "file", "path": "old.bin", "size": 9, "lfs": {"oid": format!("sha256:{oid}")}},
            {"type": "file", "path": "../../etc/passwd", "size": 1},
            {"type": "file", "path": "/abs", "size": 1},
            {"type": "symlink", "path": "link", "size": 1},
        ]);
        let files = parse_listing(text.to_string().as_bytes()).unwrap();
        let large = || Some(Checksum::Sha256(oid.to_lowercase()));
        let expected = [
            ("config.json", 7, Some(Checksum::GitBlob(git.to_lowercase(), 7))),
            ("other.json", 7, None),
            ("m.gguf", 9, large()),
            ("old.bin", 9, large()),
        ];
        let expected =
            expected.map(|(path, bytes, checksum)| RepoFile { path: path.into(), bytes, checksum });
        assert_eq!(files, expected);
    }

    #[test]
    fn a_licence_is_a_name_and_no_more() {
        let tagged = |tag: &str| license(&["gguf".to_owned(), tag.to_owned()]);
        assert_eq!(tagged("license:apache-2.0").as_deref(), Some("apache-2.0"));
        assert_eq!(tagged("license:\u{1b}[31mred"), None);
        assert_eq!(tagged(&format!("license:{}", "x".repeat(101))), None);
        assert_eq!(tagged("region:us"), None);
    }

    #[test]
    fn addresses_are_encoded() {
        let config = HubConfig { endpoint: "https://mirror/".into(), ..HubConfig::with_home("x") };
        let address = file_address(&Http::new(&config), "o/r", "refs/pr/1", "sub/a b.gguf");
        assert_eq!(address, "https://mirror/o/r/resolve/refs%2Fpr%2F1/sub/a%20b.gguf");
    }
}
