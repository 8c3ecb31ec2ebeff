//! A token model with a tokenizer and a chat template is a model that speaks.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tenfold_core::{
    Capabilities, LoadError, LoadErrorKind, Model, ModelInfo, Session, SessionOptions,
};
use tenfold_template::ChatTemplate;
use tenfold_tokenizer::Tokenizer;

use crate::literal::SpecialTexts;
use crate::run::Slot;
use crate::scheduler::Scheduler;
use crate::session::TextSession;
use crate::{SequenceOptions, TokenModel};

/// What turns messages into tokens and tokens into text for a [`TokenModel`].
#[derive(Clone)]
pub struct TextParts {
    /// What is known about the model.
    pub info: ModelInfo,
    /// Text to tokens and back.
    pub tokenizer: Arc<Tokenizer>,
    /// Messages to a prompt.
    pub template: Arc<ChatTemplate>,
    /// Sentences that the user should hear, such as that the chat template is a fallback.
    pub notices: Vec<String>,
}

/// Any [`TokenModel`] with a tokenizer and a template: a [`Model`].
pub struct TextModel<M: TokenModel> {
    model: Arc<M>,
    parts: TextParts,
    special: Arc<SpecialTexts>,
    scheduler: Scheduler<M>,
    next_slot: AtomicU64,
}

impl<M: TokenModel> TextModel<M> {
    /// Puts the parts together and starts the decode loop.
    ///
    /// # Errors
    /// When vocabulary and logits do not belong together, or the system gives no thread.
    pub fn new(model: M, parts: TextParts) -> Result<Self, LoadError> {
        check_vocabulary(parts.tokenizer.vocabulary_size(), model.shape().vocabulary_size)?;
        let model = Arc::new(model);
        let scheduler = Scheduler::start(Arc::clone(&model))?;
        let special = Arc::new(SpecialTexts::of(&parts.tokenizer));
        Ok(Self { model, parts, special, scheduler, next_slot: AtomicU64::new(0) })
    }

    /// The tokenizer of the model.
    pub fn tokenizer(&self) -> &Arc<Tokenizer> {
        &self.parts.tokenizer
    }

    /// The model behind it, for callers that want logits.
    pub fn token_model(&self) -> &Arc<M> {
        &self.model
    }

    pub(crate) fn special_texts(&self) -> &Arc<SpecialTexts> {
        &self.special
    }

    pub(crate) fn template(&self) -> &Arc<ChatTemplate> {
        &self.parts.template
    }

    pub(crate) fn scheduler(&self) -> &Scheduler<M> {
        &self.scheduler
    }

    /// The context of a session: what was asked, at most what the model was loaded for.
    fn capacity(&self, options: &SessionOptions) -> Result<usize, LoadError> {
        let most = self.model.shape().context_length;
        match options.context_length {
            None => Ok(most),
            Some(asked) if (1..=most).contains(&asked) => Ok(asked),
            Some(asked) => Err(LoadError::new(
                LoadErrorKind::InvalidOption,
                format!(
                    "a context of {asked} tokens was asked, and the model was loaded for {most}"
                ),
            )
            .with_remedy(format!("ask for 1 to {most} tokens, or load the model for more"))),
        }
    }
}

/// Token ids that the tokenizer gives must exist in the model; padding of the logits is usual.
fn check_vocabulary(tokens: usize, logits: usize) -> Result<(), LoadError> {
    if tokens <= logits {
        return Ok(());
    }
    Err(LoadError::new(
        LoadErrorKind::InvalidFile,
        format!("the tokenizer has {tokens} tokens, and the model gives {logits} logits"),
    )
    .with_remedy("use the tokenizer that belongs to this model"))
}

impl<M: TokenModel> Model for TextModel<M> {
    fn info(&self) -> &ModelInfo {
        &self.parts.info
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities { chat: true, logprobs: true, ..Capabilities::default() }
    }

    fn notices(&self) -> &[String] {
        &self.parts.notices
    }

    fn start_session(
        self: Arc<Self>,
        options: &SessionOptions,
    ) -> Result<Box<dyn Session>, LoadError> {
        let capacity = self.capacity(options)?;
        let sequence = self.model.new_sequence(&SequenceOptions { context_length: capacity })?;
        let id = self.next_slot.fetch_add(1, Ordering::Relaxed);
        self.scheduler.open(id, Slot { sequence, tokens: Vec::new(), capacity });
        Ok(Box::new(TextSession::new(self, id, capacity, options)))
    }
}
