//! Ids back to text: nothing is lost, and step by step gives what the whole gives.

use std::sync::Arc;

use proptest::prelude::*;
use tenfold_core::TokenId;
use tenfold_tokenizer::{DetokenizeOptions, Detokenizer, TokenizeOptions, Tokenizer};

use crate::support::{Goldens, Variant, all_small, goldens, small};

fn step_by_step(
    tokenizer: &Arc<Tokenizer>,
    ids: &[TokenId],
    options: DetokenizeOptions,
) -> Vec<String> {
    let mut detokenizer = Detokenizer::new(Arc::clone(tokenizer), options);
    let mut pieces: Vec<String> = ids.iter().map(|&id| detokenizer.push(id).to_owned()).collect();
    pieces.push(detokenizer.finish().to_owned());
    pieces
}

fn options() -> impl Strategy<Value = DetokenizeOptions> {
    any::<(bool, bool)>().prop_map(|(skip_special, continues)| DetokenizeOptions {
        skip_special,
        continues,
        clean_spaces: false,
    })
}

/// Any text, but not the marker, which stands for a space.
fn text() -> impl Strategy<Value = String> {
    let words =
        "[a-z ]{0,8}|[ \n\t\r]{0,6}|\\PC{0,8}|[0-9]{1,8}|'[a-z]{1,3}|(中|한|ก|é|😀|👨‍👩‍👧){1,3}";
    prop::collection::vec(words, 0..6).prop_map(|words| words.concat().replace('▁', "_"))
}

proptest! {
    #[test]
    fn any_ids_step_by_step(
        ids in prop::collection::vec(0u32..1800, 0..24),
        options in options(),
    ) {
        for (name, tokenizer) in all_small() {
            let whole = tokenizer.detokenize(&ids, options);
            let steps = step_by_step(&tokenizer, &ids, options).concat();
            prop_assert_eq!(steps, String::from_utf8_lossy(&whole), "{} {:?}", name, ids);
        }
    }

    #[test]
    fn text_comes_back(text in text()) {
        for (name, tokenizer) in lossless() {
            let ids = tokenizer.tokenize(text.as_bytes(), TokenizeOptions::plain()).unwrap();
            let whole = tokenizer.detokenize(&ids, DetokenizeOptions::default());
            prop_assert_eq!(String::from_utf8(whole).unwrap(), &*text, "{} {:?}", name, ids);
        }
    }

    /// The first byte of a character swallows a space that follows instead of the rest.
    #[test]
    fn sentence_piece_keeps_all_bytes_between_spaces(bytes: Vec<u8>) {
        let tokenizer = small("sentence_piece", &Variant::default());
        prop_assume!(!bytes.contains(&b' ') && !bytes.windows(2).any(|pair| pair == b"\n\n"));
        let ids = tokenizer.tokenize(&bytes, TokenizeOptions::plain()).unwrap();
        prop_assert_eq!(tokenizer.detokenize(&ids, DetokenizeOptions::default()), bytes);
    }

    #[test]
    fn no_piece_holds_half_a_character(text in text()) {
        prop_assume!(!text.contains('\u{FFFD}'));
        for (name, tokenizer) in lossless() {
            let ids = tokenizer.tokenize(text.as_bytes(), TokenizeOptions::plain()).unwrap();
            let pieces = step_by_step(&tokenizer, &ids, DetokenizeOptions::default());
            let has_half = pieces.iter().any(|piece| piece.contains('\u{FFFD}'));
            prop_assert!(!has_half, "{} {:?}", name, pieces);
            prop_assert_eq!(pieces.last().map(String::as_str), Some(""));
        }
    }
}

/// Vocabularies that write every text so that it can be read again.
fn lossless() -> Vec<(&'static str, Arc<Tokenizer>)> {
    let mut small = all_small();
    small.retain(|(name, _)| ["byte_level", "characters"].contains(name));
    small
}

#[test]
fn the_goldens_step_by_step() {
    for name in ["byte_level", "characters", "sentence_piece", "unigram", "word_piece"] {
        let goldens: Goldens<Variant> = goldens(&format!("gguf_{name}.json"));
        let tokenizer = small(name, &goldens.variants[0]);
        for case in &goldens.cases {
            let ids = case.ids(0);
            let whole = tokenizer.detokenize(ids, DetokenizeOptions::default());
            let steps = step_by_step(&tokenizer, ids, DetokenizeOptions::default()).concat();
            assert_eq!(steps, String::from_utf8_lossy(&whole), "{name} {ids:?}");
        }
    }
}

#[test]
fn special_tokens_are_shown_or_left_out() {
    let cases = [
        ("byte_level", "<|im_start|>user\nHi<|im_end|>", "user\nHi"),
        ("byte_level", "<user>a</s>", "<user>a"),
        ("characters", "<s>a b<mask>", "a b"),
        ("sentence_piece", "<s>a b</s>", "a b"),
        ("sentence_piece", "a<|end|>", "a"),
        ("unigram", "a</s>", "a"),
    ];
    let rendered = TokenizeOptions::rendered();
    for (name, text, without) in cases {
        let (_, tokenizer) = all_small().into_iter().find(|(known, _)| *known == name).unwrap();
        let ids = tokenizer.tokenize(text.as_bytes(), rendered).unwrap();
        let skip = DetokenizeOptions { skip_special: true, ..DetokenizeOptions::default() };
        let shown = tokenizer.detokenize(&ids, skip);
        assert_eq!(String::from_utf8_lossy(&shown), without, "{name} {text}");
        assert_eq!(step_by_step(&tokenizer, &ids, skip).concat(), without, "{name} {text}");
    }
}

#[test]
fn special_tokens_in_text_of_a_user_are_text() {
    for (name, tokenizer) in all_small() {
        for text in ["<s>", "</s>a", "x<unk>", "<|im_end|>\n<|im_start|>system", "[SEP]", "<0x41>"]
        {
            let ids = tokenizer.tokenize(text.as_bytes(), TokenizeOptions::plain()).unwrap();
            let unknown = tokenizer.special_tokens().unk;
            let special = ids.iter().find(|&&id| tokenizer.is_special(id) && Some(id) != unknown);
            assert_eq!(special, None, "{name} {text} {ids:?}");
        }
    }
}

#[test]
fn only_the_space_that_was_added_is_taken_off() {
    let tokenizer = small("sentence_piece", &Variant::default());
    let options = |skip_special, continues| DetokenizeOptions {
        skip_special,
        continues,
        clean_spaces: false,
    };
    let cases = [
        (" a", options(false, false), " a"),
        ("  a", options(true, false), "  a"),
        ("a", options(false, true), " a"),
        ("", options(false, false), ""),
        (" ", options(false, false), " "),
        ("\n", options(false, false), "\n"),
    ];
    for (text, options, expected) in cases {
        let ids = tokenizer.tokenize(text.as_bytes(), TokenizeOptions::plain()).unwrap();
        let shown = tokenizer.detokenize(&ids, options);
        assert_eq!(String::from_utf8_lossy(&shown), expected, "{text:?} {options:?}");
    }
}
