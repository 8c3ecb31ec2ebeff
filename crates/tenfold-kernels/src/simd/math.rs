//! Functions that no instruction gives, for whole vectors.

use super::Simd;

/// `e^x`, within two units in the last place; 0 below -87.3 and about 2.4e38 above 88.37.
#[inline(always)]
pub(crate) fn exp<S: Simd>(simd: S, x: S::F) -> S::F {
    // e^x = 2^n · e^r with |r| <= ln(2) / 2. ln(2) is split in two, of which the first has so few
    // bits that its product with n is exact.
    const LN_2_HIGH: f32 = 0.693_359_4;
    const LN_2_LOW: f32 = -2.121_944_4e-4;
    // The Taylor terms from r^7 on stay below 2^-25 of the result.
    const TERMS: [f32; 5] = [1.0 / 720.0, 1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5];

    // In this order, what is not a number stays so.
    let x = simd.min(simd.splat(88.37), simd.max(simd.splat(-88.0), x));
    let n = simd.round(simd.mul(x, simd.splat(std::f32::consts::LOG2_E)));
    let r = simd.fma(n, simd.splat(-LN_2_HIGH), x);
    let r = simd.fma(n, simd.splat(-LN_2_LOW), r);
    let mut sum = simd.splat(1.0 / 5040.0);
    for term in TERMS {
        sum = simd.fma(sum, r, simd.splat(term));
    }
    let sum = simd.fma(simd.mul(r, r), sum, simd.add(r, simd.splat(1.0)));
    simd.mul(sum, simd.pow2(n))
}

/// The hyperbolic tangent, with an absolute error below 2e-7.
#[inline(always)]
pub(crate) fn tanh<S: Simd>(simd: S, x: S::F) -> S::F {
    // 1 - 2 / (e^2x + 1); beyond ±44 the exponential stops growing, and the result is ±1 long since.
    let power = exp(simd, simd.add(x, x));
    let fraction = simd.div(simd.splat(2.0), simd.add(power, simd.splat(1.0)));
    simd.sub(simd.splat(1.0), fraction)
}
