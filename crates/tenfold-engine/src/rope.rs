//! The frequencies of rotary position embedding, with every rule that stretches them.

use std::f64::consts::TAU;

use tenfold_formats::{RopeConfig, RopeScaling};
use tenfold_kernels::ops::RopeLayout;

use crate::error::EngineError;

/// Divisors of the frequencies that a file carries as tensors; empty where it has none.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct RopeFactors {
    /// `rope_freqs.weight`.
    pub(crate) always: Vec<f32>,
    /// `rope_factors_short.weight`.
    pub(crate) short: Vec<f32>,
    /// `rope_factors_long.weight`.
    pub(crate) long: Vec<f32>,
}

/// How far each pair of a head turns from one position to the next.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct RopeTable {
    frequencies: Vec<f64>,
    /// Multiplies sine and cosine.
    magnitude: f64,
    layout: RopeLayout,
}

impl RopeTable {
    /// The table for sequences of up to `context` tokens of a model trained for `trained` ones.
    pub(crate) fn new(
        config: &RopeConfig,
        factors: &RopeFactors,
        context: usize,
        trained: usize,
    ) -> Result<Self, EngineError> {
        check(config)?;
        let plain = Self::plain(config).divided(&factors.always)?;
        match &config.scaling {
            RopeScaling::None => Ok(plain),
            RopeScaling::Linear { factor } => Ok(plain.map(|_, turn| turn / f64::from(*factor))),
            RopeScaling::Llama3 { factor, low_freq_factor, high_freq_factor, original_context } => {
                let low = f64::from(*low_freq_factor);
                let span = f64::from(*high_freq_factor) - low;
                let context = *original_context as f64;
                Ok(plain.interpolated(f64::from(*factor), |_, turn| {
                    (context * turn / TAU - low) / span
                }))
            }
            RopeScaling::Yarn { .. } => Ok(plain.yarn(config)),
            RopeScaling::LongRope { short, long, original_context, attention_factor } => {
                let is_long = context > *original_context;
                let (stated, tensor) =
                    if is_long { (long, &factors.long) } else { (short, &factors.short) };
                let magnitude = attention_factor
                    .map_or_else(|| long_magnitude(trained, *original_context), f64::from);
                let divisors = if stated.is_empty() { tensor } else { stated };
                if divisors.is_empty() {
                    let name = if is_long { "long" } else { "short" };
                    let name = format!("rope_factors_{name}.weight");
                    return Err(EngineError::MissingTensor { name });
                }
                Ok(Self { magnitude, ..plain.divided(divisors)? })
            }
        }
    }

    /// `theta^(-2i/d)`: what all rules start from.
    fn plain(config: &RopeConfig) -> Self {
        let step = -2.0 / config.dimensions as f64;
        let frequency = |pair: usize| f64::from(config.theta).powf(step * pair as f64);
        let frequencies = (0..config.dimensions / 2).map(frequency).collect();
        let layout = match config.layout {
            tenfold_formats::RopeLayout::Interleaved => RopeLayout::Interleaved,
            tenfold_formats::RopeLayout::Halves => RopeLayout::Halves,
        };
        Self { frequencies, magnitude: 1.0, layout }
    }

    /// Each frequency divided by its own factor.
    fn divided(self, factors: &[f32]) -> Result<Self, EngineError> {
        if factors.is_empty() {
            return Ok(self);
        }
        if factors.len() != self.frequencies.len() {
            let problem = format!(
                "rotates {} pairs, and there are {} factors",
                self.frequencies.len(),
                factors.len()
            );
            return Err(EngineError::hyperparameter("rope.dimensions", problem));
        }
        let table = factors.iter().zip(&self.frequencies);
        let frequencies = table.map(|(&factor, &turn)| turn / f64::from(factor)).collect();
        Ok(Self { frequencies, ..self })
    }

    /// Between the frequency as it is (where `kept` is 1) and the one divided by `factor` (0).
    fn interpolated(self, factor: f64, kept: impl Fn(usize, f64) -> f64) -> Self {
        self.map(|pair, turn| {
            let kept = kept(pair, turn).clamp(0.0, 1.0);
            turn * kept + turn / factor * (1.0 - kept)
        })
    }

