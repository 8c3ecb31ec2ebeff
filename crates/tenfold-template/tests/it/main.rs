//! Templates as a whole, from outside.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "helpers of tests fail as tests do")]

mod common;
mod errors;
mod features;
mod hostile;
mod models;
mod styles;
