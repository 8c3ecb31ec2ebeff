//! Tests through the public interface, in one program.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]
#![allow(clippy::print_stderr, reason = "a test tells what it left out")]

mod detokenize;
mod gguf_goldens;
mod hostile;
mod json_goldens;
mod smollm2;
mod speed;
mod stop;
mod support;
