//! What the first bytes of a file say it is.

use tenfold_core::ModelFormat;

use crate::error::{FormatError, Problem};
use crate::gguf::MAGIC;

/// What a file looks like from its first bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FileKind {
    /// A model file of this format.
    Model(ModelFormat),
    /// No bytes at all.
    Empty,
    /// The small text that stands for a file which Git LFS keeps elsewhere.
    GitLfsPointer,
    /// A web page, usually an error of the server.
    Html,
    /// A JSON text, such as `config.json` or an error of a server.
    Json,
    /// A format of llama.cpp from before GGUF.
    OldGgml,
    /// A zip archive, such as a PyTorch checkpoint.
    Zip,
    /// A Python pickle: a PyTorch checkpoint.
    Pickle,
    /// Compressed with gzip.
    Gzip,
    /// An HDF5 file (old Keras checkpoints).
    Hdf5,
    /// Only zeros: a download that was set up and never written.
    Zeros,
    /// Text of some kind.
    Text,
    /// Anything else.
    Unknown,
}

impl FileKind {
    /// The model format, if it is a model.
    pub fn format(self) -> Option<ModelFormat> {
        match self {
            Self::Model(format) => Some(format),
            _ => None,
        }
    }

    /// A name with its article, to follow "this is".
    pub fn describe(self) -> &'static str {
        match self {
            Self::Model(ModelFormat::Gguf) => "a GGUF file",
            Self::Model(ModelFormat::Safetensors) => "a safetensors file",
            Self::Model(ModelFormat::Tflite) => "a LiteRT (TFLite) file",
            Self::Model(ModelFormat::LiteRtLm) => "a LiteRT-LM bundle",
            Self::Model(ModelFormat::Pte) => "an ExecuTorch program",
            Self::Model(_) => "a model of another format",
            Self::Empty => "an empty file",
            Self::GitLfsPointer => "a Git LFS pointer, not the weights",
            Self::Html => "a web page (HTML)",
            Self::Json => "a JSON text",
            Self::OldGgml => "a GGML file from before GGUF",
            Self::Zip => "a zip archive",
            Self::Pickle => "a Python pickle",
            Self::Gzip => "a gzip archive",
            Self::Hdf5 => "an HDF5 file",
            Self::Zeros => "nothing but zeros",
            Self::Text => "a text file",
            Self::Unknown => "a file of unknown kind",
        }
    }

    /// What to do with it, where that is known.
    pub fn remedy(self) -> Option<&'static str> {
        Some(match self {
            Self::GitLfsPointer => "run `git lfs pull` in its folder, or download the file itself",
            Self::Html => {
                "open the address in a browser to see what the server says, then download again"
            }
            Self::OldGgml => "get the model as GGUF, or convert the original weights again",
            Self::Zip | Self::Pickle => "get the model as safetensors or GGUF",
            Self::Gzip => "unpack it first",
            Self::Empty | Self::Zeros => "download the file again",
            _ => return None,
        })
    }
}

/// Says what a file looks like; a few hundred bytes are enough.
pub fn sniff(prefix: &[u8]) -> FileKind {
    if prefix.is_empty() {
        return FileKind::Empty;
    }
    by_magic(prefix).or_else(|| by_text(prefix)).unwrap_or(FileKind::Unknown)
}

fn by_magic(prefix: &[u8]) -> Option<FileKind> {
    const STARTS: &[(&[u8], FileKind)] = &[
        (&MAGIC, FileKind::Model(ModelFormat::Gguf)),
        (b"LITERTLM", FileKind::Model(ModelFormat::LiteRtLm)),
        (b"PK\x03\x04", FileKind::Zip),
        (b"\x1f\x8b", FileKind::Gzip),
        (b"\x89HDF\r\n\x1a\n", FileKind::Hdf5),
        (b"\x80\x02", FileKind::Pickle),
        (b"\x80\x03", FileKind::Pickle),
        (b"\x80\x04", FileKind::Pickle),
        // Little-endian words: "ggml", "ggmf", "ggjt", "ggla".
        (b"lmgg", FileKind::OldGgml),
        (b"fmgg", FileKind::OldGgml),
        (b"tjgg", FileKind::OldGgml),
        (b"algg", FileKind::OldGgml),
        (b"version https://git-lfs", FileKind::GitLfsPointer),
    ];
    let start = STARTS.iter().find(|(magic, _)| prefix.starts_with(magic)).map(|&(_, kind)| kind);
    start.or_else(|| by_inner_magic(prefix))
}

