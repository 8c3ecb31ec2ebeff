//! The decode loop as its callers see it, with a model that says what a test wants.

#![allow(clippy::unwrap_used, clippy::print_stdout)] // a test may panic and tell what it left out

mod answers;
mod limits;
mod scheduling;
mod support;
