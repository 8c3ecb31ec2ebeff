//! The last step: one of the candidates.

use crate::{Candidate, Rng};

/// Picks one of the tokens that the filters left.
///
/// ```
/// use tenfold_core::SamplingOptions;
/// use tenfold_sampler::{Candidate, Sampler, SamplerChain};
///
/// /// Never the obvious word.
/// struct SecondBest;
///
/// impl Sampler for SecondBest {
///     fn pick<'c>(&mut self, candidates: &'c [Candidate]) -> Option<&'c Candidate> {
///         let best = candidates.iter().max_by_key(|c| c.weight)?;
///         candidates.iter().filter(|c| c.id != best.id).max_by_key(|c| c.weight).or(Some(best))
///     }
/// }
///
/// let chain = SamplerChain::new(&SamplingOptions::neutral(), Vec::new())?;
/// let mut chain = chain.with_sampler(SecondBest);
/// assert_eq!(chain.sample(&mut [1.0, 3.0, 2.0], &[])?.id, 2);
/// # Ok::<(), tenfold_sampler::SamplerError>(())
/// ```
pub trait Sampler: Send {
    /// Picks one of `candidates`, which are in the order of their ids and weighed after all
    /// filters; `None` ends the run with [`SamplerError::NoTokenLeft`](crate::SamplerError).
    fn pick<'c>(&mut self, candidates: &'c [Candidate]) -> Option<&'c Candidate>;
}

/// Draws by chance, each candidate as often as its weight says.
#[derive(Clone, Debug)]
pub struct Draw {
    rng: Rng,
}

impl Draw {
    /// Draws with the numbers of this seed.
    pub fn new(seed: u64) -> Self {
        Self { rng: Rng::new(seed) }
    }
}

impl Sampler for Draw {
    fn pick<'c>(&mut self, candidates: &'c [Candidate]) -> Option<&'c Candidate> {
        let total: u64 = candidates.iter().map(|c| c.weight).sum();
        if total == 0 {
            return None;
        }
        let mut left = self.rng.below(total);
        candidates.iter().find(|c| match left.checked_sub(c.weight) {
            Some(rest) => {
                left = rest;
                false
            }
            None => true,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidate(id: u32, weight: u64) -> Candidate {
        Candidate { id, logit: 0.0, weight }
    }

    #[test]
    fn weightless_candidates_are_never_drawn() {
        let list = [candidate(0, 0), candidate(1, 1), candidate(2, 0)];
        let mut draw = Draw::new(1);
        assert!((0..1000).all(|_| draw.pick(&list).unwrap().id == 1));
        assert_eq!(draw.pick(&list[..1]), None);
        assert_eq!(draw.pick(&[]), None);
    }

    /// Chi-square with 4 degrees of freedom: 18.5 is passed by chance once in a thousand times.
    #[test]
    fn draws_follow_the_weights() {
        let weights = [5u64, 1, 40, 14, 140];
        let list: Vec<Candidate> =
            (0..).zip(weights).map(|(id, w)| candidate(id, w << 30)).collect();
        for seed in [0, 1, 42, u64::MAX] {
            let mut draw = Draw::new(seed);
            let mut seen = [0f64; 5];
            for _ in 0..100_000 {
                seen[draw.pick(&list).unwrap().id as usize] += 1.0;
            }
            let chi_square: f64 = weights
                .iter()
                .zip(seen)
                .map(|(&w, n)| (w as f64 * 500.0, n))
                .map(|(expect, n)| (n - expect).powi(2) / expect)
                .sum();
            assert!(chi_square < 18.5, "seed {seed}: {chi_square}, {seen:?}");
        }
    }
}
