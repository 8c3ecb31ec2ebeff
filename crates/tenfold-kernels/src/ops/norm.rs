//! Norms.

use super::{Heads, for_each_part};
use crate::Compute;
use crate::simd::{Simd, Task, fold, update};

/// How a row is brought to unit size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NormKind {
    /// `x / sqrt(mean(x²) + epsilon)`.
    Rms,
    /// `(x - mean) / sqrt(variance + epsilon)`.
    Layer,
}

/// A norm: what it divides by, and what it multiplies with and adds afterwards.
#[derive(Clone, Copy, Debug)]
pub struct Norm<'a> {
    /// What it divides by.
    pub kind: NormKind,
    /// Multiplies; one number for each of a row.
    pub weight: &'a [f32],
    /// Is added; as long as `weight`.
    pub bias: Option<&'a [f32]>,
    /// Keeps the divisor from zero.
    pub epsilon: f32,
}

/// Norms each row of `x`; a row is as long as the weight.
///
/// # Panics
/// If `x` and `out` differ in length, or are no whole count of rows.
pub fn norm(compute: &Compute, norm: &Norm<'_>, x: &[f32], out: &mut [f32]) {
    let len = norm.weight.len();
    norm.check();
    assert_eq!(x.len(), out.len(), "input and output are equally long");
    assert!(x.len().is_multiple_of(len), "the input is a whole count of rows");
    for_each_part(compute, out, len, 4, |row, out| {
        out.copy_from_slice(&x[row * len..][..len]);
        compute.kernels().run(NormRow { norm: *norm, x: out });
    });
}

/// Norms each head of `x` in its place, with the weights of `norm` for all of them, or with weights
/// of its own for each.
///
/// # Panics
/// If the weights are neither, or a row is too short for its heads.
pub fn norm_heads(compute: &Compute, norm: &Norm<'_>, x: &mut [f32], heads: &Heads) {
    norm.check();
    heads.check();
    let own = norm.weight.len() == heads.count * heads.len;
    assert!(own || norm.weight.len() == heads.len, "a weight for each number of a head");
    for_each_part(compute, x, heads.row_len, 4, |_, row| {
        for (index, x) in heads.of(row).enumerate() {
            let start = if own { index * heads.len } else { 0 };
            compute.kernels().run(NormRow { norm: norm.part(start, heads.len), x });
        }
    });
}

impl Norm<'_> {
    fn check(&self) {
        let len = self.weight.len();
        assert!(len > 0, "a row has numbers");
        assert!(
            self.bias.is_none_or(|bias| bias.len() == len),
            "the bias is as long as the weight"
        );
    }

    /// The norm of `len` numbers from `start` on.
    fn part(&self, start: usize, len: usize) -> Self {
        let part = start..start + len;
        let bias = self.bias.map(|bias| &bias[part.clone()]);
        Self { weight: &self.weight[part], bias, ..*self }
    }
}

struct NormRow<'a> {
    norm: Norm<'a>,
    x: &'a mut [f32],
}

impl Task for NormRow<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { norm: Norm { kind, weight, bias, epsilon }, x } = self;
        let count = x.len() as f32;
        if kind == NormKind::Layer {
            let sum = fold!(simd: S, sum = 0.0, x in x => simd.add(sum, x));
            let mean = simd.splat(simd.reduce_add(sum) / count);
            update!(simd: S, x in x => simd.sub(x, mean));
        }
        let squares = fold!(simd: S, sum = 0.0, x in x => simd.fma(x, x, sum));
        let factor = (simd.reduce_add(squares) / count + epsilon).sqrt().recip();
        let factor = simd.splat(factor);
        update!(simd: S, x in x, w in weight => simd.mul(simd.mul(x, factor), w));
        if let Some(bias) = bias {
            update!(simd: S, x in x, b in bias => simd.add(x, b));
        }
    }
}
