//! What the decode loop relies on: however tokens are cut into steps and put together, the logits
//! are the same; and a step that cannot be done changes nothing.
#![allow(clippy::unwrap_used, clippy::print_stdout)] // a test may panic and tell what it left out

mod support;

use support::{Tiny, all_logits, distance, extend, options, sequence, tiny, tokens};
use tenfold_core::{DType, TokenId};
use tenfold_engine::{Engine, EngineError, EngineErrorKind, EngineOptions, EngineSequence};
use tenfold_generate::{Sequence, SequenceOptions, Step, TokenModel};
use tenfold_kernels::Kernels;

/// What single floats may differ by when their sums are made in another order.
const SAME: f64 = 1e-4;

#[track_caller]
fn assert_same(what: &str, found: &[Vec<f32>], expected: &[Vec<f32>]) {
    let distance = distance(found, expected);
    assert!(distance <= SAME, "{what}: {distance}");
}

/// Appends the tokens of several sequences in one call.
fn together(
    engine: &Engine,
    sequences: &mut [EngineSequence],
    tokens: &[Vec<TokenId>],
    wanted: usize,
) -> Vec<Vec<f32>> {
    let mut logits = vec![Vec::new(); sequences.len()];
    let parts = sequences.iter_mut().zip(tokens).zip(&mut logits);
    let mut steps: Vec<_> = parts
        .map(|((sequence, tokens), logits)| Step {
            sequence,
            tokens,
            wanted: wanted.min(tokens.len()),
            logits,
        })
        .collect();
    engine.forward(&mut steps).unwrap();
    let vocabulary = engine.shape().vocabulary_size;
    logits.iter().flat_map(|logits| logits.chunks_exact(vocabulary)).map(<[f32]>::to_vec).collect()
}

#[test]
fn a_prompt_in_pieces_gives_what_it_gives_at_once() {
    for name in ["llama-gqa", "gemma3", "stablelm-parallel"] {
        let engine = &tiny(name, DType::F32).engine;
        let tokens = tokens(engine, 150, 1);
        let at_once = all_logits(engine, &tokens);
        for pieces in [&[1; 150][..], &[149, 1], &[3, 64, 1, 82]] {
            let (mut sequence, mut logits, mut first) = (sequence(engine), Vec::new(), 0);
            for &len in pieces {
                logits.extend(extend(engine, &mut sequence, &tokens[first..first + len], len));
                first += len;
            }
            assert_eq!(sequence.len(), 150);
            assert_same(&format!("{name} {pieces:?}"), &logits, &at_once);
        }
    }
}

#[test]
fn sequences_in_one_call_do_not_see_each_other() {
    for name in ["llama", "gemma2"] {
        let engine = &tiny(name, DType::F32).engine;
        // Together more rows than one pass takes.
        let prompts: Vec<_> =
            [300, 1, 200, 75].iter().zip(0..).map(|(&len, i)| tokens(engine, len, i)).collect();
        let mut sequences: Vec<_> = prompts.iter().map(|_| sequence(engine)).collect();
        let found = together(engine, &mut sequences, &prompts, 1);
        let alone = prompts.iter().map(|prompt| all_logits(engine, prompt).pop().unwrap());
        assert_same(name, &found, &alone.collect::<Vec<_>>());

        // Each goes on where it was, one token and several in the same call.
        let more: Vec<_> = [1, 5, 1, 2].iter().map(|&len| tokens(engine, len, 9)).collect();
        let found = together(engine, &mut sequences, &more, 1);
        let alone = prompts.iter().zip(&more).map(|(prompt, more)| {
            all_logits(engine, &[prompt.clone(), more.clone()].concat()).pop().unwrap()
        });
        assert_same(name, &found, &alone.collect::<Vec<_>>());
    }
}

#[test]
fn a_truncated_sequence_goes_on_as_if_nothing_had_followed() {
    let engine = &tiny("gemma3", DType::F32).engine;
    let tokens = tokens(engine, 90, 3);
    let mut sequence = sequence(engine);
    extend(engine, &mut sequence, &tokens[40..], 1);
    sequence.truncate(0).unwrap();
    extend(engine, &mut sequence, &tokens[..70], 0);
    sequence.truncate(33).unwrap();
    let found = extend(engine, &mut sequence, &tokens[33..], 57);
    assert_same("after truncating", &found, &all_logits(engine, &tokens)[33..]);
}

