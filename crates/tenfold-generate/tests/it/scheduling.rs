//! Several callers of one model: who gets which turn, who waits, who ends.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use tenfold_core::{Event, GenerateErrorKind, GenerateOptions, Message};
use tenfold_testkit::fake::Truncation;

use crate::support::{ask, greedy, model, parts, pull, saying, session, tokens};

/// Waits until `is_true`, at most ten seconds.
fn eventually(is_true: impl Fn() -> bool) -> bool {
    let end = Instant::now() + Duration::from_secs(10);
    while Instant::now() < end {
        if is_true() {
            return true;
        }
        thread::sleep(Duration::from_millis(2));
    }
    false
}

fn endless(max_tokens: usize) -> GenerateOptions {
    GenerateOptions { ignore_end: true, max_tokens: Some(max_tokens), ..greedy() }
}

#[test]
fn a_long_prompt_is_cut_into_turns_and_told_as_it_goes() {
    let parts = parts();
    let fake = saying(&parts, "ok", true);
    let log = fake.log();
    let mut session = session(&model(fake, parts));
    let told = ask(&mut *session, &"x".repeat(100), &greedy()).unwrap();
    let total = told.usage.prompt_tokens;
    let expect: Vec<(u64, u64)> =
        (32..total).step_by(32).chain([total]).map(|done| (done as u64, total as u64)).collect();
    assert_eq!(told.prefill, expect);
    assert!(log.turns().iter().all(|turn| turn.iter().sum::<usize>() <= 32), "{:?}", log.turns());
}

#[test]
fn sessions_share_turns() {
    let parts = parts();
    let mut fake = saying(&parts, "a b c d e f g h", false);
    fake.delay = Duration::from_millis(1);
    let log = fake.log();
    let model = model(fake, parts);
    let sessions: Vec<_> = (0..4).map(|_| session(&model)).collect();
    thread::scope(|scope| {
        for mut session in sessions {
            scope.spawn(move || ask(&mut *session, "Hi", &endless(40)).unwrap());
        }
    });
    let together = log.turns().iter().filter(|turn| turn.len() == 4).count();
    assert!(together > 10, "{together} turns were shared by all: {:?}", log.turns());
}

#[test]
fn a_caller_who_does_not_pull_is_waited_for() {
    let parts = parts();
    let fake = saying(&parts, "a", false);
    let log = fake.log();
    let model = model(fake, parts);
    let (mut slow, mut quick) = (session(&model), session(&model));
    let stream = slow.generate(&[Message::user("Hi")], &endless(200)).unwrap();
    assert!(eventually(|| log.turns().len() >= 30));
    thread::sleep(Duration::from_millis(50));
    let blocked = log.turns().len();
    assert!(blocked < 60, "{blocked} turns for a caller who takes nothing");
    assert_eq!(ask(&mut *quick, "Hi", &endless(50)).unwrap().usage.output_tokens, 50);
    assert_eq!(pull(stream).unwrap().usage.output_tokens, 200);
}

#[test]
fn dropping_the_stream_ends_the_run() {
    let parts = parts();
    let mut fake = saying(&parts, "a", false);
    fake.delay = Duration::from_millis(1);
    let log = fake.log();
    let mut session = session(&model(fake, parts));
    let mut stream = session.generate(&[Message::user("Hi")], &endless(100_000)).unwrap();
    assert!(stream.by_ref().any(|event| matches!(event, Ok(Event::Text(_)))));
    drop(stream);
    let settled = || {
        let before = log.turns().len();
        thread::sleep(Duration::from_millis(30));
        log.turns().len() == before
    };
    assert!(eventually(settled), "the run goes on for nobody");
    assert!(session.transcript().messages.last().is_some_and(|it| it.text().starts_with('a')));
}

#[test]
fn dropping_everything_ends_the_thread() {
    let parts = parts();
    let fake = saying(&parts, "a", false);
    let model = model(fake, parts);
    let weak = Arc::downgrade(model.token_model());
    let mut session = session(&model);
    drop(session.generate(&[Message::user("Hi")], &endless(100_000)).unwrap());
    drop(model);
    drop(session);
    assert!(weak.upgrade().is_none(), "somebody still holds the weights");
}

#[test]
fn a_run_that_fails_ends_alone() {
    let parts = parts();
    let mut fake = saying(&parts, "a", false);
    fake.poison = tokens(&parts, "!").first().copied();
    fake.delay = Duration::from_millis(1);
    let model = model(fake, parts);
    let (mut healthy, mut poisoned) = (session(&model), session(&model));
    thread::scope(|scope| {
        let healthy = scope.spawn(move || ask(&mut *healthy, "Hi", &endless(100)));
        let error = ask(&mut *poisoned, "!", &endless(100)).unwrap_err();
        assert_eq!(error.kind(), GenerateErrorKind::Backend);
        assert!(poisoned.transcript().messages.is_empty(), "a failed turn is not remembered");
        assert_eq!(healthy.join().unwrap().unwrap().usage.output_tokens, 100);
        assert!(ask(&mut *poisoned, "Hi", &endless(3)).is_ok(), "the session goes on");
    });
}

#[test]
fn a_panic_in_the_framework_is_an_error_for_the_caller() {
    let parts = parts();
    let mut fake = saying(&parts, "a", true);
    fake.bomb = tokens(&parts, "!").first().copied();
    let model = model(fake, parts);
    let mut session = session(&model);
    for text in ["!", "Hi"] {
        let error = ask(&mut *session, text, &greedy()).unwrap_err();
        assert_eq!(error.kind(), GenerateErrorKind::Backend, "{text}: {error}");
    }
}

#[test]
fn a_cache_that_cannot_go_back_is_emptied_or_the_run_is_refused() {
    let cases = [
        (Truncation::Anywhere, Some(true)),
        (Truncation::OnlyEmpty, Some(false)),
        (Truncation::Never, None),
    ];
    for (truncation, expect) in cases {
        let parts = parts();
        let prompts = ["ab cd", "ab ef"].map(|text| tokens(&parts, text));
        let mut fake = saying(&parts, "x", false);
        fake.truncation = truncation;
        let mut session = session(&model(fake, parts));
        let mut complete = |prompt: &[u32]| pull(session.complete(prompt, &endless(4)).unwrap());
        complete(&prompts[0]).unwrap();
        let second = complete(&prompts[1]);
        assert_eq!(second.ok().map(|it| it.usage.cached_tokens > 0), expect, "{truncation:?}");
    }
}
