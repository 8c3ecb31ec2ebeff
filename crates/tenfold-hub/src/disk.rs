//! Files that are there whole or not at all, and room for them.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;
use tempfile::NamedTempFile;

use crate::HubError;

/// Small files of the store are never larger; a larger one is not ours.
const MAX_JSON_BYTES: u64 = 4 << 20;

/// Makes a folder with all above it.
pub(crate) fn make_folder(path: &Path) -> Result<(), HubError> {
    fs::create_dir_all(path).map_err(HubError::io("create", path))
}

/// Writes a file so that readers, and a power cut, find the old or the new one.
pub(crate) fn write_json<T: Serialize>(path: &Path, value: &T) -> Result<(), HubError> {
    let folder = path.parent().unwrap_or(path);
    let failed = |source: io::Error| HubError::io("write", path)(source);
    let mut text = serde_json::to_vec_pretty(value).map_err(|error| failed(error.into()))?;
    text.push(b'\n');
    let mut file = temporary(folder).map_err(HubError::io("write", path))?;
    file.write_all(&text).and_then(|()| file.as_file().sync_all()).map_err(failed)?;
    file.persist(path).map_err(|error| HubError::io("write", path)(error.error))?;
    sync_folder(folder);
    Ok(())
}

/// A file with the rights that files usually get: others may share the store.
fn temporary(folder: &Path) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder.tempfile_in(folder)
}

/// Reads a file that [`write_json`] wrote; `None` if it is not there or not readable as such.
pub(crate) fn read_json<T: DeserializeOwned>(path: &Path) -> Option<T> {
    if path.metadata().ok()?.len() > MAX_JSON_BYTES {
        return None;
    }
    serde_json::from_slice(&fs::read(path).ok()?).ok()
}

/// Moves a complete file to its place for good.
pub(crate) fn persist(from: &Path, to: &Path) -> Result<(), HubError> {
    File::open(from).and_then(|file| file.sync_all()).map_err(HubError::io("sync", from))?;
    fs::rename(from, to).map_err(HubError::io("write", to))?;
    if let Some(folder) = to.parent() {
        sync_folder(folder);
    }
    Ok(())
}

/// Makes a rename last through a power cut, where the system lets folders be synced.
fn sync_folder(folder: &Path) {
    if cfg!(unix) {
        let _ = File::open(folder).and_then(|folder| folder.sync_all());
    }
}

/// Removes a file; it is fine if there is none.
pub(crate) fn remove_file(path: &Path) -> Result<(), HubError> {
    gone(fs::remove_file(path)).map_err(HubError::io("remove", path))
}

/// Removes a folder with all in it; it is fine if there is none.
pub(crate) fn remove_folder(path: &Path) -> Result<(), HubError> {
    gone(fs::remove_dir_all(path)).map_err(HubError::io("remove", path))
}

fn gone(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// Length of a file, zero if there is none.
pub(crate) fn file_length(path: &Path) -> u64 {
    path.metadata().map_or(0, |metadata| metadata.len())
}

/// Bytes of all files in a folder and below.
pub(crate) fn folder_bytes(folder: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(folder) else { return 0 };
    let bytes = |entry: fs::DirEntry| match entry.file_type() {
        Ok(kind) if kind.is_dir() => folder_bytes(&entry.path()),
        Ok(_) => entry.metadata().map_or(0, |metadata| metadata.len()),
        Err(_) => 0,
    };
    entries.flatten().map(bytes).sum()
}

/// Checks that `needed` more bytes fit and `reserve` stay free.
pub(crate) fn ensure_space(folder: &Path, needed: u64, reserve: u64) -> Result<(), HubError> {
    let Ok(available) = fs4::available_space(folder) else { return Ok(()) };
    let wanted = needed.saturating_add(reserve);
    if needed == 0 || wanted <= available {
        return Ok(());
    }
    Err(HubError::DiskFull { path: folder.to_owned(), needed: wanted, available })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_replaced_whole_and_rubbish_reads_as_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.json");
        assert_eq!(read_json::<Vec<u8>>(&path), None);
        write_json(&path, &vec![1]).unwrap();
        write_json(&path, &vec![1, 2]).unwrap();
        assert_eq!(read_json(&path), Some(vec![1, 2]));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "no temporary file stays");
        fs::write(&path, b"[1, 2").unwrap();
        assert_eq!(read_json::<Vec<u8>>(&path), None);
    }

    #[cfg(unix)]
    #[test]
    fn json_gets_the_rights_that_other_files_get() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let mode = |path: &Path| path.metadata().unwrap().permissions().mode();
        let (json, plain) = (folder.path().join("x.json"), folder.path().join("plain"));
        write_json(&json, &1).unwrap();
        fs::write(&plain, b"1").unwrap();
        assert_eq!(mode(&json), mode(&plain));
    }

    #[test]
    fn room_is_checked_with_the_reserve() {
        let folder = tempfile::tempdir().unwrap();
        assert!(ensure_space(folder.path(), 1, 0).is_ok());
        assert!(ensure_space(folder.path(), 0, u64::MAX).is_ok(), "nothing to write needs no room");
        let error = ensure_space(folder.path(), 1, u64::MAX).unwrap_err();
        assert_eq!(error.kind(), crate::HubErrorKind::DiskFull);
    }

    #[test]
    fn removing_what_is_not_there_is_fine() {
        let folder = tempfile::tempdir().unwrap();
        assert!(remove_file(&folder.path().join("x")).is_ok());
        assert!(remove_folder(&folder.path().join("y")).is_ok());
        fs::create_dir(folder.path().join("z")).unwrap();
        fs::write(folder.path().join("z/f"), b"123").unwrap();
        assert_eq!(folder_bytes(folder.path()), 3);
    }
}
