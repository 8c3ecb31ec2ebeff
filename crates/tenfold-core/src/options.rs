//! What callers can ask for.

use std::fmt;
use std::num::NonZeroUsize;
use std::sync::Arc;

use crate::{Progress, TokenId};

/// How to load a model.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LoadOptions {
    /// Longest context of a session in tokens; `None` takes the backend's default.
    pub context_length: Option<usize>,
    /// Threads to compute with; `None` takes the physical cores that the process may use.
    pub threads: Option<NonZeroUsize>,
}

/// Which part of loading goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LoadStage {
    /// Reading and checking the header.
    Read,
    /// Bringing the weights into the layout of the kernels.
    Pack,
}

/// How far loading has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoadProgress {
    /// The part that goes on.
    pub stage: LoadStage,
    /// Bytes of this part.
    pub progress: Progress,
}

/// How to start a session.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SessionOptions {
    /// Instructions put before the first turn as a system message.
    pub instructions: Option<String>,
    /// Longest context in tokens; at most what the model was loaded with.
    pub context_length: Option<usize>,
    /// Complete the text of the turns as it stands, without a chat template.
    pub raw: bool,
}

/// What to do when prompt and answer do not fit in the context.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ContextOverflow {
    /// Fail with an error that says how many tokens were asked and allowed.
    #[default]
    Error,
    /// Leave out the oldest turns, never the instructions or the newest message.
    DropOldestTurns,
    /// Keep the beginning and the newest tokens, and leave out the middle; go on when the context
    /// fills up while the answer grows.
    Slide,
}

/// Changes logits before the built-in filters see them.
///
/// A value of negative infinity forbids a token.
pub trait LogitsFilter: Send {
    /// Short name for reports.
    fn name(&self) -> &str;

    /// Edits `logits` (one per token of the vocabulary); `history` is the prompt and what was
    /// generated so far, oldest first.
    fn apply(&mut self, logits: &mut [f32], history: &[TokenId]);
}

/// Makes a fresh [`LogitsFilter`] for each run.
#[derive(Clone)]
pub struct FilterFactory(Arc<dyn Fn() -> Box<dyn LogitsFilter> + Send + Sync>);

impl FilterFactory {
    /// Wraps a function that makes a filter.
    pub fn new<F, L>(make: F) -> Self
    where
        F: Fn() -> L + Send + Sync + 'static,
        L: LogitsFilter + 'static,
    {
        Self(Arc::new(move || Box::new(make())))
    }

    /// A fresh filter.
    pub fn make(&self) -> Box<dyn LogitsFilter> {
        (self.0)()
    }
}

impl fmt::Debug for FilterFactory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("FilterFactory").field(&self.make().name()).finish()
    }
}

/// How a token is picked from the logits. The fields apply in the order in which they stand.
#[derive(Clone, Debug, PartialEq)]
pub struct SamplingOptions {
    /// Added to the logits of these tokens; negative infinity forbids one.
    pub logit_bias: Vec<(TokenId, f32)>,
    /// Divides (multiplies, if negative) the logits of tokens seen in the window; 1 is off.
    pub repeat_penalty: f32,
    /// Subtracted from the logit of each token seen in the window; 0 is off.
    pub presence_penalty: f32,
    /// Subtracted for each time that a token was seen in the window; 0 is off.
    pub frequency_penalty: f32,
    /// How many of the newest tokens the penalties look at.
    pub penalty_window: usize,
    /// Keep this many most likely tokens; 0 is off.
    pub top_k: usize,
    /// Keep the locally typical tokens of this total probability; 1 is off.
    pub typical_p: f32,
    /// Keep the most likely tokens of this total probability; 1 is off.
    pub top_p: f32,
    /// Keep tokens at least this likely relative to the most likely one; 0 is off.
    pub min_p: f32,
    /// Divides the logits; 0 picks the most likely token (greedy).
    pub temperature: f32,
    /// Same seed, same text; `None` takes a fresh one.
    pub seed: Option<u64>,
}

impl SamplingOptions {
    /// Always the most likely token, no penalties.
    pub fn greedy() -> Self {
        Self { temperature: 0.0, ..Self::neutral() }
    }

    /// The model's own distribution: every filter off, temperature 1.
    pub fn neutral() -> Self {
        Self {
            logit_bias: Vec::new(),
            repeat_penalty: 1.0,
            presence_penalty: 0.0,
            frequency_penalty: 0.0,
            penalty_window: 64,
            top_k: 0,
            typical_p: 1.0,
            top_p: 1.0,
            min_p: 0.0,
            temperature: 1.0,
            seed: None,
        }
    }

    /// True if no chance is involved.
    pub fn is_greedy(&self) -> bool {
        self.temperature == 0.0
    }
}

impl Default for SamplingOptions {
    /// What llama.cpp's command line does by default: temperature 0.8, top-k 40, top-p 0.95,
    /// min-p 0.05, no penalties.
    fn default() -> Self {
        Self { top_k: 40, top_p: 0.95, min_p: 0.05, temperature: 0.8, ..Self::neutral() }
    }
}

/// How to generate one answer.
#[derive(Clone, Debug, Default)]
pub struct GenerateOptions {
    /// How tokens are picked.
    pub sampling: SamplingOptions,
    /// Most tokens to generate; `None` goes on until the model ends or the context is full.
    pub max_tokens: Option<usize>,
    /// Texts that end the answer; they are not part of it.
    pub stop: Vec<String>,
    /// What to do when the context is too short.
    pub overflow: ContextOverflow,
    /// Go on after end-of-generation tokens, until `max_tokens`.
    pub ignore_end: bool,
    /// Report every token with its id and log probability.
    pub token_details: bool,
    /// The caller's own filters, applied before the built-in ones.
    pub filters: Vec<FilterFactory>,
}
