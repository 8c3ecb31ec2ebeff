//! What a token costs. Run with `cargo test --release -p tenfold-sampler -- --ignored --nocapture`.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test may fail loudly")]

use std::time::Instant;

use tenfold_core::{SamplingOptions, TokenId};
use tenfold_sampler::{Rng, SamplerChain};

const VOCABULARY: usize = 151_936;

/// Shaped like those of a model: a broad bell, and a few tokens far above it.
fn logits() -> Vec<f32> {
    let mut rng = Rng::new(1);
    let mut unit = || rng.below(1 << 24) as f32 / (1 << 24) as f32;
    let bell = (0..VOCABULARY).map(|_| (0..6).map(|_| unit()).sum::<f32>() * 4.0 - 12.0);
    let mut logits: Vec<f32> = bell.collect();
    for (place, height) in [(77_000, 19.0), (12, 18.0), (150_000, 17.5), (4_242, 15.0)] {
        logits[place] = height;
    }
    logits
}

/// The least of many: a busy machine makes the others longer.
fn microseconds(mut chain: SamplerChain) -> f64 {
    const TIMES: u32 = 200;
    let (source, history) = (logits(), [1 as TokenId; 4096]);
    let mut logits = source.clone();
    let mut least = std::time::Duration::MAX;
    for _ in 0..TIMES {
        logits.copy_from_slice(&source);
        let start = Instant::now();
        chain.sample(&mut logits, &history).unwrap();
        least = least.min(start.elapsed());
    }
    least.as_secs_f64() * 1e6
}

#[test]
#[ignore = "a measurement, for release builds"]
fn a_token_costs_less_than_half_a_millisecond() {
    let make = |options: SamplingOptions| SamplerChain::new(&options, Vec::new()).unwrap();
    let default = SamplingOptions::default;
    let penalised = SamplingOptions { repeat_penalty: 1.1, ..default() };
    let no_top_k = SamplingOptions { top_k: 0, ..default() };
    let cost = microseconds(make(default()));
    for (name, cost) in [
        ("default", cost),
        ("default, logprobs", microseconds(make(default()).with_logprobs())),
        ("default, penalties", microseconds(make(penalised))),
        ("greedy", microseconds(make(SamplingOptions::greedy()))),
        ("top-p without top-k", microseconds(make(no_top_k))),
        ("neutral", microseconds(make(SamplingOptions::neutral()))),
    ] {
        println!("{name:20} {cost:8.1} us");
    }
    assert!(cost < 500.0, "{cost} us");
}
