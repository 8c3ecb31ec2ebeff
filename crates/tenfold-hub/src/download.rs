//! One file over HTTP: resumed, checked, retried, never in memory as a whole.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use ureq::Body;
use ureq::http::{Response, StatusCode};

use crate::HubError;
use crate::checksum::{BUFFER, Checksum, Hasher};
use crate::disk::{ensure_space, file_length, make_folder, read_json, remove_file, write_json};
use crate::http::{Http, Patience, Range, header};
use crate::progress::{PullProgress, Reporter};

/// What to fetch, and what it must be.
pub(crate) struct Fetch<'a> {
    pub(crate) url: &'a str,
    /// Name for progress and errors.
    pub(crate) label: &'a str,
    /// Where the bytes gather; the caller moves the file when it is complete.
    pub(crate) target: &'a Path,
    pub(crate) bytes: Option<u64>,
    pub(crate) checksum: Option<&'a Checksum>,
    /// The first bytes that the file must have.
    pub(crate) magic: Option<&'static [u8]>,
}

/// A complete file.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Fetched {
    pub(crate) bytes: u64,
    pub(crate) sha256: String,
}

/// Kept beside a partial file, so that another run can go on.
#[derive(Debug, Default, Serialize, Deserialize)]
struct PartState {
    url: String,
    /// `ETag` or `Last-Modified`, if it is strong enough for a range.
    validator: Option<String>,
    total: Option<u64>,
}

/// Fetches a file, going on from what an earlier run left.
pub(crate) fn download(
    http: &Http,
    fetch: &Fetch<'_>,
    reporter: &mut Reporter<'_>,
) -> Result<Fetched, HubError> {
    let mut part = Part::open(fetch, reporter)?;
    let resumed = part.length > 0;
    part.complete(http, reporter)?;
    match part.finish() {
        // What an earlier run left may be the part that is wrong.
        Err(HubError::ChecksumMismatch { .. }) if resumed => {
            let mut part = Part::open(fetch, reporter)?;
            part.complete(http, reporter)?;
            part.finish()
        }
        other => other,
    }
}

struct Part<'a> {
    fetch: &'a Fetch<'a>,
    file: File,
    length: u64,
    hasher: Hasher,
    state: PartState,
}

impl<'a> Part<'a> {
    fn open(fetch: &'a Fetch<'a>, reporter: &mut Reporter<'_>) -> Result<Self, HubError> {
        let path = fetch.target;
        if let Some(folder) = path.parent() {
            make_folder(folder)?;
        }
        let state: PartState = read_json(&state_path(path)).unwrap_or_default();
        let length = file_length(path);
        let keep = may_resume(fetch, &state, length);
        let file = OpenOptions::new().create(true).append(true).open(path);
        let file = file.map_err(HubError::io("open", path))?;
        let mut part = Self { fetch, file, length, hasher: Hasher::new(fetch.checksum), state };
        if keep {
            part.hash_prefix(reporter)?;
        } else {
            part.restart()?;
        }
        Ok(part)
    }

    fn hash_prefix(&mut self, reporter: &mut Reporter<'_>) -> Result<(), HubError> {
        let Fetch { target, label, .. } = self.fetch;
        self.hasher.update_from(target, self.length, label, reporter)
    }

    fn restart(&mut self) -> Result<(), HubError> {
        self.file.set_len(0).map_err(HubError::io("write", self.fetch.target))?;
        self.length = 0;
        self.hasher = Hasher::new(self.fetch.checksum);
        self.state = PartState { url: self.fetch.url.to_owned(), ..PartState::default() };
        Ok(())
    }

    /// Repeats requests until every byte is there, or too many in a row bring nothing.
    fn complete(&mut self, http: &Http, reporter: &mut Reporter<'_>) -> Result<(), HubError> {
        let mut patience = Patience::new(http.settings(), http.settings().retries);
        let start = self.length;
        // A server without ranges begins anew each time: only what was never there is progress.
        let mut most = start;
        loop {
            let result = http.cancellable(|agent| {
                if self.is_whole() { Ok(()) } else { self.request(http, agent, reporter) }
            });
            let Err(error) = result else { return Ok(()) };
            if self.length > most {
                most = self.length;
                patience.renew();
            }
            let Some(wait) = patience.wait(&error, most > start) else { return Err(error) };
            reporter.send(PullProgress::Retrying { error: &error, wait });
            reporter.cancel().sleep(wait)?;
        }
    }

