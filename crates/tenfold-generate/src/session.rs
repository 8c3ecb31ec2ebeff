//! One conversation with a [`TextModel`].

use std::sync::Arc;
use std::time::Instant;

use tenfold_core::{
    Event, EventStream, GenerateError, GenerateOptions, Message, Role, Session, SessionOptions,
    TokenId, Transcript,
};
use tenfold_sampler::SamplerChain;

use crate::events::{EventReceiver, Item, channel};
use crate::output::Output;
use crate::prompt::{Prompt, PromptBuilder, Style};
use crate::run::Request;
use crate::scheduler::SlotId;
use crate::{TextModel, TokenModel};

/// A conversation: its transcript here, its cache with the scheduler.
pub(crate) struct TextSession<M: TokenModel> {
    model: Arc<TextModel<M>>,
    id: SlotId,
    prompts: PromptBuilder,
    transcript: Transcript,
}

impl<M: TokenModel> TextSession<M> {
    pub(crate) fn new(
        model: Arc<TextModel<M>>,
        id: SlotId,
        capacity: usize,
        options: &SessionOptions,
    ) -> Self {
        let style =
            if options.raw { Style::Raw } else { Style::Chat(Arc::clone(model.template())) };
        let tokenizer = Arc::clone(model.tokenizer());
        let special = Arc::clone(model.special_texts());
        let messages = options.instructions.iter().map(Message::system).collect();
        Self {
            model,
            id,
            prompts: PromptBuilder { tokenizer, special, style, capacity },
            transcript: Transcript { messages },
        }
    }

    /// Everything that can fail at once, before any work starts.
    fn request(
        &self,
        started: Instant,
        prompt: Prompt,
        options: &GenerateOptions,
    ) -> Result<(Request, EventReceiver), GenerateError> {
        let filters = options.filters.iter().map(tenfold_core::FilterFactory::make).collect();
        let chain = SamplerChain::new(&options.sampling, filters)?;
        let chain = if options.token_details { chain.with_logprobs() } else { chain };
        let output = Output::new(self.model.tokenizer(), options, self.prompts.style.ends())?;
        let Prompt { tokens: prompt, dropped } = prompt;
        if prompt.is_empty() {
            return Err(GenerateError::EmptyPrompt);
        }
        let (events, receiver) = channel(self.model.scheduler().waker());
        let overflow = options.overflow;
        Ok((Request { prompt, chain, output, overflow, dropped, started, events }, receiver))
    }
}

impl<M: TokenModel> TextSession<M> {
    fn prompt(&self, turn: &[Message], options: &GenerateOptions) -> Result<Prompt, GenerateError> {
        check_turn(turn)?;
        let messages = self.transcript.messages.iter().chain(turn).cloned().collect();
        self.prompts.build(messages, options.overflow, options.max_tokens)
    }
}

/// The newest message says what to answer; it must say something.
fn check_turn(turn: &[Message]) -> Result<(), GenerateError> {
    match turn.last() {
        Some(newest) if newest.role == Role::Tool || !newest.content.trim().is_empty() => Ok(()),
        _ => Err(GenerateError::EmptyPrompt),
    }
}

impl<M: TokenModel> Session for TextSession<M> {
    fn generate<'s>(
        &'s mut self,
        turn: &[Message],
        options: &GenerateOptions,
    ) -> Result<EventStream<'s>, GenerateError> {
        let started = Instant::now();
        let prompt = self.prompt(turn, options)?;
        let (request, receiver) = self.request(started, prompt, options)?;
        self.model.scheduler().run(self.id, request);
        Ok(Box::new(TextStream {
            transcript: &mut self.transcript,
            receiver,
            turn: turn.to_vec(),
            text: String::new(),
            state: State::Running,
        }))
    }

    fn complete<'s>(
        &'s mut self,
        prompt: &[TokenId],
        options: &GenerateOptions,
    ) -> Result<EventStream<'s>, GenerateError> {
        let started = Instant::now();
        let prompt = self.prompts.check(prompt)?;
        let (request, receiver) = self.request(started, prompt, options)?;
        self.model.scheduler().run(self.id, request);
        Ok(Box::new(TokenStream { receiver, is_running: true }))
    }

    fn transcript(&self) -> &Transcript {
        &self.transcript
    }
}

impl<M: TokenModel> Drop for TextSession<M> {
    fn drop(&mut self) {
        self.model.scheduler().close(self.id);
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Running,
    Finished,
    Failed,
}

/// The caller's end of a run. Writes the transcript when it ends, or is dropped.
struct TextStream<'s> {
    transcript: &'s mut Transcript,
    receiver: EventReceiver,
    turn: Vec<Message>,
    text: String,
    state: State,
}

impl TextStream<'_> {
    fn note(&mut self, item: &Item) {
        match item {
            Ok(Event::Text(text)) => self.text.push_str(text),
            Ok(Event::Finished { .. }) => self.finish(),
            Ok(_) => {}
            Err(_) => self.state = State::Failed,
        }
    }

    fn finish(&mut self) {
        self.state = State::Finished;
        self.transcript.messages.append(&mut self.turn);
        self.transcript.messages.push(Message::assistant(std::mem::take(&mut self.text)));
    }
}

impl Iterator for TextStream<'_> {
    type Item = Item;

    fn next(&mut self) -> Option<Item> {
        if self.state != State::Running {
            return None;
        }
        let item = self.receiver.receive().unwrap_or_else(|| Err(scheduler_gone()));
        self.note(&item);
        Some(item)
    }
}

/// A run that leaves no trace in the transcript.
struct TokenStream {
    receiver: EventReceiver,
    is_running: bool,
}

impl Iterator for TokenStream {
    type Item = Item;

    fn next(&mut self) -> Option<Item> {
        if !self.is_running {
            return None;
        }
        let item = self.receiver.receive().unwrap_or_else(|| Err(scheduler_gone()));
        self.is_running = !matches!(item, Ok(Event::Finished { .. }) | Err(_));
        Some(item)
    }
}

/// The channel closed without an ending: the thread of the decode loop panicked.
fn scheduler_gone() -> GenerateError {
    GenerateError::Backend {
        what: "the decode loop of this model stopped unexpectedly; load the model again".to_owned(),
        source: None,
    }
}

impl Drop for TextStream<'_> {
    fn drop(&mut self) {
        if self.state == State::Running {
            self.finish();
        }
    }
}
