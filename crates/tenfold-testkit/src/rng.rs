//! A small random number generator whose numbers are the same on every machine.

/// SplitMix64: integer arithmetic only, so that the tiny models have the same bits everywhere.
#[derive(Clone, Debug)]
pub struct Rng {
    state: u64,
}

impl Rng {
    /// A generator that always gives the same numbers for this seed.
    pub fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// A generator for the thing with this name: its numbers do not depend on what else is made.
    pub fn named(seed: u64, name: &str) -> Self {
        let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        Self::new(hash ^ seed.wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    /// 64 random bits.
    pub fn next_u64(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A whole number below `bound`, or 0 if `bound` is 0.
    pub fn below(&mut self, bound: usize) -> usize {
        ((u128::from(self.next_u64()) * bound as u128) >> 64) as usize
    }

    /// A number close to the normal distribution with mean 0 and deviation 1: the sum of twelve
    /// uniform ones. Logarithms and cosines would differ in the last bit between platforms.
    pub fn normal(&mut self) -> f32 {
        let sum: u64 = (0..12).map(|_| self.next_u64() >> 40).sum();
        (sum as f64 / f64::from(1 << 24) - 6.0) as f32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_do_not_change_between_versions() {
        let mut rng = Rng::named(7, "blk.0.attn_q.weight");
        let again = Rng::named(7, "blk.0.attn_q.weight").next_u64();
        assert_eq!(rng.next_u64(), again);
        assert_eq!(Rng::new(0).next_u64(), 0xe220_a839_7b1d_cdaf, "SplitMix64's published value");
    }

    #[test]
    fn normal_numbers_have_mean_zero_and_deviation_one() {
        let mut rng = Rng::new(1);
        let numbers: Vec<f64> = (0..20_000).map(|_| f64::from(rng.normal())).collect();
        let mean = numbers.iter().sum::<f64>() / 20_000.0;
        let variance = numbers.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / 20_000.0;
        assert!(mean.abs() < 0.03, "mean {mean}");
        assert!((variance - 1.0).abs() < 0.03, "variance {variance}");
    }

    #[test]
    fn below_stays_below() {
        let mut rng = Rng::new(2);
        assert!((0..1000).all(|_| rng.below(7) < 7));
        assert_eq!(rng.below(0), 0);
    }
}
