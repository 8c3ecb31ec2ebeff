//! Top-p: the fewest most likely tokens of a total probability.

use crate::candidates::{Candidate, Candidates};

impl Candidates {
    /// Keeps the fewest tokens, most likely first, whose probabilities add up to `p`.
    pub(crate) fn top_p(&mut self, p: f32) {
        if p < 1.0 {
            self.keep_share(p, Candidate::rank);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::candidates::tests::{ids, of_probabilities};

    #[test]
    fn keeps_the_fewest_that_are_enough() {
        for (p, expect) in [
            (1.0, &[0, 1, 2, 3][..]),
            (0.91, &[0, 1, 2, 3]),
            (0.89, &[0, 1, 3]),
            (0.69, &[1, 3]),
            (0.39, &[3]),
            (1e-9, &[3]),
        ] {
            let mut candidates = of_probabilities(&[0.2, 0.3, 0.1, 0.4]);
            candidates.top_p(p);
            assert_eq!(ids(&candidates), expect, "p = {p}");
        }
    }

    #[test]
    fn of_equals_the_lowest_ids_stay() {
        let mut candidates = of_probabilities(&[0.25; 4]);
        candidates.top_p(0.5);
        assert_eq!(ids(&candidates), [0, 1]);
    }
}
