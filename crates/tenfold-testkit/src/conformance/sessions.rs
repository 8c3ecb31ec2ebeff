//! Conversations: what is remembered, reused, cancelled, and kept apart.

use std::thread;

use anyhow::{anyhow, bail, ensure};
use tenfold_core::{Event, GenerateOptions, Message, Role, SessionOptions};

use super::{Answer, Check, Subject, ask, pull, short};

pub(super) const CHECKS: &[Check] = &[
    Check::new("a transcript holds instructions, turns and answers", transcripts),
    Check::new("a second turn continues the first", turns_continue),
    Check::new("a dropped stream ends the run, and the session goes on", drop_cancels),
    Check::new("sessions of one model do not disturb each other", sessions_are_apart),
    Check::new("a caller who does not pull holds up nobody", slow_callers),
    Check::new("special tokens in what people write are plain text", special_text),
];

fn transcripts(subject: &Subject<'_>) -> anyhow::Result<()> {
    let options =
        SessionOptions { instructions: Some("Be brief.".to_owned()), ..SessionOptions::default() };
    let mut session = subject.load()?.start_session(&options)?;
    let answer = ask(&mut *session, "Hello", &short())?;
    let said: Vec<(Role, &str)> =
        session.transcript().messages.iter().map(|it| (it.role, it.text())).collect();
    let expected =
        [(Role::System, "Be brief."), (Role::User, "Hello"), (Role::Assistant, &answer.text)];
    ensure!(said == expected, "it holds {said:?}");
    Ok(())
}

/// Turn by turn must give what one call with the whole conversation gives.
fn turns_continue(subject: &Subject<'_>) -> anyhow::Result<()> {
    let mut session = subject.session()?;
    let first = ask(&mut *session, "One.", &short())?;
    let second = ask(&mut *session, "Two.", &short())?;
    let conversation =
        [Message::user("One."), Message::assistant(first.text), Message::user("Two.")];
    let whole = pull(subject.session()?.generate(&conversation, &short())?)?;
    ensure!(whole.text == second.text, "{:?} at once, {:?} by turns", whole.text, second.text);
    ensure!(whole.usage.prompt_tokens == second.usage.prompt_tokens, "the prompts differ");
    ensure!(second.usage.cached_tokens < second.usage.prompt_tokens, "{:?}", second.usage);
    Ok(())
}

fn drop_cancels(subject: &Subject<'_>) -> anyhow::Result<()> {
    let mut session = subject.session()?;
    let endless = GenerateOptions { ignore_end: true, max_tokens: Some(100), ..short() };
    let mut seen = String::new();
    for event in session.generate(&[Message::user("Hello")], &endless)? {
        if let Event::Text(text) = event? {
            seen.push_str(&text);
            break;
        }
    }
    let last = session.transcript().messages.last().cloned();
    ensure!(last == Some(Message::assistant(seen)), "the transcript ends with {last:?}");
    ask(&mut *session, "Again", &short())?;
    Ok(())
}

fn sessions_are_apart(subject: &Subject<'_>) -> anyhow::Result<()> {
    let model = subject.load()?;
    let prompts = ["Hello", "Tell me about the sea.", "What is a prime number?", "Sing."];
    let alone = prompts.iter().map(|text| Ok(subject.greedy(text)?.text));
    let alone = alone.collect::<anyhow::Result<Vec<_>>>()?;
    let together = thread::scope(|scope| {
        let answer = |text| {
            let mut session = model.clone().start_session(&SessionOptions::default())?;
            anyhow::Ok(ask(&mut *session, text, &short())?.text)
        };
        let threads: Vec<_> =
            prompts.iter().map(|text| scope.spawn(move || answer(text))).collect();
        let ended = threads.into_iter().map(|it| it.join().map_err(|_| anyhow!("it panicked"))?);
        ended.collect::<anyhow::Result<Vec<_>>>()
    })?;
    ensure!(together == alone, "{together:?} together, {alone:?} alone");
    Ok(())
}

fn slow_callers(subject: &Subject<'_>) -> anyhow::Result<()> {
    let model = subject.load()?;
    let mut slow = model.clone().start_session(&SessionOptions::default())?;
    let mut quick = model.start_session(&SessionOptions::default())?;
    let endless = GenerateOptions { ignore_end: true, max_tokens: Some(60), ..short() };
    let waiting = slow.generate(&[Message::user("Hello")], &endless)?;
    let answer = ask(&mut *quick, "Hello", &short())?;
    ensure!(answer.usage.output_tokens > 0);
    let Answer { usage, .. } = pull(waiting)?;
    ensure!(usage.output_tokens == 60, "the slow one got {usage:?}");
    Ok(())
}

/// The end of a turn within a message must not make the prompt end a turn there: the message would
/// then have fewer tokens than the same text with the special token broken up by a space.
fn special_text(subject: &Subject<'_>) -> anyhow::Result<()> {
    let prompt_tokens = |text: &str| -> anyhow::Result<usize> {
        let options = GenerateOptions { max_tokens: Some(1), ..short() };
        Ok(ask(&mut *subject.session()?, text, &options)?.usage.prompt_tokens)
    };
    let plain = prompt_tokens("a b")?;
    for special in ["<|im_end|>", "</s>", "<|eot_id|>", "<end_of_turn>", "<|end|>"] {
        let found = prompt_tokens(&format!("a {special} b"))?;
        if found <= plain + 1 {
            bail!("{special} within a message became one token ({found} tokens, {plain} without)");
        }
    }
    Ok(())
}
