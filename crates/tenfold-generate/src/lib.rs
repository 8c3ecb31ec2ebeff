//! The one decode loop: scheduler, prefix reuse, stop rules, metrics.
//!
//! A framework that gives logits implements [`TokenModel`]: one method that appends tokens to
//! sequences and leaves logits. [`TextModel`] puts a tokenizer and a chat template beside it and is a
//! [`tenfold_core::Model`], with everything that happens between a message and an answer:
//!
//! ```text
//! messages ─template→ prompt ─tokenizer→ tokens ─┐
//!     session ─────── request ──────────────────→ scheduler: one thread, one `forward` a turn
//!     caller ←─ bounded channel ←─ text ← stop matcher ← detokenizer ← token ← sampler chain
//! ```
//!
//! The smallest model there is gives the same logits for every token:
//!
//! ```
//! use tenfold_core::{GenerateError, LoadError, Unsupported};
//! use tenfold_generate::{ModelShape, Sequence, SequenceOptions, Step, TokenModel};
//!
//! struct Constant(ModelShape);
//! struct Count(usize);
//!
//! impl Sequence for Count {
//!     fn len(&self) -> usize {
//!         self.0
//!     }
//!     fn truncate(&mut self, len: usize) -> Result<(), Unsupported> {
//!         self.0 = self.0.min(len);
//!         Ok(())
//!     }
//! }
//!
//! impl TokenModel for Constant {
//!     type Sequence = Count;
//!     fn shape(&self) -> &ModelShape {
//!         &self.0
//!     }
//!     fn new_sequence(&self, _: &SequenceOptions) -> Result<Count, LoadError> {
//!         Ok(Count(0))
//!     }
//!     fn forward(&self, steps: &mut [Step<'_, Count>]) -> Result<(), GenerateError> {
//!         for step in steps {
//!             step.sequence.0 += step.tokens.len();
//!             *step.logits = vec![0.0; step.wanted * self.0.vocabulary_size];
//!         }
//!         Ok(())
//!     }
//! }
//!
//! let model = Constant(ModelShape { vocabulary_size: 8, context_length: 16, max_batch: 4 });
//! let mut sequence = model.new_sequence(&SequenceOptions { context_length: 16 })?;
//! let mut logits = Vec::new();
//! let step = Step { sequence: &mut sequence, tokens: &[1, 2], wanted: 1, logits: &mut logits };
//! model.forward(&mut [step]).unwrap();
//! assert_eq!((sequence.len(), logits.len()), (2, 8));
//! # Ok::<(), LoadError>(())
//! ```
//!
//! This crate knows nothing about weights, files, or which framework computes.

mod clock;
mod events;
mod literal;
mod output;
mod prompt;
mod run;
mod scheduler;
mod session;
mod text_model;
mod token_model;

pub use text_model::{TextModel, TextParts};
pub use token_model::{ModelShape, Sequence, SequenceOptions, Step, TokenModel};
