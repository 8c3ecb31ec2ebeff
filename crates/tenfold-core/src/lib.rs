//! Traits and plain data shared by every Tenfold crate.
//!
//! A [`Backend`] adapts one framework. It loads [`ModelFiles`] into an immutable [`Model`], a model
//! starts [`Session`]s, and a session turns [`Message`]s into a pull stream of [`Event`]s:
//!
//! ```text
//! ModelFiles -> Backend::load -> Model -> Session -> generate(messages) -> Event, Event, …
//! ```
//!
//! ```
//! use tenfold_core::{GenerateOptions, Message, SamplingOptions};
//!
//! let turn = [Message::user("Give me three tips for sleeping better.")];
//! let options = GenerateOptions {
//!     max_tokens: Some(128),
//!     sampling: SamplingOptions::greedy(),
//!     ..GenerateOptions::default()
//! };
//! assert_eq!(turn[0].text(), "Give me three tips for sleeping better.");
//! assert!(options.sampling.is_greedy());
//! ```
//!
//! This crate knows nothing about files, tensors, tokenizers or any framework.

mod backend;
mod dtype;
mod error;
mod event;
mod message;
mod model;
mod options;
mod session;

pub use backend::{Availability, Backend, BackendId, BackendInfo, Support};
pub use dtype::DType;
pub use error::{
    BoxError, GenerateError, GenerateErrorKind, LoadError, LoadErrorKind, Remedy, Unsupported,
};
pub use event::{Event, FinishReason, Metrics, Progress, TokenDetail, Usage};
pub use message::{Message, Role, ToolCall, Transcript};
pub use model::{Capabilities, Model, ModelFiles, ModelFormat, ModelInfo};
pub use options::{
    ContextOverflow, FilterFactory, GenerateOptions, LoadOptions, LoadProgress, LoadStage,
    LogitsFilter, SamplingOptions, SessionOptions,
};
pub use session::{EventStream, Session};

/// The number of one token in a model's vocabulary.
pub type TokenId = u32;
