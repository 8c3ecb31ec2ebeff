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
///
/// The file stays: removing it would let two processes lock two files of one name.
pub(crate) fn lock(
    path: &Path,
    cancel: &CancelFlag,
    waiting: &mut dyn FnMut(),
) -> Result<Lock, HubError> {
    if let Some(folder) = path.parent() {
        make_folder(folder)?;
    }
    let open = OpenOptions::new().create(true).truncate(false).write(true).open(path);
    let file = open.map_err(HubError::io("open", path))?;
    let mut told = false;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(Lock(file)),
            Err(TryLockError::Error(error)) => return Err(HubError::io("lock", path)(error)),
            Err(TryLockError::WouldBlock) => {}
        }
        if !told {
            waiting();
            told = true;
        }
        cancel.sleep(POLL)?;
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
