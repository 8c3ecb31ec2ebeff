//! The real models that tests and benchmarks use, pulled by Tenfold's own command.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::run;

/// What to fetch.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Catalogue names to fetch besides the default model.
    models: Vec<String>,
}

/// The model that every test run needs.
const DEFAULT: &str = "smollm2:135m";

/// Fetches the models and prints where they are.
pub(crate) fn run(root: &Path, options: &Options) -> anyhow::Result<()> {
    let names: Vec<&str> = options.models.iter().map(String::as_str).collect();
    println!("{}", fetch(root, &names)?.display());
    Ok(())
}

/// Pulls the default model and `more` into a home below the target folder, and returns that home.
///
/// Repeating it costs only the check that they are there.
pub(crate) fn fetch(root: &Path, more: &[&str]) -> anyhow::Result<PathBuf> {
    let home = target(root).join("test-home");
    run::cargo(root, &["build", "--quiet", "--package", "tenfold-cli"])?;
    let program =
        target(root).join("debug").join(format!("tenfold{}", std::env::consts::EXE_SUFFIX));
    for name in std::iter::once(&DEFAULT).chain(more) {
        let mut pull = Command::new(&program);
        pull.args(["pull", name]).env("TENFOLD_HOME", &home);
        run::status("tenfold", &mut pull)?;
    }
    Ok(home)
}

fn target(root: &Path) -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from)
}
