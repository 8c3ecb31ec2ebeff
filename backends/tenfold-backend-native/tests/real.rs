//! Real models against llama.cpp: the same tokens, the same text, the same perplexity.
//!
//! `cargo xtask test` fetches SmolLM2 and says in `TENFOLD_TEST_HOME` where it is; further models are
//! checked when they are there (`cargo xtask fixtures gemma3:270m qwen2.5-coder:0.5b`).
#![allow(clippy::unwrap_used, clippy::print_stdout)] // a test may panic and tell what it left out

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use serde::Deserialize;
use tenfold_backend_native::NativeBackend;
use tenfold_core::{
    Backend, Event, GenerateOptions, LoadOptions, Model, ModelFiles, SamplingOptions,
    SessionOptions, TokenId,
};
use tenfold_engine::{Engine, EngineOptions};
use tenfold_files::OpenModel;
use tenfold_generate::{SequenceOptions, Step, TokenModel};
use tenfold_hub::{Hub, HubConfig, ModelRef};
use tenfold_testkit::text;
use tenfold_tokenizer::TokenizeOptions;

const GREEDY: &str = include_str!("goldens/greedy.json");
const PERPLEXITY: &str = include_str!("goldens/perplexity.json");

/// The one that every test run has.
const DEFAULT: &str = "smollm2:135m";

/// Two best logits closer than this may change places: both engines round their inputs to 8 bits, in
/// groups of other sizes.
const NEAR_TIE: f32 = 0.2;
/// The smallest model parts from llama.cpp at larger gaps; 0.327 is the largest seen.
const NEAR_TIE_OF_SMOLLM2: f32 = 0.35;
/// Largest relative difference of perplexities.
const PERPLEXITY_BOUND: f64 = 0.01;

#[derive(Deserialize)]
struct Greedy {
    sha256: String,
    runs: Vec<Run>,
}

/// One prompt; `top` holds for each token its logit, the second best token, and its logit.
#[derive(Deserialize)]
struct Run {
    prompt: String,
    prompt_tokens: Vec<TokenId>,
    tokens: Vec<TokenId>,
    top: Vec<(f32, TokenId, f32)>,
}

#[derive(Deserialize)]
struct Perplexity {
    tokens: usize,
    nll: f64,
}

/// The models that have goldens and are on this machine.
fn models<G: for<'d> Deserialize<'d>>(goldens: &str) -> Vec<(String, ModelFiles, G)> {
    let goldens: BTreeMap<String, G> = serde_json::from_str(goldens).unwrap();
    let Some(home) = std::env::var_os("TENFOLD_TEST_HOME") else {
        println!("left out: TENFOLD_TEST_HOME is not set");
        return Vec::new();
    };
    let mut config = HubConfig::with_home(PathBuf::from(home));
    config.offline = true;
    let hub = Hub::new(config).unwrap();
    let mut found = Vec::new();
    for (name, golden) in goldens {
        match hub.resolve(&name.parse::<ModelRef>().unwrap()) {
            Ok(files) => found.push((name, files, golden)),
            Err(error) if name != DEFAULT => println!("left out: {name}: {error}"),
            Err(error) => panic!("{name}: {error}"),
        }
    }
    found
}

#[test]
fn greedy_text_is_that_of_llama_cpp() {
    let mut problems = Vec::new();
    for (name, files, golden) in models::<Greedy>(GREEDY) {
        let model =
            NativeBackend::new().load(&files, &LoadOptions::default(), &mut |_| {}).unwrap();
        assert_eq!(golden.sha256.len(), 64, "{name}");
        for (index, run) in golden.runs.iter().enumerate() {
            let found = greedy(&model, run);
            let equal = found.iter().zip(&run.tokens).take_while(|(a, b)| a == b).count();
            println!("{name} {index}: {equal} of {} tokens are equal", run.tokens.len());
            problems.extend(
                judge(run, equal, near_tie(&name)).map(|it| format!("{name} {index}: {it}")),
            );
        }
    }
    assert!(problems.is_empty(), "{problems:#?}");
}

