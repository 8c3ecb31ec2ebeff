//! A `tokenizer.json` gives the ids and the text that the library of its format gives.

use serde_json::{Map, Value};
use tenfold_tokenizer::{DetokenizeOptions, TokenizeOptions};

use crate::support::{Goldens, assemble, from_json, goldens};

#[test]
fn every_kind_of_tokenizer_json() {
    let goldens: Goldens<Map<String, Value>> = goldens("tokenizer_json.json");
    for (index, component) in goldens.variants.iter().enumerate() {
        let tokenizer = from_json(&assemble(component));
        let name = &component["name"];
        for case in &goldens.cases {
            let text = case.text();
            let ids = tokenizer.tokenize(&text, case.options()).unwrap();
            assert_eq!(ids, case.ids(index), "{name} {}", String::from_utf8_lossy(&text));
            let shown = tokenizer.detokenize(&ids, DetokenizeOptions::default());
            let (shown, expected) = (String::from_utf8_lossy(&shown), case.shown(index));
            assert_eq!(shown, String::from_utf8_lossy(&expected), "{name} {ids:?}");
        }
    }
}

#[test]
fn bytes_that_are_no_text_count_as_replacement_characters() {
    let goldens: Goldens<Map<String, Value>> = goldens("tokenizer_json.json");
    let cases: [(&[u8], &str); 4] = [
        (b"a\xFFb", "a\u{FFFD}b"),
        (b"\xE2\x82 x", "\u{FFFD}\u{FFFD} x"),
        (b"\xED\xA0\x80", "\u{FFFD}"),
        (b"\xF0\x9F\x98", "\u{FFFD}\u{FFFD}\u{FFFD}"),
    ];
    for component in &goldens.variants {
        let tokenizer = from_json(&assemble(component));
        let tokenize = |text| tokenizer.tokenize(text, TokenizeOptions::plain()).unwrap();
        for (bytes, text) in cases {
            assert_eq!(tokenize(bytes), tokenize(text.as_bytes()), "{} {text}", component["name"]);
        }
    }
}
