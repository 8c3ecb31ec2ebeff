//! Min-p: tokens not too unlikely beside the best one.

use crate::candidates::Candidates;

impl Candidates {
    /// Keeps tokens at least `p` times as likely as the most likely candidate.
    pub(crate) fn min_p(&mut self, p: f32) {
        if p > 0.0 {
            let best = self.list.iter().map(|c| c.weight).max().unwrap_or(0);
            let least = (f64::from(p) * best as f64).ceil() as u64;
            self.list.retain(|c| c.weight >= least);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::candidates::tests::{ids, of_probabilities};

    #[test]
    fn compares_with_the_best() {
        for (p, expect) in [
            (0.0, &[0, 1, 2, 3][..]),
            (0.2, &[0, 1, 2, 3]),
            (0.3, &[0, 1, 3]),
            (0.74, &[1, 3]),
            (0.76, &[3]),
            (1.0, &[3]),
        ] {
            let mut candidates = of_probabilities(&[0.2, 0.3, 0.1, 0.4]);
            candidates.min_p(p);
            assert_eq!(ids(&candidates), expect, "p = {p}");
        }
    }
}
