//! The functions of feed-forward networks.

use super::for_each_part;
use crate::Compute;
use crate::simd::{Simd, Task, exp, write_each};

/// The function of a feed-forward network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Activation {
    /// `x / (1 + exp(-x))`.
    Silu,
    /// The tanh approximation of the Gaussian error linear unit.
    GeluTanh,
    /// `max(x, 0)`.
    Relu,
}

/// `activation(gate) * up`, row by row.
///
/// A row of `gate_up` is `width` gate numbers and then `width` up numbers, as the product with two
/// stacked matrices gives it; a row of `out` is `width` numbers.
///
/// # Panics
/// If the lengths are not these.
pub fn gated(
    compute: &Compute,
    activation: Activation,
    gate_up: &[f32],
    width: usize,
    out: &mut [f32],
) {
    assert_eq!(gate_up.len(), 2 * out.len(), "gate and up for each output");
    assert!(width > 0 && out.len().is_multiple_of(width), "the output is a whole count of rows");
    for_each_part(compute, out, width, 8, |row, out| {
        let (gate, up) = gate_up[2 * row * width..][..2 * width].split_at(width);
        compute.kernels().run(GatedRow { activation, gate, up, out });
    });
}

struct GatedRow<'a> {
    activation: Activation,
    gate: &'a [f32],
    up: &'a [f32],
    out: &'a mut [f32],
}

impl Task for GatedRow<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { activation, gate, up, out } = self;
        match activation {
            Activation::Silu => {
                write_each!(simd: S, out, x in gate, y in up => simd.mul(silu(simd, x), y));
            }
            Activation::GeluTanh => {
                write_each!(simd: S, out, x in gate, y in up => simd.mul(gelu_tanh(simd, x), y));
            }
            Activation::Relu => {
                let zero = simd.splat(0.0);
                write_each!(simd: S, out, x in gate, y in up => simd.mul(simd.max(x, zero), y));
            }
        }
    }
}

#[inline(always)]
fn silu<S: Simd>(simd: S, x: S::F) -> S::F {
    let power = exp(simd, simd.sub(simd.splat(0.0), x));
    simd.div(x, simd.add(power, simd.splat(1.0)))
}

/// `x / (1 + e^-2y)`, which is `x (1 + tanh y) / 2` without the loss where the tangent is near -1.
#[inline(always)]
fn gelu_tanh<S: Simd>(simd: S, x: S::F) -> S::F {
    const MINUS_2_ROOT_2_OVER_PI: f32 = -1.595_769_2;
    let cube = simd.mul(simd.mul(x, x), simd.splat(0.044_715));
    let y = simd.fma(cube, x, x);
    let power = exp(simd, simd.mul(y, simd.splat(MINUS_2_ROOT_2_OVER_PI)));
    simd.div(x, simd.add(power, simd.splat(1.0)))
}
