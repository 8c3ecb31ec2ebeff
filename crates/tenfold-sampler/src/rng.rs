//! The source of chance: xoshiro256++ seeded through SplitMix64.
//!
//! Written here rather than taken from a crate because its numbers are a promise to users (same
//! seed, same text), which must not move with a dependency's version.

use crate::SamplerError;

/// Fresh seeds have 53 bits, so that one survives a trip through JSON in any language.
const FRESH_SEED_BITS: u32 = 53;

/// A reproducible stream of random numbers.
///
/// ```
/// let mut rng = tenfold_sampler::Rng::new(1);
/// let dice = 1 + rng.below(6);
/// assert!((1..=6).contains(&dice));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rng {
    state: [u64; 4],
}

impl Rng {
    /// The stream that belongs to this seed.
    pub fn new(seed: u64) -> Self {
        let mut mix = SplitMix64(seed);
        Self { state: std::array::from_fn(|_| mix.next()) }
    }

    /// The next 64 random bits.
    pub fn next_u64(&mut self) -> u64 {
        let [a, b, c, d] = self.state;
        let result = a.wrapping_add(d).rotate_left(23).wrapping_add(a);
        let (c, d) = (c ^ a, d ^ b);
        self.state = [a ^ d, b ^ c, c ^ (b << 17), d.rotate_left(45)];
        result
    }

    /// A whole number below `bound`, each equally likely; 0 if `bound` is 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        // The high half of a product is uniform but for the few low halves below `uneven`.
        let uneven = if bound == 0 { 0 } else { bound.wrapping_neg() % bound };
        loop {
            let product = u128::from(self.next_u64()) * u128::from(bound);
            if product as u64 >= uneven {
                return (product >> 64) as u64;
            }
        }
    }
}

/// Spreads a seed of few bits over a whole state.
struct SplitMix64(u64);

impl SplitMix64 {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

/// A seed that nobody can guess.
pub(crate) fn fresh_seed() -> Result<u64, SamplerError> {
    getrandom::u64()
        .map(|bits| bits >> (u64::BITS - FRESH_SEED_BITS))
        .map_err(|error| SamplerError::NoEntropy(Box::new(error)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_generators_give_their_published_numbers() {
        let mut rng = Rng { state: [1, 2, 3, 4] };
        for expect in [
            41_943_041,
            58_720_359,
            3_588_806_011_781_223,
            3_591_011_842_654_386,
            9_228_616_714_210_784_205,
            9_973_669_472_204_895_162,
        ] {
            assert_eq!(rng.next_u64(), expect);
        }
        let mut mix = SplitMix64(1_234_567);
        for expect in
            [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]
        {
            assert_eq!(mix.next(), expect);
        }
    }

    #[test]
    fn below_is_even() {
        let mut rng = Rng::new(3);
        let mut seen = [0u32; 6];
        for _ in 0..60_000 {
            seen[rng.below(6) as usize] += 1;
        }
        assert!(seen.iter().all(|&n| (9_600..10_400).contains(&n)), "{seen:?}");
        assert_eq!((rng.below(0), rng.below(1)), (0, 0));
        let huge = (1 << 63) + 1;
        assert!((0..100).all(|_| rng.below(huge) < huge));
    }

    #[test]
    fn fresh_seeds_differ_and_fit_in_json() {
        let (a, b) = (fresh_seed().unwrap(), fresh_seed().unwrap());
        assert_ne!(a, b);
        assert!(a < 1 << 53 && b < 1 << 53);
    }
}