/// Flatbuffers carry their identifier after the first word, safetensors a brace after its length.
fn by_inner_magic(prefix: &[u8]) -> Option<FileKind> {
    let identifier = prefix.get(4..8)?;
    let model = match identifier {
        b"TFL3" => ModelFormat::Tflite,
        [b'E', b'T', digit, _] if digit.is_ascii_digit() => ModelFormat::Pte,
        _ if prefix.get(8) == Some(&b'{') && *identifier == [0; 4] => ModelFormat::Safetensors,
        _ if prefix.iter().all(|&byte| byte == 0) => return Some(FileKind::Zeros),
        _ => return None,
    };
    Some(FileKind::Model(model))
}

fn by_text(prefix: &[u8]) -> Option<FileKind> {
    let head = prefix.get(..512).unwrap_or(prefix);
    let text = match std::str::from_utf8(head) {
        Ok(text) => text,
        // A character may be cut at the end of what is looked at.
        Err(error) if head.len() - error.valid_up_to() < 4 => {
            std::str::from_utf8(head.get(..error.valid_up_to())?).ok()?
        }
        Err(_) => return None,
    };
    let text = text.trim_start_matches('\u{feff}').trim_start();
    let lower = text.get(..15).unwrap_or(text).to_ascii_lowercase();
    if lower.starts_with("<!doctype html") || lower.starts_with("<html") {
        return Some(FileKind::Html);
    }
    if text.starts_with(['{', '[']) {
        return Some(FileKind::Json);
    }
    let printable = |c: char| !c.is_control() || c.is_whitespace();
    (!text.is_empty() && text.chars().all(printable)).then_some(FileKind::Text)
}

/// The error for bytes that are not what was expected.
pub(crate) fn wrong_format(expected: &'static str, file: &[u8]) -> FormatError {
    let kind = sniff(file);
    FormatError::new(Problem::WrongFormat {
        expected,
        found: kind.describe(),
        remedy: kind.remedy(),
    })
    .offset(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_known_by_their_first_bytes() {
        let cases: &[(&[u8], FileKind)] = &[
            (b"", FileKind::Empty),
            (b"GGUF\x03\0\0\0", FileKind::Model(ModelFormat::Gguf)),
            (b"\x40\0\0\0\0\0\0\0{\"a\":", FileKind::Model(ModelFormat::Safetensors)),
            (b"\x1c\0\0\0TFL3\0\0", FileKind::Model(ModelFormat::Tflite)),
            (b"\x1c\0\0\0ET12\0\0", FileKind::Model(ModelFormat::Pte)),
            (b"LITERTLM\x01\0", FileKind::Model(ModelFormat::LiteRtLm)),
            (b"version https://git-lfs.github.com/spec/v1\noid sha256:", FileKind::GitLfsPointer),
            (b"<!DOCTYPE html><html>", FileKind::Html),
            (b"\xef\xbb\xbf\n <HTML lang=en>", FileKind::Html),
            (b"{\"error\":\"not found\"}", FileKind::Json),
            (b"tjgg\x03\0\0\0", FileKind::OldGgml),
            (b"PK\x03\x04\x14\0", FileKind::Zip),
            (b"\x80\x02}q\0", FileKind::Pickle),
            (b"\x1f\x8b\x08\0", FileKind::Gzip),
            (b"Entry not found", FileKind::Text),
            ("Grüße".as_bytes(), FileKind::Text),
            (&[0; 64], FileKind::Zeros),
            (b"\xff\xfe\x01\x02\x03\x04\x05\x06\x07", FileKind::Unknown),
            (b"\x01\x02\x03", FileKind::Unknown),
        ];
        for (bytes, expected) in cases {
            assert_eq!(sniff(bytes), *expected, "{bytes:?}");
        }
    }

    #[test]
    fn a_pointer_is_named_in_the_error() {
        let error = wrong_format("a GGUF file", b"version https://git-lfs.github.com/spec/v1\n");
        assert_eq!(
            error.to_string(),
            "byte 0: this is not a GGUF file but a Git LFS pointer, not the weights"
        );
        assert!(error.remedy().contains("git lfs pull"));
    }
}
