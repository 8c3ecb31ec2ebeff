//! The ends of the context, and prompts that are none.

use anyhow::{Context, bail, ensure};
use tenfold_core::{
    Capabilities, ContextOverflow, FinishReason, GenerateError, GenerateErrorKind, GenerateOptions,
    LoadOptions, Message, Session, SessionOptions, TokenId,
};

use super::{Answer, Check, Subject, ask, pull, short};

pub(super) const CHECKS: &[Check] = &[
    Check::new("an empty prompt is refused", empty_prompts),
    Check::new("a prompt that is too long is refused with both numbers", overflow),
    Check::new("old turns are left out when that is asked, and it is said", drops_turns),
    Check::new("the middle is left out when that is asked, and it is said", slides),
    Check::new("an answer ends when the context is full", context_fills),
    Check::new("prompts of token ids are checked", token_prompts).needing(tokens),
];

fn tokens(capabilities: &Capabilities) -> bool {
    capabilities.logprobs
}

/// A session with room for 96 tokens.
fn small(subject: &Subject<'_>) -> anyhow::Result<Box<dyn Session>> {
    let options = LoadOptions { context_length: Some(96), ..LoadOptions::default() };
    Ok(subject.load_with(&options)?.start_session(&SessionOptions::default())?)
}

fn long_text() -> String {
    "The quick brown fox jumps over the lazy dog. ".repeat(40)
}

fn kind(error: &anyhow::Error) -> Option<GenerateErrorKind> {
    error.downcast_ref::<GenerateError>().map(GenerateError::kind)
}

fn empty_prompts(subject: &Subject<'_>) -> anyhow::Result<()> {
    let mut session = subject.session()?;
    for turn in [&[][..], &[Message::user("")], &[Message::user(" \n")]] {
        let error = session.generate(turn, &short()).err().context("it was taken")?;
        ensure!(error.kind() == GenerateErrorKind::EmptyPrompt, "{turn:?}: {error}");
    }
    ensure!(session.transcript().messages.is_empty(), "a refused turn is in the transcript");
    Ok(())
}

fn overflow(subject: &Subject<'_>) -> anyhow::Result<()> {
    let mut session = small(subject)?;
    match session.generate(&[Message::user(long_text())], &short()).err() {
        Some(GenerateError::ContextOverflow { requested, allowed }) => {
            ensure!(requested > allowed && allowed <= 96, "{requested} asked, {allowed} allowed");
        }
        other => bail!("{other:?}"),
    }
    ask(&mut *session, "Hi", &short())?;
    Ok(())
}

fn drops_turns(subject: &Subject<'_>) -> anyhow::Result<()> {
    let options = GenerateOptions {
        overflow: ContextOverflow::DropOldestTurns,
        max_tokens: Some(8),
        ..short()
    };
    let mut session = small(subject)?;
    let mut dropped = 0;
    for turn in 0..8 {
        let answer = ask(&mut *session, &format!("Turn {turn}: say something."), &options)?;
        ensure!(answer.usage.prompt_tokens <= 96, "{:?}", answer.usage);
        dropped += answer.usage.dropped_messages;
    }
    ensure!(dropped > 0, "eight turns in 96 tokens, and nothing was said to be left out");
    Ok(())
}

fn slides(subject: &Subject<'_>) -> anyhow::Result<()> {
    let options = GenerateOptions {
        overflow: ContextOverflow::Slide,
        ignore_end: true,
        max_tokens: Some(150),
        ..short()
    };
    let Answer { usage, reason, .. } = ask(&mut *small(subject)?, &long_text(), &options)?;
    ensure!(usage.output_tokens == 150, "{usage:?}, {reason:?}");
    ensure!(usage.dropped_tokens > 0 && usage.prompt_tokens <= 96, "{usage:?}");
    Ok(())
}

fn context_fills(subject: &Subject<'_>) -> anyhow::Result<()> {
    let options = GenerateOptions { ignore_end: true, max_tokens: None, ..short() };
    let Answer { usage, reason, .. } = ask(&mut *small(subject)?, "Hi", &options)?;
    ensure!(reason == FinishReason::ContextFull, "{reason:?}");
    let total = usage.prompt_tokens + usage.output_tokens;
    ensure!((95..=97).contains(&total), "{usage:?} in a context of 96");
    Ok(())
}

fn token_prompts(subject: &Subject<'_>) -> anyhow::Result<()> {
    let mut session = small(subject)?;
    let prompt: Vec<TokenId> = (65..75).collect();
    let first = pull(session.complete(&prompt, &short())?)?;
    let again = pull(session.complete(&prompt, &short())?)?;
    ensure!(first.text == again.text, "{:?}, then {:?}", first.text, again.text);
    ensure!(again.usage.cached_tokens == prompt.len() - 1, "{:?}", again.usage);
    let cases = [
        (&[][..], GenerateErrorKind::EmptyPrompt),
        (&[TokenId::MAX], GenerateErrorKind::InvalidOption),
        (&[65; 97], GenerateErrorKind::ContextOverflow),
    ];
    for (prompt, expected) in cases {
        let error = session.complete(prompt, &short()).err().context("it was taken")?;
        let found = kind(&error.into());
        ensure!(found == Some(expected), "{prompt:?}: {found:?}");
    }
    ensure!(session.transcript().messages.is_empty(), "ids are in the transcript");
    Ok(())
}
