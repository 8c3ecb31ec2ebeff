//! Search for the scales of the formats whose scales are themselves rounded.
//!
//! For given integers the best scale follows from least squares, and for a given scale the best
//! integers follow from rounding; the two do not have one common solution that a formula gives.
//! So several first guesses around the one that just covers the range are tried, each is improved
//! by least squares, and the best is kept. Numbers count by a weight: large ones more, because
//! errors in them change a product with activations more.

use std::ops::RangeInclusive;

use crate::bits::Half;
use crate::block::Group;
use crate::simple::{bounds, inverse, largest};

const LANES: usize = 8;

/// Rounds to the nearest integer from `low` to `high`, ties to even.
#[inline]
pub(crate) fn nearest(x: f32, low: f32, high: f32) -> f32 {
    // Above 2^23 floats have no fraction, so adding and taking away 1.5 * 2^23 rounds: in vector
    // code, also where the processor has no instruction for it.
    const SHIFT: f32 = 12_582_912.0;
    (x.max(low).min(high) + SHIFT) - SHIFT
}

/// Adds up `N` products over all numbers; lanes of their own keep the loop in vector code.
#[inline]
fn sums<const N: usize>(
    values: &[f32],
    weights: &[f32],
    products: impl Fn(f32, f32) -> [f32; N],
) -> [f32; N] {
    let mut lanes = [[0.0; LANES]; N];
    let chunks = values.chunks_exact(LANES).zip(weights.chunks_exact(LANES));
    for (values, weights) in chunks {
        for lane in 0..LANES {
            let products = products(values[lane], weights[lane]);
            for (sum, product) in lanes.iter_mut().zip(products) {
                sum[lane] += product;
            }
        }
    }
    lanes.map(|lanes| lanes.iter().sum())
}

/// The scale for which `scale * round(value / scale)` comes closest to the values.
///
/// `inverses` are the first guesses of `1 / scale`. The count of values must be a multiple of 8.
pub(crate) fn fit_scale(
    values: &[f32],
    weights: &[f32],
    round: impl Fn(f32) -> f32,
    inverses: impl Iterator<Item = f32>,
) -> f32 {
    let (mut best, mut scale) = (0.0, 0.0);
    for inverse in inverses {
        let [xq, qq] = sums(values, weights, |x, w| {
            let q = round(x * inverse);
            [w * x * q, w * q * q]
        });
        // With the scale xq / qq the error that is left is the constant sum of w * x * x less this.
        let explained = xq * xq / qq;
        if explained > best {
            (best, scale) = (explained, xq / qq);
        }
    }
    scale
}

/// First guesses of `1 / scale` that bring the largest magnitude near `-half`.
pub(crate) fn guesses(values: &[f32], half: f32, spread: i8) -> impl Iterator<Item = f32> {
    let most = inverse(largest(values));
    (-spread..=spread).map(move |step| -(half + 0.1 * f32::from(step)) * most)
}

/// The scale and the minimum, at least 0, for which `scale * q - minimum` with `q` from 0 to `top`
/// comes closest to the values. First guesses spread the range over `top` and so many tenths.
pub(crate) fn fit_line(
    values: &[f32],
    weights: &[f32],
    top: f32,
    tenths: RangeInclusive<i8>,
) -> Line {
    let (low, high) = bounds(values);
    let low = low.min(0.0);
    let [w, wx, wxx] = sums(values, weights, |x, w| [w, w * x, w * x * x]);
    let per_unit = inverse(high - low);
    let mut best = (f32::INFINITY, Line { scale: 0.0, minimum: -low });
    for step in tenths {
        let inverse = (top + 0.1 * f32::from(step)) * per_unit;
        let [q, qq, xq] = sums(values, weights, |x, w| {
            let q = nearest((x - low) * inverse, 0.0, top);
            [w * q, w * q * q, w * x * q]
        });
        let line = Moments { w, wx, wxx, q, qq, xq }.solve();
        if line.0 < best.0 {
            best = line;
        }
    }
    best.1
}

/// `value = scale * q - minimum`.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Line {
    pub(crate) scale: f32,
    pub(crate) minimum: f32,
}

/// Weighted sums over values and their integers.
struct Moments {
    w: f32,
    wx: f32,
    wxx: f32,
    q: f32,
    qq: f32,
    xq: f32,
}

impl Moments {
    /// The line of least squares whose minimum is not negative, behind the error that it leaves.
    fn solve(&self) -> (f32, Line) {
        let determinant = self.w * self.qq - self.q * self.q;
        let mut scale = (self.w * self.xq - self.wx * self.q) / determinant;
        let mut minimum = (self.q * self.xq - self.qq * self.wx) / determinant;
        if !(determinant > 0.0 && minimum >= 0.0) {
            (scale, minimum) = (self.xq * inverse(self.qq), 0.0);
        }
        let squares = self.wxx + scale * scale * self.qq + minimum * minimum * self.w;
        let mixed = scale * self.xq - minimum * self.wx + scale * minimum * self.q;
        (squares - 2.0 * mixed, Line { scale, minimum })
    }
}

