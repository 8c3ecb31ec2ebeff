//! The decode loop as its callers see it, with a model that says what a test wants.

#![allow(clippy::unwrap_used)] // a test that cannot go on may panic

mod answers;
mod limits;
mod scheduling;
mod support;
