//! One run: a sequence on its way from prompt to finish.

use std::time::{Duration, Instant};

use tenfold_core::{
    ContextOverflow, Event, FinishReason, GenerateError, Progress, TokenId, Unsupported, Usage,
};
use tenfold_sampler::{Sample, SamplerChain};

use crate::clock::Clock;
use crate::events::EventSender;
use crate::output::Output;
use crate::{Sequence, Step, TokenModel};

/// A sequence and the tokens in its cache.
pub(crate) struct Slot<M: TokenModel> {
    pub(crate) sequence: M::Sequence,
    pub(crate) tokens: Vec<TokenId>,
    pub(crate) capacity: usize,
}

/// What a session asks of the scheduler.
pub(crate) struct Request {
    /// The prompt; never empty, never longer than the capacity.
    pub(crate) prompt: Vec<TokenId>,
    pub(crate) chain: SamplerChain,
    pub(crate) output: Output,
    pub(crate) overflow: ContextOverflow,
    /// What the session had to leave out of the prompt.
    pub(crate) dropped: Dropped,
    pub(crate) started: Instant,
    pub(crate) events: EventSender,
}

/// What was left out because the context is too short.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Dropped {
    pub(crate) messages: usize,
    pub(crate) tokens: usize,
}

/// How a run ended.
type Ending = Result<FinishReason, GenerateError>;

/// One request at work on its slot.
pub(crate) struct Run<M: TokenModel> {
    slot: Slot<M>,
    /// Prompt and output. The slot's sequence holds `tokens[..sequence.len()]`; the rest is to be
    /// appended: several in prefill, one in decode.
    tokens: Vec<TokenId>,
    prompt_tokens: usize,
    cached_tokens: usize,
    logits: Vec<f32>,
    chain: SamplerChain,
    output: Output,
    overflow: ContextOverflow,
    dropped: Dropped,
    clock: Clock,
    events: EventSender,
    ending: Option<Ending>,
}

impl<M: TokenModel> Run<M> {
    /// Starts a request on a slot and keeps the prefix that both share.
    pub(crate) fn start(slot: Slot<M>, request: Request) -> Self {
        let mut run = Self {
            slot,
            prompt_tokens: request.prompt.len(),
            tokens: request.prompt,
            cached_tokens: 0,
            logits: Vec::new(),
            chain: request.chain,
            output: request.output,
            overflow: request.overflow,
            dropped: request.dropped,
            clock: Clock::new(request.started),
            events: request.events,
            ending: None,
        };
        run.reuse_prefix();
        run
    }

    /// Keeps the cached tokens that the prompt begins with. The last token of the prompt is always
    /// processed again, because its logits are needed.
    fn reuse_prefix(&mut self) {
        let most = self.tokens.len().saturating_sub(1);
        let shared = self.slot.tokens.iter().zip(&self.tokens).take(most);
        let shared = shared.take_while(|(cached, asked)| cached == asked).count();
        match self.rewind(shared) {
            Ok(()) => self.cached_tokens = shared,
            Err(unsupported) => self.start_over(unsupported),
        }
    }

    /// A cache that cannot go back to the middle can usually be emptied.
    fn start_over(&mut self, unsupported: Unsupported) {
        if self.rewind(0).is_err() {
            self.ending = Some(Err(unsupported.into()));
        }
    }

    fn rewind(&mut self, len: usize) -> Result<(), Unsupported> {
        self.slot.sequence.truncate(len)?;
        self.slot.tokens.truncate(len);
        Ok(())
    }

    /// True if the caller is there, has room for events, and the run goes on.
    pub(crate) fn is_runnable(&mut self) -> bool {
        self.ending.is_none() && self.events.flush()
    }

    /// Tokens that are not in the cache yet.
    pub(crate) fn pending(&self) -> usize {
        self.tokens.len() - self.slot.sequence.len()
    }

