//! The probability that the model itself gave to a token.

use tenfold_core::TokenId;

use crate::math;

/// Numbers added together before they go into a longer sum, which keeps the error small.
const BLOCK: usize = 1024;
/// Sums kept side by side, so that the compiler can add several at once.
const LANES: usize = 16;

/// The raw logits of one position and their normaliser.
#[derive(Debug, Default)]
pub(crate) struct RawLogits {
    logits: Vec<f32>,
    best: f32,
    ln_sum: f64,
}

impl RawLogits {
    /// Remembers the logits as the model gave them.
    pub(crate) fn note(&mut self, logits: &[f32]) {
        self.logits.clear();
        self.logits.extend_from_slice(logits);
        let best =
            logits.iter().fold(f32::NEG_INFINITY, |high, &l| if l > high { l } else { high });
        self.best = finite(best);
        self.ln_sum = math::ln(logits.chunks(BLOCK).map(|block| sum_exp(block, self.best)).sum());
    }

    /// The natural logarithm of the token's probability.
    pub(crate) fn logprob(&self, token: TokenId) -> Option<f32> {
        let logit = finite(*self.logits.get(token as usize)?);
        Some((f64::from(logit - self.best) - self.ln_sum) as f32)
    }
}

/// The largest number for infinity, whose difference to itself would be NaN. (`f32::min` would make
/// a number of NaN.)
#[inline]
fn finite(logit: f32) -> f32 {
    if logit > f32::MAX { f32::MAX } else { logit }
}

fn sum_exp(block: &[f32], best: f32) -> f64 {
    let mut sums = [0f32; LANES];
    let (parts, rest) = block.as_chunks::<LANES>();
    for part in parts {
        for (sum, &logit) in sums.iter_mut().zip(part) {
            *sum += math::exp(finite(logit) - best);
        }
    }
    for (sum, &logit) in sums.iter_mut().zip(rest) {
        *sum += math::exp(finite(logit) - best);
    }
    sums.iter().map(|&sum| f64::from(sum)).sum()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn logprobs(logits: &[f32]) -> Vec<f32> {
        let mut raw = RawLogits::default();
        raw.note(logits);
        (0..logits.len() as u32).map(|id| raw.logprob(id).unwrap()).collect()
    }

    #[test]
    fn as_computed_by_hand() {
        assert_eq!(logprobs(&[7.0]), [0.0]);
        let half = 0.5f32.ln();
        assert_eq!(logprobs(&[1e30, 1e30, f32::NEG_INFINITY]), [half, half, f32::NEG_INFINITY]);
        assert_eq!(logprobs(&[f32::INFINITY, f32::INFINITY, 0.0])[0], half);
        assert_eq!(RawLogits::default().logprob(0), None);
    }

    #[test]
    fn nan_counts_as_impossible() {
        assert_eq!(logprobs(&[2.0, f32::NAN])[0], 0.0);
    }

    proptest! {
        #[test]
        fn close_to_the_exact_value(logits in prop::collection::vec(-30f32..30.0, 1..3000)) {
            let sum: f64 = logits.iter().map(|&l| f64::from(l).exp()).sum();
            for (got, &logit) in logprobs(&logits).iter().zip(&logits) {
                let expect = f64::from(logit) - sum.ln();
                prop_assert!((f64::from(*got) - expect).abs() < 5e-6 * expect.abs().max(1.0));
            }
        }
    }
}
