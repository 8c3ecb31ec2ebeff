//! What an answer is made of: text, stop sequences, ends.

use tenfold_core::{FinishReason, GenerateOptions, Message, Role};

use crate::support::{ask, greedy, model, parts, pull, saying, session, session_saying, tokens};

#[test]
fn an_answer_is_what_the_model_says_up_to_its_end() {
    for text in ["Hello there.", "", " leading and trailing ", "häß 日本 \u{1f44b}\u{1f3fd}!\n\n\n"]
    {
        let told = ask(&mut *session_saying(text), "Hi", &greedy()).unwrap();
        assert_eq!(told.text(), text);
        assert_eq!(told.reason, FinishReason::EndOfGeneration);
        assert_eq!(told.usage.output_tokens, tokens(&parts(), text).len() + 1, "{text:?}");
    }
}

#[test]
fn no_piece_is_half_a_character() {
    let told = ask(&mut *session_saying("a\u{1f44b}b日c"), "Hi", &greedy()).unwrap();
    assert_eq!(told.pieces, ["a", "\u{1f44b}", "b", "日", "c"]);
}

#[test]
fn a_character_that_is_never_completed_is_left_out() {
    let parts = parts();
    let wave = tokens(&parts, "\u{1f44b}");
    let options = GenerateOptions { max_tokens: Some(1 + wave.len() - 1), ..greedy() };
    let told = ask(&mut *session_saying("a\u{1f44b}"), "Hi", &options).unwrap();
    assert_eq!((told.text().as_str(), told.reason), ("a", FinishReason::MaxTokens));
}

#[test]
fn stop_sequences_end_the_answer_wherever_the_tokens_part() {
    let cases: [(&[&str], &str, Option<&str>); 7] = [
        (&["stop"], "one two ", Some("stop")),
        (&["o st"], "one tw", Some("o st")),
        (&["never", "two"], "one ", Some("two")),
        (&["one two stop three"], "", Some("one two stop three")),
        (&["one two stop three four"], "one two stop three", None),
        (&["three"], "one two stop ", Some("three")),
        (&["threefold"], "one two stop three", None),
    ];
    for (stop, expect, reason) in cases {
        let stop: Vec<String> = stop.iter().map(|it| (*it).to_owned()).collect();
        let options = GenerateOptions { stop: stop.clone(), ..greedy() };
        let mut session = session_saying("one two stop three");
        let told = ask(&mut *session, "Hi", &options).unwrap();
        let reason = reason
            .map_or(FinishReason::EndOfGeneration, |it| FinishReason::StopSequence(it.to_owned()));
        assert_eq!((told.text().as_str(), told.reason), (expect, reason), "{stop:?}");
        assert_eq!(session.transcript().messages.last(), Some(&Message::assistant(expect)));
    }
}

#[test]
fn the_end_can_be_ignored() {
    let options = GenerateOptions { ignore_end: true, max_tokens: Some(9), ..greedy() };
    let told = ask(&mut *session_saying("hi"), "Hi", &options).unwrap();
    assert_eq!(told.text(), "hi", "special tokens are no text");
    assert_eq!((told.usage.output_tokens, told.reason), (9, FinishReason::MaxTokens));
}

#[test]
fn tokens_are_told_when_that_is_asked() {
    let parts = parts();
    let mut expect = tokens(&parts, "well");
    expect.extend(tokens(&parts, "<|im_end|>"));
    let options = GenerateOptions { token_details: true, ..greedy() };
    assert_eq!(ask(&mut *session_saying("well"), "Hi", &options).unwrap().ids, expect);
}

#[test]
fn a_conversation_is_remembered_and_its_prefix_is_reused() {
    let parts = parts();
    let fake = saying(&parts, "Fine.", true);
    let log = fake.log();
    let mut session = session(&model(fake, parts));
    let first = ask(&mut *session, "How are you?", &greedy()).unwrap();
    let before = log.turns().len();
    let second = ask(&mut *session, "And now?", &greedy()).unwrap();
    // The prompt of the second turn begins with the first one and its answer, up to the token that
    // ended it, which was picked but never processed.
    let shared = first.usage.prompt_tokens + first.usage.output_tokens - 1;
    assert_eq!(second.usage.cached_tokens, shared);
    let fresh = log.turns()[before].iter().sum::<usize>();
    assert_eq!(fresh, second.usage.prompt_tokens - shared);
    let roles: Vec<Role> = session.transcript().messages.iter().map(|it| it.role).collect();
    assert_eq!(roles, [Role::User, Role::Assistant, Role::User, Role::Assistant]);
}

#[test]
fn a_prompt_of_ids_leaves_no_trace_in_the_transcript() {
    let parts = parts();
    let prompt = tokens(&parts, "<|im_start|>assistant\n");
    let mut session = session(&model(saying(&parts, "Yes", true), parts));
    let told = pull(session.complete(&prompt, &greedy()).unwrap()).unwrap();
    assert_eq!(told.text(), "Yes");
    assert!(session.transcript().messages.is_empty());
}

#[test]
fn a_plain_template_ends_where_the_model_would_speak_for_the_user() {
    use tenfold_template::{ChatTemplate, Fallback, TemplateTokens};

    let mut parts = parts();
    let begin = tokens(&parts, "Assistant:");
    let answer = tokens(&parts, " Fine.\nUser: And you?");
    let template = ChatTemplate::fallback(Fallback::Plain, &TemplateTokens::default()).unwrap();
    parts.template = template.into();
    let fake =
        tenfold_testkit::fake::FakeModel::new(parts.tokenizer.vocabulary_size(), move |so_far| {
            let place = so_far.windows(begin.len()).rposition(|window| window == begin);
            let said = place.map_or(0, |place| so_far.len() - place - begin.len());
            answer.get(said).copied().unwrap_or(0)
        });
    let mut session = session(&model(fake, parts));
    let turn = [Message::user("Hello"), Message::assistant("Hi."), Message::user("How are you?")];
    let options = GenerateOptions { max_tokens: Some(60), ..greedy() };
    let told = pull(session.generate(&turn, &options).unwrap()).unwrap();
    assert_eq!((told.text().trim(), told.reason), ("Fine.", FinishReason::EndOfGeneration));
}
