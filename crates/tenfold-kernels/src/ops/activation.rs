//! The functions of feed-forward networks.

use super::for_each_part;
use crate::Compute;

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

impl Activation {
    fn apply(self, x: f32) -> f32 {
        match self {
            Self::Silu => x / (1.0 + (-x).exp()),
            Self::GeluTanh => gelu_tanh(x),
            Self::Relu => x.max(0.0),
        }
    }
}

fn gelu_tanh(x: f32) -> f32 {
    const ROOT_2_OVER_PI: f32 = 0.797_884_6;
    0.5 * x * (1.0 + (ROOT_2_OVER_PI * (x + 0.044_715 * x * x * x)).tanh())
}

/// Applies the function to each number.
pub fn activate(compute: &Compute, activation: Activation, x: &mut [f32]) {
    for_each_part(compute, x, 1024, 8, |_, x| {
        x.iter_mut().for_each(|x| *x = activation.apply(*x));
    });
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
        for ((out, &gate), up) in out.iter_mut().zip(gate).zip(up) {
            *out = activation.apply(gate) * up;
        }
    });
}