    /// The next piece of work: at most `budget` tokens.
    pub(crate) fn step(&mut self, budget: usize) -> Step<'_, M::Sequence> {
        let start = self.slot.sequence.len();
        let end = self.tokens.len().min(start.saturating_add(budget));
        Step {
            sequence: &mut self.slot.sequence,
            tokens: self.tokens.get(start..end).unwrap_or_default(),
            wanted: usize::from(end == self.tokens.len()),
            logits: &mut self.logits,
        }
    }

    /// The step was done in `spent`.
    pub(crate) fn stepped(&mut self, spent: Duration) {
        let len = self.slot.sequence.len();
        let known = self.slot.tokens.len();
        self.slot.tokens.extend_from_slice(self.tokens.get(known..len).unwrap_or_default());
        self.clock.turn(spent, len - known);
        if self.output.tokens() == 0 {
            self.report_prefill(len);
        }
        if self.pending() == 0 {
            self.pick();
        }
    }

    fn report_prefill(&mut self, len: usize) {
        let progress = Progress { done: len as u64, total: self.tokens.len() as u64 };
        self.events.send(Ok(Event::Prefill(progress)));
    }

    /// The step failed.
    pub(crate) fn failed(&mut self, error: GenerateError) {
        self.ending = Some(Err(error));
    }

    /// Picks the next token from the logits.
    fn pick(&mut self) {
        if self.output.is_full() {
            self.ending = Some(Ok(FinishReason::MaxTokens));
            return;
        }
        match self.chain.sample(&mut self.logits, &self.tokens) {
            Ok(sample) => self.accept(&sample),
            Err(error) => self.ending = Some(Err(error.into())),
        }
    }

    fn accept(&mut self, sample: &Sample) {
        self.clock.token();
        self.tokens.push(sample.id);
        let events = &mut self.events;
        let reason = self.output.push(sample, &mut |event| events.send(Ok(event)));
        match reason {
            Some(reason) => self.ending = Some(Ok(reason)),
            None if self.tokens.len() > self.slot.capacity => self.make_room(),
            None => {}
        }
    }

    /// The context is full: ends the run, or slides if the caller chose that.
    fn make_room(&mut self) {
        if self.overflow == ContextOverflow::Slide && self.slide().is_ok() {
            return;
        }
        let events = &mut self.events;
        self.output.finish(&mut |event| events.send(Ok(event)));
        self.ending = Some(Ok(FinishReason::ContextFull));
    }

    /// Leaves out the older half of what follows the kept beginning; the rest is processed again,
    /// because its positions changed.
    fn slide(&mut self) -> Result<(), Unsupported> {
        let keep = kept_by_slide(self.slot.capacity);
        let leave_out = self.tokens.len().saturating_sub(keep) / 2;
        self.rewind(keep)?;
        self.tokens.drain(keep..keep + leave_out);
        self.dropped.tokens += leave_out;
        Ok(())
    }

    /// Ends the run if it is over or the caller is gone, and tells whether it did.
    pub(crate) fn finish(&mut self) -> bool {
        if self.events.is_cancelled() {
            return true;
        }
        let Some(ending) = self.ending.take() else { return false };
        let last = ending.map(|reason| Event::Finished {
            reason,
            usage: self.usage(),
            metrics: self.clock.metrics(),
        });
        self.events.send(last);
        true
    }

    fn usage(&self) -> Usage {
        Usage {
            prompt_tokens: self.prompt_tokens,
            output_tokens: self.output.tokens(),
            cached_tokens: self.cached_tokens,
            dropped_messages: self.dropped.messages,
            dropped_tokens: self.dropped.tokens,
        }
    }

    /// Takes the run apart: the slot for the session's next run, and the events that the caller has
    /// not taken yet.
    pub(crate) fn into_parts(self) -> (Slot<M>, EventSender) {
        (self.slot, self.events)
    }
}

/// Tokens at the beginning that sliding keeps: an eighth of the context, where the instructions are.
pub(crate) fn kept_by_slide(capacity: usize) -> usize {
    capacity / 8
}
