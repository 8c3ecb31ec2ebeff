//! A fake model that says a text, and what came of asking it.

use std::sync::Arc;

use tenfold_core::{
    Event, EventStream, FinishReason, GenerateError, GenerateOptions, Message, Model,
    SamplingOptions, Session, SessionOptions, TokenId, Usage,
};
use tenfold_generate::{TextModel, TextParts};
use tenfold_testkit::fake::{self, FakeModel};
use tenfold_testkit::tiny::TinyVocabulary;
use tenfold_tokenizer::TokenizeOptions;

/// What was told about one run.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) pieces: Vec<String>,
    pub(crate) ids: Vec<TokenId>,
    pub(crate) prefill: Vec<(u64, u64)>,
    pub(crate) reason: FinishReason,
    pub(crate) usage: Usage,
}

impl Told {
    pub(crate) fn text(&self) -> String {
        self.pieces.concat()
    }
}

/// The parts of a vocabulary with ChatML turns.
pub(crate) fn parts() -> TextParts {
    fake::parts(TinyVocabulary::Bpe("llama-bpe")).unwrap()
}

/// The tokens of a text; special ones in it count.
pub(crate) fn tokens(parts: &TextParts, text: &str) -> Vec<TokenId> {
    let options = TokenizeOptions { add_special: false, parse_special: true };
    parts.tokenizer.tokenize(text.as_bytes(), options).unwrap()
}

/// A model that answers every turn with this text and ends, or goes on for ever with its last token.
pub(crate) fn saying(parts: &TextParts, text: &str, ends: bool) -> FakeModel {
    let mut answer = tokens(parts, text);
    if ends {
        answer.extend(tokens(parts, "<|im_end|>"));
    }
    let begin = tokens(parts, "<|im_start|>assistant\n");
    FakeModel::new(parts.tokenizer.vocabulary_size(), move |so_far| {
        let said = since(so_far, &begin).unwrap_or(0);
        answer.get(said).or(answer.last()).copied().unwrap_or(0)
    })
}

/// Tokens after the last place where `begin` stands.
fn since(tokens: &[TokenId], begin: &[TokenId]) -> Option<usize> {
    let last = tokens.windows(begin.len()).rposition(|window| window == begin)?;
    Some(tokens.len() - last - begin.len())
}

pub(crate) fn model(fake: FakeModel, parts: TextParts) -> Arc<TextModel<FakeModel>> {
    Arc::new(TextModel::new(fake, parts).unwrap())
}

pub(crate) fn session(model: &Arc<TextModel<FakeModel>>) -> Box<dyn Session> {
    Arc::clone(model).start_session(&SessionOptions::default()).unwrap()
}

/// A session with a model that says this text and ends.
pub(crate) fn session_saying(text: &str) -> Box<dyn Session> {
    let parts = parts();
    session(&model(saying(&parts, text, true), parts))
}

pub(crate) fn greedy() -> GenerateOptions {
    GenerateOptions { sampling: SamplingOptions::greedy(), ..GenerateOptions::default() }
}

pub(crate) fn ask(
    session: &mut dyn Session,
    text: &str,
    options: &GenerateOptions,
) -> Result<Told, GenerateError> {
    pull(session.generate(&[Message::user(text)], options)?)
}

pub(crate) fn pull(stream: EventStream<'_>) -> Result<Told, GenerateError> {
    let (mut pieces, mut ids, mut prefill, mut end) = (vec![], vec![], vec![], None);
    for event in stream {
        assert!(end.is_none(), "{event:?} after the end");
        match event? {
            Event::Text(text) => pieces.push(text),
            Event::Token(token) => ids.push(token.id),
            Event::Prefill(progress) => prefill.push((progress.done, progress.total)),
            Event::Finished { reason, usage, .. } => end = Some((reason, usage)),
            other => panic!("{other:?}"),
        }
    }
    let (reason, usage) = end.expect("a run ends with Finished");
    Ok(Told { pieces, ids, prefill, reason, usage })
}
