//! Models known by a short name: facts, hashes, and where they can be had.

mod check;
mod sampling;

use std::path::Path;

use serde::Deserialize;

use self::check::check;
pub use self::sampling::RecommendedSampling;
use crate::address::shown;
use crate::suggest::nearest;
use crate::{HubError, ModelRef};

const BUILT_IN: &str = include_str!("models.json");
const MAX_FILE_BYTES: u64 = 16 << 20;

/// The models known by a short name.
#[derive(Clone, Debug)]
pub struct Catalogue {
    entries: Vec<CatalogueEntry>,
}

/// One model of the catalogue.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct CatalogueEntry {
    /// Such as `smollm2`.
    pub name: String,
    /// Such as `135m`.
    pub tag: String,
    /// Whether the bare name means this entry.
    #[serde(default)]
    pub default: bool,
    /// Other names, with or without a tag.
    #[serde(default)]
    pub aliases: Vec<String>,
    /// Name for people.
    pub title: String,
    /// One sentence.
    pub description: String,
    /// Licence as its source states it; `None` if it states none.
    pub license: Option<String>,
    /// What a user should know before using it.
    #[serde(default)]
    pub notes: Vec<String>,
    /// Short name of the format (`gguf`).
    pub format: String,
    /// Mix of number formats.
    pub quantization: Option<String>,
    /// Number of weights.
    pub parameters: Option<u64>,
    /// Longest context in tokens.
    pub context_length: Option<u64>,
    /// Whether it has a chat template.
    #[serde(default)]
    pub chat: bool,
    /// How its makers recommend to pick tokens.
    #[serde(default)]
    pub sampling: RecommendedSampling,
    /// Name of the file.
    pub file: String,
    /// Its size.
    pub bytes: u64,
    /// Its SHA-256 in lower-case hexadecimal digits.
    pub sha256: String,
    /// Where it can be had, in the order to try.
    pub sources: Vec<Source>,
}

/// Where a file can be had.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
#[non_exhaustive]
pub enum Source {
    /// A repository of the hub.
    Hub {
        /// `org/name`.
        repo: String,
        /// Commit, tag or branch.
        revision: String,
        /// Path in the repository.
        file: String,
    },
    /// An address.
    Url {
        /// The address.
        url: String,
    },
    /// Files inside packages of the Python Package Index, one after the other.
    Pypi {
        /// The packages in order.
        parts: Vec<PackagePart>,
    },
    /// Files inside packages of the npm registry, one after the other.
    Npm {
        /// The packages in order.
        parts: Vec<PackagePart>,
    },
}

/// A file inside a package.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PackagePart {
    /// Name of the package.
    pub package: String,
    /// Its exact version.
    pub version: String,
    /// Path inside the archive.
    pub path: String,
    /// Size of the archive, where it is known.
    pub archive_bytes: Option<u64>,
    /// SHA-256 of the archive, where it is known.
    pub archive_sha256: Option<String>,
}

#[derive(Deserialize)]
struct CatalogueFile {
    version: u32,
    models: Vec<CatalogueEntry>,
}

impl CatalogueEntry {
    /// `name:tag`.
    pub fn full_name(&self) -> String {
        format!("{}:{}", self.name, self.tag)
    }

    /// The reference that names exactly this entry.
    pub fn reference(&self) -> ModelRef {
        ModelRef::Catalogue { name: self.name.clone(), tag: Some(self.tag.clone()) }
    }

    fn answers_to(&self, name: &str, tag: Option<&str>) -> bool {
        let full = tag.map_or_else(|| name.to_owned(), |tag| format!("{name}:{tag}"));
        let named = match tag {
            Some(tag) => self.name == name && self.tag == tag,
            None => self.name == name && self.default,
        };
        named || self.aliases.contains(&full)
    }

    fn names(&self) -> impl Iterator<Item = String> + '_ {
        let bare = self.default.then(|| self.name.clone());
        bare.into_iter().chain([self.full_name()]).chain(self.aliases.iter().cloned())
    }
}

impl Source {
    /// The source in words.
    pub fn describe(&self) -> String {
        match self {
            Self::Hub { repo, .. } => format!("hub repository {repo}"),
            Self::Url { url } => shown(url),
            Self::Pypi { parts } => describe_parts("PyPI", parts),
            Self::Npm { parts } => describe_parts("npm", parts),
        }
    }
}

fn describe_parts(registry: &str, parts: &[PackagePart]) -> String {
    match parts {
        [] => format!("{registry} package"),
        [one] => format!("{registry} package {} {}", one.package, one.version),
        [first, .., last] => format!(
            "{} {registry} packages {} {} … {}",
            parts.len(),
            first.package,
            first.version,
            last.package
        ),
    }
}

