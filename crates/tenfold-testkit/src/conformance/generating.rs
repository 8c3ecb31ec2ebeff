//! One answer: what decides it, what ends it, what is told about it.

use anyhow::{bail, ensure};
use tenfold_core::{
    Capabilities, FilterFactory, FinishReason, GenerateErrorKind, GenerateOptions, LogitsFilter,
    SamplingOptions, TokenId,
};

use super::{Answer, Check, Subject, ask, short};

pub(super) const CHECKS: &[Check] = &[
    Check::new("greedy answers are the same each time", greedy_repeats),
    Check::new("the same seed gives the same text", seeds_decide),
    Check::new("an answer has no more tokens than allowed", limits_hold),
    Check::new("a stop sequence ends the answer and is no part of it", stops),
    Check::new("tokens are told with their bytes and probabilities", details).needing(logprobs),
    Check::new("the caller's filter decides", filters).needing(logprobs),
    Check::new("times and counts belong together", metrics),
    Check::new("options out of range are refused by name", bad_options),
];

const PROMPT: &str = "Tell me about the sea.";

fn logprobs(capabilities: &Capabilities) -> bool {
    capabilities.logprobs
}

fn greedy_repeats(subject: &Subject<'_>) -> anyhow::Result<()> {
    let (first, second) = (subject.greedy(PROMPT)?, subject.greedy(PROMPT)?);
    ensure!(first.text == second.text, "{:?}, then {:?}", first.text, second.text);
    Ok(())
}

fn seeds_decide(subject: &Subject<'_>) -> anyhow::Result<()> {
    let sampled = |seed| -> anyhow::Result<String> {
        let sampling = SamplingOptions { seed: Some(seed), ..SamplingOptions::neutral() };
        let options = GenerateOptions { sampling, ignore_end: true, ..short() };
        Ok(ask(&mut *subject.session()?, PROMPT, &options)?.text)
    };
    ensure!(sampled(7)? == sampled(7)?, "seed 7 gave two texts");
    let others = (8..13).map(sampled).collect::<Result<Vec<_>, _>>()?;
    ensure!(others.iter().any(|text| *text != others[0]), "five seeds gave one text");
    Ok(())
}

fn limits_hold(subject: &Subject<'_>) -> anyhow::Result<()> {
    let mut session = subject.session()?;
    for most in [0, 1, 5] {
        let options = GenerateOptions { max_tokens: Some(most), ignore_end: true, ..short() };
        let answer = ask(&mut *session, PROMPT, &options)?;
        ensure!(answer.usage.output_tokens == most, "{most} asked: {:?}", answer.usage);
        ensure!(answer.reason == FinishReason::MaxTokens, "{most} asked: {:?}", answer.reason);
    }
    Ok(())
}

/// Takes a piece out of the middle of a plain answer as the stop sequence.
fn stops(subject: &Subject<'_>) -> anyhow::Result<()> {
    let plain = subject.greedy(PROMPT)?.text;
    let characters: Vec<char> = plain.chars().collect();
    if characters.len() < 3 {
        bail!("the answer {plain:?} is too short for this check; use another model");
    }
    let middle = characters.len() / 2;
    let stop: String = characters[middle..(middle + 3).min(characters.len())].iter().collect();
    let options = GenerateOptions { stop: vec!["\u{1}never".to_owned(), stop.clone()], ..short() };
    let answer = ask(&mut *subject.session()?, PROMPT, &options)?;
    let expected = plain.split(&stop).next().unwrap_or_default();
    ensure!(answer.text == expected, "{stop:?} in {plain:?} gave {:?}", answer.text);
    ensure!(answer.reason == FinishReason::StopSequence(stop), "{:?}", answer.reason);
    Ok(())
}

fn details(subject: &Subject<'_>) -> anyhow::Result<()> {
    let options = GenerateOptions { token_details: true, ignore_end: true, ..short() };
    let Answer { tokens, usage, .. } = ask(&mut *subject.session()?, PROMPT, &options)?;
    ensure!(tokens.len() == usage.output_tokens, "{} tokens, {usage:?}", tokens.len());
    for token in &tokens {
        let probability = token.logprob.exp();
        ensure!((0.0..=1.0001).contains(&probability), "{token:?}");
    }
    Ok(())
}

/// Allows one token only.
struct Only(TokenId);

impl LogitsFilter for Only {
    fn name(&self) -> &str {
        "only"
    }

    fn apply(&mut self, logits: &mut [f32], _history: &[TokenId]) {
        for (id, logit) in (0..).zip(logits) {
            *logit = if id == self.0 { 0.0 } else { f32::NEG_INFINITY };
        }
    }
}

fn filters(subject: &Subject<'_>) -> anyhow::Result<()> {
    let options = GenerateOptions {
        filters: vec![FilterFactory::new(|| Only(65))],
        token_details: true,
        ignore_end: true,
        max_tokens: Some(4),
        ..GenerateOptions::default()
    };
    let answer = ask(&mut *subject.session()?, PROMPT, &options)?;
    let ids: Vec<TokenId> = answer.tokens.iter().map(|token| token.id).collect();
    ensure!(ids == [65; 4], "the tokens are {ids:?}");
    Ok(())
}

fn metrics(subject: &Subject<'_>) -> anyhow::Result<()> {
    let options = GenerateOptions { ignore_end: true, ..short() };
    let Answer { usage, metrics, .. } = ask(&mut *subject.session()?, PROMPT, &options)?;
    ensure!(usage.prompt_tokens > 0 && usage.cached_tokens == 0, "{usage:?}");
    ensure!(usage.dropped_tokens == 0 && usage.dropped_messages == 0, "{usage:?}");
    ensure!(!metrics.ttft.is_zero() && metrics.ttft >= metrics.prefill, "{metrics:?}");
    ensure!(metrics.prefill_tps > 0.0 && metrics.decode_tps > 0.0, "{metrics:?}");
    Ok(())
}

fn bad_options(subject: &Subject<'_>) -> anyhow::Result<()> {
    let with = |change: fn(&mut SamplingOptions)| {
        let mut sampling = SamplingOptions::default();
        change(&mut sampling);
        GenerateOptions { sampling, ..short() }
    };
    let cases = [
        ("temperature", with(|it| it.temperature = -1.0)),
        ("temperature", with(|it| it.temperature = f32::NAN)),
        ("top_p", with(|it| it.top_p = 1.5)),
        ("min_p", with(|it| it.min_p = -0.5)),
        ("repeat_penalty", with(|it| it.repeat_penalty = 0.0)),
        ("stop", GenerateOptions { stop: vec![String::new()], ..short() }),
    ];
    let mut session = subject.session()?;
    for (name, options) in cases {
        match ask(&mut *session, PROMPT, &options) {
            Ok(_) => bail!("a bad {name} was taken"),
            Err(error) => {
                let kind = error
                    .downcast_ref::<tenfold_core::GenerateError>()
                    .map(tenfold_core::GenerateError::kind);
                ensure!(kind == Some(GenerateErrorKind::InvalidOption), "{name}: {error}");
                ensure!(error.to_string().contains(name), "{name} is not in {error}");
            }
        }
    }
    ensure!(session.transcript().messages.is_empty(), "a refused turn is in the transcript");
    Ok(())
}
