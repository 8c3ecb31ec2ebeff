//! Locally typical sampling: tokens about as surprising as the distribution is on average.

use crate::candidates::{Candidate, Candidates, FULL_WEIGHT, ordered};
use crate::math;

impl Candidates {
    /// Keeps the fewest tokens of total probability `p` whose surprise (−ln of the probability) is
    /// closest to the entropy.
    pub(crate) fn typical(&mut self, p: f32) {
        if p < 1.0 {
            let surprise = Surprise::of(self);
            let entropy = surprise.average(&self.list);
            self.keep_share(p, |c| {
                let distance = (surprise.at(c) - entropy).abs() as f32;
                (u64::from(ordered(distance)) << 32) | u64::from(c.id)
            });
        }
    }
}

/// Turns a candidate into −ln of its probability.
struct Surprise {
    best: f32,
    total: f64,
    ln_total: f64,
}

impl Surprise {
    fn of(candidates: &Candidates) -> Self {
        let total = candidates.total() as f64;
        let ln_total = math::ln(total / FULL_WEIGHT as f64);
        Self { best: candidates.best(), total, ln_total }
    }

    fn at(&self, candidate: &Candidate) -> f64 {
        self.ln_total - f64::from(candidate.logit - self.best)
    }

    fn average(&self, list: &[Candidate]) -> f64 {
        // A weight of 0 may stand beside an infinite surprise.
        let likely = list.iter().filter(|c| c.weight > 0);
        likely.map(|c| c.weight as f64 / self.total * self.at(c)).sum()
    }
}

#[cfg(test)]
mod tests {
    use crate::candidates::tests::{candidates, ids, of_probabilities};

    #[test]
    fn keeps_the_closest_to_the_entropy() {
        // Entropy 1.2799; distances 0.3296 (0.2), 0.0759 (0.3), 1.0227 (0.1), 0.3636 (0.4).
        for (p, expect) in [
            (1.0, &[0, 1, 2, 3][..]),
            (0.91, &[0, 1, 2, 3]),
            (0.89, &[0, 1, 3]),
            (0.49, &[0, 1]),
            (0.29, &[1]),
        ] {
            let mut candidates = of_probabilities(&[0.2, 0.3, 0.1, 0.4]);
            candidates.typical(p);
            assert_eq!(ids(&candidates), expect, "p = {p}");
        }
    }

    #[test]
    fn the_most_likely_token_can_go() {
        let mut candidates = of_probabilities(&[0.4, 0.15, 0.15, 0.15, 0.15]);
        candidates.typical(0.5);
        assert_eq!(ids(&candidates), [1, 2, 3, 4]);
    }

    #[test]
    fn impossible_tokens_do_no_harm() {
        let mut candidates = candidates(&[f32::MAX, f32::MIN, 0.0]);
        candidates.typical(0.9);
        assert_eq!(ids(&candidates), [0]);
    }
}