impl Catalogue {
    /// The entries that come with this version of Tenfold.
    ///
    /// # Errors
    /// Never in a released version: the tests read the built-in catalogue.
    pub fn built_in() -> Result<Self, HubError> {
        parse(BUILT_IN.as_bytes(), "(built in)")
    }

    /// Puts the entries of a file before those that are there.
    ///
    /// # Errors
    /// When the file cannot be read, or an entry is wrong.
    pub fn with_file(mut self, path: &Path) -> Result<Self, HubError> {
        let length = path.metadata().map_err(HubError::io("read", path))?.len();
        if length > MAX_FILE_BYTES {
            let place = path.display().to_string();
            return Err(HubError::Catalogue { place, problem: "the file is too large".into() });
        }
        let text = std::fs::read(path).map_err(HubError::io("read", path))?;
        let own = parse(&text, &path.display().to_string())?;
        self.entries.splice(0..0, own.entries);
        Ok(self)
    }

    /// Every entry, the user's own first.
    pub fn entries(&self) -> &[CatalogueEntry] {
        &self.entries
    }

    /// The entry with this name.
    ///
    /// # Errors
    /// [`HubError::UnknownModel`] with the names that look alike.
    pub fn find(&self, name: &str, tag: Option<&str>) -> Result<&CatalogueEntry, HubError> {
        let found = self.entries.iter().find(|entry| entry.answers_to(name, tag));
        found.ok_or_else(|| self.unknown(name, tag))
    }

    fn unknown(&self, name: &str, tag: Option<&str>) -> HubError {
        let typed = tag.map_or_else(|| name.to_owned(), |tag| format!("{name}:{tag}"));
        let same_name = |entry: &&CatalogueEntry| entry.name == name;
        let mut suggestions: Vec<String> =
            self.entries.iter().filter(same_name).map(CatalogueEntry::full_name).collect();
        if suggestions.is_empty() {
            let names: Vec<String> = self.entries.iter().flat_map(CatalogueEntry::names).collect();
            suggestions = nearest(&typed, names.iter().map(String::as_str), 3);
        }
        HubError::UnknownModel { name: typed, suggestions }
    }
}

/// Reads a catalogue; `place` is for errors.
pub(crate) fn parse(text: &[u8], place: &str) -> Result<Catalogue, HubError> {
    let wrong = |problem: String| HubError::Catalogue { place: place.to_owned(), problem };
    let file: CatalogueFile =
        serde_json::from_slice(text).map_err(|error| wrong(error.to_string()))?;
    if file.version != 1 {
        return Err(wrong(format!("version {} is newer than this program", file.version)));
    }
    for entry in &file.models {
        check(entry).map_err(|problem| wrong(format!("{}: {problem}", entry.full_name())))?;
    }
    Ok(Catalogue { entries: file.models })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(name: &str, tag: Option<&str>) -> Result<String, HubError> {
        let catalogue = Catalogue::built_in()?;
        catalogue.find(name, tag).map(CatalogueEntry::full_name)
    }

    #[test]
    fn names_tags_and_aliases_find_their_entry() {
        for (name, tag, found) in [
            ("smollm2", None, "smollm2:135m"),
            ("smollm2", Some("135m"), "smollm2:135m"),
            ("smollm2-135m", None, "smollm2:135m"),
            ("qwen2.5-coder", None, "qwen2.5-coder:0.5b"),
            ("qwen2.5-coder", Some("1.5b"), "qwen2.5-coder:1.5b"),
            ("gemma3", Some("270m"), "gemma3:270m"),
            ("tinyllama", None, "tinyllama:1.1b"),
        ] {
            assert_eq!(find(name, tag).unwrap(), found);
        }
    }

    #[test]
    fn an_unknown_name_is_answered_with_names_that_exist() {
        for (name, tag, suggestion) in [
            ("smolm2", None, "smollm2"),
            ("qwen2.5-coder", Some("7b"), "qwen2.5-coder:0.5b"),
            ("gemma3", Some("270"), "gemma3:270m"),
        ] {
            let HubError::UnknownModel { suggestions, .. } = find(name, tag).unwrap_err() else {
                panic!("{name} gave another error")
            };
            assert_eq!(suggestions.first().map(String::as_str), Some(suggestion));
        }
    }

    #[test]
    fn built_in_entries_hold_together() {
        let catalogue = Catalogue::built_in().unwrap();
        let mut names: Vec<String> =
            catalogue.entries().iter().flat_map(CatalogueEntry::names).collect();
        let count = names.len();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), count, "a name stands for two entries");
        for entry in catalogue.entries() {
            let defaults = catalogue.entries().iter().filter(|other| other.name == entry.name);
            assert_eq!(defaults.filter(|other| other.default).count(), 1, "{}", entry.name);
            assert!(!entry.sources.iter().any(|source| source.describe().is_empty()));
        }
    }
}
