//! The `tenfold` command.
//!
//! ```text
//! Cli (args) -> App (runtime, printer) -> one file per command in `commands` -> Ending -> exit code
//! ```
//!
//! This crate knows nothing about how models are stored, tokenized or computed.

mod answer;
mod app;
mod args;
mod commands;
mod env;
mod exit;
mod interrupt;
mod printer;
mod pull_bar;
mod settings;
mod size;
mod stdin;
mod stdout_table;

use std::process::ExitCode;

use clap::Parser;

use crate::args::Cli;
use crate::printer::Printer;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let printer = Printer::new(&cli.global);
    exit::conclude(commands::dispatch(cli.command, printer), &printer)
}