    fn is_whole(&self) -> bool {
        let total = self.fetch.bytes.or(self.state.total);
        self.length > 0 && total == Some(self.length)
    }

    fn request(
        &mut self,
        http: &Http,
        agent: &ureq::Agent,
        reporter: &mut Reporter<'_>,
    ) -> Result<(), HubError> {
        // With a known hash any server's bytes can be joined; without one only the same file's.
        let validator = match self.fetch.checksum {
            Some(_) => None,
            None => self.state.validator.clone(),
        };
        if self.length > 0 && self.fetch.checksum.is_none() && validator.is_none() {
            self.restart()?;
        }
        let range = Range { from: self.length, validator: validator.as_deref() };
        let response = http.get(agent, self.fetch.url, range)?;
        let total = self.accept(&response)?;
        self.remember(&response, total)?;
        self.receive(http, response, total, reporter)
    }

    /// Forgets what is there; the error leads to another request.
    fn start_over(&mut self, problem: &str) -> HubError {
        match self.restart() {
            Ok(()) => HubError::network(self.fetch.url, problem, true),
            Err(error) => error,
        }
    }

    /// Checks that the answer continues where the file ends; gives the size of the whole.
    fn accept(&mut self, response: &Response<Body>) -> Result<Option<u64>, HubError> {
        let total = if response.status() == StatusCode::RANGE_NOT_SATISFIABLE {
            return Err(self.start_over("the server does not have that range"));
        } else if response.status() == StatusCode::PARTIAL_CONTENT {
            match header(response, "content-range").and_then(parse_content_range) {
                Some((first, total)) if first == self.length => total,
                _ => return Err(self.start_over("the server sent another range than asked")),
            }
        } else {
            if self.length > 0 {
                self.restart()?;
            }
            header(response, "content-length").and_then(|length| length.parse().ok())
        };
        self.check_size(total)?;
        Ok(total.or(self.fetch.bytes))
    }

    fn check_size(&self, found: Option<u64>) -> Result<(), HubError> {
        match (self.fetch.bytes, found) {
            (Some(expected), Some(found)) if expected != found => {
                Err(self.mismatch(format!("{expected} bytes"), format!("{found} bytes")))
            }
            _ => Ok(()),
        }
    }

    fn mismatch(&self, expected: String, found: String) -> HubError {
        HubError::ChecksumMismatch { file: self.fetch.label.to_owned(), expected, found }
    }

    fn remember(&mut self, response: &Response<Body>, total: Option<u64>) -> Result<(), HubError> {
        let etag = header(response, "etag").filter(|etag| !etag.starts_with("W/"));
        let validator = etag.or_else(|| header(response, "last-modified")).map(str::to_owned);
        self.state = PartState { url: self.fetch.url.to_owned(), validator, total };
        write_json(&state_path(self.fetch.target), &self.state)
    }

    fn receive(
        &mut self,
        http: &Http,
        response: Response<Body>,
        total: Option<u64>,
        reporter: &mut Reporter<'_>,
    ) -> Result<(), HubError> {
        let folder = self.fetch.target.parent().unwrap_or(self.fetch.target);
        let missing = total.unwrap_or(1).saturating_sub(self.length);
        ensure_space(folder, missing, http.settings().reserve_bytes)?;
        let mut body = response.into_body().into_reader();
        let mut buffer = vec![0; BUFFER];
        reporter.resume_file();
        loop {
            reporter.transferred(self.fetch.label, self.length, total);
            let count =
                body.read(&mut buffer).map_err(|error| http.read_error(self.fetch.url, error))?;
            let Some(bytes) = buffer.get(..count).filter(|bytes| !bytes.is_empty()) else {
                return self.ended(total);
            };
            self.append(bytes, total)?;
        }
    }

    fn append(&mut self, bytes: &[u8], total: Option<u64>) -> Result<(), HubError> {
        let length = self.length + bytes.len() as u64;
        if total.is_some_and(|total| length > total) {
            return Err(self.too_long());
        }
        self.check_magic(bytes)?;
        self.file.write_all(bytes).map_err(HubError::io("write", self.fetch.target))?;
        self.hasher.update(bytes);
        self.length = length;
        Ok(())
    }

