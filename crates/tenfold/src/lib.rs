//! Language models on your own device: one API over many frameworks.
//!
//! A [`Runtime`] holds the model manager and the backends. It turns a name into files, asks every
//! backend of its [`Registry`] who can run them, and loads the model with the best one:
//!
//! ```text
//! "smollm2" ─ModelRef─ hub ─ModelFiles─ Registry: ask, rank, load ─→ Model ─→ Session ─→ Event, …
//! ```
//!
//! ```no_run
//! use tenfold::{Event, GenerateOptions, HubConfig, Message, Runtime, SessionOptions};
//!
//! let runtime = Runtime::new(HubConfig::for_platform()?)?;
//! let loaded = runtime.open("smollm2")?;
//! let mut session = loaded.model.start_session(&SessionOptions::default())?;
//! let turn = [Message::user("Give me three tips for sleeping better.")];
//! for event in session.generate(&turn, &GenerateOptions::default())? {
//!     if let Event::Text(text) = event? {
//!         print!("{text}");
//!     }
//! }
//! # Ok::<(), tenfold::Error>(())
//! ```
//!
//! Pulling the stream runs the model; dropping it cancels the run. A session remembers what was said,
//! so the next call of `generate` continues the conversation, and the prompt that both share is not
//! processed again.
//!
//! This crate knows nothing about tensors, file formats or terminals.

mod error;
mod frameworks;
mod registry;
mod runtime;

pub use error::Error;
pub use frameworks::BackendStatus;
pub use registry::{BackendChoice, Candidate, Registry};
pub use runtime::{Loaded, Runtime};

pub use tenfold_core::{
    Availability, Backend, BackendId, BackendInfo, Capabilities, ContextOverflow, Event,
    EventStream, FilterFactory, FinishReason, GenerateError, GenerateErrorKind, GenerateOptions,
    LoadError, LoadErrorKind, LoadOptions, LoadProgress, LoadStage, LogitsFilter, Message, Metrics,
    Model, ModelFiles, ModelFormat, ModelInfo, Progress, Role, SamplingOptions, Session,
    SessionOptions, Support, TokenDetail, TokenId, ToolCall, Transcript, Unsupported, Usage,
};
pub use tenfold_hub::{HubConfig, HubError, HubErrorKind, ModelRef, PullProgress};

/// What this machine is: cores, memory, instruction sets.
pub use tenfold_device as device;
/// The model manager: catalogue, store, pulls.
pub use tenfold_hub as hub;
/// Text to tokens and back.
pub use tenfold_tokenizer as tokenizer;

/// The examples of README compile.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;
