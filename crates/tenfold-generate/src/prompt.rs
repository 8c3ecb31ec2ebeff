//! Messages to the tokens of a prompt that fits in the context.

use std::ops::Range;
use std::sync::Arc;

use tenfold_core::{ContextOverflow, GenerateError, Message, Role, TokenId};
use tenfold_template::{ChatTemplate, RenderOptions};
use tenfold_tokenizer::{TokenizeOptions, Tokenizer};

use crate::literal::{Marked, Marker, SpecialTexts};
use crate::run::{Dropped, kept_by_slide};

/// How messages become tokens.
#[derive(Clone)]
pub(crate) enum Style {
    /// Through the model's chat template.
    Chat(Arc<ChatTemplate>),
    /// The texts of the messages, one after the other.
    Raw,
}

impl Style {
    /// Texts with which a turn ends, besides the ends that the vocabulary knows.
    pub(crate) fn ends(&self) -> &'static [&'static str] {
        match self {
            Self::Chat(template) => template.stop_sequences(),
            Self::Raw => &[],
        }
    }
}

/// The prompt of one run.
#[derive(Debug)]
pub(crate) struct Prompt {
    pub(crate) tokens: Vec<TokenId>,
    pub(crate) dropped: Dropped,
}

/// Builds prompts for one session.
pub(crate) struct PromptBuilder {
    pub(crate) tokenizer: Arc<Tokenizer>,
    pub(crate) special: Arc<SpecialTexts>,
    pub(crate) style: Style,
    /// Tokens that prompt and answer have room for.
    pub(crate) capacity: usize,
}

impl PromptBuilder {
    /// The prompt for `messages`; leaves out what `overflow` allows when it is too long.
    pub(crate) fn build(
        &self,
        mut messages: Vec<Message>,
        overflow: ContextOverflow,
        max_tokens: Option<usize>,
    ) -> Result<Prompt, GenerateError> {
        let mut tokens = self.tokenize(&messages)?;
        let asked = tokens.len();
        if asked <= self.capacity {
            return Ok(Prompt { tokens, dropped: Dropped::default() });
        }
        let room = self.capacity - self.reserve(max_tokens);
        let mut dropped = Dropped::default();
        match overflow {
            ContextOverflow::Slide => leave_out_middle(&mut tokens, room, self.capacity),
            ContextOverflow::DropOldestTurns => {
                while tokens.len() > room {
                    let turn = oldest_turn(&messages).ok_or_else(|| self.overflow(tokens.len()))?;
                    dropped.messages += turn.len();
                    messages.drain(turn);
                    tokens = self.tokenize(&messages)?;
                }
            }
            _ => return Err(self.overflow(asked)),
        }
        dropped.tokens = asked - tokens.len();
        Ok(Prompt { tokens, dropped })
    }

    /// A prompt that the caller tokenized.
    pub(crate) fn check(&self, tokens: &[TokenId]) -> Result<Prompt, GenerateError> {
        let size = self.tokenizer.vocabulary_size();
        if let Some(id) = tokens.iter().find(|id| **id as usize >= size) {
            let problem = format!("token {id} is not in the vocabulary of {size}");
            return Err(GenerateError::InvalidOption { option: "prompt", problem });
        }
        if tokens.len() > self.capacity {
            return Err(self.overflow(tokens.len()));
        }
        Ok(Prompt { tokens: tokens.to_vec(), dropped: Dropped::default() })
    }

    fn overflow(&self, requested: usize) -> GenerateError {
        GenerateError::ContextOverflow { requested, allowed: self.capacity }
    }

    /// Room kept for the answer when something is left out anyway: what was asked, at most a
    /// quarter of the context.
    fn reserve(&self, max_tokens: Option<usize>) -> usize {
        let most = self.capacity / 4;
        max_tokens.map_or(most, |tokens| tokens.min(most))
    }

