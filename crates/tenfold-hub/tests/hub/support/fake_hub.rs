//! A hub with one repository `o/r`, as its API and its download links show it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use sha1::{Digest, Sha1};

use super::{Reply, Request, Server, sha256};

pub(crate) const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

/// What the repository holds, and what the server does instead of the usual.
#[derive(Default)]
pub(crate) struct Repo {
    files: BTreeMap<String, Vec<u8>>,
    /// What is sent instead of what the listing promises.
    forged: BTreeMap<String, Vec<u8>>,
    /// Entries of the listing that are no files of the repository.
    extra: Vec<Value>,
}

/// The server and its repository, which tests change while it runs.
pub(crate) struct FakeHub {
    pub(crate) server: Server,
    repo: Arc<Mutex<Repo>>,
}

type Override = dyn Fn(&Request) -> Option<Reply> + Send + Sync;

impl FakeHub {
    pub(crate) fn with(files: &[(&str, &[u8])]) -> Self {
        Self::start(files, |_| None)
    }

    /// `instead` answers first, where it has an answer.
    pub(crate) fn start(
        files: &[(&str, &[u8])],
        instead: impl Fn(&Request) -> Option<Reply> + Send + Sync + 'static,
    ) -> Self {
        let files = files.iter().map(|(name, bytes)| ((*name).to_owned(), bytes.to_vec()));
        let repo = Arc::new(Mutex::new(Repo { files: files.collect(), ..Repo::default() }));
        let instead: Box<Override> = Box::new(instead);
        let server = Server::start({
            let repo = Arc::clone(&repo);
            move |request| instead(request).unwrap_or_else(|| repo.lock().unwrap().answer(request))
        });
        Self { server, repo }
    }

    /// Sends other bytes than the listing promises.
    pub(crate) fn forge(&self, file: &str, bytes: &[u8]) {
        self.repo.lock().unwrap().forged.insert(file.to_owned(), bytes.to_vec());
    }

    pub(crate) fn be_honest(&self) {
        self.repo.lock().unwrap().forged.clear();
    }

    pub(crate) fn list_also(&self, entries: &[Value]) {
        self.repo.lock().unwrap().extra = entries.to_vec();
    }

    /// The files that were asked for, with the first byte wanted.
    pub(crate) fn downloads(&self) -> Vec<(String, Option<usize>)> {
        let log = self.server.log().into_iter();
        log.filter_map(|request| {
            let path = request.path.strip_prefix(&format!("/o/r/resolve/{COMMIT}/"))?;
            Some((path.to_owned(), request.from()))
        })
        .collect()
    }
}

impl Repo {
    fn answer(&self, request: &Request) -> Reply {
        let path = request.path.split('?').next().unwrap();
        if path == "/api/models/o/r/revision/main" {
            Reply::json(&json!({"sha": COMMIT, "tags": ["gguf", "license:mit"]}))
        } else if path == format!("/api/models/o/r/tree/{COMMIT}") {
            Reply::json(&self.listing())
        } else {
            self.file(path, request)
        }
    }

    fn listing(&self) -> Value {
        let files = self.files.iter().map(|(path, bytes)| entry(path, bytes));
        files.chain(self.extra.iter().cloned()).collect()
    }

    fn file(&self, path: &str, request: &Request) -> Reply {
        let name = path.strip_prefix(&format!("/o/r/resolve/{COMMIT}/"));
        let bytes = name.and_then(|name| self.forged.get(name).or_else(|| self.files.get(name)));
        match bytes {
            Some(bytes) => Reply::file(bytes, Some("\"tag\""), request),
            None => Reply::new(404, "").with("X-Error-Message", "Entry not found"),
        }
    }
}

/// Large files have a SHA-256, small ones the name that git gives them.
fn entry(path: &str, bytes: &[u8]) -> Value {
    let git = Sha1::new().chain_update(format!("blob {}\0", bytes.len())).chain_update(bytes);
    let git: String = git.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    let mut entry = json!({"type": "file", "path": path, "size": bytes.len(), "oid": git});
    if path.ends_with(".gguf") || path.ends_with(".safetensors") {
        entry["lfs"] = json!({"oid": sha256(bytes), "size": bytes.len(), "pointerSize": 130});
    }
    entry
}
