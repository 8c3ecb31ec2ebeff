//! The one decode loop: scheduler, prefix reuse, stop rules, metrics.

mod token_model;

pub use token_model::{ModelShape, Sequence, SequenceOptions, Step, TokenModel};
