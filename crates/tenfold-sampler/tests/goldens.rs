//! Runs computed by an independent implementation, `goldens/make_goldens.py`.
//!
//! These hold the promise that a seed gives the same text forever: a change of the file's ids is a
//! change that users see.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test may fail loudly")]

use serde_json::Value;
use tenfold_core::{SamplingOptions, TokenId};
use tenfold_sampler::SamplerChain;

fn splitmix64(n: u64) -> u64 {
    let z = n.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

fn logits(step: usize, vocabulary: usize) -> Vec<f32> {
    let first = step * vocabulary;
    (first..first + vocabulary).map(|n| (splitmix64(n as u64) >> 52) as f32 / 256.0).collect()
}

fn options(json: &Value) -> SamplingOptions {
    let number = |name: &str| json[name].as_f64().unwrap() as f32;
    let size = |name: &str| json[name].as_u64().unwrap() as usize;
    let bias = |pair: &Value| {
        let bias = pair[1].as_f64().map_or(f32::NEG_INFINITY, |bias| bias as f32);
        (pair[0].as_u64().unwrap() as TokenId, bias)
    };
    SamplingOptions {
        logit_bias: json["logit_bias"].as_array().unwrap().iter().map(bias).collect(),
        repeat_penalty: number("repeat_penalty"),
        presence_penalty: number("presence_penalty"),
        frequency_penalty: number("frequency_penalty"),
        penalty_window: size("penalty_window"),
        top_k: size("top_k"),
        typical_p: number("typical_p"),
        top_p: number("top_p"),
        min_p: number("min_p"),
        temperature: number("temperature"),
        seed: json["seed"].as_u64(),
    }
}

#[test]
fn every_golden_run_is_repeated() {
    let cases: Vec<Value> = serde_json::from_str(include_str!("goldens/chain.json")).unwrap();
    assert!(cases.len() >= 20);
    for case in cases {
        let vocabulary = case["vocabulary"].as_u64().unwrap() as usize;
        let expect: Vec<TokenId> = serde_json::from_value(case["ids"].clone()).unwrap();
        let mut chain = SamplerChain::new(&options(&case["options"]), Vec::new()).unwrap();
        let mut history = vec![1, 2, 2, 3];
        for step in 0..expect.len() {
            let sample = chain.sample(&mut logits(step, vocabulary), &history).unwrap();
            history.push(sample.id);
        }
        assert_eq!(history[4..], expect, "{} of {vocabulary} tokens", case["name"]);
    }
}
