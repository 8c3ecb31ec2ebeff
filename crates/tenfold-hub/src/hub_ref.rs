//! Names of repositories and files on the hub.

use std::fmt;

use crate::HubError;

const FORM: &str = "write hf.co/org/repo, hf.co/org/repo:Q4_K_M, or hf.co/org/repo/file.gguf";

/// What stands before the names of repositories that are no models.
const NO_MODELS: [&str; 2] = ["datasets", "spaces"];

/// A repository of the hub, or some of its files.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct HubRef {
    /// `org/name`.
    pub repo: String,
    /// Branch, tag or commit; `main` if absent.
    pub revision: Option<String>,
    /// Which files.
    pub select: HubSelect,
}

/// Which files of a repository.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum HubSelect {
    /// The best GGUF file, or the safetensors if there is none.
    Auto,
    /// The GGUF file (with its shards) of this quantization, in capitals.
    Quant(String),
    /// This file, with its shards.
    File(String),
}

impl HubRef {
    /// The branch, tag or commit to ask for.
    pub fn revision(&self) -> &str {
        self.revision.as_deref().unwrap_or("main")
    }

    /// Reads `org/repo[@revision][:quant]` or `org/repo[@revision]/file`; `text` is for errors.
    pub(crate) fn parse(text: &str, rest: &str) -> Result<Self, HubError> {
        let mut parts = rest.splitn(3, '/');
        let (org, name) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        let file = parts.next().filter(|file| !file.is_empty());
        let (name, quant) = split_optional(name, ':');
        let (name, revision) = split_optional(name, '@');
        let select = match (file, quant) {
            (None, None) => HubSelect::Auto,
            (None, Some(quant)) => HubSelect::Quant(valid_quant(text, quant)?),
            (Some(file), None) => HubSelect::File(valid_file(text, file)?),
            (Some(_), Some(_)) => {
                return Err(HubError::invalid(text, "it names a quantization and a file", FORM));
            }
        };
        let revision = revision.map(|revision| valid_revision(text, revision)).transpose()?;
        Ok(Self { repo: valid_repo(text, org, name)?, revision, select })
    }
}

impl fmt::Display for HubRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "hf.co/{}", self.repo)?;
        if let Some(revision) = &self.revision {
            write!(f, "@{}", revision.replace('/', "%2F"))?;
        }
        match &self.select {
            HubSelect::Auto => Ok(()),
            HubSelect::Quant(quant) => write!(f, ":{quant}"),
            HubSelect::File(file) => write!(f, "/{file}"),
        }
    }
}

/// Reads what follows the host in an address of the hub: a page, a download link, or the short form.
pub(crate) fn hub_page(text: &str, rest: &str) -> Result<HubRef, HubError> {
    let rest = rest.split(['?', '#']).next().unwrap_or_default().trim_end_matches('/');
    let segments: Vec<&str> = rest.split('/').collect();
    if segments.first().is_some_and(|first| NO_MODELS.contains(first)) {
        return Err(HubError::invalid(text, "it is not a repository of a model", FORM));
    }
    match segments.as_slice() {
        [org, name, "blob" | "resolve" | "raw", revision, file @ ..]
            if !file.is_empty() && !name.contains('@') =>
        {
            let file = file.join("/");
            Ok(HubRef {
                repo: valid_repo(text, org, name)?,
                revision: Some(valid_revision(text, revision)?),
                select: HubSelect::File(valid_file(text, &percent_decode(text, &file)?)?),
            })
        }
        [org, name, "tree", revision] if !name.contains('@') => Ok(HubRef {
            repo: valid_repo(text, org, name)?,
            revision: Some(valid_revision(text, revision)?),
            select: HubSelect::Auto,
        }),
        _ => HubRef::parse(text, rest),
    }
}

fn split_optional(text: &str, separator: char) -> (&str, Option<&str>) {
    match text.split_once(separator) {
        Some((head, tail)) => (head, Some(tail)),
        None => (text, None),
    }
}

fn valid_repo(text: &str, org: &str, name: &str) -> Result<String, HubError> {
    let valid = |part: &str| {
        (1..=96).contains(&part.len())
            && part.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'))
            && !part.starts_with(['.', '-'])
            && !part.contains("..")
            && !part.contains("--")
    };
    if valid(org) && valid(name) && !NO_MODELS.contains(&org) {
        return Ok(format!("{org}/{name}"));
    }
    Err(HubError::invalid(text, "a repository of the hub is called org/name", FORM))
}

fn valid_quant(text: &str, quant: &str) -> Result<String, HubError> {
    let valid = !quant.is_empty()
        && quant.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-.".contains(&b));
    if valid {
        return Ok(quant.to_ascii_uppercase());
    }
    Err(HubError::invalid(text, "the quantization after ':' is not a name such as Q4_K_M", FORM))
}

fn valid_revision(text: &str, revision: &str) -> Result<String, HubError> {
    let revision = percent_decode(text, revision)?;
    if is_revision(&revision) {
        return Ok(revision);
    }
    Err(HubError::invalid(text, "the revision is not a branch, tag or commit", FORM))
}

/// True for what may be a branch, tag or commit, and stays below a folder that it is joined to.
pub(crate) fn is_revision(text: &str) -> bool {
    is_safe_relative(text)
        && !text.contains("..")
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-./".contains(&b))
}

fn valid_file(text: &str, file: &str) -> Result<String, HubError> {
    if is_safe_relative(file) && !file.contains(['%', '?', '#']) && file.trim() == file {
        return Ok(file.to_owned());
    }
    Err(HubError::invalid(text, "the path of the file is not one of a repository", FORM))
}

/// True for a path that stays below the folder it is relative to, on every platform.
pub(crate) fn is_safe_relative(path: &str) -> bool {
    !path.is_empty()
        && !path.contains(['\\', ':'])
        && !path.chars().any(char::is_control)
        && path.split('/').all(|part| !part.is_empty() && part != "." && part != "..")
}

fn percent_decode(text: &str, encoded: &str) -> Result<String, HubError> {
    let mut bytes = Vec::with_capacity(encoded.len());
    let mut rest = encoded.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => hex_pair(rest.next(), rest.next())
                .ok_or_else(|| HubError::invalid(text, "a %XX of the address is wrong", FORM))?,
            other => other,
        });
    }
    String::from_utf8(bytes)
        .map_err(|_| HubError::invalid(text, "the address is not valid UTF-8", FORM))
}

fn hex_pair(high: Option<u8>, low: Option<u8>) -> Option<u8> {
    let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
    u8::try_from(digit(high)? * 16 + digit(low)?).ok()
}

/// The text as part of an address; slashes stay.
pub(crate) fn percent_encode(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'/' | b'-' | b'_' | b'.' | b'~' => char::from(byte).to_string(),
            byte if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
            byte => format!("%{byte:02X}"),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn paths_that_leave_their_folder_are_seen() {
        for (path, safe) in [
            ("model.gguf", true),
            ("a/b/c.json", true),
            ("a..b/c", true),
            ("", false),
            ("/etc/passwd", false),
            ("../x", false),
            ("a/../../x", false),
            ("a//b", false),
            ("a/./b", false),
            ("a\\..\\x", false),
            ("C:x", false),
            ("a\0b", false),
        ] {
            assert_eq!(is_safe_relative(path), safe, "{path:?}");
        }
    }

    proptest! {
        #[test]
        fn percent_encoding_reads_back(text in "\\PC{0,24}") {
            prop_assert_eq!(percent_decode("", &percent_encode(&text)).unwrap(), text);
        }
    }
}
