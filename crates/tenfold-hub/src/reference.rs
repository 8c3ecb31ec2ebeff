//! What a user types to name a model.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use crate::HubError;
use crate::address::{credentials, is_safe_url, shown};
use crate::hub_ref::{HubRef, hub_page};

const FORMS: &str = "write a catalogue name (smollm2, smollm2:135m), hf.co/org/repo[:quant], hf.co/org/repo/file.gguf, an https address, or a path (./model.gguf)";

/// What a user types to name a model.
///
/// | text | meaning |
/// | --- | --- |
/// | `smollm2`, `smollm2:135m` | an entry of the catalogue |
/// | `hf.co/org/repo`, `…:Q4_K_M`, `…@revision`, `…/folder/file.gguf` | a repository of the hub |
/// | `https://huggingface.co/org/repo/…/file` | the same, as copied from a browser |
/// | `https://host/file.gguf` | a file anywhere; plain http only on this machine |
/// | `./x`, `../x`, `/x`, `~/x`, `C:\x`, `*.gguf`, `a/b/c` | a file or folder |
/// | `org/repo` | the file or folder of that name if there is one, else the hub's repository |
///
/// ```
/// use tenfold_hub::ModelRef;
///
/// let model: ModelRef = "hf.co/org/repo:q4_k_m".parse()?;
/// assert!(matches!(&model, ModelRef::Hub(_)));
/// assert_eq!(model.to_string(), "hf.co/org/repo:Q4_K_M");
/// # Ok::<(), tenfold_hub::HubError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ModelRef {
    /// A name of the catalogue.
    Catalogue {
        /// Such as `smollm2`.
        name: String,
        /// Such as `135m`; the entry's default one if absent.
        tag: Option<String>,
    },
    /// A repository of the hub, or one file of it.
    Hub(HubRef),
    /// A file anywhere.
    Url(String),
    /// A file or folder of this machine.
    Path(PathBuf),
}

impl ModelRef {
    /// Reads the text; `exists` says whether a path is there, and decides what `org/repo` means.
    ///
    /// # Errors
    /// [`HubError::InvalidRef`] with what to write instead.
    pub fn parse(text: &str, exists: &dyn Fn(&Path) -> bool) -> Result<Self, HubError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(HubError::invalid(text, "it is empty", FORMS));
        }
        if let Some(hub) = hub_prefix(text) {
            return hub_page(text, hub).map(Self::Hub);
        }
        if text.contains("://") {
            return url(text);
        }
        if looks_like_path(text) {
            return Ok(Self::Path(PathBuf::from(text)));
        }
        match text.split('/').count() {
            1 => catalogue_name(text),
            2 if !exists(Path::new(text)) => HubRef::parse(text, text).map(Self::Hub),
            _ => Ok(Self::Path(PathBuf::from(text))),
        }
    }
}

impl FromStr for ModelRef {
    type Err = HubError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text, &Path::exists)
    }
}

impl fmt::Display for ModelRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Catalogue { name, tag: None } => f.pad(name),
            Self::Catalogue { name, tag: Some(tag) } => f.pad(&format!("{name}:{tag}")),
            Self::Hub(hub) => f.pad(&hub.to_string()),
            Self::Url(url) => f.pad(url),
            Self::Path(path) => f.pad(&path.to_string_lossy()),
        }
    }
}

/// What follows the name of the hub, if the text begins with it.
fn hub_prefix(text: &str) -> Option<&str> {
    let text = strip_ignoring_case(text, "https://").unwrap_or(text);
    ["hf.co/", "huggingface.co/", "www.huggingface.co/"]
        .iter()
        .find_map(|host| strip_ignoring_case(text, host))
}

fn strip_ignoring_case<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let head = text.get(..prefix.len())?;
    head.eq_ignore_ascii_case(prefix).then(|| &text[prefix.len()..])
}

fn looks_like_path(text: &str) -> bool {
    let bytes = text.as_bytes();
    let drive = bytes.len() > 2
        && bytes[0].is_ascii_alphabetic()
        && bytes[1] == b':'
        && matches!(bytes[2], b'\\' | b'/');
    drive
        || text.starts_with(['.', '/', '~', '\\'])
        || text.ends_with(['/', '\\'])
        || text.to_ascii_lowercase().ends_with(".gguf")
}

