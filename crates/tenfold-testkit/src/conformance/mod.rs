//! What every backend must do, whatever framework is behind it.
//!
//! A backend's own test makes a [`Subject`] and asserts that [`failures`] finds nothing:
//!
//! ```text
//! assert_eq!(conformance::failures(&Subject { backend: &backend, files: &files }), Vec::<String>::new());
//! ```
//!
//! The model may say anything: no check depends on what it says, only on how it comes. A check of
//! something that the model's [`Capabilities`] do not claim is left out.

mod generating;
mod limits;
mod loading;
mod sessions;

use std::sync::Arc;

use anyhow::{Context, bail};
use tenfold_core::{
    Backend, Capabilities, Event, EventStream, FinishReason, GenerateOptions, LoadOptions, Message,
    Metrics, Model, ModelFiles, SamplingOptions, Session, SessionOptions, TokenDetail, Usage,
};

/// A backend and a model that it can run.
#[derive(Clone, Copy)]
pub struct Subject<'a> {
    /// The backend.
    pub backend: &'a dyn Backend,
    /// The model: any chat model with a context of at least 128 tokens; small ones are quick.
    pub files: &'a ModelFiles,
}

/// One promise and how to see whether it is kept.
#[derive(Clone, Copy)]
struct Check {
    promise: &'static str,
    needs: fn(&Capabilities) -> bool,
    run: fn(&Subject<'_>) -> anyhow::Result<()>,
}

impl Check {
    const fn new(promise: &'static str, run: fn(&Subject<'_>) -> anyhow::Result<()>) -> Self {
        Self { promise, needs: |_| true, run }
    }

    const fn needing(self, needs: fn(&Capabilities) -> bool) -> Self {
        Self { needs, ..self }
    }
}

/// The promises that the backend breaks, each with what was seen.
pub fn failures(subject: &Subject<'_>) -> Vec<String> {
    let capabilities = match subject.load() {
        Ok(model) => model.capabilities(),
        Err(error) => return vec![format!("the model can be loaded: {error:#}")],
    };
    let checks = [loading::CHECKS, generating::CHECKS, sessions::CHECKS, limits::CHECKS].concat();
    let checks = checks.into_iter().filter(|check| (check.needs)(&capabilities));
    checks.filter_map(|check| broken(&check, subject)).collect()
}

fn broken(check: &Check, subject: &Subject<'_>) -> Option<String> {
    (check.run)(subject).err().map(|error| format!("{}: {error:#}", check.promise))
}

/// One answer with everything that was told about it.
#[derive(Clone, Debug)]
struct Answer {
    text: String,
    tokens: Vec<TokenDetail>,
    reason: FinishReason,
    usage: Usage,
    metrics: Metrics,
}

impl Subject<'_> {
    fn load(&self) -> anyhow::Result<Arc<dyn Model>> {
        self.load_with(&LoadOptions::default())
    }

    fn load_with(&self, options: &LoadOptions) -> anyhow::Result<Arc<dyn Model>> {
        Ok(self.backend.load(self.files, options, &mut |_| {})?)
    }

    fn session(&self) -> anyhow::Result<Box<dyn Session>> {
        Ok(self.load()?.start_session(&SessionOptions::default())?)
    }

    /// Greedy, up to 24 tokens, in a new session of a new model.
    fn greedy(&self, text: &str) -> anyhow::Result<Answer> {
        ask(&mut *self.session()?, text, &short())
    }
}

/// Greedy and up to 24 tokens, so that a check is quick and always ends.
fn short() -> GenerateOptions {
    let sampling = SamplingOptions::greedy();
    GenerateOptions { sampling, max_tokens: Some(24), ..GenerateOptions::default() }
}

fn ask(session: &mut dyn Session, text: &str, options: &GenerateOptions) -> anyhow::Result<Answer> {
    pull(session.generate(&[Message::user(text)], options)?)
}

/// Pulls a stream to its end and makes sure that it has exactly one.
fn pull(stream: EventStream<'_>) -> anyhow::Result<Answer> {
    let (mut text, mut tokens, mut end) = (String::new(), Vec::new(), None);
    for event in stream {
        if end.is_some() {
            bail!("something came after the end: {event:?}");
        }
        match event? {
            Event::Text(piece) => text.push_str(&piece),
            Event::Token(token) => tokens.push(token),
            Event::Finished { reason, usage, metrics } => end = Some((reason, usage, metrics)),
            _ => {}
        }
    }
    let (reason, usage, metrics) = end.context("the stream ended without Finished")?;
    Ok(Answer { text, tokens, reason, usage, metrics })
}
