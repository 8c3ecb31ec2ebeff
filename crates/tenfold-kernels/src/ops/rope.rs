//! Rotary position embedding.

use super::{Heads, for_each_part};
use crate::Compute;
use crate::simd::{Simd, Task, load_part, store_part};

/// Which two numbers of a head are rotated together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RopeLayout {
    /// `(0, 1), (2, 3), …`
    Interleaved,
    /// `(0, d/2), (1, d/2 + 1), …` for `d` rotated numbers.
    Halves,
}

impl RopeLayout {
    /// Cosines, or sines, that [`Rope`] has for each token.
    pub const fn row_len(self, pairs: usize) -> usize {
        match self {
            Self::Interleaved => 2 * pairs,
            Self::Halves => pairs,
        }
    }
}

/// The angles of each token, and how they apply to a head.
///
/// For [`RopeLayout::Halves`], a row is one number for each pair. For [`RopeLayout::Interleaved`]
/// it is one for each of the two: the cosine twice, and the sine negative first and positive then.
#[derive(Clone, Copy, Debug)]
pub struct Rope<'a> {
    /// Cosines: one row for each token.
    pub cos: &'a [f32],
    /// Sines, likewise.
    pub sin: &'a [f32],
    /// Pairs that are rotated in each head; the rest of the head passes through.
    pub pairs: usize,
    /// Which numbers form a pair.
    pub layout: RopeLayout,
}

/// Rotates the heads of each row of `x`.
///
/// # Panics
/// If the lengths do not fit each other.
pub fn rope(compute: &Compute, rope: &Rope<'_>, x: &mut [f32], heads: &Heads) {
    heads.check();
    assert!(2 * rope.pairs <= heads.len, "the pairs lie within a head");
    let len = rope.layout.row_len(rope.pairs);
    for_each_part(compute, x, heads.row_len, 4, |token, row| {
        let cos = &rope.cos[token * len..][..len];
        let sin = &rope.sin[token * len..][..len];
        compute.kernels().run(RotateRow { layout: rope.layout, cos, sin, heads, row });
    });
}

struct RotateRow<'a> {
    layout: RopeLayout,
    cos: &'a [f32],
    sin: &'a [f32],
    heads: &'a Heads,
    row: &'a mut [f32],
}

impl Task for RotateRow<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { layout, cos, sin, heads, row } = self;
        for head in heads.of(row) {
            match layout {
                RopeLayout::Interleaved => interleaved(simd, head, cos, sin),
                RopeLayout::Halves => halves(simd, head, cos, sin),
            }
        }
    }
}

#[inline(always)]
fn interleaved<S: Simd>(simd: S, head: &mut [f32], cos: &[f32], sin: &[f32]) {
    let angles = cos.chunks(S::LANES).zip(sin.chunks(S::LANES));
    for (x, (cos, sin)) in head[..cos.len()].chunks_mut(S::LANES).zip(angles) {
        let pairs = load_part(simd, x, 0.0);
        let turned = simd.mul(simd.swap_pairs(pairs), load_part(simd, sin, 0.0));
        store_part(simd, simd.fma(pairs, load_part(simd, cos, 0.0), turned), x);
    }
}

#[inline(always)]
fn halves<S: Simd>(simd: S, head: &mut [f32], cos: &[f32], sin: &[f32]) {
    let (low, high) = head.split_at_mut(cos.len());
    let numbers = low.chunks_mut(S::LANES).zip(high.chunks_mut(S::LANES));
    let angles = cos.chunks(S::LANES).zip(sin.chunks(S::LANES));
    for ((low, high), (cos, sin)) in numbers.zip(angles) {
        // The upper half may be followed by numbers that are not rotated.
        let high = &mut high[..low.len()];
        let (a, b) = (load_part(simd, low, 0.0), load_part(simd, high, 0.0));
        let (cos, sin) = (load_part(simd, cos, 0.0), load_part(simd, sin, 0.0));
        store_part(simd, simd.sub(simd.mul(a, cos), simd.mul(b, sin)), low);
        store_part(simd, simd.fma(b, cos, simd.mul(a, sin)), high);
    }
}
