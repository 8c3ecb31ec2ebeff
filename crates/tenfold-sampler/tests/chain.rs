//! The whole chain from outside: goldens, seeds, own filters, distributions.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test may fail loudly")]

use proptest::prelude::*;
use tenfold_core::{LogitsFilter, SamplingOptions, TokenId};
use tenfold_sampler::{SamplerChain, SamplerError};

fn chain(options: &SamplingOptions) -> SamplerChain {
    SamplerChain::new(options, Vec::new()).unwrap()
}

fn seeded(seed: u64) -> SamplingOptions {
    SamplingOptions { seed: Some(seed), ..SamplingOptions::default() }
}

fn draw(chain: &mut SamplerChain, logits: &[f32], times: usize) -> Vec<TokenId> {
    (0..times).map(|_| chain.sample(&mut logits.to_vec(), &[]).unwrap().id).collect()
}

/// Forbids everything but the tokens listed.
struct Only(Vec<TokenId>);

impl LogitsFilter for Only {
    fn name(&self) -> &str {
        "only"
    }

    fn apply(&mut self, logits: &mut [f32], _: &[TokenId]) {
        for (id, logit) in (0..).zip(logits) {
            if !self.0.contains(&id) {
                *logit = f32::NEG_INFINITY;
            }
        }
    }
}

#[test]
fn same_seed_same_tokens_and_other_seed_other_tokens() {
    let logits: Vec<f32> = (0..500).map(|i| (i as f32 * 0.7).sin() * 4.0).collect();
    let once = draw(&mut chain(&seeded(1)), &logits, 50);
    assert_eq!(once, draw(&mut chain(&seeded(1)), &logits, 50));
    assert_ne!(once, draw(&mut chain(&seeded(2)), &logits, 50));
}

#[test]
fn a_fresh_seed_is_told_and_can_be_used_again() {
    let logits: Vec<f32> = (0..500).map(|i| (i as f32 * 0.3).cos() * 4.0).collect();
    let mut fresh = chain(&SamplingOptions::default());
    let mut again = chain(&seeded(fresh.seed()));
    assert_eq!(draw(&mut fresh, &logits, 50), draw(&mut again, &logits, 50));
    assert_ne!(chain(&SamplingOptions::default()).seed(), fresh.seed());
}

#[test]
fn own_filters_come_first_in_their_order() {
    let filters: Vec<Box<dyn LogitsFilter>> =
        vec![Box::new(Only(vec![2, 3])), Box::new(Only(vec![3, 4]))];
    let mut chain = SamplerChain::new(&seeded(1), filters).unwrap();
    assert_eq!(draw(&mut chain, &[9.0, 9.0, 9.0, -9.0, 9.0], 20), [3; 20]);
    assert!(format!("{chain:?}").contains("only"));
}

#[test]
fn nothing_to_pick_from_is_an_error_and_the_chain_lives_on() {
    for temperature in [0.0, 1.0] {
        let mut chain = chain(&SamplingOptions { temperature, ..seeded(1) });
        let mut sample = |logits: &mut [f32]| chain.sample(logits, &[]);
        assert!(matches!(sample(&mut []), Err(SamplerError::NoLogits)));
        let forbidden = &mut [f32::NAN, f32::NEG_INFINITY];
        assert!(matches!(sample(forbidden), Err(SamplerError::NoTokenLeft)));
        assert_eq!(sample(&mut [f32::NAN, 1.0]).unwrap().id, 1);
    }
}

#[test]
fn a_failed_token_takes_no_number_from_the_stream() {
    let logits = [1.0, 1.0, 1.0, 1.0, 1.0];
    let mut with_failures = chain(&seeded(8));
    let tokens: Vec<TokenId> = (0..30)
        .map(|_| {
            with_failures.sample(&mut [f32::NAN; 5], &[]).unwrap_err();
            with_failures.sample(&mut logits.clone(), &[]).unwrap().id
        })
        .collect();
    assert_eq!(tokens, draw(&mut chain(&seeded(8)), &logits, 30));
}

#[test]
fn a_bad_option_and_an_unknown_token_are_refused() {
    let bad = SamplingOptions { top_p: 2.0, ..seeded(1) };
    let error = SamplerChain::new(&bad, Vec::new()).unwrap_err();
    assert!(error.to_string().starts_with("option top_p: 2 is out of range"), "{error}");
    let unknown = SamplingOptions { logit_bias: vec![(5, 1.0)], ..seeded(1) };
    let error = chain(&unknown).sample(&mut [0.0; 5], &[]).unwrap_err();
    assert!(matches!(error, SamplerError::UnknownToken { token: 5, vocabulary: 5 }));
}

