//! A file that is joined from parts, and remembers them across runs.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::HubError;
use crate::archive::{Sink, write_to};
use crate::checksum::{Digests, Hasher};
use crate::disk::{file_length, read_json, write_json};
use crate::progress::Reporter;

/// How many parts of a joined file are there, kept beside it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct JoinState {
    parts: usize,
    bytes: u64,
    /// The packages, so that parts of one source are never joined with those of another.
    source: String,
}

/// The file that grows part by part.
pub(super) struct Join {
    path: PathBuf,
    file: File,
    state: JoinState,
    hasher: Hasher,
}

impl Join {
    /// Opens the file and cuts off what is not a whole part.
    pub(super) fn open(
        path: &Path,
        source: &str,
        label: &str,
        reporter: &mut Reporter<'_>,
    ) -> Result<Self, HubError> {
        let saved: Option<JoinState> = read_json(&join_state_path(path));
        let length = file_length(path);
        let usable = saved.filter(|state| state.source == source && state.bytes <= length);
        let state = usable
            .unwrap_or_else(|| JoinState { source: source.to_owned(), ..JoinState::default() });
        let file = OpenOptions::new().create(true).append(true).open(path);
        let file = file.map_err(HubError::io("open", path))?;
        file.set_len(state.bytes).map_err(HubError::io("write", path))?;
        let mut hasher = Hasher::new(None);
        hasher.update_from(path, state.bytes, label, reporter)?;
        Ok(Self { path: path.to_owned(), file, state, hasher })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn parts(&self) -> usize {
        self.state.parts
    }

    pub(super) fn bytes(&self) -> u64 {
        self.state.bytes
    }

    /// The hashes of the whole, when it is safely on the disk.
    pub(super) fn finish(self) -> Result<Digests, HubError> {
        self.file.sync_all().map_err(HubError::io("sync", &self.path))?;
        Ok(self.hasher.finish())
    }

    /// Adds one part, and remembers it when it is safely on the disk.
    pub(super) fn append(
        &mut self,
        unpack: impl FnOnce(&mut Sink<'_>) -> Result<u64, HubError>,
    ) -> Result<(), HubError> {
        let mut hasher = self.hasher.clone();
        let bytes = unpack(&mut write_to(&mut self.file, &self.path, &mut hasher))?;
        self.file
            .flush()
            .and_then(|()| self.file.sync_data())
            .map_err(HubError::io("write", &self.path))?;
        self.hasher = hasher;
        self.state.parts += 1;
        self.state.bytes += bytes;
        write_json(&join_state_path(&self.path), &self.state)
    }
}

fn join_state_path(path: &Path) -> PathBuf {
    path.with_extension("join.json")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checksum::sha256_hex;
    use crate::{CancelFlag, PullProgress};

    fn open(path: &Path, source: &str) -> Join {
        let mut sink = |_: PullProgress<'_>| ();
        let mut reporter = Reporter::new(CancelFlag::default(), &mut sink);
        Join::open(path, source, "f", &mut reporter).unwrap()
    }

    fn add(join: &mut Join, bytes: &[u8]) {
        join.append(|sink| sink(bytes).map(|()| bytes.len() as u64)).unwrap();
    }

    #[test]
    fn whole_parts_survive_and_half_ones_are_cut_off() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.join");
        let mut join = open(&path, "s");
        add(&mut join, b"one ");
        let failed = join.append(|sink| {
            sink(b"tw")?;
            Err(HubError::Cancelled)
        });
        assert!(failed.is_err());
        drop(join);
        assert_eq!(file_length(&path), 6, "the half part is on the disk");
        let mut join = open(&path, "s");
        assert_eq!((join.parts(), join.bytes()), (1, 4));
        add(&mut join, b"two");
        assert_eq!(join.finish().unwrap().sha256, sha256_hex(b"one two"));
    }

    #[test]
    fn parts_of_another_source_or_a_cut_file_start_anew() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.join");
        add(&mut open(&path, "s"), b"one");
        assert_eq!(open(&path, "other").parts(), 0);
        add(&mut open(&path, "s"), b"one");
        std::fs::write(&path, b"on").unwrap();
        assert_eq!(open(&path, "s").bytes(), 0);
    }
}
