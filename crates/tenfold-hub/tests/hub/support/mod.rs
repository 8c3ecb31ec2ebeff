//! What the tests share: bytes of models, a place for them, catalogues that name local servers.

mod fake_hub;
mod server;

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tenfold_hub::{Hub, HubConfig, HubError, ModelRef, PullProgress, PulledModel};

pub(crate) use fake_hub::{COMMIT, FakeHub};
pub(crate) use server::{Answer, Reply, Request, Server};

/// Bytes that look like a model and are the same every time.
pub(crate) fn model_bytes(length: usize, seed: u32) -> Vec<u8> {
    let mut state = seed;
    let noise = std::iter::repeat_with(|| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    });
    b"GGUF".iter().copied().chain(noise).take(length).collect()
}

pub(crate) fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A folder of its own with a configuration that is impatient.
pub(crate) struct Place {
    folder: tempfile::TempDir,
    pub(crate) config: HubConfig,
}

impl Place {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = config(folder.path());
        Self { folder, config }
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn hub(&self) -> Hub {
        Hub::new(self.config.clone()).unwrap()
    }

    /// Writes a catalogue with one model and makes it the user's own.
    pub(crate) fn catalogue(&mut self, entry: &Value) {
        let path = self.path().join("catalogue.json");
        std::fs::write(&path, json!({"version": 1, "models": [entry]}).to_string()).unwrap();
        self.config.catalogue_file = Some(path);
    }

    pub(crate) fn pull(&self, name: &str) -> Result<PulledModel, HubError> {
        self.hub().pull(&model(name), &mut |_| ())
    }

    /// The content of the model that `name` resolves to.
    pub(crate) fn content(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.hub().resolve(&model(name)).unwrap().main()).unwrap()
    }

    /// Every file of the store's folder for unfinished pulls, with its length.
    pub(crate) fn partial_files(&self) -> Vec<(PathBuf, u64)> {
        files_below(&self.path().join("models/partial"))
    }

    /// The longest unfinished file.
    pub(crate) fn longest_partial(&self) -> u64 {
        self.partial_files().iter().map(|(_, length)| *length).max().unwrap_or(0)
    }
}

const CERTIFICATE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/hub/support/ca.pem");

/// The configuration of a place.
pub(crate) fn config(home: &Path) -> HubConfig {
    let mut config = HubConfig::with_home(home);
    config.timeouts.connect = Duration::from_secs(5);
    config.timeouts.response = Duration::from_millis(500);
    config.timeouts.stall = Duration::from_millis(500);
    config.timeouts.retry = Duration::from_millis(10);
    config.retries = 3;
    config.reserve_bytes = 0;
    config.pip = Vec::new();
    config.npm = Vec::new();
    // One certificate is read faster than all of the system, and nobody here speaks TLS.
    config.ca_file = Some(PathBuf::from(CERTIFICATE));
    config
}

pub(crate) fn model(name: &str) -> ModelRef {
    name.parse().unwrap()
}

/// An entry `m:1` of a catalogue with these bytes and sources.
pub(crate) fn entry(bytes: &[u8], sources: &Value) -> Value {
    json!({
        "name": "m", "tag": "1", "default": true, "title": "M", "description": "A model.",
        "license": "MIT", "format": "gguf", "quantization": "Q4_0", "file": "m.gguf",
        "bytes": bytes.len(), "sha256": sha256(bytes), "sources": sources,
    })
}

pub(crate) fn url_source(url: &str) -> Value {
    json!({"kind": "url", "url": url})
}

/// What a pull told, in short: the kinds of events, and waits in milliseconds.
pub(crate) fn pull_with_events(
    place: &Place,
    name: &str,
) -> (Result<PulledModel, HubError>, Vec<String>) {
    let mut events = Vec::new();
    let result = place.hub().pull(&model(name), &mut |progress| match progress {
        PullProgress::Retrying { wait, .. } => events.push(format!("wait {}", wait.as_millis())),
        PullProgress::Waiting => events.push("waiting".to_owned()),
        PullProgress::SourceFailed { source, .. } => events.push(format!("failed {source}")),
        PullProgress::Step { what } => events.push(what.to_owned()),
        _ => {}
    });
    (result, events)
}

/// Every file below a folder, with its length.
pub(crate) fn files_below(folder: &Path) -> Vec<(PathBuf, u64)> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut files: Vec<(PathBuf, u64)> = entries
        .flat_map(|entry| match entry.file_type().unwrap().is_dir() {
            true => files_below(&entry.path()),
            false => vec![(entry.path(), entry.metadata().map_or(0, |data| data.len()))],
        })
        .collect();
    files.sort();
    files
}

/// Waits for something that another thread or process does.
pub(crate) fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let end = std::time::Instant::now() + Duration::from_secs(20);
    while !is_so() {
        assert!(std::time::Instant::now() < end, "{what} did not happen");
        std::thread::sleep(Duration::from_millis(5));
    }
}
