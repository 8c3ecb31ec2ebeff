//! All steps from logits to a token, in their order.

use std::fmt;

use tenfold_core::{LogitsFilter, SamplingOptions, TokenId};

use crate::candidates::Candidates;
use crate::check::check;
use crate::filters::bias::LogitBias;
use crate::filters::penalties::Penalties;
use crate::filters::temperature::greedy;
use crate::logprob::RawLogits;
use crate::rng::fresh_seed;
use crate::{Draw, Sampler, SamplerError};

/// One token that was picked.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sample {
    /// Its number.
    pub id: TokenId,
    /// Natural logarithm of the probability that the model gave it, before any filter; only after
    /// [`SamplerChain::with_logprobs`].
    pub logprob: Option<f32>,
}

/// Turns the logits of one run into tokens; see the top of the crate for the order of the steps.
///
/// It keeps its working memory, so that only the first token allocates.
pub struct SamplerChain {
    filters: Vec<Box<dyn LogitsFilter>>,
    bias: LogitBias,
    penalties: Penalties,
    narrowing: Narrowing,
    sampler: Box<dyn Sampler>,
    seed: u64,
    candidates: Candidates,
    raw: Option<RawLogits>,
}

/// The options of the steps that leave fewer candidates.
#[derive(Clone, Copy, Debug)]
struct Narrowing {
    top_k: usize,
    typical_p: f32,
    top_p: f32,
    min_p: f32,
    temperature: f32,
}

impl Narrowing {
    /// False if every filter between top-k and temperature is off.
    fn needs_weights(&self) -> bool {
        self.typical_p < 1.0 || self.top_p < 1.0 || self.min_p > 0.0
    }
}

impl SamplerChain {
    /// A chain for one run; `filters` see the logits first, in their order.
    ///
    /// # Errors
    /// When an option is out of range, or there is no fresh seed to be had.
    pub fn new(
        options: &SamplingOptions,
        filters: Vec<Box<dyn LogitsFilter>>,
    ) -> Result<Self, SamplerError> {
        check(options)?;
        let seed = options.seed.map_or_else(fresh_seed, Ok)?;
        Ok(Self {
            filters,
            bias: LogitBias(options.logit_bias.clone()),
            penalties: Penalties::new(options),
            narrowing: Narrowing {
                top_k: options.top_k,
                typical_p: options.typical_p,
                top_p: options.top_p,
                min_p: options.min_p,
                temperature: options.temperature,
            },
            sampler: Box::new(Draw::new(seed)),
            seed,
            candidates: Candidates::default(),
            raw: None,
        })
    }

    /// Lets every [`Sample`] carry its log probability; costs one more pass over the logits.
    #[must_use]
    pub fn with_logprobs(mut self) -> Self {
        self.raw = Some(RawLogits::default());
        self
    }

    /// Replaces the seeded draw at the end of the chain. At temperature 0 the most likely token is
    /// taken, and no sampler is asked.
    #[must_use]
    pub fn with_sampler(mut self, sampler: impl Sampler + 'static) -> Self {
        self.sampler = Box::new(sampler);
        self
    }

    /// The seed in use: the one of the options, or a fresh one.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// Picks the next token. `logits` has one value per token of the vocabulary and is edited;
    /// `history` is the prompt and what was generated so far, oldest first.
    ///
    /// # Errors
    /// When there are no logits, when every token is forbidden, or when a logit bias names a token
    /// that is not in the vocabulary. The chain can be used on.
    pub fn sample(
        &mut self,
        logits: &mut [f32],
        history: &[TokenId],
    ) -> Result<Sample, SamplerError> {
        if logits.is_empty() {
            return Err(SamplerError::NoLogits);
        }
        if let Some(raw) = &mut self.raw {
            raw.note(logits);
        }
        for filter in &mut self.filters {
            filter.apply(logits, history);
        }
        self.bias.apply(logits)?;
        self.penalties.apply(logits, history);
        let id = self.pick(logits).ok_or(SamplerError::NoTokenLeft)?;
        Ok(Sample { id, logprob: self.raw.as_ref().and_then(|raw| raw.logprob(id)) })
    }

    fn pick(&mut self, logits: &[f32]) -> Option<TokenId> {
        let narrowing = self.narrowing;
        if narrowing.temperature == 0.0 {
            return greedy(logits);
        }
        self.candidates.collect(logits, narrowing.top_k);
        if narrowing.needs_weights() {
            self.candidates.weigh();
            self.candidates.typical(narrowing.typical_p);
            self.candidates.top_p(narrowing.top_p);
            self.candidates.min_p(narrowing.min_p);
        }
        self.candidates.temper(narrowing.temperature);
        self.sampler.pick(&self.candidates.list).map(|candidate| candidate.id)
    }
}

impl fmt::Debug for SamplerChain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let filters: Vec<&str> = self.filters.iter().map(|filter| filter.name()).collect();
        f.debug_struct("SamplerChain")
            .field("filters", &filters)
            .field("bias", &self.bias)
            .field("penalties", &self.penalties)
            .field("narrowing", &self.narrowing)
            .field("seed", &self.seed)
            .field("logprobs", &self.raw.is_some())
            .finish_non_exhaustive()
    }
}
