//! Logits to a token: filters, penalties, the sampler chain.
//!
//! A [`SamplerChain`] serves one run. For every position it takes the logits of the whole
//! vocabulary, edits some of them, narrows them to a few candidates, and picks one:
//!
//! ```text
//! logits -> own LogitsFilters -> logit bias -> penalties -> top-k -> typical -> top-p -> min-p
//!        -> temperature -> Sampler (a seeded draw) -> TokenId
//! ```
//!
//! ```
//! use tenfold_core::SamplingOptions;
//! use tenfold_sampler::SamplerChain;
//!
//! let options = SamplingOptions { seed: Some(7), ..SamplingOptions::default() };
//! let mut chain = SamplerChain::new(&options, Vec::new())?;
//! let mut logits = vec![0.0, 9.0, 8.5, f32::NEG_INFINITY];
//! let sample = chain.sample(&mut logits, &[0, 0])?;
//! assert!(sample.id == 1 || sample.id == 2);
//! # Ok::<(), tenfold_sampler::SamplerError>(())
//! ```
//!
//! # The same seed gives the same text, everywhere and forever
//!
//! Chance comes from xoshiro256++ seeded through SplitMix64, both written here. Exponentials and
//! logarithms are written here too, in plain IEEE arithmetic, and probabilities are added as whole
//! numbers, so that neither the platform's mathematics library nor the order of a sum can change
//! which token a draw hits. Goldens hold this in place. (Equal text still needs equal logits: those
//! of another machine's kernels may differ.)
//!
//! # Own steps
//!
//! A caller's [`LogitsFilter`] sees all logits before the built-in filters, and
//! [`SamplerChain::with_sampler`] replaces the draw at the end. A logit of negative infinity or NaN
//! forbids a token; of positive infinity, forces it.
//!
//! This crate knows nothing about tensors, models, tokenizers or text.

mod candidates;
mod chain;
mod check;
mod error;
mod filters;
mod logprob;
mod math;
mod rng;
mod sampler;

pub use candidates::{Candidate, FULL_WEIGHT};
pub use chain::{Sample, SamplerChain};
pub use error::{SamplerError, SamplerErrorKind};
pub use rng::Rng;
pub use sampler::{Draw, Sampler};
pub use tenfold_core::{LogitsFilter, SamplingOptions};
