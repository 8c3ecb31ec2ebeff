//! Reading every byte again, and remembering what is wrong.

use std::path::PathBuf;

use super::{Damage, FileState, Store, StoredFile, StoredModel};
use crate::HubError;
use crate::checksum::Hasher;
use crate::disk::{make_folder, remove_file, write_json};
use crate::progress::{PullProgress, Reporter};

/// What a verification found.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct VerifyReport {
    /// The model.
    pub model: String,
    /// Every file of it.
    pub files: Vec<FileCheck>,
    /// Whether the store remembers what was found; false if it cannot be written.
    pub remembered: bool,
}

/// One verified file.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FileCheck {
    /// Its usual name.
    pub name: String,
    /// Where it lies.
    pub path: PathBuf,
    /// Its size.
    pub bytes: u64,
    /// The hash it should have.
    pub expected: String,
    /// The hash it has, or what else is wrong; equal to `expected` if all is well.
    pub found: String,
}

impl FileCheck {
    /// Whether the file is what was pulled.
    pub fn is_intact(&self) -> bool {
        self.expected == self.found
    }
}

impl VerifyReport {
    /// Whether every file is what was pulled.
    pub fn is_intact(&self) -> bool {
        self.files.iter().all(FileCheck::is_intact)
    }

    /// The first damaged file as an error.
    ///
    /// # Errors
    /// [`HubError::Damaged`] if a file is not what was pulled.
    pub fn check(&self) -> Result<(), HubError> {
        match self.files.iter().find(|file| !file.is_intact()) {
            None => Ok(()),
            Some(file) => Err(HubError::Damaged {
                model: self.model.clone(),
                file: file.path.clone(),
                expected: file.expected.clone(),
                found: file.found.clone(),
            }),
        }
    }
}

impl Store {
    /// Hashes every file of a model; a wrong one is marked, so that loading is refused until it is
    /// pulled again, and one that is right is no longer marked.
    pub(crate) fn verify(
        &self,
        model: &StoredModel,
        reporter: &mut Reporter<'_>,
    ) -> Result<VerifyReport, HubError> {
        let cancel = reporter.cancel().clone();
        // A pull may be mending the model. A store that nobody can write needs no lock.
        let waiting = &mut || reporter.send(PullProgress::Waiting);
        let _lock = match self.lock_model(&model.name, &cancel, waiting) {
            Err(HubError::Io { .. }) => None,
            lock => Some(lock?),
        };
        let mut report =
            VerifyReport { model: model.name.clone(), files: Vec::new(), remembered: true };
        for file in &model.files {
            let check = self.verify_file(file, reporter)?;
            report.remembered &= self.mark(&check).is_ok();
            report.files.push(check);
        }
        Ok(report)
    }

    fn verify_file(
        &self,
        file: &StoredFile,
        reporter: &mut Reporter<'_>,
    ) -> Result<FileCheck, HubError> {
        let found = match self.file_state(&file.path, file.bytes) {
            FileState::Missing => "no file".to_owned(),
            FileState::WrongSize { found } => format!("a file of {found} bytes"),
            FileState::Present | FileState::Damaged { .. } => hash(file, reporter)?,
        };
        Ok(FileCheck {
            name: file.name.clone(),
            path: file.path.clone(),
            bytes: file.bytes,
            expected: file.sha256.clone(),
            found,
        })
    }

    fn mark(&self, check: &FileCheck) -> Result<(), HubError> {
        let mark = self.damage_path(&check.path);
        if check.is_intact() {
            return remove_file(&mark);
        }
        if let Some(folder) = mark.parent() {
            make_folder(folder)?;
        }
        write_json(&mark, &Damage { path: check.path.clone(), found: check.found.clone() })
    }
}

fn hash(file: &StoredFile, reporter: &mut Reporter<'_>) -> Result<String, HubError> {
    let mut hasher = Hasher::new(None);
    hasher.update_from(&file.path, file.bytes, &file.name, reporter)?;
    Ok(hasher.finish().sha256)
}
