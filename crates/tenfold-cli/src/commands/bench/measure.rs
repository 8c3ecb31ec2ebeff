//! Runs one test once.

use std::time::Duration;

use tenfold::{Event, GenerateOptions, Loaded, Metrics, SamplingOptions, Session, SessionOptions};

/// What one test does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Test {
    /// Tokens of the prompt.
    pub(super) n_prompt: usize,
    /// Tokens generated.
    pub(super) n_gen: usize,
    /// Tokens in the cache before.
    pub(super) n_depth: usize,
}

impl Test {
    /// The name that llama-bench gives it: `pp512`, `tg128 @ d1024`.
    pub(super) fn name(&self) -> String {
        let kind = match (self.n_prompt, self.n_gen) {
            (prompt, 0) => format!("pp{prompt}"),
            (0, tokens) => format!("tg{tokens}"),
            (prompt, tokens) => format!("pp{prompt}+tg{tokens}"),
        };
        if self.n_depth == 0 { kind } else { format!("{kind} @ d{}", self.n_depth) }
    }

    /// Tokens that a session must hold.
    pub(super) fn context(&self) -> usize {
        self.n_depth + self.n_prompt + self.n_gen + 1
    }

    /// Tokens that go through the model.
    pub(super) fn tokens(&self) -> usize {
        self.n_prompt + self.n_gen
    }
}

/// The time of one test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Measured {
    pub(super) time: Duration,
}

/// Runs a test on a new session. Prompts are random tokens, other ones each time, so that nothing
/// but what the test asks for is in the cache.
pub(super) fn measure(loaded: &Loaded, test: &Test, seed: u64) -> anyhow::Result<Measured> {
    let mut session = loaded.model.clone().start_session(&SessionOptions::default())?;
    let vocabulary = loaded.model.info().vocabulary_size;
    // Decode needs one token to start from; it is the first of the `n_gen` that pass the model.
    let fresh = test.n_prompt.max(1);
    let tokens = random_tokens(test.n_depth + fresh, vocabulary, seed);
    if test.n_depth > 0 {
        run(&mut *session, &tokens[..test.n_depth], 0)?;
    }
    let metrics = run(&mut *session, &tokens, test.n_gen)?;
    let time = if test.n_gen == 0 { metrics.prefill } else { metrics.prefill + metrics.decode };
    Ok(Measured { time })
}

fn run(session: &mut dyn Session, prompt: &[u32], n_gen: usize) -> anyhow::Result<Metrics> {
    let options = GenerateOptions {
        sampling: SamplingOptions::greedy(),
        max_tokens: Some(n_gen),
        ignore_end: true,
        ..GenerateOptions::default()
    };
    for event in session.complete(prompt, &options)? {
        if let Event::Finished { metrics, .. } = event? {
            return Ok(metrics);
        }
    }
    anyhow::bail!("the model ended without saying so")
}

/// Tokens spread over the vocabulary; a linear congruential generator is random enough for that.
fn random_tokens(count: usize, vocabulary: usize, seed: u64) -> Vec<u32> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(1);
    let mut next = || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % vocabulary.max(1) as u64
    };
    (0..count).map(|_| u32::try_from(next()).unwrap_or(0)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_have_the_names_of_llama_bench() {
        let name = |n_prompt, n_gen, n_depth| Test { n_prompt, n_gen, n_depth }.name();
        assert_eq!(name(512, 0, 0), "pp512");
        assert_eq!(name(0, 128, 1024), "tg128 @ d1024");
        assert_eq!(name(8, 4, 0), "pp8+tg4");
    }

    #[test]
    fn random_tokens_differ_by_seed_and_stay_in_the_vocabulary() {
        let (a, b) = (random_tokens(64, 100, 1), random_tokens(64, 100, 2));
        assert_ne!(a, b);
        assert!(a.iter().all(|token| *token < 100));
    }
}
