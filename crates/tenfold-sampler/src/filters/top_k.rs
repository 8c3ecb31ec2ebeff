//! Top-k: the k most likely tokens.

use crate::candidates::{Candidate, Candidates};

/// Logits looked at together: the compiler compares several at once.
const CHUNK: usize = 64;

impl Candidates {
    /// Starts over with the `k` most likely tokens (0: all) that are not forbidden.
    ///
    /// One pass over the vocabulary: once `k` tokens are known, only those above the worst of them
    /// are worth keeping, and these become rare quickly.
    pub(crate) fn collect(&mut self, logits: &[f32], k: usize) {
        let k = if k == 0 { usize::MAX } else { k };
        let room = k.saturating_mul(2).saturating_add(CHUNK);
        let mut floor = f32::NEG_INFINITY;
        let mut in_order = true;
        self.list.clear();
        for (start, chunk) in (0..).step_by(CHUNK).zip(logits.chunks(CHUNK)) {
            // A fold without a way out early; false for NaN, too.
            if !chunk.iter().fold(false, |any, &logit| any | (logit > floor)) {
                continue;
            }
            let above = (start..).zip(chunk).filter(|&(_, &logit)| logit > floor);
            self.list.extend(above.map(|(id, &logit)| Candidate::new(id, logit)));
            if self.list.len() > room {
                floor = self.keep_best(k);
                in_order = false;
            }
        }
        if self.list.len() > k {
            self.keep_best(k);
            in_order = false;
        }
        if !in_order {
            self.list.sort_unstable_by_key(|c| c.id);
        }
    }

    /// Keeps the `k` best in any order, where there are more than `k`; returns the worst logit.
    fn keep_best(&mut self, k: usize) -> f32 {
        let (_, worst, _) = self.list.select_nth_unstable_by_key(k - 1, Candidate::rank);
        let floor = worst.logit;
        self.list.truncate(k);
        floor
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::candidates::tests::ids;

    fn collect(logits: &[f32], k: usize) -> Vec<u32> {
        let mut candidates = Candidates::default();
        candidates.collect(logits, k);
        ids(&candidates)
    }

    #[test]
    fn the_best_in_the_order_of_ids() {
        let logits = [1.0, 5.0, 3.0, 5.0, -1.0, 3.0];
        for (k, expect) in [
            (0, &[0, 1, 2, 3, 4, 5][..]),
            (1, &[1]),
            (2, &[1, 3]),
            (3, &[1, 2, 3]),
            (6, &[0, 1, 2, 3, 4, 5]),
            (99, &[0, 1, 2, 3, 4, 5]),
        ] {
            assert_eq!(collect(&logits, k), expect, "k = {k}");
        }
    }

    #[test]
    fn forbidden_tokens_are_never_candidates() {
        let logits = [f32::NAN, f32::NEG_INFINITY, -3.0, f32::NAN];
        assert_eq!(collect(&logits, 3), [2]);
        assert_eq!(collect(&logits, 0), [2]);
        assert_eq!(collect(&logits[..2], 0), [0; 0]);
    }

    proptest! {
        #[test]
        fn equals_a_full_sort(
            // Few different values, for ties.
            values in prop::collection::vec(-30i8..30, 1..2000),
            k in 1usize..60,
        ) {
            let logits: Vec<f32> = values.iter().map(|&v| f32::from(v)).collect();
            let mut order: Vec<u32> = (0..logits.len() as u32).collect();
            order.sort_by_key(|&id| (-values[id as usize], id));
            order.truncate(k);
            order.sort_unstable();
            prop_assert_eq!(collect(&logits, k), order);
        }
    }
}