fn url(text: &str) -> Result<ModelRef, HubError> {
    let (scheme, rest) = text.split_once("://").unwrap_or_default();
    if rest.starts_with(['/', '?', '#']) || rest.is_empty() || text.contains(is_not_printed) {
        return Err(HubError::invalid(text, "the address is not complete", FORMS));
    }
    if credentials(text).is_some() {
        let remedy = "leave out the user and password; private files of the hub open with HF_TOKEN";
        return Err(HubError::invalid(&shown(text), "the address holds credentials", remedy));
    }
    match scheme.to_ascii_lowercase().as_str() {
        "https" | "http" if is_safe_url(text) => Ok(ModelRef::Url(text.to_owned())),
        "http" => {
            let remedy = format!("write https://{rest}");
            Err(HubError::invalid(text, "plain http is allowed on this machine only", remedy))
        }
        "https" => Err(HubError::invalid(text, "the address is not complete", FORMS)),
        other => {
            Err(HubError::invalid(text, format!("{other} addresses are not supported"), FORMS))
        }
    }
}

fn is_not_printed(c: char) -> bool {
    c.is_whitespace() || c.is_control()
}

fn catalogue_name(text: &str) -> Result<ModelRef, HubError> {
    let lower = text.to_ascii_lowercase();
    let (name, tag) = match lower.split_once(':') {
        Some((name, tag)) => (name, Some(tag)),
        None => (lower.as_str(), None),
    };
    let valid = |part: &str| {
        !part.is_empty()
            && part.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'))
    };
    if !valid(name) || !tag.is_none_or(valid) {
        let problem = "names of the catalogue are letters, digits, '.', '_' and '-'";
        return Err(HubError::invalid(text, problem, FORMS));
    }
    Ok(ModelRef::Catalogue { name: name.to_owned(), tag: tag.map(str::to_owned) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::HubSelect;
    use proptest::prelude::*;

    fn parse(text: &str) -> Result<ModelRef, HubError> {
        ModelRef::parse(text, &|path| path == Path::new("here/model"))
    }

    #[test]
    fn every_form_is_told_apart() {
        for (text, kind, shown) in [
            ("smollm2", "catalogue", "smollm2"),
            (" SmolLM2:135M ", "catalogue", "smollm2:135m"),
            ("qwen2.5-coder:0.5b", "catalogue", "qwen2.5-coder:0.5b"),
            ("hf.co/Org/Repo", "hub", "hf.co/Org/Repo"),
            ("HF.CO/Org/Repo:q8_0", "hub", "hf.co/Org/Repo:Q8_0"),
            ("huggingface.co/o/r@v1.0:Q4_0", "hub", "hf.co/o/r@v1.0:Q4_0"),
            ("https://hf.co/o/r/sub/f.gguf", "hub", "hf.co/o/r/sub/f.gguf"),
            ("https://huggingface.co/o/r/blob/main/f.gguf", "hub", "hf.co/o/r@main/f.gguf"),
            (
                "https://huggingface.co/o/r/resolve/refs%2Fpr%2F1/a%20b.gguf?download=true",
                "hub",
                "hf.co/o/r@refs%2Fpr%2F1/a b.gguf",
            ),
            ("https://huggingface.co/o/r/tree/dev", "hub", "hf.co/o/r@dev"),
            ("o/r", "hub", "hf.co/o/r"),
            ("o/r:Q4_K_M", "hub", "hf.co/o/r:Q4_K_M"),
            ("here/model", "path", "here/model"),
            ("a/b/c", "path", "a/b/c"),
            ("./x", "path", "./x"),
            ("~/x", "path", "~/x"),
            ("/x", "path", "/x"),
            ("o/model.GGUF", "path", "o/model.GGUF"),
            ("model.gguf", "path", "model.gguf"),
            ("folder/", "path", "folder/"),
            (r"C:\models\x", "path", r"C:\models\x"),
            ("https://example.org/m.gguf?x=1", "url", "https://example.org/m.gguf?x=1"),
            ("http://127.0.0.1:8080/m.gguf", "url", "http://127.0.0.1:8080/m.gguf"),
            ("http://[::1]:8080/m.gguf", "url", "http://[::1]:8080/m.gguf"),
            ("http://localhost/m.gguf", "url", "http://localhost/m.gguf"),
        ] {
            let model = parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
            let found = match &model {
                ModelRef::Catalogue { .. } => "catalogue",
                ModelRef::Hub(_) => "hub",
                ModelRef::Url(_) => "url",
                ModelRef::Path(_) => "path",
            };
            assert_eq!((found, model.to_string().as_str()), (kind, shown), "{text}");
        }
    }

    #[test]
    fn what_names_no_model_is_refused_with_what_to_write() {
        for text in [
            "",
            "  ",
            "a b",
            "smollm2:",
            ":135m",
            "smollm2:1:2",
            "naïve",
            "hf.co/only-org",
            "hf.co/",
            "hf.co/o/r:",
            "hf.co/o/../f.gguf",
            "hf.co/o/r/../../f.gguf",
            "hf.co/o/r/a\\b.gguf",
            "hf.co/o/r@",
            "hf.co/o/r/%2e%2e/f.gguf",
            "https://huggingface.co/datasets/o/r",
            "https://huggingface.co/spaces/o/r",
            "https://",
            "https:///x.gguf",
            "https://user:pw@example.org/m.gguf",
            "http://example.org/m.gguf",
            "ftp://example.org/m.gguf",
            "https://example.org/a b.gguf",
        ] {
            let error = parse(text).expect_err(text);
            assert_eq!(error.kind(), crate::HubErrorKind::InvalidRef, "{text}");
            assert!(error.remedy().is_some_and(|remedy| !remedy.is_empty()), "{text}");
        }
    }

    #[test]
    fn plain_http_to_another_machine_is_answered_with_the_https_address() {
        let error = parse("http://example.org/m.gguf").unwrap_err();
        assert_eq!(error.remedy().as_deref(), Some("write https://example.org/m.gguf"));
    }

    #[test]
    fn a_file_of_a_repository_is_selected_as_such() {
        let ModelRef::Hub(hub) = parse("hf.co/o/r/q/f-00001-of-00002.gguf").unwrap() else {
            panic!("not a hub reference")
        };
        assert_eq!(hub.select, HubSelect::File("q/f-00001-of-00002.gguf".into()));
        assert_eq!(hub.repo, "o/r");
    }

    /// Texts out of the pieces that references are made of, in any order.
    fn pieces() -> impl Strategy<Value = String> {
        let pieces = [
            "hf.co/",
            "https://",
            "http://",
            "huggingface.co/",
            "localhost",
            "o",
            "Repo",
            "r",
            "/",
            ":",
            "@",
            "blob",
            "resolve",
            "main",
            "tree",
            "datasets",
            "%2F",
            "%20",
            "%2e",
            " ",
            ".",
            "..",
            "q4_k_m",
            ".gguf",
            "?x=1",
            "#",
            "~",
            "C:",
            "\\",
            "-",
            "é",
            "\u{7}",
        ];
        prop::collection::vec(prop::sample::select(pieces.to_vec()), 0..9)
            .prop_map(|pieces| pieces.concat())
    }

    fn reads_back_the_same(text: &str) -> Result<(), TestCaseError> {
        let nothing_exists = |_: &Path| false;
        if let Ok(model) = ModelRef::parse(text, &nothing_exists) {
            let shown = model.to_string();
            let again = ModelRef::parse(&shown, &nothing_exists);
            prop_assert!(again.is_ok_and(|again| again == model), "{text:?} is shown as {shown:?}");
        }
        Ok(())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1000))]

        #[test]
        fn arbitrary_text_is_no_model_or_reads_back_the_same(text in "\\PC*") {
            reads_back_the_same(&text)?;
        }

        #[test]
        fn what_looks_like_a_reference_is_none_or_reads_back_the_same(text in pieces()) {
            reads_back_the_same(&text)?;
        }

        #[test]
        fn what_is_shown_reads_back_the_same(
            org in "[A-Za-z0-9][A-Za-z0-9._-]{0,8}[a-z0-9]",
            repo in "[A-Za-z0-9][A-Za-z0-9._-]{0,8}[a-z0-9]",
            rest in prop_oneof![
                Just(String::new()),
                "@[a-z0-9.]{1,6}",
                ":[A-Z]Q[0-9]_[A-Z]",
                "(@[a-z0-9]{1,6})?(/[A-Za-z0-9_-]{1,5}){0,2}/[a-z0-9]{1,6}\\.gguf",
            ],
        ) {
            reads_back_the_same(&format!("hf.co/{org}/{repo}{rest}"))?;
        }
    }
}
