//! The tokens that may still be picked.

use tenfold_core::TokenId;

use crate::math;

/// The weight of the most likely candidate.
///
/// Weights are whole numbers because their sums are then exact, in any order. 2^40 leaves room for
/// 2^24 candidates in 64 bits, and gives every token that is less than 10^12 times as unlikely as
/// the best one its chance.
pub const FULL_WEIGHT: u64 = 1 << 40;

/// One token that may be picked.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Candidate {
    /// Its number.
    pub id: TokenId,
    /// Its logit after all filters so far.
    pub logit: f32,
    /// Its chance relative to the most likely candidate, which has [`FULL_WEIGHT`].
    pub weight: u64,
}

impl Candidate {
    /// A candidate whose weight is not known yet.
    pub(crate) fn new(id: TokenId, logit: f32) -> Self {
        // Zero is added to make negative zero equal to zero. Infinity would give NaN as a
        // difference to the best.
        Self { id, logit: (logit + 0.0).min(f32::MAX), weight: 0 }
    }

    /// Sets the weight beside a candidate with the logit `best`.
    pub(crate) fn weigh(&mut self, best: f32) {
        // Never above 2^40, so the signed conversion, which processors have, is exact.
        self.weight = (math::exp(self.logit - best) * FULL_WEIGHT as f32) as i64 as u64;
    }

    /// Sorts by likelihood, best first, and by id where equal; no two candidates share a key.
    pub(crate) fn rank(&self) -> u64 {
        (u64::from(!ordered(self.logit)) << 32) | u64::from(self.id)
    }
}

/// Bits that sort as the numbers do.
pub(crate) fn ordered(x: f32) -> u32 {
    let bits = x.to_bits();
    if bits >> 31 == 1 { !bits } else { bits | (1 << 31) }
}

/// The candidates in the order of their ids, with room to work.
#[derive(Debug, Default)]
pub(crate) struct Candidates {
    pub(crate) list: Vec<Candidate>,
    ranks: Vec<(u64, u64)>,
}

impl Candidates {
    /// The highest logit; negative infinity if there is none.
    pub(crate) fn best(&self) -> f32 {
        self.list
            .iter()
            .fold(f32::NEG_INFINITY, |best, c| if c.logit > best { c.logit } else { best })
    }

    /// Sets the weights from the logits.
    pub(crate) fn weigh(&mut self) {
        let best = self.best();
        self.list.iter_mut().for_each(|c| c.weigh(best));
    }

    /// The sum of the weights.
    pub(crate) fn total(&self) -> u64 {
        self.list.iter().map(|c| c.weight).sum()
    }

    /// Keeps the fewest candidates, lowest `rank` first, that have `share` of the total weight.
    /// Ranks must be unique.
    pub(crate) fn keep_share(&mut self, share: f32, rank: impl Fn(&Candidate) -> u64) {
        let target = ((f64::from(share) * self.total() as f64).ceil() as u64).min(self.total());
        self.ranks.clear();
        self.ranks.extend(self.list.iter().map(|c| (rank(c), c.weight)));
        let last = last_rank_needed(&mut self.ranks, target);
        self.list.retain(|c| rank(c) <= last);
    }
}

/// The rank of the entry at which the weights, added in the order of ranks, reach `target`.
///
/// Halves instead of sorting: the work is proportional to the number of entries.
fn last_rank_needed(entries: &mut [(u64, u64)], mut target: u64) -> u64 {
    let mut rest = entries;
    while rest.len() > 1 {
        let middle = (rest.len() - 1) / 2;
        rest.select_nth_unstable_by_key(middle, |&(rank, _)| rank);
        let (low, high) = rest.split_at_mut(middle + 1);
        let weight: u64 = low.iter().map(|&(_, weight)| weight).sum();
        if weight >= target {
            rest = low;
        } else {
            target -= weight;
            rest = high;
        }
    }
    rest.first().map_or(u64::MAX, |&(rank, _)| rank)
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Weighed candidates with the ids 0, 1, 2, …
    pub(crate) fn candidates(logits: &[f32]) -> Candidates {
        let list = (0..).zip(logits).map(|(id, &logit)| Candidate::new(id, logit)).collect();
        let mut candidates = Candidates { list, ranks: Vec::new() };
        candidates.weigh();
        candidates
    }

    /// Logits whose softmax is this.
    pub(crate) fn of_probabilities(probabilities: &[f32]) -> Candidates {
        candidates(&probabilities.iter().map(|p| p.ln()).collect::<Vec<_>>())
    }

    pub(crate) fn ids(candidates: &Candidates) -> Vec<TokenId> {
        candidates.list.iter().map(|c| c.id).collect()
    }

    #[test]
    fn ordered_bits_sort_as_numbers() {
        let sorted = [f32::NEG_INFINITY, f32::MIN, -1.0, -1e-40, 0.0, 1e-40, 1.0, f32::MAX];
        assert!(sorted.windows(2).all(|pair| ordered(pair[0]) < ordered(pair[1])));
    }

    #[test]
    fn ranks_prefer_likely_then_low_ids() {
        let key = |id, logit| Candidate::new(id, logit).rank();
        assert!(key(9, 2.0) < key(1, 1.0));
        assert!(key(1, 1.0) < key(2, 1.0));
        assert!(key(1, -0.0) < key(2, 0.0) && key(1, 0.0) < key(2, -0.0));
        assert!(key(1, f32::INFINITY) < key(2, f32::MAX));
    }

    #[test]
    fn infinite_logits_share_all_the_weight() {
        let candidates = candidates(&[f32::INFINITY, 3.0, f32::INFINITY]);
        let weights: Vec<u64> = candidates.list.iter().map(|c| c.weight).collect();
        assert_eq!(weights, [FULL_WEIGHT, 0, FULL_WEIGHT]);
    }

    proptest! {
        #[test]
        fn weights_are_the_softmax(logits in prop::collection::vec(-20f32..20.0, 1..200)) {
            let candidates = candidates(&logits);
            let best = logits.iter().copied().fold(f32::MIN, f32::max);
            let sum: f64 = logits.iter().map(|&l| f64::from(l - best).exp()).sum();
            let mut added = 0.0;
            for (candidate, &logit) in candidates.list.iter().zip(&logits) {
                let expect = f64::from(logit - best).exp() / sum;
                let got = candidate.weight as f64 / candidates.total() as f64;
                prop_assert!((got - expect).abs() < 1e-6, "{got} is not {expect}");
                added += got;
            }
            prop_assert!((added - 1.0).abs() < 1e-9);
        }

        #[test]
        fn the_share_kept_is_enough_and_no_more(
            logits in prop::collection::vec(-5f32..5.0, 1..100),
            share in 0.01f32..=1.0,
        ) {
            let all = candidates(&logits);
            let mut kept = candidates(&logits);
            kept.keep_share(share, Candidate::rank);
            let needed = f64::from(share) * all.total() as f64;
            prop_assert!(kept.total() as f64 >= needed - 1.0);
            let least = kept.list.iter().max_by_key(|c| c.rank()).unwrap();
            prop_assert!(((kept.total() - least.weight) as f64) < needed + 1.0);
            let dropped = all.list.iter().filter(|c| !kept.list.contains(c));
            for candidate in dropped {
                prop_assert!(candidate.rank() > least.rank());
            }
        }
    }
}
