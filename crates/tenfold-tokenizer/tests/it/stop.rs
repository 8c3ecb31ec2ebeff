//! Stop sequences in text that comes token by token.

use std::sync::Arc;

use proptest::prelude::*;
use tenfold_tokenizer::{DetokenizeOptions, Detokenizer, StopMatcher, TokenizeOptions, Tokenizer};

use crate::support::{Variant, small};

/// The text that passes, and the sequence that ends it.
fn run(tokenizer: &Arc<Tokenizer>, stops: &[&str], text: &str) -> (String, Option<String>) {
    let ids = tokenizer.tokenize(text.as_bytes(), TokenizeOptions::plain()).unwrap();
    let mut detokenizer = Detokenizer::new(Arc::clone(tokenizer), DetokenizeOptions::default());
    let mut matcher = StopMatcher::new(stops.iter().copied());
    let mut passed = String::new();
    for id in ids {
        let progress = matcher.push(detokenizer.push(id));
        passed.push_str(progress.text);
        if let Some(stop) = progress.stop {
            return (passed, Some(stop.to_owned()));
        }
    }
    passed.push_str(matcher.push(detokenizer.finish()).text);
    let last = matcher.finish();
    (passed + last.text, last.stop.map(str::to_owned))
}

fn llama3() -> Arc<Tokenizer> {
    small("byte_level", &Variant { pre: Some("llama-bpe".into()), ..Variant::default() })
}

#[test]
fn sequences_across_token_borders() {
    let tokenizer = llama3();
    let cases: [(&[&str], &str, &str, Option<&str>); 8] = [
        (&["\nUser:"], "Hello world\nUser: hi", "Hello world", Some("\nUser:")),
        (&["\nUser:"], "Hello world\nUse it", "Hello world\nUse it", None),
        (&["👨‍👩‍👧"], "a 👨‍👩‍👧‍👦 b", "a ", Some("👨‍👩‍👧")),
        (&["界"], "你好世界", "你好世", Some("界")),
        (&["ab", "abcd"], "xx abcd", "xx ", Some("abcd")),
        (&["abcd", "ab"], "xx abc", "xx ", Some("ab")),
        (&["cd", "abcx"], "abcd", "ab", Some("cd")),
        (&["###", "##"], "a ## b ###", "a ", Some("##")),
    ];
    for (stops, text, passed, stop) in cases {
        let expected = (passed.to_owned(), stop.map(str::to_owned));
        assert_eq!(run(&tokenizer, stops, text), expected, "{stops:?} {text:?}");
    }
}

#[test]
fn a_sequence_of_a_megabyte_is_searched_in_time() {
    let stop = "a".repeat(40) + "b";
    let mut matcher = StopMatcher::new([stop]);
    let passed: usize = (0..1 << 20).map(|_| matcher.push("a").text.len()).sum();
    assert_eq!(passed + matcher.finish().text.len(), 1 << 20);
}

proptest! {
    #[test]
    fn the_earliest_and_then_the_longest_sequence_ends_the_text(
        stops in prop::collection::vec("[ab c]{1,5}|\n[a-c]{1,3}|(中|😀)[ab]?", 1..5),
        text in "([ab c]|\n|中|😀|the ){0,40}",
    ) {
        let stops: Vec<&str> = stops.iter().map(String::as_str).collect();
        let places = stops.iter().filter_map(|&stop| Some((text.find(stop)?, stop)));
        let first = places.min_by_key(|&(at, stop)| (at, std::cmp::Reverse(stop.len())));
        let expected = match first {
            Some((at, stop)) => (text[..at].to_owned(), Some(stop.to_owned())),
            None => (text.clone(), None),
        };
        prop_assert_eq!(run(&llama3(), &stops, &text), expected);
    }
}
