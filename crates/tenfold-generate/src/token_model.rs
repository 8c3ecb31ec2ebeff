//! What a framework that gives logits implements.

use tenfold_core::{GenerateError, LoadError, TokenId, Unsupported};

/// Sizes of a model that the decode loop needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ModelShape {
    /// Logits per position.
    pub vocabulary_size: usize,
    /// Longest sequence in tokens that the model was loaded for.
    pub context_length: usize,
    /// Most tokens that one step should carry; longer prompts are cut into several steps so that
    /// other sequences get their turn.
    pub max_batch: usize,
}

/// How to make a [`Sequence`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SequenceOptions {
    /// Most tokens that it can hold.
    pub context_length: usize,
}

/// One token stream and its key-value cache.
pub trait Sequence: Send {
    /// Tokens in the cache.
    fn len(&self) -> usize;

    /// True if the cache is empty.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Forgets all tokens from position `len` on; `len` beyond the end changes nothing.
    ///
    /// # Errors
    /// When the cache cannot go back that far (a sliding window, a framework without the call).
    /// The sequence is unchanged then.
    fn truncate(&mut self, len: usize) -> Result<(), Unsupported>;
}

/// The work of one sequence in one [`TokenModel::forward`].
#[derive(Debug)]
pub struct Step<'a, S> {
    /// The sequence that grows.
    pub sequence: &'a mut S,
    /// Tokens to append; at least one.
    pub tokens: &'a [TokenId],
    /// For how many of the last tokens logits are asked: 0 for none, 1 for the last one.
    pub wanted: usize,
    /// Receives `wanted × vocabulary_size` logits, oldest position first; replaced, not extended.
    pub logits: &'a mut Vec<f32>,
}

/// A loaded model that turns tokens into logits.
///
/// One method is prefill, decode, a batch of both, and the check of a speculated run.
pub trait TokenModel: Send + Sync + 'static {
    /// The model's own token stream and cache.
    type Sequence: Sequence + 'static;

    /// Sizes.
    fn shape(&self) -> &ModelShape;

    /// An empty sequence.
    ///
    /// # Errors
    /// When there is no memory for its cache.
    fn new_sequence(&self, options: &SequenceOptions) -> Result<Self::Sequence, LoadError>;

    /// Appends each step's tokens to its sequence and leaves the logits asked.
    ///
    /// # Errors
    /// When a token is out of range, a sequence is full, or the framework fails. Every sequence is
    /// then as long as before.
    fn forward(&self, steps: &mut [Step<'_, Self::Sequence>]) -> Result<(), GenerateError>;
}
