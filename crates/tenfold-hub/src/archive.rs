//! One file out of a package, as a stream with an upper bound.

use std::fs::File;
use std::io::{BufReader, Read, Write};
use std::path::Path;

use flate2::read::GzDecoder;

use crate::HubError;
use crate::checksum::BUFFER;

/// What a package may hold beside the file that is wanted, unpacked: as much again, and this.
const OTHER_FILES: u64 = 2;
const OTHER_BYTES: u64 = 256 << 20;

/// How packages are packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ArchiveKind {
    /// A zip file.
    Wheel,
    /// A tar file under gzip.
    Tgz,
}

/// Gets the bytes of the file in order, and says whether to go on.
pub(crate) type Sink<'a> = dyn FnMut(&[u8]) -> Result<(), HubError> + 'a;

/// Unpacks the file called `member` into `sink`, and fails when it has more than `limit` bytes.
///
/// Only bytes leave the archive, never names: nothing in it can choose where something is written.
pub(crate) fn extract(
    kind: ArchiveKind,
    archive: &Path,
    member: &str,
    limit: u64,
    sink: &mut Sink<'_>,
) -> Result<u64, HubError> {
    let file = File::open(archive).map_err(HubError::io("read", archive))?;
    match kind {
        ArchiveKind::Wheel => extract_wheel(file, archive, member, limit, sink),
        ArchiveKind::Tgz => extract_tgz(file, archive, member, limit, sink),
    }
}

fn extract_wheel(
    file: File,
    archive: &Path,
    member: &str,
    limit: u64,
    sink: &mut Sink<'_>,
) -> Result<u64, HubError> {
    let broken = |error: zip::result::ZipError| HubError::bad_archive(archive, error.to_string());
    let mut zip = zip::ZipArchive::new(BufReader::new(file)).map_err(broken)?;
    let entry = match zip.by_name(member) {
        Ok(entry) if entry.is_file() => entry,
        Err(error) if !matches!(error, zip::result::ZipError::FileNotFound) => {
            return Err(broken(error));
        }
        _ => return Err(no_member(archive, member)),
    };
    pump(entry, archive, limit, sink)
}

fn extract_tgz(
    file: File,
    archive: &Path,
    member: &str,
    limit: u64,
    sink: &mut Sink<'_>,
) -> Result<u64, HubError> {
    let broken = |error: std::io::Error| HubError::bad_archive(archive, error.to_string());
    let most = limit.saturating_mul(OTHER_FILES).saturating_add(OTHER_BYTES);
    let mut tar = tar::Archive::new(GzDecoder::new(BufReader::new(file)).take(most));
    // Raw: a header that extends the next one would be read into memory, whatever its size.
    for entry in tar.entries().map_err(broken)?.raw(true) {
        let entry = entry.map_err(broken)?;
        let wanted = entry.path_bytes().as_ref() == member.as_bytes();
        if wanted && entry.header().entry_type().is_file() {
            return pump(entry, archive, limit, sink);
        }
    }
    Err(no_member(archive, member))
}

fn no_member(archive: &Path, member: &str) -> HubError {
    HubError::bad_archive(archive, format!("there is no file {member} in it"))
}

fn pump(
    mut input: impl Read,
    archive: &Path,
    limit: u64,
    sink: &mut Sink<'_>,
) -> Result<u64, HubError> {
    let mut buffer = vec![0; BUFFER];
    let mut done = 0u64;
    loop {
        let count = input
            .read(&mut buffer)
            .map_err(|error| HubError::bad_archive(archive, error.to_string()))?;
        let Some(bytes) = buffer.get(..count).filter(|bytes| !bytes.is_empty()) else {
            return Ok(done);
        };
        done += bytes.len() as u64;
        if done > limit {
            let problem = format!("the file in it is larger than the {limit} bytes expected");
            return Err(HubError::bad_archive(archive, problem));
        }
        sink(bytes)?;
    }
}

