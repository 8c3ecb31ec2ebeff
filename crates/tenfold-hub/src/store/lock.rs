//! Locks between processes. The system frees them when a process dies, however it dies.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;
use std::time::Duration;

use crate::disk::make_folder;
use crate::{CancelFlag, HubError};

const POLL: Duration = Duration::from_millis(100);

/// Held until it is dropped.
#[derive(Debug)]
pub(crate) struct Lock(#[allow(dead_code, reason = "the open file is the lock")] File);

/// Takes the lock of this file; `waiting` is called once if somebody else has it.
pub(crate) fn lock(
    path: &Path,
    cancel: &CancelFlag,
    waiting: &mut dyn FnMut(),
) -> Result<Lock, HubError> {
    let file = open(path)?;
    let mut told = false;
    while !try_file(&file, path)? {
        if !told {
            waiting();
            told = true;
        }
        cancel.sleep(POLL)?;
    }
    Ok(Lock(file))
}

/// Takes the lock of this file; `None` if somebody else has it.
pub(crate) fn try_lock(path: &Path) -> Result<Option<Lock>, HubError> {
    let file = open(path)?;
    Ok(try_file(&file, path)?.then_some(Lock(file)))
}

/// The file stays: removing it would let two processes lock two files of one name.
fn open(path: &Path) -> Result<File, HubError> {
    if let Some(folder) = path.parent() {
        make_folder(folder)?;
    }
    let file = OpenOptions::new().create(true).truncate(false).write(true).open(path);
    file.map_err(HubError::io("open", path))
}

fn try_file(file: &File, path: &Path) -> Result<bool, HubError> {
    match file.try_lock() {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(error)) => Err(HubError::io("lock", path)(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_waits_until_the_first_is_done() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("locks/x.lock");
        let cancel = CancelFlag::default();
        let first = lock(&path, &cancel, &mut || panic!("nobody else has it")).unwrap();
        let (send, receive) = std::sync::mpsc::channel();
        let other = std::thread::spawn({
            let (path, cancel) = (path.clone(), cancel.clone());
            move || lock(&path, &cancel, &mut || send.send(()).unwrap()).map(drop)
        });
        receive.recv().unwrap();
        assert!(try_lock(&path).unwrap().is_none());
        drop(first);
        other.join().unwrap().unwrap();
    }

    #[test]
    fn waiting_can_be_cancelled() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.lock");
        let cancel = CancelFlag::default();
        let _first = lock(&path, &cancel, &mut || ()).unwrap();
        let result = lock(&path, &cancel.clone(), &mut || cancel.cancel());
        assert!(matches!(result, Err(HubError::Cancelled)));
    }
}
