//! Rotary position embedding with every scaling rule, from the formulas of their papers.

use std::f64::consts::PI;

use tenfold_formats::{RopeConfig, RopeLayout, RopeScaling};

/// The angles of one layer kind, ready to rotate heads.
#[derive(Clone, Debug)]
pub(super) struct Rope {
    /// Radians that each pair turns per position.
    frequencies: Vec<f64>,
    /// Multiplies sine and cosine.
    magnitude: f64,
    layout: RopeLayout,
}

impl Rope {
    /// The plain rotation with this base, no scaling.
    pub(super) fn plain(rope: &RopeConfig, theta: f32) -> Self {
        let exponent = |pair| -2.0 * pair as f64 / rope.dimensions as f64;
        let frequency = |pair| f64::from(theta).powf(exponent(pair));
        let frequencies = (0..rope.dimensions / 2).map(frequency).collect();
        Self { frequencies, magnitude: 1.0, layout: rope.layout }
    }

    /// The rotation that the configuration asks for in a context of this many tokens.
    pub(super) fn scaled(rope: &RopeConfig, context: usize, trained_context: usize) -> Self {
        let plain = Self::plain(rope, rope.theta);
        match &rope.scaling {
            RopeScaling::None => plain,
            RopeScaling::Linear { factor } => plain.map(|_, f| f / f64::from(*factor)),
            RopeScaling::Llama3 { factor, low_freq_factor, high_freq_factor, original_context } => {
                let rule = Llama3 {
                    factor: f64::from(*factor),
                    low: f64::from(*low_freq_factor),
                    high: f64::from(*high_freq_factor),
                    original: *original_context as f64,
                };
                plain.map(|_, f| rule.scale(f))
            }
            RopeScaling::Yarn {
                factor,
                original_context,
                beta_fast,
                beta_slow,
                attention_factor,
            } => {
                let factor = f64::from(*factor);
                let corner = |beta| yarn_corner(rope, *original_context, f64::from(beta));
                let (low, high) = (corner(*beta_fast).floor(), corner(*beta_slow).ceil());
                let magnitude = attention_factor.map_or(0.1 * factor.ln() + 1.0, f64::from);
                plain.yarn(factor, low, high).with_magnitude(magnitude)
            }
            RopeScaling::LongRope { short, long, original_context, attention_factor } => {
                let divisors = if context > *original_context { long } else { short };
                let magnitude = attention_factor.map_or_else(
                    || long_rope_magnitude(trained_context, *original_context),
                    f64::from,
                );
                plain.divided(divisors).with_magnitude(magnitude)
            }
        }
    }

    /// Each frequency divided by its own number; where numbers are missing, unchanged.
    pub(super) fn divided(self, divisors: &[f32]) -> Self {
        self.map(|pair, f| f / divisors.get(pair).copied().map_or(1.0, f64::from))
    }

    /// YaRN: fast pairs keep their frequency, slow ones are divided, a ramp lies between.
    fn yarn(self, factor: f64, low: f64, high: f64) -> Self {
        let last = (self.frequencies.len() * 2) as f64 - 1.0;
        let (low, high) = (low.max(0.0), high.min(last));
        self.map(|pair, f| {
            let slow = ((pair as f64 - low) / (high - low).max(0.001)).clamp(0.0, 1.0);
            f / factor * slow + f * (1.0 - slow)
        })
    }

    fn with_magnitude(self, magnitude: f64) -> Self {
        Self { magnitude, ..self }
    }

    fn map(mut self, scale: impl Fn(usize, f64) -> f64) -> Self {
        self.frequencies.iter_mut().enumerate().for_each(|(pair, f)| *f = scale(pair, *f));
        self
    }

    /// Turns the first numbers of one head as its position asks.
    pub(super) fn rotate(&self, head: &mut [f64], position: usize) {
        let pairs = self.frequencies.len();
        for (pair, frequency) in self.frequencies.iter().enumerate() {
            let (sin, cos) = (position as f64 * frequency).sin_cos();
            let (a, b) = match self.layout {
                RopeLayout::Interleaved => (2 * pair, 2 * pair + 1),
                RopeLayout::Halves => (pair, pair + pairs),
            };
            let (Some(&x), Some(&y)) = (head.get(a), head.get(b)) else { return };
            head[a] = (x * cos - y * sin) * self.magnitude;
            head[b] = (x * sin + y * cos) * self.magnitude;
        }
    }
}

/// Llama 3.1's rule: long waves are stretched in full, short ones not at all.
struct Llama3 {
    factor: f64,
    low: f64,
    high: f64,
    original: f64,
}

