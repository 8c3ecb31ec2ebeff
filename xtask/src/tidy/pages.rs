//! Pages and crate heads: every crate introduces itself and stands on the map.

use std::path::Path;

use super::Finding;
use super::source::SourceFile;

/// The sentence with which each crate says where its knowledge ends.
const BOUNDARY: &str = "This crate knows nothing about";

/// Checks the heads of the crates, and ARCHITECTURE.md against the folders.
pub(super) fn check(root: &Path, files: &[SourceFile]) -> anyhow::Result<Vec<Finding>> {
    let heads = files.iter().filter(|file| is_head(&file.path));
    let mut findings: Vec<Finding> = heads.clone().filter_map(check_head).collect();
    let map = std::fs::read_to_string(root.join("ARCHITECTURE.md")).unwrap_or_default();
    findings.extend(heads.filter(|file| !map.contains(file.package())).map(|file| {
        let what = format!("{} is not on the map", file.package());
        Finding::new("ARCHITECTURE.md", 0, what, "add the crate, and what it may depend on")
    }));
    Ok(findings)
}

fn is_head(path: &Path) -> bool {
    let text = path.to_string_lossy().replace('\\', "/");
    let in_crate = text.starts_with("crates/") || text.starts_with("backends/");
    in_crate && text.split('/').count() == 4 && text.ends_with("src/lib.rs")
}

fn check_head(file: &SourceFile) -> Option<Finding> {
    let head: Vec<&str> = file.text.lines().take_while(|line| line.starts_with("//!")).collect();
    // The sentence may be broken anywhere.
    let text =
        head.iter().map(|line| line.trim_start_matches("//!").trim()).collect::<Vec<_>>().join(" ");
    (!text.contains(BOUNDARY)).then(|| {
        Finding::new(&file.path, 1, "the crate does not say what it knows nothing about", "begin lib.rs with `//!`: idea, data flow, example, \"This crate knows nothing about …\"")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_crate_roots_are_heads() {
        assert!(is_head(Path::new("crates/tenfold-core/src/lib.rs")));
        assert!(is_head(Path::new("backends/tenfold-backend-native/src/lib.rs")));
        assert!(!is_head(Path::new("crates/tenfold-core/src/arch/lib.rs")));
        assert!(!is_head(Path::new("xtask/src/lib.rs")));
    }

    #[test]
    fn a_head_says_where_its_knowledge_ends() {
        let good = "//! Idea.\n//!\n//! This crate knows\n//! nothing about files.\n";
        let parse =
            |text: &str| SourceFile::parse("crates/x/src/lib.rs".into(), text.to_owned()).unwrap();
        assert!(check_head(&parse(good)).is_none());
        assert!(check_head(&parse("//! Idea.\n")).is_some());
    }
}