    /// A file of known size that is longer is another file; else the server said a wrong size.
    fn too_long(&mut self) -> HubError {
        let again = self.start_over("the server sent more than it said");
        match self.fetch.bytes {
            Some(bytes) => self.mismatch(format!("{bytes} bytes"), "more".to_owned()),
            None => again,
        }
    }

    /// Compares what arrives with the first bytes that the file must have.
    fn check_magic(&self, bytes: &[u8]) -> Result<(), HubError> {
        let magic = self.fetch.magic.unwrap_or_default();
        let there = usize::try_from(self.length).unwrap_or(usize::MAX).min(magic.len());
        let missing = magic.get(there..).unwrap_or_default();
        if missing.iter().zip(bytes).all(|(expected, found)| expected == found) {
            return Ok(());
        }
        let start = String::from_utf8_lossy(bytes.get(..16).unwrap_or(bytes));
        Err(self.mismatch(
            format!("a file that begins with {}", String::from_utf8_lossy(magic)),
            format!("one that begins with {start:?}"),
        ))
    }

    fn ended(&self, total: Option<u64>) -> Result<(), HubError> {
        if total.is_some_and(|total| total != self.length) {
            let problem = format!("the connection broke off after {} bytes", self.length);
            return Err(HubError::network(self.fetch.url, problem, true));
        }
        let least = self.fetch.magic.map_or(0, <[u8]>::len) as u64;
        if self.length < least {
            let problem = format!("it is a file of {} bytes, which is no model", self.length);
            return Err(HubError::network(self.fetch.url, problem, false));
        }
        Ok(())
    }

    /// Checks the whole; a wrong file is removed, so that the next run does not trust it.
    fn finish(self) -> Result<Fetched, HubError> {
        let path = self.fetch.target;
        let digests = self.hasher.finish();
        let checked = digests.check(self.fetch.label, self.fetch.checksum);
        remove_file(&state_path(path))?;
        match checked {
            Ok(()) => self.file.sync_all().map_err(HubError::io("sync", path))?,
            Err(_) => remove_file(path)?,
        }
        checked.map(|()| Fetched { bytes: self.length, sha256: digests.sha256 })
    }
}

fn state_path(target: &Path) -> PathBuf {
    let mut name = target.file_name().unwrap_or_default().to_owned();
    name.push(".json");
    target.with_file_name(name)
}

fn may_resume(fetch: &Fetch<'_>, state: &PartState, length: u64) -> bool {
    let same_file = state.url == fetch.url && state.validator.is_some();
    let fits = fetch.bytes.or(state.total).is_none_or(|total| length <= total);
    length > 0 && fits && (fetch.checksum.is_some() || same_file)
}

/// First byte and size of the whole out of `bytes 5-9/10`.
pub(crate) fn parse_content_range(text: &str) -> Option<(u64, Option<u64>)> {
    let (range, total) = text.trim().strip_prefix("bytes ")?.split_once('/')?;
    let (first, _) = range.split_once('-')?;
    let total = if total == "*" { None } else { Some(total.parse().ok()?) };
    Some((first.parse().ok()?, total))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_ranges_are_read_strictly() {
        for (text, parsed) in [
            ("bytes 5-9/10", Some((5, Some(10)))),
            ("bytes 0-0/*", Some((0, None))),
            ("bytes */10", None),
            ("5-9/10", None),
            ("bytes 5-9/x", None),
            ("", None),
        ] {
            assert_eq!(parse_content_range(text), parsed, "{text}");
        }
    }

    #[test]
    fn a_part_is_trusted_only_with_a_hash_or_the_same_validator() {
        let checksum = Checksum::Sha256("0".repeat(64));
        let fetch = |checksum| Fetch {
            url: "https://h/f",
            label: "f",
            target: Path::new("f"),
            bytes: Some(10),
            checksum,
            magic: None,
        };
        let state = |url: &str, validator: Option<&str>| PartState {
            url: url.into(),
            validator: validator.map(str::to_owned),
            total: Some(10),
        };
        let same = state("https://h/f", Some("\"a\""));
        assert!(may_resume(&fetch(Some(&checksum)), &PartState::default(), 5));
        assert!(may_resume(&fetch(None), &same, 5));
        assert!(!may_resume(&fetch(None), &same, 0));
        assert!(!may_resume(&fetch(None), &same, 11), "longer than the whole");
        assert!(!may_resume(&fetch(None), &state("https://h/f", None), 5));
        assert!(!may_resume(&fetch(None), &state("https://h/g", Some("\"a\"")), 5));
    }
}