impl Llama3 {
    fn scale(&self, frequency: f64) -> f64 {
        let turns = self.original * frequency / (2.0 * PI);
        if turns > self.high {
            frequency
        } else if turns < self.low {
            frequency / self.factor
        } else {
            let smooth = (turns - self.low) / (self.high - self.low);
            (1.0 - smooth) * frequency / self.factor + smooth * frequency
        }
    }
}

/// The divisors by which llama.cpp's converter expresses Llama 3.1's rule in `rope_freqs.weight`.
pub(crate) fn llama3_divisors(rope: &RopeConfig) -> Vec<f32> {
    let plain = Rope::plain(rope, rope.theta);
    let scaled = Rope::scaled(rope, 0, 0);
    let both = plain.frequencies.iter().zip(&scaled.frequencies);
    both.map(|(plain, scaled)| (plain / scaled) as f32).collect()
}

/// The pair that makes `beta` full turns over the original context.
fn yarn_corner(rope: &RopeConfig, original_context: usize, beta: f64) -> f64 {
    let ratio = original_context as f64 / (beta * 2.0 * PI);
    rope.dimensions as f64 * ratio.ln() / (2.0 * f64::from(rope.theta).ln())
}

/// How much longer contexts sharpen the attention, by Phi 3's rule.
fn long_rope_magnitude(trained_context: usize, original_context: usize) -> f64 {
    let factor = trained_context as f64 / original_context as f64;
    let stretched = (1.0 + factor.ln() / (original_context as f64).ln()).sqrt();
    if factor <= 1.0 { 1.0 } else { stretched }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(layout: RopeLayout, scaling: RopeScaling) -> RopeConfig {
        RopeConfig { dimensions: 4, theta: 100.0, local_theta: None, layout, scaling }
    }

    #[test]
    fn layouts_rotate_the_same_pairs_in_different_places() {
        let mut halves = [1.0, 2.0, 3.0, 4.0];
        let mut interleaved = [1.0, 3.0, 2.0, 4.0];
        Rope::scaled(&config(RopeLayout::Halves, RopeScaling::None), 0, 0).rotate(&mut halves, 5);
        Rope::scaled(&config(RopeLayout::Interleaved, RopeScaling::None), 0, 0)
            .rotate(&mut interleaved, 5);
        assert_eq!(halves, [interleaved[0], interleaved[2], interleaved[1], interleaved[3]]);
        assert!((halves[0] - (5.0_f64.cos() - 3.0 * 5.0_f64.sin())).abs() < 1e-12);
    }

    #[test]
    fn rotation_keeps_lengths_and_leaves_the_rest_alone() {
        let mut head = [3.0, 1.0, 4.0, 1.0, 5.0, 9.0];
        Rope::scaled(&config(RopeLayout::Halves, RopeScaling::None), 0, 0).rotate(&mut head, 11);
        let length: f64 = head.iter().map(|x| x * x).sum();
        assert!((length - 133.0).abs() < 1e-9);
        assert_eq!(head[4..], [5.0, 9.0]);
    }

    #[test]
    fn linear_scaling_divides_positions() {
        let linear = config(RopeLayout::Halves, RopeScaling::Linear { factor: 4.0 });
        let (mut a, mut b) = ([1.0, 2.0, 3.0, 4.0], [1.0, 2.0, 3.0, 4.0]);
        Rope::scaled(&linear, 0, 0).rotate(&mut a, 8);
        Rope::scaled(&config(RopeLayout::Halves, RopeScaling::None), 0, 0).rotate(&mut b, 2);
        assert!(a.iter().zip(&b).all(|(a, b)| (a - b).abs() < 1e-12));
    }

    #[test]
    fn llama3_divides_long_waves_and_keeps_short_ones() {
        let scaling = RopeScaling::Llama3 {
            factor: 8.0,
            low_freq_factor: 1.0,
            high_freq_factor: 4.0,
            original_context: 50,
        };
        // 50 positions are 8 turns of the first pair and 0.8 of the second.
        assert_eq!(llama3_divisors(&config(RopeLayout::Halves, scaling)), [1.0, 8.0]);
    }

    #[test]
    fn long_rope_picks_its_table_by_the_context() {
        let scaling = RopeScaling::LongRope {
            short: vec![1.0, 2.0],
            long: vec![4.0, 8.0],
            original_context: 64,
            attention_factor: None,
        };
        let config = config(RopeLayout::Halves, scaling);
        let short = Rope::scaled(&config, 64, 128);
        let long = Rope::scaled(&config, 65, 128);
        assert_eq!(short.frequencies[0], 4.0 * long.frequencies[0]);
        assert!((long.magnitude - (1.0_f64 + 1.0 / 6.0).sqrt()).abs() < 1e-12);
    }
}
