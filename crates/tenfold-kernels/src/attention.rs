//! Attention over a cache of half-precision keys and values.

use std::ops::Range;

use half::f16;

use crate::{Compute, ops};

/// Keys and values of one sequence: for each key-value head a run of positions.
///
/// The numbers of position `p` of head `h` begin at `h * head_stride + p * position_stride`.
#[derive(Clone, Copy, Debug)]
pub struct KvCache<'a> {
    /// Keys, `key_len` numbers at each position.
    pub keys: &'a [f16],
    /// Values, `value_len` numbers at each position.
    pub values: &'a [f16],
    /// From one head's keys to the next.
    pub key_head_stride: usize,
    /// From one position's key to the next.
    pub key_position_stride: usize,
    /// From one head's values to the next.
    pub value_head_stride: usize,
    /// From one position's value to the next.
    pub value_position_stride: usize,
}

/// Queries of one sequence and what they may look at.
#[derive(Clone, Debug)]
pub struct Attention<'a> {
    /// Queries: one row for each token, `heads × key_len` numbers at its start.
    pub queries: &'a [f32],
    /// From one token's queries to the next, so that they can lie within fused rows.
    pub query_stride: usize,
    /// The positions that each token sees: causal, or a sliding window. One range for each token.
    pub visible: &'a [Range<usize>],
    /// Query heads.
    pub heads: usize,
    /// Key-value heads; divides `heads`.
    pub kv_heads: usize,
    /// Numbers in one query or key head.
    pub key_len: usize,
    /// Numbers in one value head.
    pub value_len: usize,
    /// Keys and values.
    pub cache: KvCache<'a>,
    /// Multiplies each score.
    pub scale: f32,
    /// Bends each score to `cap · tanh(score / cap)`.
    pub soft_cap: Option<f32>,
}

/// Softmax of the scores times the values, for each token and head.
///
/// `out` is `tokens × heads × value_len`. A token that sees nothing gets zeros.
///
/// # Panics
/// If a slice is shorter than the sizes say, or `kv_heads` does not divide `heads`.
pub fn attention(compute: &Compute, attention: &Attention<'_>, out: &mut [f32]) {
    let row = attention.heads * attention.value_len;
    assert_eq!(out.len(), attention.visible.len() * row, "out is tokens × heads × value_len");
    assert_eq!(attention.heads % attention.kv_heads, 0, "kv_heads divides heads");
    ops::for_each_part(compute, out, attention.value_len, 1, |index, out| {
        attention.one_head(index / attention.heads, index % attention.heads, out);
    });
}

impl Attention<'_> {
    fn one_head(&self, token: usize, head: usize, out: &mut [f32]) {
        let kv_head = head / (self.heads / self.kv_heads);
        let query =
            &self.queries[token * self.query_stride + head * self.key_len..][..self.key_len];
        let visible = self.visible[token].clone();
        let mut scores: Vec<f32> =
            visible.clone().map(|position| self.score(query, kv_head, position)).collect();
        ops::softmax(&mut scores, visible.len().max(1));
        out.fill(0.0);
        for (weight, position) in scores.into_iter().zip(visible) {
            let cache = &self.cache;
            let start = kv_head * cache.value_head_stride + position * cache.value_position_stride;
            for (out, value) in out.iter_mut().zip(&cache.values[start..][..self.value_len]) {
                *out += weight * value.to_f32();
            }
        }
    }

    fn score(&self, query: &[f32], kv_head: usize, position: usize) -> f32 {
        let cache = &self.cache;
        let start = kv_head * cache.key_head_stride + position * cache.key_position_stride;
        let key = &cache.keys[start..][..self.key_len];
        let dot: f32 = query.iter().zip(key).map(|(q, k)| q * k.to_f32()).sum();
        let score = dot * self.scale;
        self.soft_cap.map_or(score, |cap| cap * (score / cap).tanh())
    }
}
