//! Calls other programs and shows what is called.

use std::ffi::OsStr;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, bail};

/// Runs cargo in `root`.
pub(crate) fn cargo(root: &Path, arguments: &[&str]) -> anyhow::Result<()> {
    cargo_with(root, arguments, &[])
}

/// Runs cargo in `root` with more environment variables.
pub(crate) fn cargo_with(
    root: &Path,
    arguments: &[&str],
    environment: &[(&str, &str)],
) -> anyhow::Result<()> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(arguments).current_dir(root).envs(environment.iter().copied());
    status("cargo", &mut command)
}

/// Runs a command; its output goes through.
pub(crate) fn status(name: impl AsRef<OsStr>, command: &mut Command) -> anyhow::Result<()> {
    let name = name.as_ref().to_string_lossy().into_owned();
    let shown: Vec<_> = command.get_args().map(OsStr::to_string_lossy).collect();
    let line = format!("{name} {}", shown.join(" "));
    println!("\n$ {line}");
    let status = command.status().with_context(|| format!("{name} could not be started"))?;
    if !status.success() {
        bail!("`{line}` failed ({status})");
    }
    Ok(())
}
