//! Arrows point down: which crate may depend on which.

use std::path::Path;

use cargo_metadata::{DependencyKind, MetadataCommand};

use super::Finding;

/// What each crate may use of the workspace, besides tenfold-core. The same table as a picture is in
/// ARCHITECTURE.md, section 2.
const ALLOWED: &[(&str, &[&str])] = &[
    ("tenfold-core", &[]),
    ("tenfold-device", &[]),
    ("tenfold-formats", &[]),
    ("tenfold-quant", &[]),
    ("tenfold-kernels", &["tenfold-quant"]),
    ("tenfold-tokenizer", &["tenfold-formats"]),
    ("tenfold-template", &[]),
    ("tenfold-sampler", &[]),
    ("tenfold-files", &["tenfold-formats", "tenfold-tokenizer", "tenfold-template"]),
    (
        "tenfold-generate",
        &["tenfold-device", "tenfold-tokenizer", "tenfold-template", "tenfold-sampler"],
    ),
    (
        "tenfold-engine",
        &["tenfold-formats", "tenfold-quant", "tenfold-kernels", "tenfold-generate"],
    ),
    ("tenfold-hub", &["tenfold-formats"]),
    (
        "tenfold-testkit",
        &[
            "tenfold-formats",
            "tenfold-quant",
            "tenfold-generate",
            "tenfold-tokenizer",
            "tenfold-template",
        ],
    ),
    (
        "tenfold-backend-native",
        &[
            "tenfold-device",
            "tenfold-engine",
            "tenfold-formats",
            "tenfold-generate",
            "tenfold-kernels",
            "tenfold-files",
            "tenfold-template",
            "tenfold-tokenizer",
        ],
    ),
    (
        "tenfold",
        &[
            "tenfold-device",
            "tenfold-formats",
            "tenfold-generate",
            "tenfold-hub",
            "tenfold-files",
            "tenfold-sampler",
            "tenfold-template",
            "tenfold-tokenizer",
            "tenfold-backend-native",
        ],
    ),
    ("tenfold-cli", &["tenfold"]),
    ("xtask", &[]),
];

/// Libraries that belong to one crate only.
const RESERVED: [(&str, &str); 3] =
    [("clap", "tenfold-cli"), ("uniffi", "tenfold-ffi"), ("axum", "tenfold-server")];

/// Compares what the manifests say with the table.
pub(super) fn check(root: &Path) -> anyhow::Result<Vec<Finding>> {
    let metadata =
        MetadataCommand::new().manifest_path(root.join("Cargo.toml")).no_deps().exec()?;
    let mut findings = Vec::new();
    for package in metadata.workspace_packages() {
        let uses = package
            .dependencies
            .iter()
            .filter(|dependency| dependency.kind == DependencyKind::Normal);
        for used in uses {
            findings.extend(judge(&package.name, &used.name).map(|(what, remedy)| {
                Finding::new(
                    package.manifest_path.strip_prefix(root).unwrap_or(&package.manifest_path),
                    0,
                    what,
                    remedy,
                )
            }));
        }
    }
    Ok(findings)
}

fn judge(package: &str, used: &str) -> Option<(String, &'static str)> {
    if let Some((_, owner)) = RESERVED.iter().find(|(library, _)| *library == used) {
        let is_fine = *owner == package || package == "xtask";
        return (!is_fine).then(|| {
            (
                format!("{package} uses {used}, which belongs to {owner}"),
                "move the code to the crate that owns the library",
            )
        });
    }
    if !used.starts_with("tenfold") || used == "tenfold-core" {
        return None;
    }
    let Some((_, allowed)) = ALLOWED.iter().find(|(name, _)| *name == package) else {
        return Some((
            format!("{package} is not in the table of arrows"),
            "add it to xtask/src/tidy/arrows.rs and ARCHITECTURE.md",
        ));
    };
    (!allowed.contains(&used)).then(|| {
        (
            format!("{package} must not depend on {used}"),
            "turn the dependency around, or move the code to where the arrow points",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrows_point_down() {
        let cases = [
            ("tenfold-engine", "tenfold-kernels", true),
            ("tenfold-kernels", "tenfold-engine", false),
            ("tenfold-core", "tenfold-formats", false),
            ("tenfold-cli", "tenfold-engine", false),
            ("tenfold-cli", "clap", true),
            ("tenfold", "clap", false),
            ("tenfold-new", "tenfold-hub", false),
            ("tenfold-core", "thiserror", true),
        ];
        for (package, used, fine) in cases {
            assert_eq!(judge(package, used).is_none(), fine, "{package} -> {used}");
        }
    }

    #[test]
    fn the_table_has_no_circle() {
        let position = |name: &str| ALLOWED.iter().position(|(row, _)| *row == name).unwrap();
        for (package, allowed) in ALLOWED {
            for used in *allowed {
                assert!(position(used) < position(package), "{package} -> {used}");
            }
        }
    }
}
