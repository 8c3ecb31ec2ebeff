//! What loading refuses, and what it reports.
#![allow(clippy::unwrap_used, clippy::print_stdout)] // a test may panic and tell what it left out

mod support;

use support::options;
use tenfold_core::{DType, LoadProgress, LoadStage};
use tenfold_engine::{Engine, EngineError, EngineErrorKind};
use tenfold_formats::{ModelDescription, TensorEntry, describe_gguf};
use tenfold_testkit::tiny::TinyModel;

/// A tiny model's file and its description.
fn file() -> (Vec<u8>, ModelDescription) {
    let bytes = TinyModel::named("llama").unwrap().gguf(DType::Q8_0).unwrap();
    let description = describe_gguf(&[&bytes]).unwrap();
    (bytes, description)
}

fn load(description: &ModelDescription, shards: &[&[u8]]) -> Result<Engine, EngineError> {
    Engine::load(description, shards, &options(), &mut |_| {})
}

/// Why a changed description is refused.
fn refusal(change: impl FnOnce(&mut ModelDescription)) -> EngineError {
    let (bytes, mut description) = file();
    change(&mut description);
    load(&description, &[&bytes]).unwrap_err()
}

fn entry<'a>(description: &'a mut ModelDescription, name: &str) -> &'a mut TensorEntry {
    description.tensors.entries.get_mut(name).unwrap()
}

#[test]
fn files_that_contradict_themselves_are_named_with_the_tensor() {
    type Change = fn(&mut ModelDescription);
    let cases: [(Change, &str); 5] = [
        (
            |model| drop(model.tensors.entries.remove("blk.1.attn_q.weight")),
            "the tensor blk.1.attn_q.weight is missing",
        ),
        (
            |model| entry(model, "output_norm.weight").shape = vec![65],
            "output_norm.weight has the sizes [65] instead of [64]",
        ),
        (
            |model| entry(model, "blk.0.ffn_down.weight").range.end -= 34,
            "blk.0.ffn_down.weight (Q8_0) should have 8704 bytes and has 8670",
        ),
        (
            |model| entry(model, "token_embd.weight").range = 1 << 40..1 << 41,
            "token_embd.weight (Q8_0) should have",
        ),
        (|model| model.config.kv_heads = 3, "kv_heads is 3, and should divide"),
    ];
    for (change, problem) in cases {
        let error = refusal(change);
        assert_eq!(error.kind(), EngineErrorKind::InvalidModel, "{error}");
        assert!(error.to_string().contains(problem), "{error}");
    }
}

#[test]
fn a_file_that_ends_early_is_refused() {
    let (bytes, description) = file();
    // A file may end in up to 31 bytes that belong to no tensor.
    for len in [0, 100, bytes.len() / 2, bytes.len() - 32] {
        let error = load(&description, &[&bytes[..len]]).unwrap_err();
        assert!(matches!(error, EngineError::TensorBytes { .. }), "{len} bytes: {error}");
    }
    assert!(load(&description, &[]).is_err());
}

#[test]
fn what_the_engine_has_no_use_for_is_refused_unless_it_is_known_to_be_harmless() {
    let with = |name: &str| {
        let (bytes, mut description) = file();
        let copy = entry(&mut description, "output_norm.weight").clone();
        description.tensors.entries.insert(name.to_owned(), copy);
        load(&description, &[&bytes])
    };
    for name in ["blk.0.attn_q_norm.weight", "blk.0.ffn_gate_inp.weight", "extra"] {
        let error = with(name).unwrap_err();
        assert_eq!(error.kind(), EngineErrorKind::Unsupported);
        assert!(error.to_string().contains(name), "{error}");
    }
    for name in ["blk.0.rotary_emb.inv_freq", "v.patch_embd.weight", "mm.0.weight"] {
        assert!(with(name).is_ok(), "{name}");
    }
}

type Change = fn(&mut ModelDescription);

#[test]
fn what_the_header_says_is_enough_to_refuse() {
    let changes: [(Change, &str); 3] = [
        (|model| model.architecture = "rwkv7".to_owned(), "rwkv7"),
        (|model| model.config.experts = 8, "a mixture of 8 experts"),
        (|model| entry(model, "output.weight").dtype = DType::I32, "I32"),
    ];
    for (change, problem) in changes {
        let (_, mut description) = file();
        assert!(Engine::supports(&description).is_ok());
        change(&mut description);
        let refused = Engine::supports(&description).unwrap_err();
        assert!(refused.what.contains(problem), "{refused}");
        assert_eq!(load(&description, &[]).unwrap_err().kind(), EngineErrorKind::Unsupported);
    }
    assert!(Engine::architectures().all(|name| Engine::supports_architecture(name).is_ok()));
}

#[test]
fn progress_grows_to_the_whole() {
    let (bytes, description) = file();
    let mut seen: Vec<LoadProgress> = Vec::new();
    Engine::load(&description, &[&bytes], &options(), &mut |progress| seen.push(progress)).unwrap();
    assert!(seen.len() > 3);
    assert!(seen.iter().all(|progress| progress.stage == LoadStage::Pack));
    assert!(seen.is_sorted_by_key(|progress| progress.progress.done));
    let last = seen.last().unwrap().progress;
    assert_eq!(last.done, last.total);
}
