//! The `tenfold` command as users and scripts see it: output, exit codes, files.

#![allow(clippy::unwrap_used)] // a test that cannot go on may panic

mod chat;
mod errors;
mod facts;
mod run;
mod store;
mod support;
mod tokens;
