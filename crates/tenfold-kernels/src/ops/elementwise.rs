//! Operations on each number by itself.

use super::for_each_part;
use crate::Compute;
use crate::simd::{Simd, Task, tanh, update};

/// Numbers that are worked on together.
const PART: usize = 4096;

/// `x += y`.
///
/// # Panics
/// If the lengths differ.
pub fn add(compute: &Compute, x: &mut [f32], y: &[f32]) {
    assert_eq!(x.len(), y.len(), "both are equally long");
    for_each_part(compute, x, PART, 1, |part, x| {
        compute.kernels().run(Add { x, y: &y[part * PART..] });
    });
}

/// Adds `bias` to each row of `x`; a row is as long as `bias`.
///
/// # Panics
/// If `x` is no whole count of rows.
pub fn add_to_rows(compute: &Compute, x: &mut [f32], bias: &[f32]) {
    assert!(!bias.is_empty() && x.len().is_multiple_of(bias.len()), "a whole count of rows");
    for_each_part(compute, x, bias.len(), 1, |_, x| compute.kernels().run(Add { x, y: bias }));
}

/// `x *= factor`.
pub fn scale(compute: &Compute, x: &mut [f32], factor: f32) {
    for_each_part(compute, x, PART, 1, |_, x| compute.kernels().run(Scale { x, factor }));
}

/// `cap · tanh(x / cap)`: bends large numbers to stay below `cap`.
pub fn soft_cap(compute: &Compute, x: &mut [f32], cap: f32) {
    for_each_part(compute, x, PART, 8, |_, x| compute.kernels().run(SoftCap { x, cap }));
}

struct Add<'a> {
    x: &'a mut [f32],
    y: &'a [f32],
}

impl Task for Add<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        update!(simd: S, x in self.x, y in self.y => simd.add(x, y));
    }
}

struct Scale<'a> {
    x: &'a mut [f32],
    factor: f32,
}

impl Task for Scale<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let factor = simd.splat(self.factor);
        update!(simd: S, x in self.x => simd.mul(x, factor));
    }
}

struct SoftCap<'a> {
    x: &'a mut [f32],
    cap: f32,
}

impl Task for SoftCap<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        update!(simd: S, x in self.x => soft_capped(simd, x, self.cap));
    }
}

/// `cap · tanh(x / cap)`.
#[inline(always)]
pub(crate) fn soft_capped<S: Simd>(simd: S, x: S::F, cap: f32) -> S::F {
    simd.mul(simd.splat(cap), tanh(simd, simd.mul(x, simd.splat(cap.recip()))))
}