#[test]
fn logprobs_are_those_of_the_model_and_not_of_the_filters() {
    let options = SamplingOptions { logit_bias: vec![(0, f32::NEG_INFINITY)], ..seeded(1) };
    let mut chain =
        SamplerChain::new(&options, vec![Box::new(Only(vec![0, 1]))]).unwrap().with_logprobs();
    let probabilities = [0.5f32, 0.125, 0.375];
    let sample = chain.sample(&mut probabilities.map(f32::ln), &[1, 1]).unwrap();
    assert_eq!(sample.id, 1);
    assert!((sample.logprob.unwrap() - 0.125f32.ln()).abs() < 1e-6);
    assert_eq!(self::chain(&options).sample(&mut [0.0; 3], &[]).unwrap().logprob, None);
}

/// Chi-square with 5 degrees of freedom: 20.5 is passed by chance once in a thousand times.
#[test]
fn draws_follow_the_tempered_softmax() {
    const TIMES: usize = 60_000;
    let logits = [2.0f32, 0.5, 1.0, -1.0, 1.5, 0.0];
    for temperature in [0.5f32, 1.0, 2.5] {
        let options = SamplingOptions { temperature, seed: Some(11), ..SamplingOptions::neutral() };
        let mut seen = [0f64; 6];
        for id in draw(&mut chain(&options), &logits, TIMES) {
            seen[id as usize] += 1.0;
        }
        let weights = logits.map(|l| f64::from(l / temperature).exp());
        let sum: f64 = weights.iter().sum();
        let chi_square: f64 = weights
            .iter()
            .zip(seen)
            .map(|(w, n)| (w / sum * TIMES as f64, n))
            .map(|(expect, n)| (n - expect).powi(2) / expect)
            .sum();
        assert!(chi_square < 20.5, "temperature {temperature}: {chi_square}, {seen:?}");
    }
}

proptest! {
    #[test]
    fn greedy_does_not_care_how_tokens_are_numbered(
        logits in Just((0..200).map(|i| i as f32 * 0.1).collect::<Vec<_>>()).prop_shuffle(),
    ) {
        let best = logits.iter().position(|&l| l == 199.0 * 0.1).unwrap();
        let id = draw(&mut chain(&SamplingOptions::greedy()), &logits, 1)[0];
        prop_assert_eq!(id as usize, best);
    }

    #[test]
    fn what_can_be_drawn_does_not_depend_on_the_numbers_of_the_tokens(
        logits in Just((0..100).map(|i| i as f32 * 0.1).collect::<Vec<_>>()).prop_shuffle(),
        seed in any::<u64>(),
    ) {
        // Of logits 0.1 apart, top-k 40 leaves those above 5.95, min-p 0.05 those above 6.9.
        for id in draw(&mut chain(&seeded(seed)), &logits, 20) {
            prop_assert!(logits[id as usize] > 6.85, "{}", logits[id as usize]);
        }
    }

    #[test]
    fn arbitrary_numbers_never_break_the_chain(
        logits in prop::collection::vec(any::<f32>(), 1..300),
        history in prop::collection::vec(0u32..400, 0..50),
        temperature in prop_oneof![Just(0.0f32), 1e-30f32..100.0],
        typical_p in 0.001f32..=1.0,
        top_p in 0.001f32..=1.0,
        min_p in 0f32..=1.0,
        top_k in 0usize..50,
    ) {
        let options = SamplingOptions {
            repeat_penalty: 1.3, presence_penalty: 0.2, frequency_penalty: -0.1,
            top_k, typical_p, top_p, min_p, temperature, ..seeded(1)
        };
        let possible = logits.iter().any(|&l| l > f32::NEG_INFINITY);
        let sample = chain(&options).with_logprobs().sample(&mut logits.clone(), &history);
        match sample {
            Ok(sample) => {
                prop_assert!(logits[sample.id as usize] > f32::NEG_INFINITY);
                prop_assert!(sample.logprob.unwrap() <= 1e-6);
            }
            // A penalty may drive the only logit there is out of the range of numbers.
            Err(_) => prop_assert!(!possible || logits.iter().any(|l| l.abs() > 1e38)),
        }
    }
}
