//! The `tenfold` command as users and scripts see it: output, exit codes, files.

mod chat;
mod errors;
mod facts;
mod run;
mod store;
mod support;
mod tokens;
