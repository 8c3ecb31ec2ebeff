//! Rounding of 32 numbers to one scale, without a search: equal to ggml's to the bit.

/// A scale, the number that integer 0 stands for, and the integers.
pub(crate) struct Rounded {
    pub(crate) d: f32,
    pub(crate) minimum: f32,
    pub(crate) quants: [u8; 32],
}

/// `values = d * (q - HALF)`: the number of the largest magnitude becomes integer 0, because that
/// side has one integer more.
pub(crate) fn symmetric<const HALF: u8>(values: &[f32; 32]) -> Rounded {
    let half = f32::from(HALF);
    let d = largest(values) / -half;
    let inverse = inverse(d);
    let top = 2 * HALF - 1;
    let quants = values.map(|x| ((x * inverse + (half + 0.5)) as u8).min(top));
    Rounded { d, minimum: -half * d, quants }
}

/// `values = d * q + minimum`: the smallest number becomes integer 0, the largest `TOP`.
pub(crate) fn asymmetric<const TOP: u8>(values: &[f32; 32]) -> Rounded {
    let (minimum, maximum) = bounds(values);
    let d = (maximum - minimum) / f32::from(TOP);
    let inverse = inverse(d);
    let quants = values.map(|x| (((x - minimum) * inverse + 0.5) as u8).min(TOP));
    Rounded { d, minimum, quants }
}

/// The number of the largest magnitude; the first of equals.
pub(crate) fn largest(values: &[f32]) -> f32 {
    let magnitude = largest_magnitude(values);
    values.iter().copied().find(|x| x.abs() == magnitude).unwrap_or(0.0)
}

pub(crate) fn largest_magnitude(values: &[f32]) -> f32 {
    values.iter().fold(0.0, |most, x| x.abs().max(most))
}

/// Smallest and largest number; of zeros that differ in their signs, the first.
pub(crate) fn bounds(values: &[f32]) -> (f32, f32) {
    let start = (f32::INFINITY, f32::NEG_INFINITY);
    values.iter().fold(start, |(low, high), &x| {
        (if x < low { x } else { low }, if x > high { x } else { high })
    })
}

/// `1 / x`, and 0 for 0.
#[inline]
pub(crate) fn inverse(x: f32) -> f32 {
    if x == 0.0 { 0.0 } else { 1.0 / x }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_larger_side_gets_the_extra_integer() {
        let mut values = [0.0; 32];
        (values[3], values[9]) = (2.0, -1.0);
        let rounded = symmetric::<8>(&values);
        assert_eq!((rounded.d, rounded.quants[3], rounded.quants[9]), (-0.25, 0, 12));
        assert!(rounded.quants.iter().filter(|&&q| q == 8).count() == 30);
    }

    #[test]
    fn of_equal_magnitudes_the_first_counts() {
        assert_eq!(largest(&[1.0, -3.0, 3.0]), -3.0);
        assert_eq!(largest(&[f32::NAN]), 0.0);
    }

    #[test]
    fn of_zeros_the_first_counts() {
        assert!(bounds(&[-0.0, 0.0]).0.is_sign_negative());
        assert!(bounds(&[0.0, -0.0]).0.is_sign_positive());
    }

    #[test]
    fn the_range_is_cut_evenly() {
        let values: [f32; 32] = std::array::from_fn(|i| i as f32 - 10.0);
        let rounded = asymmetric::<31>(&values);
        assert_eq!((rounded.d, rounded.minimum), (1.0, -10.0));
        assert!(rounded.quants.iter().map(|&q| usize::from(q)).eq(0..32));
    }

    #[test]
    fn a_constant_block_has_scale_zero() {
        let rounded = asymmetric::<15>(&[0.5; 32]);
        assert_eq!((rounded.d, rounded.minimum, rounded.quants), (0.0, 0.5, [0; 32]));
    }
}
