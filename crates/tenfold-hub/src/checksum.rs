//! Hashes of files.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};

use crate::HubError;
use crate::progress::{PullProgress, Reporter};

/// Bytes read at once.
pub(crate) const BUFFER: usize = 1 << 18;

/// What a file should hash to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Checksum {
    /// SHA-256 in lower-case hexadecimal digits.
    Sha256(String),
    /// SHA-512 in lower-case hexadecimal digits.
    Sha512(String),
    /// The name that git gives a file of so many bytes: SHA-1 with a header.
    GitBlob(String, u64),
}

impl Checksum {
    /// Reads npm's `sha512-…=` (base64); other algorithms are passed over.
    pub(crate) fn from_integrity(text: &str) -> Option<Self> {
        text.split_whitespace().find_map(|one| {
            let (algorithm, encoded) = one.split_once('-')?;
            let digest = decode_base64(encoded.split('?').next()?)?;
            match (algorithm, digest.len()) {
                ("sha512", 64) => Some(Self::Sha512(hex(&digest))),
                ("sha256", 32) => Some(Self::Sha256(hex(&digest))),
                _ => None,
            }
        })
    }

    pub(crate) fn hex(&self) -> &str {
        match self {
            Self::Sha256(hex) | Self::Sha512(hex) | Self::GitBlob(hex, _) => hex,
        }
    }
}

/// Hashes as bytes pass: always SHA-256, and another one where it is asked for.
#[derive(Clone)]
pub(crate) struct Hasher {
    sha256: Sha256,
    other: Option<Other>,
}

#[derive(Clone)]
enum Other {
    Sha512(Box<Sha512>),
    Sha1(Sha1),
}

/// The hashes of a whole file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Digests {
    pub(crate) sha256: String,
    pub(crate) other: Option<String>,
}

impl Hasher {
    pub(crate) fn new(expected: Option<&Checksum>) -> Self {
        let other = match expected {
            Some(Checksum::Sha512(_)) => Some(Other::Sha512(Box::default())),
            Some(Checksum::GitBlob(_, bytes)) => {
                let header = format!("blob {bytes}\0");
                Some(Other::Sha1(Sha1::new().chain_update(header)))
            }
            Some(Checksum::Sha256(_)) | None => None,
        };
        Self { sha256: Sha256::new(), other }
    }

    pub(crate) fn update(&mut self, bytes: &[u8]) {
        self.sha256.update(bytes);
        match &mut self.other {
            Some(Other::Sha512(hasher)) => hasher.update(bytes),
            Some(Other::Sha1(hasher)) => hasher.update(bytes),
            None => {}
        }
    }

    pub(crate) fn finish(self) -> Digests {
        let other = self.other.map(|other| match other {
            Other::Sha512(hasher) => hex(&hasher.finalize()),
            Other::Sha1(hasher) => hex(&hasher.finalize()),
        });
        Digests { sha256: hex(&self.sha256.finalize()), other }
    }

    /// Adds the first `total` bytes of a file; `label` is its name for people.
    pub(crate) fn update_from(
        &mut self,
        path: &Path,
        total: u64,
        label: &str,
        reporter: &mut Reporter<'_>,
    ) -> Result<(), HubError> {
        let opened = File::open(path).map_err(HubError::io("read", path))?;
        let mut input = opened.take(total);
        let mut buffer = vec![0; BUFFER];
        let mut done = 0;
        loop {
            let count = input.read(&mut buffer).map_err(HubError::io("read", path))?;
            let Some(bytes) = buffer.get(..count).filter(|bytes| !bytes.is_empty()) else {
                return Ok(());
            };
            self.update(bytes);
            done += bytes.len() as u64;
            reporter.send(PullProgress::Hashing { file: label, done, total });
            reporter.cancel().check()?;
        }
    }
}

