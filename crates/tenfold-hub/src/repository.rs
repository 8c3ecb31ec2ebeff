//! What a repository of the hub holds.

use serde::Deserialize;

use crate::http::Http;
use crate::hub_ref::{is_safe_relative, percent_encode};
use crate::{HubError, HubRef};

/// Pages of a listing that are read; a repository of a model has far fewer.
const MAX_PAGES: usize = 100;

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
    /// Known for large files.
    pub(crate) sha256: Option<String>,
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
    lfs: Option<Lfs>,
}

#[derive(Deserialize)]
struct Lfs {
    oid: String,
    size: Option<u64>,
}

impl Repository {
    /// Asks the hub.
    pub(crate) fn ask(http: &Http, hub: &HubRef) -> Result<Self, HubError> {
        let api = format!("{}/api/models/{}", endpoint(http), hub.repo);
        let revision = percent_encode(hub.revision()).replace('/', "%2F");
        let asked = http.json::<Revision>(&format!("{api}/revision/{revision}"));
        let (revision, _) = asked.map_err(|error| explain(error, hub, http))?;
        if !revision.sha.bytes().all(|b| b.is_ascii_alphanumeric()) || revision.sha.is_empty() {
            return Err(HubError::network(&api, "the commit is not a name", false));
        }
        let tree = format!("{api}/tree/{}?recursive=1", revision.sha);
        Ok(Self {
            repo: hub.repo.clone(),
            license: revision
                .tags
                .iter()
                .find_map(|tag| tag.strip_prefix("license:"))
                .map(str::to_owned),
            files: list(http, &tree).map_err(|error| explain(error, hub, http))?,
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

fn list(http: &Http, first: &str) -> Result<Vec<RepoFile>, HubError> {
    let mut files = Vec::new();
    let mut page = Some(first.to_owned());
    for _ in 0..MAX_PAGES {
        let Some(url) = page.take() else { return Ok(files) };
        let (entries, next) = http.json::<Vec<TreeEntry>>(&url)?;
        files.extend(entries.into_iter().filter_map(file));
        page = next;
    }
    Err(HubError::network(first, "the listing of files has no end", false))
}

/// Folders are passed over, and so are names that would leave the folder they are put in.
fn file(entry: TreeEntry) -> Option<RepoFile> {
    if entry.kind != "file" || !is_safe_relative(&entry.path) {
        return None;
    }
    let sha256 = entry.lfs.as_ref().map(|lfs| lfs.oid.trim_start_matches("sha256:"));
    let sha256 = sha256.filter(|oid| oid.len() == 64 && oid.bytes().all(|b| b.is_ascii_hexdigit()));
    Some(RepoFile {
        path: entry.path,
        bytes: entry.lfs.as_ref().and_then(|lfs| lfs.size).unwrap_or(entry.size),
        sha256: sha256.map(str::to_ascii_lowercase),
    })
}

/// Says it in the words of the hub: repositories and pages instead of addresses of its API.
fn explain(error: HubError, hub: &HubRef, http: &Http) -> HubError {
    let page = format!("{}/{}", endpoint(http), hub.repo);
    match error {
        HubError::NotFound { .. } => HubError::NotFound {
            what: format!("model repository {} at revision {}", hub.repo, hub.revision()),
            place: endpoint(http).to_owned(),
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
        let oid = "ab".repeat(32);
        let text = serde_json::json!([
            {"type": "directory", "path": "sub", "size": 0, "oid": "x"},
            {"type": "file", "path": "config.json", "size": 7, "oid": "git"},
            {"type": "file", "path": "m.gguf", "size": 9, "lfs": {"oid": oid, "size": 9}},
            {"type": "file", "path": "old.bin", "size": 9, "lfs": {"oid": format!("sha256:{oid}")}},
            {"type": "file", "path": "../../etc/passwd", "size": 1},
            {"type": "file", "path": "/abs", "size": 1},
        ]);
        let entries: Vec<TreeEntry> = serde_json::from_value(text).unwrap();
        let files: Vec<RepoFile> = entries.into_iter().filter_map(file).collect();
        let names: Vec<_> = files.iter().map(|file| (file.path.as_str(), file.bytes)).collect();
        assert_eq!(names, [("config.json", 7), ("m.gguf", 9), ("old.bin", 9)]);
        assert_eq!(files[0].sha256, None);
        assert_eq!(files[1].sha256.as_deref(), Some(oid.as_str()));
        assert_eq!(files[2].sha256, files[1].sha256);
    }

    #[test]
    fn addresses_are_encoded() {
        let config = HubConfig { endpoint: "https://mirror/".into(), ..HubConfig::with_home("x") };
        let address = file_address(&Http::new(&config), "o/r", "refs/pr/1", "sub/a b.gguf");
        assert_eq!(address, "https://mirror/o/r/resolve/refs%2Fpr%2F1/sub/a%20b.gguf");
    }
}
