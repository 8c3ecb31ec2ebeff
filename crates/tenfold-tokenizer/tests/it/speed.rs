//! No text takes much longer than its length.
//!
//! The bounds are generous: without optimization a text takes well under a second. Anything that grows
//! with the square of the length would take many minutes.

use std::time::{Duration, Instant};

use serde_json::{Map, Value};
use tenfold_tokenizer::TokenizeOptions;

use crate::support::{
    Goldens, Variant, Vocabulary, all_small, assemble, from_gguf, from_json, goldens,
};

const LONG: usize = 1 << 17;

fn repeated(unit: &str, bytes: usize) -> String {
    unit.repeat(bytes.div_ceil(unit.len()))
}

fn texts(bytes: usize) -> Vec<String> {
    let mixed = "Once upon a time, 3 naïve foxes said: \"你好, Привет!\" 😀\n\n\tif (x == 10) { y += 2; }\r\n";
    let units =
        ["a", " ", "\n", mixed, "<s>", "<|im_start|>", "é", "中", "'", "1", "ab ", "\u{301}"];
    units.map(|unit| repeated(unit, bytes)).to_vec()
}

/// Runs something and fails if it takes longer.
fn within(limit: Duration, what: &str, run: impl FnOnce()) {
    let start = Instant::now();
    run();
    let taken = start.elapsed();
    assert!(taken < limit, "{what} took {taken:?}");
}

#[test]
fn a_long_text_of_anything() {
    let texts = texts(LONG);
    for (name, tokenizer) in all_small() {
        for text in &texts {
            let what = format!("{name} {:?}", text.chars().take(8).collect::<String>());
            within(Duration::from_secs(60), &what, || {
                tokenizer.tokenize(text.as_bytes(), TokenizeOptions::rendered()).unwrap();
            });
        }
    }
}

#[test]
fn a_word_of_200_000_characters() {
    let word: String = "antidisestablishmentarianism".chars().cycle().take(200_000).collect();
    for (name, tokenizer) in all_small() {
        within(Duration::from_secs(60), name, || {
            tokenizer.tokenize(word.as_bytes(), TokenizeOptions::plain()).unwrap();
        });
    }
}

#[test]
fn every_pre_tokenizer_cuts_long_runs() {
    let goldens: Goldens<Variant> = goldens("gguf_byte_level.json");
    let vocabulary = Vocabulary::named("byte_level");
    let texts = texts(LONG / 8);
    for variant in &goldens.variants {
        let tokenizer = from_gguf(&vocabulary.to_gguf(variant));
        within(Duration::from_secs(60), &format!("{variant:?}"), || {
            for text in &texts {
                tokenizer.tokenize(text.as_bytes(), TokenizeOptions::plain()).unwrap();
            }
        });
    }
}

#[test]
fn the_library_of_tokenizer_json() {
    let goldens: Goldens<Map<String, Value>> = goldens("tokenizer_json.json");
    for component in &goldens.variants {
        let tokenizer = from_json(&assemble(component));
        for text in texts(LONG / 8) {
            within(Duration::from_secs(60), &component["name"].to_string(), || {
                tokenizer.tokenize(text.as_bytes(), TokenizeOptions::plain()).unwrap();
            });
        }
    }
}