    /// YaRN: pairs that turn often within the original context stay, slow ones are divided.
    fn yarn(self, config: &RopeConfig) -> Self {
        let RopeScaling::Yarn { factor, original_context, beta_fast, beta_slow, attention_factor } =
            config.scaling
        else {
            return self;
        };
        let dimensions = config.dimensions as f64;
        // The pair that makes this many turns over the original context.
        let pair_of = |turns: f32| {
            let wave = original_context as f64 / (f64::from(turns) * TAU);
            dimensions * wave.ln() / (2.0 * f64::from(config.theta).ln())
        };
        let first = pair_of(beta_fast).floor().max(0.0);
        let last = pair_of(beta_slow).ceil().min(dimensions - 1.0);
        let span = (last - first).max(0.001);
        let factor = f64::from(factor);
        let magnitude = attention_factor.map_or_else(|| 0.1 * factor.ln() + 1.0, f64::from);
        let table = self.interpolated(factor, |pair, _| 1.0 - (pair as f64 - first) / span);
        Self { magnitude, ..table }
    }

    fn map(mut self, change: impl Fn(usize, f64) -> f64) -> Self {
        for (pair, turn) in self.frequencies.iter_mut().enumerate() {
            *turn = change(pair, *turn);
        }
        self
    }

    /// Pairs that are rotated.
    pub(crate) fn pairs(&self) -> usize {
        self.frequencies.len()
    }

    /// Which numbers of a head form a pair.
    pub(crate) fn layout(&self) -> RopeLayout {
        self.layout
    }

    /// Appends cosine and sine of each pair's angle at this position, as [`ops::Rope`] has them.
    ///
    /// [`ops::Rope`]: tenfold_kernels::ops::Rope
    pub(crate) fn extend(&self, position: usize, cos: &mut Vec<f32>, sin: &mut Vec<f32>) {
        for turn in &self.frequencies {
            let (s, c) = (position as f64 * turn).sin_cos();
            let (s, c) = ((s * self.magnitude) as f32, (c * self.magnitude) as f32);
            match self.layout {
                RopeLayout::Interleaved => {
                    cos.extend([c, c]);
                    sin.extend([-s, s]);
                }
                RopeLayout::Halves => {
                    cos.push(c);
                    sin.push(s);
                }
            }
        }
    }
}

fn check(config: &RopeConfig) -> Result<(), EngineError> {
    if !config.dimensions.is_multiple_of(2) {
        let problem = format!("is {}, and should be even", config.dimensions);
        return Err(EngineError::hyperparameter("rope.dimensions", problem));
    }
    if !config.theta.is_finite() || config.theta <= 0.0 {
        let problem = format!("is {}, and should be positive", config.theta);
        return Err(EngineError::hyperparameter("rope.theta", problem));
    }
    Ok(())
}

