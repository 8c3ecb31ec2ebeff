//! The real vocabulary of SmolLM2, where the test run has fetched it (`cargo xtask test`).

use std::path::PathBuf;

use tenfold_tokenizer::{DetokenizeOptions, Tokenizer};

use crate::support::{Goldens, Variant, from_gguf, goldens};

const SHA256: &str = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53";

/// The tokenizer of the file in the store of the test run; says so where there is none.
fn smollm2() -> Option<Tokenizer> {
    let Some(home) = std::env::var_os("TENFOLD_TEST_HOME") else {
        eprintln!("left out: TENFOLD_TEST_HOME is not set; `cargo xtask test` sets it");
        return None;
    };
    let file = PathBuf::from(home).join("models/blobs").join(SHA256);
    Some(from_gguf(&std::fs::read(file).unwrap()))
}

#[test]
fn ids_are_those_of_llama_cpp_and_transformers() {
    let Some(tokenizer) = smollm2() else { return };
    let goldens: Goldens<Variant> = goldens("smollm2.json");
    for case in &goldens.cases {
        let text = case.text();
        let ids = tokenizer.tokenize(&text, case.options()).unwrap();
        assert_eq!(ids, case.ids(0), "{}", String::from_utf8_lossy(&text));
        assert_eq!(tokenizer.detokenize(&ids, DetokenizeOptions::default()), case.shown(0));
    }
}

#[test]
fn a_turn_ends_where_the_model_says() {
    let Some(tokenizer) = smollm2() else { return };
    let texts = tokenizer.end_of_generation().iter().map(|&id| tokenizer.token_text(id).unwrap());
    assert!(texts.eq(["<|endoftext|>", "<|im_end|>", "<reponame>"]));
    assert!(!tokenizer.adds_bos() && !tokenizer.adds_eos());
}
