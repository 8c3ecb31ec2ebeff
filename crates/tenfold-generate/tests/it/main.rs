//! The decode loop as its callers see it, with a model that says what a test wants.

mod answers;
mod limits;
mod scheduling;
mod support;
