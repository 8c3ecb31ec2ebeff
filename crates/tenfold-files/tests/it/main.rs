//! Models as files in a folder.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod folder;
mod open;
mod template;
