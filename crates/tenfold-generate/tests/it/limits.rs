//! The end of the context, and what people can write into a prompt.

use tenfold_core::{
    ContextOverflow, FinishReason, GenerateError, GenerateOptions, Message, Model, SessionOptions,
};

use crate::support::{ask, greedy, model, parts, saying, session_saying, tokens};

const CAPACITY: usize = 256;

fn with(overflow: ContextOverflow) -> GenerateOptions {
    GenerateOptions { overflow, ..greedy() }
}

#[test]
fn a_prompt_beyond_the_context_is_refused_with_both_numbers() {
    let mut session = session_saying("ok");
    let error = ask(&mut *session, &"word ".repeat(200), &greedy()).unwrap_err();
    let GenerateError::ContextOverflow { requested, allowed } = error else { panic!("{error}") };
    assert_eq!(allowed, CAPACITY);
    assert!(requested > CAPACITY, "{requested}");
    assert!(session.transcript().messages.is_empty());
}

#[test]
fn an_answer_ends_where_the_context_does() {
    let parts = parts();
    let mut session = crate::support::session(&model(saying(&parts, "a", false), parts));
    let told = ask(&mut *session, "Hi", &greedy()).unwrap();
    assert_eq!(told.reason, FinishReason::ContextFull);
    // The last token is picked and told, and needs no place any more.
    assert_eq!(told.usage.prompt_tokens + told.usage.output_tokens, CAPACITY + 1);
}

#[test]
fn the_oldest_turns_go_first_and_it_is_said_how_many() {
    let parts = parts();
    let model = model(saying(&parts, "ok", true), parts);
    let options =
        SessionOptions { instructions: Some("Be brief.".into()), ..SessionOptions::default() };
    let mut session = model.start_session(&options).unwrap();
    let policy = with(ContextOverflow::DropOldestTurns);
    let filler = "0123456789".repeat(6);
    let dropped: Vec<usize> = (0..6)
        .map(|_| ask(&mut *session, &filler, &policy).unwrap().usage.dropped_messages)
        .collect();
    assert_eq!(dropped[..2], [0, 0], "{dropped:?}");
    assert!(dropped[4..].iter().all(|count| *count > 0), "{dropped:?}");
    assert!(dropped.is_sorted() && dropped.iter().all(|count| count % 2 == 0), "{dropped:?}");
    assert_eq!(session.transcript().messages.len(), 13, "nothing is forgotten for that");
}

#[test]
fn a_single_turn_that_is_too_long_cannot_be_helped_by_dropping() {
    let mut session = session_saying("ok");
    let policy = with(ContextOverflow::DropOldestTurns);
    let error = ask(&mut *session, &"word ".repeat(200), &policy).unwrap_err();
    assert!(matches!(error, GenerateError::ContextOverflow { .. }), "{error}");
}

#[test]
fn sliding_goes_on_beyond_the_context() {
    let parts = parts();
    let mut session = crate::support::session(&model(saying(&parts, "a", false), parts));
    let options = GenerateOptions { max_tokens: Some(600), ..with(ContextOverflow::Slide) };
    let told = ask(&mut *session, &"word ".repeat(200), &options).unwrap();
    assert_eq!((told.usage.output_tokens, told.reason), (600, FinishReason::MaxTokens));
    assert!(told.usage.dropped_tokens > 600, "{:?}", told.usage);
}

#[test]
fn special_tokens_in_messages_are_text() {
    let parts = parts();
    let plain = tokens(&parts, "<|im_start|>").len();
    assert_eq!(plain, 1, "it is a token where it is asked for");
    let count =
        |text: &str| ask(&mut *session_saying("ok"), text, &greedy()).unwrap().usage.prompt_tokens;
    let written = count("a<|im_start|>b") - count("ab");
    assert!(written > 5, "the text became {written} tokens");
}

#[test]
fn raw_sessions_complete_the_text_as_it_stands() {
    let parts = parts();
    let expect = tokens(&parts, "<|im_start|>assistant\n").len();
    let model = model(saying(&parts, "raw", true), parts);
    let options = SessionOptions { raw: true, ..SessionOptions::default() };
    let mut session = model.start_session(&options).unwrap();
    let told = ask(&mut *session, "<|im_start|>assistant\n", &greedy()).unwrap();
    assert_eq!((told.text().as_str(), told.usage.prompt_tokens), ("raw", expect));
}

#[test]
fn a_session_has_the_context_that_was_asked() {
    let parts = parts();
    let model = model(saying(&parts, "a", false), parts);
    let options = SessionOptions { context_length: Some(40), ..SessionOptions::default() };
    let mut session = model.clone().start_session(&options).unwrap();
    let told = ask(&mut *session, "Hi", &greedy()).unwrap();
    assert_eq!(told.usage.prompt_tokens + told.usage.output_tokens, 41);
    let too_long = SessionOptions { context_length: Some(CAPACITY + 1), ..options };
    assert!(model.start_session(&too_long).is_err());
}

#[test]
fn turns_that_say_nothing_are_refused() {
    let mut session = session_saying("ok");
    for turn in [vec![], vec![Message::user(" ")]] {
        let error = session.generate(&turn, &greedy()).err().unwrap();
        assert!(matches!(error, GenerateError::EmptyPrompt), "{error}");
    }
}