    fn tokenize(&self, messages: &[Message]) -> Result<Vec<TokenId>, GenerateError> {
        match &self.style {
            Style::Chat(template) => self.tokenize_chat(template, messages),
            Style::Raw => {
                let text: String = messages.iter().map(Message::text).collect();
                let options = TokenizeOptions { add_special: true, parse_special: true };
                self.tokens(text.as_bytes(), options)
            }
        }
    }

    /// The template writes its own beginning-of-text token if it has one; it is added where the
    /// template does not. Special tokens that people write in their messages stay plain text.
    fn tokenize_chat(
        &self,
        template: &ChatTemplate,
        messages: &[Message],
    ) -> Result<Vec<TokenId>, GenerateError> {
        let marker = Marker::new(&self.special, messages);
        let marked: Vec<Message> = messages.iter().map(|message| marker.mark(message)).collect();
        let options = RenderOptions { add_generation_prompt: true, ..RenderOptions::default() };
        let rendered = template
            .render(&marked, &options)
            .map_err(|error| GenerateError::Template(error.into()))?;
        let mut tokens = self.tokenize_marked(&marker.unmark(&rendered))?;
        let special = self.tokenizer.special_tokens();
        if let Some(bos) = special.bos.filter(|_| self.tokenizer.adds_bos())
            && tokens.first() != Some(&bos)
        {
            tokens.insert(0, bos);
        }
        Ok(tokens)
    }

    fn tokenize_marked(&self, text: &Marked) -> Result<Vec<TokenId>, GenerateError> {
        let mut tokens = Vec::new();
        for stretch in text.stretches(&self.special) {
            let options =
                TokenizeOptions { add_special: false, parse_special: stretch.parse_special };
            tokens.extend(self.tokens(stretch.text.as_bytes(), options)?);
        }
        Ok(tokens)
    }

    fn tokens(&self, text: &[u8], options: TokenizeOptions) -> Result<Vec<TokenId>, GenerateError> {
        self.tokenizer.tokenize(text, options).map_err(|error| GenerateError::Backend {
            what: error.to_string(),
            source: Some(error.into()),
        })
    }
}

/// The oldest messages that may go: from the first after the instructions up to the next message of
/// the user. The newest message of the user and what follows it always stay.
fn oldest_turn(messages: &[Message]) -> Option<Range<usize>> {
    let is_user = |message: &Message| message.role == Role::User;
    let newest = messages.iter().rposition(is_user).unwrap_or(messages.len().saturating_sub(1));
    let start = messages.iter().position(|message| message.role != Role::System)?;
    let next = messages.iter().skip(start + 1).position(is_user)?;
    let end = start + 1 + next;
    (end <= newest).then_some(start..end)
}

fn leave_out_middle(tokens: &mut Vec<TokenId>, room: usize, capacity: usize) {
    let keep = kept_by_slide(capacity).min(room);
    let leave_out = tokens.len().saturating_sub(room);
    tokens.drain(keep..keep + leave_out);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_turn_goes_and_the_newest_stays() {
        let (system, user) = (Message::system("s"), Message::user("u"));
        let assistant = Message::assistant("a");
        let cases: [(&[&Message], Option<Range<usize>>); 5] = [
            (&[&system, &user, &assistant, &user], Some(1..3)),
            (&[&user, &assistant, &user, &assistant, &user], Some(0..2)),
            (&[&system, &user], None),
            (&[&user, &assistant], None),
            (&[&assistant, &user], Some(0..1)),
        ];
        for (messages, expect) in cases {
            let messages: Vec<Message> = messages.iter().copied().cloned().collect();
            assert_eq!(oldest_turn(&messages), expect, "{messages:?}");
        }
    }

    #[test]
    fn sliding_keeps_both_ends() {
        let mut tokens: Vec<TokenId> = (0..100).collect();
        leave_out_middle(&mut tokens, 20, 32);
        assert_eq!(tokens.len(), 20);
        assert_eq!(tokens[..4], [0, 1, 2, 3]);
        assert_eq!(tokens[4], 84);
        assert_eq!(tokens[19], 99);
    }
}
