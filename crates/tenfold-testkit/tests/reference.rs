//! What must hold for the reference pass and the tiny models whatever their numbers are.
#![allow(clippy::unwrap_used, clippy::print_stdout)] // a test may panic and tell what it left out

use std::collections::BTreeSet;

use tenfold_core::{DType, TokenId};
use tenfold_testkit::reference::{Reference, ReferenceError};
use tenfold_testkit::tiny::{self, TinyModel};

const PROMPT: [TokenId; 12] = [1, 290, 17, 301, 42, 260, 333, 99, 7, 120, 310, 64];

fn reference(spec: tiny::TinySpec) -> Result<Reference, ReferenceError> {
    Reference::from_tiny(&TinyModel::make(spec))
}

#[test]
fn greedy_text_varies_and_margins_are_not_tiny() {
    for spec in tiny::all() {
        let name = spec.name;
        let reference = reference(spec).unwrap();
        let answer = reference.greedy(&PROMPT, 16).unwrap();
        let different = answer.iter().collect::<BTreeSet<_>>().len();
        assert!(different >= 6, "{name}: {answer:?}");
        let tokens = [&PROMPT[..], &answer].concat();
        let margins = reference.logits(&tokens).unwrap();
        let mut margins: Vec<f32> = margins.iter().map(|logits| margin(logits)).collect();
        margins.sort_by(f32::total_cmp);
        assert!(margins[margins.len() / 2] > 0.2, "{name}: {margins:?}");
    }
}

/// How much larger the largest logit is than the second.
fn margin(logits: &[f32]) -> f32 {
    let mut sorted = logits.to_vec();
    sorted.sort_by(|a, b| b.total_cmp(a));
    sorted[0] - sorted[1]
}

#[test]
fn later_tokens_change_nothing_before_them() {
    for spec in tiny::all() {
        let name = spec.name;
        let reference = reference(spec).unwrap();
        let whole = reference.logits(&PROMPT).unwrap();
        let part = reference.logits(&PROMPT[..5]).unwrap();
        assert_eq!(whole[..5], part, "{name}");
    }
}

#[test]
fn every_token_within_the_window_counts_and_none_beyond_it() {
    let mut spec = tiny::find("mistral").unwrap();
    spec.config.layers = 1;
    let window = spec.config.sliding_window.unwrap();
    let reference = reference(spec).unwrap();
    let logits = reference.last_logits(&PROMPT).unwrap();
    for changed in 0..PROMPT.len() {
        let mut prompt = PROMPT;
        prompt[changed] += 1;
        let same = reference.last_logits(&prompt).unwrap() == logits;
        assert_eq!(same, changed < PROMPT.len() - window, "position {changed}");
    }
}

#[test]
fn wrong_input_is_an_error() {
    let model = TinyModel::named("llama").unwrap();
    let mut tensors = model.tensors().clone();
    let error = Reference::new("rwkv7", model.config().clone(), tensors.clone()).unwrap_err();
    assert_eq!(error, ReferenceError::Architecture("rwkv7".into()));
    let size = model.config().vocabulary_size as TokenId;
    let reference = Reference::from_tiny(&model).unwrap();
    assert_eq!(reference.logits(&[0, size]), Err(ReferenceError::Token(size)));
    tensors.remove("blk.1.ffn_up.weight");
    let broken = Reference::new("llama", model.config().clone(), tensors).unwrap();
    let missing = ReferenceError::MissingTensor("blk.1.ffn_up.weight".into());
    assert_eq!(broken.logits(&[0]), Err(missing));
    assert_eq!(reference.logits(&[]), Ok(Vec::new()));
}

#[test]
fn every_model_can_be_written_in_every_format() {
    for spec in tiny::all() {
        let narrow = TinyModel::make(spec.clone()).gguf(DType::Q8_0).unwrap();
        assert!(narrow.starts_with(b"GGUF"));
        let error = TinyModel::make(spec.clone()).gguf(DType::Q4_K).unwrap_err();
        assert!(error.to_string().contains("blocks"), "{error}");
        assert!(TinyModel::make(spec.wide()).gguf(DType::Q4_K).is_ok());
    }
}