fn greedy(model: &Arc<dyn Model>, run: &Run) -> Vec<TokenId> {
    let options = GenerateOptions {
        sampling: SamplingOptions::greedy(),
        max_tokens: Some(run.tokens.len()),
        token_details: true,
        ..GenerateOptions::default()
    };
    let mut session = model.clone().start_session(&SessionOptions::default()).unwrap();
    let events = session.complete(&run.prompt_tokens, &options).unwrap();
    let tokens = events.filter_map(|event| match event.unwrap() {
        Event::Token(token) => Some(token.id),
        _ => None,
    });
    tokens.collect()
}

fn near_tie(model: &str) -> f32 {
    if model == DEFAULT { NEAR_TIE_OF_SMOLLM2 } else { NEAR_TIE }
}

fn judge(run: &Run, equal: usize, near_tie: f32) -> Option<String> {
    let (first, _, second) = *run.top.get(equal)?;
    let gap = first - second;
    (gap >= near_tie)
        .then(|| format!("parts after {equal} tokens, where the best logits are {gap:.3} apart"))
}

#[test]
fn prompts_have_the_tokens_of_llama_cpp() {
    for (name, files, golden) in models::<Greedy>(GREEDY) {
        let tokenizer = OpenModel::open(&files).unwrap().tokenizer().unwrap();
        let options = TokenizeOptions { add_special: true, parse_special: true };
        for run in golden.runs {
            let tokens = tokenizer.tokenize(run.prompt.as_bytes(), options).unwrap();
            assert_eq!(tokens, run.prompt_tokens, "{name}: {:?}", run.prompt);
        }
    }
}

#[test]
fn perplexity_is_that_of_llama_cpp() {
    let mut problems = Vec::new();
    for (name, files, golden) in models::<Perplexity>(PERPLEXITY) {
        let (tokens, nll) = negative_log_likelihood(&files);
        assert_eq!(tokens, golden.tokens, "{name}: tokens of the page");
        let (ours, theirs) = (nll.exp(), golden.nll.exp());
        println!("{name}: perplexity {ours:.3}, llama.cpp {theirs:.3}");
        if (ours / theirs - 1.0).abs() > PERPLEXITY_BOUND {
            problems.push(format!("{name}: {ours} instead of {theirs}"));
        }
    }
    assert!(problems.is_empty(), "{problems:#?}");
}

/// Tokens of the page, and the mean over all but the first of `-ln p(token | those before)`.
fn negative_log_likelihood(files: &ModelFiles) -> (usize, f64) {
    let open = OpenModel::open(files).unwrap();
    let options = EngineOptions { context_length: Some(1024), ..EngineOptions::default() };
    let engine = Engine::load(open.description(), &open.shards(), &options, &mut |_| {}).unwrap();
    let options = TokenizeOptions { add_special: true, parse_special: false };
    let tokens = open.tokenizer().unwrap().tokenize(text::page().as_bytes(), options).unwrap();
    let mut sequence = engine.new_sequence(&SequenceOptions { context_length: 1024 }).unwrap();
    let mut logits = Vec::new();
    let mut losses = Vec::new();
    for (start, chunk) in (0..).step_by(256).zip(tokens.chunks(256)) {
        let (sequence, wanted) = (&mut sequence, chunk.len());
        let step = Step { sequence, tokens: chunk, wanted, logits: &mut logits };
        engine.forward(&mut [step]).unwrap();
        let following = tokens[start + 1..].iter();
        let rows = logits.chunks_exact(engine.shape().vocabulary_size);
        losses.extend(rows.zip(following).map(|(row, &token)| loss(row, token)));
    }
    (tokens.len(), losses.iter().sum::<f64>() / losses.len() as f64)
}

fn loss(logits: &[f32], token: TokenId) -> f64 {
    let peak = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let total: f64 = logits.iter().map(|&logit| f64::from(logit - peak).exp()).sum();
    total.ln() - f64::from(logits[token as usize] - peak)
}