/// How much a longer context sharpens the attention, by Phi 3's rule.
fn long_magnitude(trained: usize, original: usize) -> f64 {
    let factor = trained as f64 / original as f64;
    if factor > 1.0 { (1.0 + factor.ln() / (original as f64).ln()).sqrt() } else { 1.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(scaling: RopeScaling) -> RopeConfig {
        RopeConfig { dimensions: 8, theta: 10_000.0, scaling, ..RopeConfig::default() }
    }

    fn frequencies(scaling: RopeScaling) -> Vec<f64> {
        RopeTable::new(&config(scaling), &RopeFactors::default(), 64, 64).unwrap().frequencies
    }

    fn assert_close(found: &[f64], expected: &[f64]) {
        assert_eq!(found.len(), expected.len());
        for (found, expected) in found.iter().zip(expected) {
            assert!((found / expected - 1.0).abs() < 1e-6, "{found} instead of {expected}");
        }
    }

    #[test]
    fn scaling_rules_give_what_their_formulas_give_by_hand() {
        let llama3 = RopeScaling::Llama3 {
            factor: 8.0,
            low_freq_factor: 1.0,
            high_freq_factor: 4.0,
            original_context: 100,
        };
        let yarn = RopeScaling::Yarn {
            factor: 4.0,
            original_context: 4096,
            beta_fast: 32.0,
            beta_slow: 1.0,
            attention_factor: None,
        };
        // Turns of the pairs over 100 tokens: 15.9, 1.59, 0.159, 0.0159; the second lies between.
        let kept = (100.0 * 0.1 / TAU - 1.0) / 3.0;
        let between = 0.1 * kept + 0.1 / 8.0 * (1.0 - kept);
        // YaRN's corners are pairs 1.31 and 2.81 by its formula, so 1 and 3.
        let halfway = 0.01 * 0.5 + 0.01 / 4.0 * 0.5;
        let cases: [(RopeScaling, [f64; 4]); 4] = [
            (RopeScaling::None, [1.0, 0.1, 0.01, 0.001]),
            (RopeScaling::Linear { factor: 2.0 }, [0.5, 0.05, 0.005, 0.0005]),
            (llama3, [1.0, between, 0.01 / 8.0, 0.001 / 8.0]),
            (yarn, [1.0, 0.1, halfway, 0.001 / 4.0]),
        ];
        for (scaling, expected) in cases {
            assert_close(&frequencies(scaling), &expected);
        }
    }

    #[test]
    fn yarn_sharpens_by_the_logarithm_unless_the_file_says_otherwise() {
        let yarn = |attention_factor| RopeScaling::Yarn {
            factor: 4.0,
            original_context: 32,
            beta_fast: 32.0,
            beta_slow: 1.0,
            attention_factor,
        };
        for (stated, expected) in [(None, 1.138_629_436), (Some(0.5), 0.5)] {
            let table = RopeTable::new(&config(yarn(stated)), &RopeFactors::default(), 64, 64);
            assert!((table.unwrap().magnitude - expected).abs() < 1e-6);
        }
    }

    #[test]
    fn long_rope_takes_the_table_that_the_context_calls_for() {
        let scaling = |short: &[f32], long: &[f32]| RopeScaling::LongRope {
            short: short.to_vec(),
            long: long.to_vec(),
            original_context: 64,
            attention_factor: None,
        };
        let tensors =
            RopeFactors { short: vec![1.0; 4], long: vec![4.0; 4], ..RopeFactors::default() };
        let stated = config(scaling(&[1.0; 4], &[4.0; 4]));
        let in_tensors = config(scaling(&[], &[]));
        for (config, factors) in [(&stated, &RopeFactors::default()), (&in_tensors, &tensors)] {
            let short = RopeTable::new(config, factors, 64, 128).unwrap();
            let long = RopeTable::new(config, factors, 65, 128).unwrap();
            assert_eq!(short.frequencies[2], 4.0 * long.frequencies[2]);
            assert!((long.magnitude - (1.0_f64 + 1.0 / 6.0).sqrt()).abs() < 1e-12);
        }
        let missing = RopeTable::new(&in_tensors, &RopeFactors::default(), 65, 128).unwrap_err();
        assert!(missing.to_string().contains("rope_factors_long.weight"));
    }

    #[test]
    fn the_factors_of_the_file_divide() {
        let factors = RopeFactors { always: vec![1.0, 2.0, 4.0, 8.0], ..RopeFactors::default() };
        let table = RopeTable::new(&config(RopeScaling::None), &factors, 64, 64).unwrap();
        assert_close(&table.frequencies, &[1.0, 0.05, 0.0025, 0.000_125]);
        let few = RopeFactors { always: vec![1.0], ..RopeFactors::default() };
        assert!(RopeTable::new(&config(RopeScaling::None), &few, 64, 64).is_err());
    }

    #[test]
    fn angles_grow_with_the_position() {
        for (layout, second) in [(RopeLayout::Halves, 1), (RopeLayout::Interleaved, 3)] {
            let table = RopeTable::new(&config(RopeScaling::None), &RopeFactors::default(), 64, 64);
            let table = RopeTable { layout, ..table.unwrap() };
            let (mut cos, mut sin) = (Vec::new(), Vec::new());
            table.extend(3, &mut cos, &mut sin);
            let len = layout.row_len(table.pairs());
            assert_eq!((cos.len(), sin.len()), (len, len));
            let errors = [cos[0] - 3.0_f32.cos(), sin[second] - 0.3_f32.sin()];
            assert!(errors.iter().all(|error| error.abs() < 1e-6), "{layout:?}: {errors:?}");
        }
    }

    #[test]
    fn hostile_numbers_are_refused_or_harmless() {
        let odd = RopeConfig { dimensions: 7, theta: 1e4, ..RopeConfig::default() };
        let endless = RopeConfig { dimensions: 8, theta: f32::INFINITY, ..RopeConfig::default() };
        for config in [odd, endless] {
            assert!(RopeTable::new(&config, &RopeFactors::default(), 64, 64).is_err());
        }
        let nothing = RopeScaling::Yarn {
            factor: 0.0,
            original_context: 0,
            beta_fast: f32::NAN,
            beta_slow: 0.0,
            attention_factor: None,
        };
        assert_eq!(frequencies(nothing).len(), 4);
    }
}
