//! One conversation with a model.

use crate::{Event, GenerateError, GenerateOptions, Message, TokenId, Transcript, Unsupported};

/// What happens in a run, in order. Pull to run, drop to cancel.
pub type EventStream<'s> = Box<dyn Iterator<Item = Result<Event, GenerateError>> + Send + 's>;

/// One conversation: its transcript and whatever cache the backend keeps for it.
pub trait Session: Send {
    /// Adds `turn` to the conversation and generates the answer.
    ///
    /// When the stream has ended, or was dropped, `turn` and the answer as far as it came are part
    /// of the transcript. When it fails, the transcript is as it was before.
    ///
    /// # Errors
    /// What can be known at once: an empty turn, options out of range, a prompt too long, anything
    /// the model cannot do.
    fn generate<'s>(
        &'s mut self,
        turn: &[Message],
        options: &GenerateOptions,
    ) -> Result<EventStream<'s>, GenerateError>;

    /// Continues a prompt given as token ids; the transcript is neither used nor changed. The cache
    /// of the session is, so a prompt that begins like the last one reuses its prefix.
    ///
    /// # Errors
    /// As [`Session::generate`]; `Unsupported` where a framework takes only text.
    fn complete<'s>(
        &'s mut self,
        _prompt: &[TokenId],
        _options: &GenerateOptions,
    ) -> Result<EventStream<'s>, GenerateError> {
        let reason = "this backend takes only text";
        Err(Unsupported::new("a prompt of token ids", reason).into())
    }

    /// What was said so far.
    fn transcript(&self) -> &Transcript;
}
