//! Automation for the Tenfold workspace: `cargo xtask tidy`, `cargo xtask test`.
//!
//! This crate knows nothing about inference: it looks at the sources and calls other programs.
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod fixtures;
mod run;
mod test;
mod tidy;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Automation for the Tenfold workspace.
#[derive(Parser)]
#[command(
    bin_name = "cargo xtask",
    after_help = "Examples:\n  cargo xtask tidy\n  cargo xtask test\n  cargo xtask test --offline"
)]
struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Check what a program can check of the invariants and the size budgets.
    Tidy,
    /// Run every test; fetches the models that the tests need.
    Test(test::Options),
    /// Fetch the models that tests and benchmarks need, and print their folder.
    Fixtures(fixtures::Options),
    /// Format, clippy, documentation, tidy: what CI runs before the tests.
    Lint,
}

fn main() -> ExitCode {
    let result = match Args::parse().command {
        Command::Tidy => tidy::run(&root()),
        Command::Test(options) => test::run(&root(), &options),
        Command::Fixtures(options) => fixtures::run(&root(), &options),
        Command::Lint => lint(&root()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// The folder of the workspace: the one above this crate.
fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_path_buf()
}

fn lint(root: &Path) -> anyhow::Result<()> {
    run::cargo(root, &["fmt", "--all", "--check"])?;
    run::cargo(root, &["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"])?;
    run::cargo_with(
        root,
        &["doc", "--workspace", "--no-deps", "--quiet"],
        &[("RUSTDOCFLAGS", "-D warnings")],
    )?;
    tidy::run(root)
}
