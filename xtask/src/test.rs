//! `cargo xtask test`: every test of the workspace.

use std::path::Path;

use crate::{fixtures, run};

/// How to test.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Leave out the tests that need a real model, and fetch nothing.
    #[arg(long)]
    offline: bool,
    /// Passed to the tests, such as a part of a name.
    #[arg(trailing_var_arg = true)]
    filter: Vec<String>,
}

/// Fetches what the tests need and runs them.
pub(crate) fn run(root: &Path, options: &Options) -> anyhow::Result<()> {
    let mut arguments = vec!["test", "--workspace"];
    arguments.extend(options.filter.iter().map(String::as_str));
    if options.offline {
        println!("The tests that need a real model are left out (--offline).");
        return run::cargo(root, &arguments);
    }
    let home = fixtures::fetch(root, &[])?;
    run::cargo_with(root, &arguments, &[("TENFOLD_TEST_HOME", &home.to_string_lossy())])
}