impl Digests {
    /// Compares with what was expected.
    pub(crate) fn check(&self, file: &str, expected: Option<&Checksum>) -> Result<(), HubError> {
        let Some(expected) = expected else { return Ok(()) };
        let found = match expected {
            Checksum::Sha256(_) => Some(&self.sha256),
            Checksum::Sha512(_) | Checksum::GitBlob(..) => self.other.as_ref(),
        };
        if found.is_some_and(|found| found == expected.hex()) {
            return Ok(());
        }
        Err(HubError::ChecksumMismatch {
            file: file.to_owned(),
            expected: expected.hex().to_owned(),
            found: found.cloned().unwrap_or_default(),
        })
    }
}

/// True for hexadecimal digits of this many.
pub(crate) fn is_hex(text: &str, digits: usize) -> bool {
    text.len() == digits && text.bytes().all(|b| b.is_ascii_hexdigit())
}

/// SHA-256 of a few bytes.
pub(crate) fn sha256_hex(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn decode_base64(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() * 3 / 4);
    let (mut bits, mut count) = (0u32, 0);
    for symbol in text.trim_end_matches('=').bytes() {
        let value = match symbol {
            b'A'..=b'Z' => symbol - b'A',
            b'a'..=b'z' => symbol - b'a' + 26,
            b'0'..=b'9' => symbol - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = (bits << 6 | u32::from(value)) & 0xFFFF;
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count & 0xFF) as u8);
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::CancelFlag;

    const ABC_256: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    const ABC_512_BASE64: &str = "sha512-3a81oZNherrMQXNJriBBMRLm+k6JqX6iCp7u5ktV05ohkpkqJ0/BqDa6PCOj/uu9RU1EI2Q86A4qmslPpUyknw==";

    #[test]
    fn known_texts_hash_to_their_published_values() {
        assert_eq!(sha256_hex(b"abc"), ABC_256);
        let expected = Checksum::from_integrity(&format!("sha1-AAAA {ABC_512_BASE64}")).unwrap();
        let mut hasher = Hasher::new(Some(&expected));
        hasher.update(b"ab");
        hasher.update(b"c");
        assert!(hasher.clone().finish().check("f", Some(&expected)).is_ok());
        hasher.update(b"d");
        assert!(hasher.finish().check("f", Some(&expected)).is_err());
        assert_eq!(Checksum::from_integrity("sha1-AAAA"), None);
        assert_eq!(Checksum::from_integrity("sha512-AAAA"), None, "too short");
        assert_eq!(Checksum::from_integrity("sha512-!"), None);
    }

    #[test]
    fn small_files_hash_to_the_names_that_git_gives_them() {
        for (bytes, name) in [
            (&b""[..], "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"),
            (b"hello\n", "ce013625030ba8dba906f756967f9e9ca394464a"),
        ] {
            let expected = Checksum::GitBlob(name.into(), bytes.len() as u64);
            let mut hasher = Hasher::new(Some(&expected));
            hasher.update(bytes);
            assert!(hasher.clone().finish().check("f", Some(&expected)).is_ok(), "{name}");
            hasher.update(b"x");
            assert!(hasher.finish().check("f", Some(&expected)).is_err(), "{name}");
        }
    }

    #[test]
    fn base64_of_every_length_reads_back() {
        for (text, bytes) in [
            ("", &b""[..]),
            ("Zg==", b"f"),
            ("Zm8=", b"fo"),
            ("Zm9v", b"foo"),
            ("/+8=", b"\xff\xef"),
        ] {
            assert_eq!(decode_base64(text).as_deref(), Some(bytes), "{text}");
        }
    }

    #[test]
    fn a_prefix_of_a_file_can_be_hashed_and_continued() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f");
        std::fs::write(&path, b"abXX").unwrap();
        let mut hasher = Hasher::new(None);
        let mut seen = Vec::new();
        let mut sink = |progress: PullProgress<'_>| seen.push(format!("{progress:?}"));
        let mut reporter = Reporter::new(CancelFlag::default(), &mut sink);
        hasher.update_from(&path, 2, "f", &mut reporter).unwrap();
        hasher.update(b"c");
        assert_eq!(hasher.finish().sha256, ABC_256);
        assert_eq!(seen, ["Hashing { file: \"f\", done: 2, total: 2 }"]);
    }
}