#[test]
fn logits_are_those_of_the_last_tokens() {
    let engine = &tiny("qwen2", DType::F32).engine;
    let tokens = tokens(engine, 70, 4);
    let all = all_logits(engine, &tokens);
    for wanted in [0, 1, 2, 33, 70] {
        let found = extend(engine, &mut sequence(engine), &tokens, wanted);
        assert_eq!(found.len(), wanted);
        if wanted > 0 {
            assert_same(&format!("{wanted} wanted"), &found, &all[70 - wanted..]);
        }
    }
}

#[test]
fn instruction_sets_and_threads_change_nothing_but_the_last_digits() {
    let Tiny { bytes, description, .. } = tiny("llama-gqa", DType::F16);
    let load = |kernels, threads| {
        let options = EngineOptions { kernels, threads, ..options() };
        Engine::load(&description, &[&bytes], &options, &mut |_| {}).unwrap()
    };
    let usual = load(None, options().threads);
    let tokens = tokens(&usual, 100, 5);
    let expected = all_logits(&usual, &tokens);
    for kernels in Kernels::available() {
        for threads in [1, 3] {
            let engine = load(Some(kernels), threads.try_into().ok());
            assert_eq!((engine.kernels(), engine.threads()), (kernels, threads));
            assert_same(kernels.name(), &all_logits(&engine, &tokens), &expected);
        }
    }
}

#[test]
fn steps_that_cannot_be_done_are_refused_and_change_nothing() {
    let tiny = tiny("llama", DType::Q8_0);
    let engine = &tiny.engine;
    let mut sequence = engine.new_sequence(&SequenceOptions { context_length: 10 }).unwrap();
    let prompt = tokens(engine, 8, 6);
    let before = extend(engine, &mut sequence, &prompt[..7], 1);
    let foreign = support::load(&tiny.description, &tiny.bytes).unwrap();
    let unknown = engine.shape().vocabulary_size as TokenId;
    type Case<'a> = (&'a Engine, &'a [TokenId], usize, &'a str);
    let cases: [Case<'_>; 5] = [
        (engine, &[], 0, "a step has no tokens"),
        (engine, &prompt[..1], 2, "logits of 2 positions and has 1"),
        (engine, &[1, unknown], 1, "not in the vocabulary"),
        (engine, &prompt[..4], 1, "would hold 11 tokens, and has room for 10"),
        (&foreign, &prompt[..1], 1, "belongs to another model"),
    ];
    for (engine, tokens, wanted, problem) in cases {
        let mut logits = vec![1.0];
        let step = Step { sequence: &mut sequence, tokens, wanted, logits: &mut logits };
        let error = engine.try_forward(&mut [step]).unwrap_err();
        assert_eq!(error.kind(), EngineErrorKind::InvalidStep, "{error}");
        assert!(error.to_string().contains(problem), "{error}");
        assert_eq!((sequence.len(), logits.len()), (7, 1));
    }
    sequence.truncate(6).unwrap();
    assert_eq!(extend(engine, &mut sequence, &prompt[6..7], 1), before);
}

#[test]
fn sequences_and_models_are_as_long_as_they_were_asked_to_be() {
    let tiny = tiny("llama", DType::F32);
    let load = |context_length| {
        let options = EngineOptions { context_length, ..options() };
        Engine::load(&tiny.description, &[&tiny.bytes], &options, &mut |_| {})
    };
    let trained = tiny.description.config.context_length;
    assert_eq!(load(None).unwrap().shape().context_length, trained);
    let short = load(Some(40)).unwrap();
    assert_eq!(short.shape().context_length, 40);
    assert!(short.new_sequence(&SequenceOptions { context_length: 40 }).is_ok());
    for (context_length, limit) in [(0, 40), (41, 40)] {
        let error = short.new_sequence(&SequenceOptions { context_length }).unwrap_err();
        let expected = format!("is {context_length}, and should be from 1 to {limit}");
        assert!(error.to_string().contains(&expected), "{error}");
    }
    for asked in [0, trained + 1] {
        let error = load(Some(asked)).unwrap_err();
        assert!(matches!(error, EngineError::InvalidOption { option: "context_length", .. }));
    }
}

#[test]
fn memory_of_weights_and_tokens_is_told() {
    let Tiny { engine, .. } = tiny("llama-gqa", DType::Q8_0);
    let mut sequence = sequence(&engine);
    let tokens = tokens(&engine, 100, 7);
    extend(&engine, &mut sequence, &tokens, 1);
    let exact = 100 * engine.kv_bytes_per_token();
    assert!((exact..2 * exact).contains(&sequence.bytes()), "{} for {exact}", sequence.bytes());
    assert!(engine.weight_bytes() > 10_000);
}
