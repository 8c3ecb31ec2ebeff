//! Rotary position embedding.

use super::for_each_part;
use crate::Compute;

/// Which two numbers of a head are rotated together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RopeLayout {
    /// `(0, 1), (2, 3), …`
    Interleaved,
    /// `(0, d/2), (1, d/2 + 1), …` for `d` rotated numbers.
    Halves,
}

/// The angles of each token, and how they apply to a head.
#[derive(Clone, Copy, Debug)]
pub struct Rope<'a> {
    /// Cosines: one row of `pairs` for each token.
    pub cos: &'a [f32],
    /// Sines, likewise.
    pub sin: &'a [f32],
    /// Pairs that are rotated in each head; the rest of the head passes through.
    pub pairs: usize,
    /// Which numbers form a pair.
    pub layout: RopeLayout,
}

/// Rotates `heads` heads of `head_len` numbers at the start of each row of `x`.
///
/// Rows are `row_len` apart, so that queries and keys can lie within fused rows.
///
/// # Panics
/// If the lengths do not fit each other.
pub fn rope(
    compute: &Compute,
    x: &mut [f32],
    row_len: usize,
    heads: usize,
    head_len: usize,
    rope: &Rope<'_>,
) {
    assert!(heads * head_len <= row_len, "the heads lie within a row");
    assert!(2 * rope.pairs <= head_len, "the pairs lie within a head");
    let pairs = rope.pairs;
    for_each_part(compute, x, row_len, 4, |token, row| {
        let cos = &rope.cos[token * pairs..][..pairs];
        let sin = &rope.sin[token * pairs..][..pairs];
        for head in row[..heads * head_len].chunks_exact_mut(head_len) {
            match rope.layout {
                RopeLayout::Interleaved => interleaved(head, cos, sin),
                RopeLayout::Halves => halves(head, cos, sin),
            }
        }
    });
}

fn interleaved(head: &mut [f32], cos: &[f32], sin: &[f32]) {
    for ((pair, cos), sin) in head.as_chunks_mut::<2>().0.iter_mut().zip(cos).zip(sin) {
        let [a, b] = *pair;
        *pair = [a * cos - b * sin, a * sin + b * cos];
    }
}

fn halves(head: &mut [f32], cos: &[f32], sin: &[f32]) {
    let (low, high) = head.split_at_mut(cos.len());
    for (((a, b), cos), sin) in low.iter_mut().zip(high).zip(cos).zip(sin) {
        (*a, *b) = (*a * cos - *b * sin, *a * sin + *b * cos);
    }
}
