//! Tokens to events: end of generation, detokenizing, stop sequences, token limit.

use std::sync::Arc;

use tenfold_core::{Event, FinishReason, GenerateError, GenerateOptions, TokenDetail, TokenId};
use tenfold_sampler::Sample;
use tenfold_tokenizer::{DetokenizeOptions, Detokenizer, StopMatcher, Tokenizer};

/// The way of one run's tokens to its caller.
pub(crate) struct Output {
    tokenizer: Arc<Tokenizer>,
    detokenizer: Detokenizer,
    stop: StopMatcher,
    /// Texts with which the template's turns end.
    ends: &'static [&'static str],
    max_tokens: usize,
    ignore_end: bool,
    token_details: bool,
    tokens: usize,
}

impl Output {
    /// An output for these options; `ends` are texts that end an answer besides the caller's.
    ///
    /// # Errors
    /// When a stop sequence is empty.
    pub(crate) fn new(
        tokenizer: &Arc<Tokenizer>,
        options: &GenerateOptions,
        ends: &'static [&'static str],
    ) -> Result<Self, GenerateError> {
        if options.stop.iter().any(String::is_empty) {
            return Err(GenerateError::InvalidOption {
                option: "stop",
                problem: "a stop sequence must not be empty".to_owned(),
            });
        }
        let ends = if options.ignore_end { &[] } else { ends };
        let stops = options.stop.iter().map(String::as_str).chain(ends.iter().copied());
        Ok(Self {
            tokenizer: Arc::clone(tokenizer),
            detokenizer: Detokenizer::new(Arc::clone(tokenizer), answer_text()),
            stop: StopMatcher::new(stops),
            ends,
            max_tokens: options.max_tokens.unwrap_or(usize::MAX),
            ignore_end: options.ignore_end,
            token_details: options.token_details,
            tokens: 0,
        })
    }

    /// Tokens generated so far.
    pub(crate) fn tokens(&self) -> usize {
        self.tokens
    }

    /// True if the limit allows no further token.
    pub(crate) fn is_full(&self) -> bool {
        self.tokens >= self.max_tokens
    }

    /// Takes one token, hands its events to `emit`, and says whether the run ends with it.
    pub(crate) fn push(
        &mut self,
        sample: &Sample,
        emit: &mut dyn FnMut(Event),
    ) -> Option<FinishReason> {
        self.tokens += 1;
        let is_end = self.tokenizer.is_end_of_generation(sample.id);
        if self.token_details {
            emit(Event::Token(self.detail(sample, is_end)));
        }
        if is_end && !self.ignore_end {
            self.finish(emit);
            return Some(FinishReason::EndOfGeneration);
        }
        if let Some(reason) = self.push_text(sample.id, emit) {
            return Some(reason);
        }
        if self.is_full() {
            self.finish(emit);
            return Some(FinishReason::MaxTokens);
        }
        None
    }

    /// Gives out what was held back because a stop sequence could have followed. Bytes that never
    /// became a character are dropped.
    pub(crate) fn finish(&mut self, emit: &mut dyn FnMut(Event)) {
        emit_text(self.stop.finish().text, emit);
    }

    fn push_text(&mut self, id: TokenId, emit: &mut dyn FnMut(Event)) -> Option<FinishReason> {
        let progress = self.stop.push(self.detokenizer.push(id));
        emit_text(progress.text, emit);
        progress.stop.map(|stop| match self.ends.contains(&stop) {
            true => FinishReason::EndOfGeneration,
            false => FinishReason::StopSequence(stop.to_owned()),
        })
    }

    fn detail(&self, sample: &Sample, is_end: bool) -> TokenDetail {
        TokenDetail {
            id: sample.id,
            bytes: self.token_bytes(sample.id),
            logprob: sample.logprob.unwrap_or(f32::NAN),
            is_end,
        }
    }

    fn token_bytes(&self, id: TokenId) -> Vec<u8> {
        self.tokenizer.token_bytes(id).to_vec()
    }
}

/// An answer goes on where the prompt ended, and special tokens are no part of it.
fn answer_text() -> DetokenizeOptions {
    DetokenizeOptions { skip_special: true, continues: true, ..DetokenizeOptions::default() }
}

fn emit_text(text: &str, emit: &mut dyn FnMut(Event)) {
    if !text.is_empty() {
        emit(Event::Text(text.to_owned()));
    }
}
