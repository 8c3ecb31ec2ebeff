//! Temperature: flatter or steeper, and greedy at zero.

use tenfold_core::TokenId;

use crate::candidates::Candidates;

const CHUNK: usize = 64;

impl Candidates {
    /// Divides the logits, taken relative to the best one (which keeps large ones finite), and
    /// weighs anew.
    pub(crate) fn temper(&mut self, temperature: f32) {
        let best = self.best();
        for candidate in &mut self.list {
            candidate.logit = (candidate.logit - best) / temperature;
            candidate.weigh(0.0);
        }
    }
}

/// The most likely token, of equals the one with the lowest id; `None` if all are forbidden.
pub(crate) fn greedy(logits: &[f32]) -> Option<TokenId> {
    let mut best = f32::NEG_INFINITY;
    let mut best_chunk = None;
    for (start, chunk) in (0..).step_by(CHUNK).zip(logits.chunks(CHUNK)) {
        let highest = chunk.iter().fold(best, |high, &l| if l > high { l } else { high });
        if highest > best {
            (best, best_chunk) = (highest, Some((start, chunk)));
        }
    }
    let (start, chunk) = best_chunk?;
    (start..).zip(chunk).find(|&(_, &logit)| logit == best).map(|(id, _)| id)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::candidates::FULL_WEIGHT;
    use crate::candidates::tests::candidates;

    #[test]
    fn divides_the_distance_to_the_best() {
        for (temperature, expect) in
            [(1.0, [0.0, -1.0, -2.0]), (0.5, [0.0, -2.0, -4.0]), (4.0, [0.0, -0.25, -0.5])]
        {
            let mut candidates = candidates(&[3.0, 2.0, 1.0]);
            candidates.temper(temperature);
            let logits: Vec<f32> = candidates.list.iter().map(|c| c.logit).collect();
            assert_eq!(logits, expect, "temperature {temperature}");
        }
    }

    #[test]
    fn the_smallest_temperature_is_almost_greedy() {
        let mut candidates = candidates(&[3.0, f32::INFINITY, f32::MIN, f32::MAX]);
        candidates.temper(f32::MIN_POSITIVE);
        let weights: Vec<u64> = candidates.list.iter().map(|c| c.weight).collect();
        assert_eq!(weights, [0, FULL_WEIGHT, 0, FULL_WEIGHT]);
    }

    #[test]
    fn greedy_takes_the_highest_then_the_lowest_id() {
        const NEVER: f32 = f32::NEG_INFINITY;
        for (logits, expect) in [
            (&[1.0, 3.0, 3.0][..], Some(1)),
            (&[-0.0, 0.0], Some(0)),
            (&[f32::NAN, -5.0, f32::NAN], Some(1)),
            (&[1.0, f32::INFINITY], Some(1)),
            (&[NEVER, f32::NAN], None),
            (&[], None),
        ] {
            assert_eq!(greedy(logits), expect, "{logits:?}");
        }
    }

    proptest! {
        #[test]
        fn greedy_equals_a_plain_search(values in prop::collection::vec(-9i8..9, 1..400)) {
            let logits: Vec<f32> = values.iter().map(|&v| f32::from(v)).collect();
            let best = values.iter().max().unwrap();
            let expect = values.iter().position(|v| v == best).unwrap();
            prop_assert_eq!(greedy(&logits), Some(expect as u32));
        }
    }
}
