//! The `tenfold` command as users and scripts see it: output, exit codes, files.

#![allow(clippy::unwrap_used, clippy::print_stdout)] // a test may panic and tell what it left out

mod chat;
mod errors;
mod facts;
mod run;
mod store;
mod support;
mod tokens;
