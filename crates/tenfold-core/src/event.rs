//! What a run of a model tells while it goes on.

use std::fmt;
use std::time::Duration;

use crate::{TokenId, ToolCall};

/// One thing that happened in a run. A run ends with exactly one [`Event::Finished`] or an error.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// The prompt is being processed.
    Prefill(Progress),
    /// A piece of the answer: valid UTF-8, never half a character, never part of a stop sequence.
    Text(String),
    /// A piece of the model's reasoning.
    Reasoning(String),
    /// A complete call of a tool.
    ToolCall(ToolCall),
    /// One generated token; only when `GenerateOptions::token_details` asks for it.
    Token(TokenDetail),
    /// The run is over.
    Finished {
        /// Why it ended.
        reason: FinishReason,
        /// Tokens counted.
        usage: Usage,
        /// Times and memory.
        metrics: Metrics,
    },
}

/// How far a step has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Units done.
    pub done: u64,
    /// Units in all.
    pub total: u64,
}

/// One generated token.
#[derive(Clone, Debug, PartialEq)]
pub struct TokenDetail {
    /// Its number.
    pub id: TokenId,
    /// Its bytes; may be part of a character.
    pub bytes: Vec<u8>,
    /// Natural logarithm of its probability before any filter.
    pub logprob: f32,
    /// Generated tokens that end the run are reported but are not part of the text.
    pub is_end: bool,
}

/// Why a run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FinishReason {
    /// The model gave an end-of-generation token.
    EndOfGeneration,
    /// This stop sequence of the caller appeared.
    StopSequence(String),
    /// The caller's token limit was reached.
    MaxTokens,
    /// The context is full.
    ContextFull,
    /// The model asks for tools.
    ToolCalls,
    /// The caller dropped the stream or asked to stop.
    Cancelled,
}

impl FinishReason {
    /// The short name used in JSON: `stop`, `length`, `tool_calls` or `cancelled`.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::EndOfGeneration | Self::StopSequence(_) => "stop",
            Self::MaxTokens | Self::ContextFull => "length",
            Self::ToolCalls => "tool_calls",
            Self::Cancelled => "cancelled",
        }
    }
}

impl fmt::Display for FinishReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EndOfGeneration => f.write_str("end of generation"),
            Self::StopSequence(text) => write!(f, "stop sequence {text:?}"),
            Self::MaxTokens => f.write_str("token limit"),
            Self::ContextFull => f.write_str("context full"),
            Self::ToolCalls => f.write_str("tool calls"),
            Self::Cancelled => f.write_str("cancelled"),
        }
    }
}

/// Tokens of one run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Tokens of the prompt, the reused ones included.
    pub prompt_tokens: usize,
    /// Tokens generated.
    pub output_tokens: usize,
    /// Tokens of the prompt that were still in the cache and not processed again.
    pub cached_tokens: usize,
    /// Messages left out of the prompt because the context was too short and the caller's policy
    /// allowed it.
    pub dropped_messages: usize,
    /// Tokens left out for the same reason.
    pub dropped_tokens: usize,
}

/// Times and memory of one run.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Metrics {
    /// From the call of `generate` to the first token.
    pub ttft: Duration,
    /// Time spent on the prompt.
    pub prefill: Duration,
    /// Time from the first token to the last.
    pub decode: Duration,
    /// Prompt tokens processed a second (the cached ones do not count); 0 if there were none.
    pub prefill_tps: f64,
    /// Tokens a second after the first one; 0 if there was only one.
    pub decode_tps: f64,
    /// Highest resident memory of the process so far, in bytes; 0 where it is not known.
    pub peak_memory_bytes: u64,
}
