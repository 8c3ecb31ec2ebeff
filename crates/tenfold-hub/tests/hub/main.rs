//! The model manager against servers on this machine that misbehave in every way they can.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod downloads;
mod interrupted;
#[cfg(unix)]
mod packages;
mod repositories;
mod secrets;
mod store;
mod support;