/// A sink that writes to a file and hashes.
pub(crate) fn write_to<'a>(
    file: &'a mut File,
    path: &'a Path,
    hasher: &'a mut crate::checksum::Hasher,
) -> impl FnMut(&[u8]) -> Result<(), HubError> + 'a {
    move |bytes| {
        file.write_all(bytes).map_err(HubError::io("write", path))?;
        hasher.update(bytes);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;

    fn wheel(folder: &Path, members: &[(&str, &[u8])]) -> PathBuf {
        let path = folder.join("p.whl");
        let mut zip = zip::ZipWriter::new(File::create(&path).unwrap());
        for (name, bytes) in members {
            zip.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
            zip.write_all(bytes).unwrap();
        }
        zip.finish().unwrap();
        path
    }

    fn tgz(folder: &Path, members: &[(&str, &[u8])]) -> PathBuf {
        let path = folder.join("p.tgz");
        let gzip = flate2::write::GzEncoder::new(
            File::create(&path).unwrap(),
            flate2::Compression::default(),
        );
        let mut tar = tar::Builder::new(gzip);
        for (name, bytes) in members {
            let mut header = tar::Header::new_gnu();
            header.set_size(bytes.len() as u64);
            header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
            header.set_cksum();
            tar.append(&header, *bytes).unwrap();
        }
        tar.into_inner().unwrap().finish().unwrap();
        path
    }

    fn unpack(
        kind: ArchiveKind,
        path: &Path,
        member: &str,
        limit: u64,
    ) -> Result<Vec<u8>, HubError> {
        let mut found = Vec::new();
        extract(kind, path, member, limit, &mut |bytes| {
            found.extend_from_slice(bytes);
            Ok(())
        })?;
        Ok(found)
    }

    #[test]
    fn the_file_asked_for_comes_out_of_both_kinds() {
        let folder = tempfile::tempdir().unwrap();
        let big = vec![7u8; BUFFER * 2 + 3];
        let members: [(&str, &[u8]); 2] = [("p/a.txt", b"a"), ("p/model.bin", &big)];
        for (kind, path) in [
            (ArchiveKind::Wheel, wheel(folder.path(), &members)),
            (ArchiveKind::Tgz, tgz(folder.path(), &members)),
        ] {
            assert_eq!(unpack(kind, &path, "p/model.bin", big.len() as u64).unwrap(), big);
            for (member, limit) in [("p/none", 9), ("p", 9), ("p/model.bin", 100)] {
                let error = unpack(kind, &path, member, limit).unwrap_err();
                assert_eq!(error.kind(), crate::HubErrorKind::BadArchive, "{kind:?} {member}");
            }
        }
    }

    #[test]
    fn a_bomb_stops_at_the_limit() {
        let folder = tempfile::tempdir().unwrap();
        let zeros = vec![0u8; 4 << 20];
        for (kind, path) in [
            (ArchiveKind::Wheel, wheel(folder.path(), &[("z", &zeros)])),
            (ArchiveKind::Tgz, tgz(folder.path(), &[("z", &zeros)])),
        ] {
            assert!(path.metadata().unwrap().len() < 1 << 16);
            let mut seen = 0;
            let result = extract(kind, &path, "z", 1000, &mut |bytes| {
                seen += bytes.len();
                Ok(())
            });
            assert!(result.is_err());
            assert!(seen <= 1000);
        }
    }

    #[test]
    fn names_that_lead_elsewhere_and_links_give_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let members: [(&str, &[u8]); 3] = [("../f", b"up"), ("/f", b"root"), ("a/../f", b"round")];
        for (kind, path) in [
            (ArchiveKind::Wheel, wheel(folder.path(), &members)),
            (ArchiveKind::Tgz, tgz(folder.path(), &members)),
        ] {
            assert!(unpack(kind, &path, "f", 99).is_err(), "{kind:?}");
            assert_eq!(unpack(kind, &path, "../f", 99).unwrap(), b"up", "{kind:?} only bytes");
        }
        let names = std::fs::read_dir(folder.path()).unwrap().count();
        assert_eq!(names, 2, "nothing but the archives was written");
    }

    #[test]
    fn a_link_is_no_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("link.tgz");
        let gzip = flate2::write::GzEncoder::new(
            File::create(&path).unwrap(),
            flate2::Compression::default(),
        );
        let mut tar = tar::Builder::new(gzip);
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(tar::EntryType::Symlink);
        header.set_size(0);
        tar.append_link(&mut header, "f", "/etc/passwd").unwrap();
        tar.into_inner().unwrap().finish().unwrap();
        assert!(unpack(ArchiveKind::Tgz, &path, "f", 9999).is_err());
        let path = folder.path().join("link.whl");
        let mut zip = zip::ZipWriter::new(File::create(&path).unwrap());
        zip.add_symlink("f", "/etc/passwd", zip::write::SimpleFileOptions::default()).unwrap();
        zip.finish().unwrap();
        assert!(unpack(ArchiveKind::Wheel, &path, "f", 9999).is_err());
    }

    #[test]
    fn stored_and_deflated_wheels_are_alike() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("p.whl");
        for method in [zip::CompressionMethod::Stored, zip::CompressionMethod::Deflated] {
            let mut zip = zip::ZipWriter::new(File::create(&path).unwrap());
            let options = zip::write::SimpleFileOptions::default().compression_method(method);
            zip.start_file("f", options).unwrap();
            zip.write_all(b"weights").unwrap();
            zip.finish().unwrap();
            assert_eq!(unpack(ArchiveKind::Wheel, &path, "f", 7).unwrap(), b"weights", "{method}");
        }
    }

    #[test]
    fn cut_and_foreign_files_are_errors_at_every_length() {
        let folder = tempfile::tempdir().unwrap();
        let members: [(&str, &[u8]); 1] = [("f", &[5; 400])];
        for (kind, path) in [
            (ArchiveKind::Wheel, wheel(folder.path(), &members)),
            (ArchiveKind::Tgz, tgz(folder.path(), &members)),
        ] {
            let whole = std::fs::read(&path).unwrap();
            let cut = folder.path().join("cut");
            for length in 0..whole.len() / 2 {
                std::fs::write(&cut, &whole[..length]).unwrap();
                assert!(unpack(kind, &cut, "f", 400).is_err(), "{kind:?} {length}");
            }
        }
    }
}
