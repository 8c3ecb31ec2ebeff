//! Exponential and logarithm in plain IEEE arithmetic.
//!
//! The standard library calls the platform's, which differ in the last bit from system to system;
//! these give the same bits everywhere. The exponential has no branch, so that the compiler can
//! compute several at once.

/// Below this, `exp` is 0: the result would no longer be a normal number.
const LOWEST: f32 = -87.0;

/// 1.5 · 2^23: adding it rounds to a whole number, which then stands in the lowest bits.
const ROUND: f32 = 12_582_912.0;

/// ln 2 in two parts; the product of the first with a small whole number is exact.
const LN_2_HIGH: f32 = 0.693_359_4;
const LN_2_LOW: f32 = -2.121_944_4e-4;

/// e^x for x ≤ 0, within 2·10^-7 of the value; 0 for NaN and for x < -87.
#[inline]
pub(crate) fn exp(x: f32) -> f32 {
    let alive = x >= LOWEST;
    let x = if alive { x } else { 0.0 };
    let rounded = x * std::f32::consts::LOG2_E + ROUND;
    let twos = rounded - ROUND;
    let r = (x - twos * LN_2_HIGH) - twos * LN_2_LOW;
    // Taylor's series: |r| is at most ln 2 / 2, so the first term left out is below 6e-9.
    let sixth = 1.0 / 720.0 + r * (1.0 / 5040.0);
    let fourth = 1.0 / 24.0 + r * (1.0 / 120.0 + r * sixth);
    let second = 0.5 + r * (1.0 / 6.0 + r * fourth);
    let series = 1.0 + r * (1.0 + r * second);
    let power = f32::from_bits((rounded.to_bits() << 23).wrapping_add(127 << 23));
    if alive { series * power } else { 0.0 }
}

/// The natural logarithm of a normal positive number, within 4·10^-16 of the value's scale.
pub(crate) fn ln(x: f64) -> f64 {
    let bits = x.to_bits();
    let exponent = f64::from(((bits >> 52) & 0x7ff) as u32) - 1023.0;
    let mantissa = f64::from_bits((bits & 0x000f_ffff_ffff_ffff) | (1023 << 52));
    let (mantissa, exponent) = if mantissa > std::f64::consts::SQRT_2 {
        (mantissa * 0.5, exponent + 1.0)
    } else {
        (mantissa, exponent)
    };
    // ln m = 2 artanh s; |s| < 0.172, so eleven terms are exact to the last bits.
    let s = (mantissa - 1.0) / (mantissa + 1.0);
    let square = s * s;
    let series = (0..=10).rev().fold(0.0, |sum, term| sum * square + 1.0 / f64::from(2 * term + 1));
    exponent * std::f64::consts::LN_2 + 2.0 * s * series
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exp_is_close_to_the_exact_value() {
        for step in 0..=870_000 {
            let x = -(step as f32) * 1e-4;
            let exact = f64::from(x).exp();
            let error = (f64::from(exp(x)) - exact).abs() / exact;
            assert!(error < 2e-7, "exp({x}) is off by {error:e}");
        }
    }

    #[test]
    fn exp_at_its_ends() {
        assert_eq!(exp(0.0), 1.0);
        assert_eq!(exp(-0.0), 1.0);
        for x in [-87.1, f32::MIN, f32::NEG_INFINITY, f32::NAN] {
            assert_eq!(exp(x), 0.0, "{x}");
        }
    }

    #[test]
    fn ln_is_close_to_the_exact_value() {
        let mut x = 1e-12;
        while x < 1e19 {
            let exact = f64::ln(x);
            assert!((ln(x) - exact).abs() <= 4e-16 * exact.abs().max(1.0), "ln({x})");
            x *= 1.000_7;
        }
        assert_eq!(ln(1.0), 0.0);
    }
}