/// Rounds scales to integers from `low` to `-low - 1` times one half-precision scale.
pub(crate) fn share_scales<const N: usize>(scales: &[f32; N], low: i8) -> (Half, [i8; N]) {
    let low = f32::from(low);
    let d = Half::new(largest(scales) / low);
    let inverse = inverse(d.get());
    (d, scales.map(|scale| nearest(scale * inverse, low, -low - 1.0) as i8))
}

/// Rounds numbers that are not negative to integers from 0 to `top` times one half-precision scale.
pub(crate) fn share_positive<const N: usize>(values: &[f32; N], top: u8) -> (Half, [u8; N]) {
    let top = f32::from(top);
    let d = Half::new(largest(values) / top);
    let inverse = inverse(d.get());
    (d, values.map(|value| nearest(value * inverse, 0.0, top) as u8))
}

/// The integers from `low` to `high`, plus `bias`, that come closest to the values, group by group.
pub(crate) fn round_groups(
    values: &[f32; 256],
    groups: &[Group],
    (low, high): (i8, i8),
    bias: i8,
) -> [u8; 256] {
    let mut quants = [0; 256];
    let len = 256 / groups.len().max(1);
    let (low, high) = (f32::from(low), f32::from(high));
    for ((values, out), group) in
        values.chunks_exact(len).zip(quants.chunks_exact_mut(len)).zip(groups)
    {
        let inverse = inverse(group.scale);
        for (out, &x) in out.iter_mut().zip(values) {
            *out = (nearest((x - group.offset) * inverse, low, high) as i8 + bias) as u8;
        }
    }
    quants
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn nearest_rounds_to_even_and_stays_in_range() {
        let cases = [(0.5, 0.0), (1.5, 2.0), (-1.5, -2.0), (2.4, 2.0), (1e30, 7.0), (-9.0, -8.0)];
        for (x, expect) in cases {
            assert_eq!(nearest(x, -8.0, 7.0), expect, "{x}");
        }
        assert!((-8.0..=7.0).contains(&nearest(f32::NAN, -8.0, 7.0)));
    }

    #[test]
    fn an_exact_scale_is_found() {
        let values: [f32; 16] = std::array::from_fn(|i| 0.25 * (i as f32 - 8.0));
        let round = |x| nearest(x, -8.0, 7.0);
        let scale = fit_scale(&values, &[1.0; 16], round, guesses(&values, 8.0, 9));
        assert_eq!(scale, 0.25);
    }

    #[test]
    fn an_exact_line_is_found() {
        let values: [f32; 16] = std::array::from_fn(|i| 0.5 * i as f32 - 3.0);
        let line = fit_line(&values, &[1.0; 16], 15.0, 0..=0);
        assert!((line.scale - 0.5).abs() < 1e-6 && (line.minimum - 3.0).abs() < 1e-5, "{line:?}");
    }

    proptest! {
        #[test]
        fn a_fitted_line_is_no_worse_than_the_plain_range(
            values: [i16; 16],
            shift in -40_000_i32..40_000,
            top in 3_u8..=31,
        ) {
            let values = values.map(|x| (i32::from(x) + shift) as f32 / 1024.0);
            let top = f32::from(top);
            let (low, high) = bounds(&values);
            let plain = Line { scale: (high - low.min(0.0)) / top, minimum: -low.min(0.0) };
            let fitted = fit_line(&values, &[1.0; 16], top, -10..=10);
            prop_assert!(fitted.minimum >= 0.0);
            let (plain, fitted) = (squares(plain, top, &values), squares(fitted, top, &values));
            prop_assert!(fitted <= 1.001 * plain + 1e-3, "{} is more than {}", fitted, plain);
        }
    }

    fn squares(line: Line, top: f32, values: &[f32]) -> f32 {
        let error = |&x: &f32| {
            let q = nearest((x + line.minimum) * inverse(line.scale), 0.0, top);
            (line.scale * q - line.minimum - x).powi(2)
        };
        values.iter().map(error).sum()
    }

    #[test]
    fn zeros_and_constants_have_no_scale() {
        assert_eq!(fit_scale(&[0.0; 8], &[0.0; 8], |x| x, guesses(&[0.0; 8], 4.0, 9)), 0.0);
        let line = fit_line(&[-2.0; 8], &[1.0; 8], 15.0, 0..=0);
        assert!((line.scale * 15.0 - line.minimum + 2.0).abs() < 4.0, "{line:?}");
        let (d, scales) = share_scales(&[0.0; 4], -32);
        assert_eq!((d.get(), scales), (0.0, [0; 4]));
    }
}
