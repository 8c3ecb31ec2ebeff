//! Attention over a cache of half-precision keys and values.
//!
//! A task is a few tokens' query heads that share one key-value head, so that each key and value is
//! read once for all of them. It goes through the cache page by page and never holds more scores
//! than one page's: what earlier pages gave is scaled down when a larger score turns up. Where
//! tokens are few and keys are many, as in decoding, tasks share the pages, too, and what they give
//! is put together at the end.

mod block;
mod cache;
#[cfg(test)]
mod tests;

use std::ops::Range;

use block::{Block, Partial};
use cache::PAGE;
pub use cache::{KvCache, KvRows, KvShape};

use crate::ops::Parts;
use crate::{Compute, Scratch};

/// Most rows, of one token and query head each, of a task.
const MOST_ROWS: usize = 60;
/// Fewest pages that are worth a task of their own.
const FEWEST_PAGES: usize = 4;

/// Queries of one sequence and what they may look at.
#[derive(Clone, Debug)]
pub struct Attention<'a> {
    /// Queries: one row for each token, all heads at its start.
    pub queries: &'a [f32],
    /// From one token's queries to the next, so that they can lie within fused rows.
    pub query_stride: usize,
    /// The positions that each token sees: causal, or a sliding window. One range for each token.
    pub visible: &'a [Range<usize>],
    /// Query heads; a multiple of the cache's.
    pub heads: usize,
    /// Keys and values.
    pub cache: &'a KvCache,
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
/// If a slice is shorter than the sizes say, the cache's heads do not divide `heads`, or a token sees
/// positions that the cache has no room for.
pub fn attention(
    compute: &Compute,
    attention: &Attention<'_>,
    scratch: &mut Scratch,
    out: &mut [f32],
) {
    attention.check(out.len());
    if attention.visible.is_empty() {
        return;
    }
    let plan = Plan::new(compute.threads(), attention);
    if plan.splits == 1 {
        attention.whole(compute, &plan, out);
    } else {
        attention.split(compute, &plan, &mut scratch.partial, out);
    }
}

/// How the work is cut into tasks.
struct Plan {
    tokens_per_block: usize,
    blocks: usize,
    /// Tasks that share the pages of a block.
    splits: usize,
}

impl Plan {
    fn new(threads: usize, attention: &Attention<'_>) -> Self {
        let tokens = attention.visible.len();
        let tokens_per_block = (MOST_ROWS / attention.group()).clamp(1, tokens);
        let blocks = tokens.div_ceil(tokens_per_block);
        let tasks = blocks * attention.cache.shape().heads;
        let pages = pages(&attention.seen(0..tokens)).len();
        let wanted = if tasks < 2 * threads { (4 * threads).div_ceil(tasks) } else { 1 };
        Self { tokens_per_block, blocks, splits: wanted.min(pages / FEWEST_PAGES).max(1) }
    }

    fn tokens(&self, block: usize, all: usize) -> Range<usize> {
        let first = block * self.tokens_per_block;
        first..all.min(first + self.tokens_per_block)
    }
}

impl Attention<'_> {
    /// Query heads that share a key-value head.
    fn group(&self) -> usize {
        self.heads / self.cache.shape().heads
    }

    fn check(&self, out: usize) {
        let KvShape { heads, key_len, value_len } = self.cache.shape();
        let tokens = self.visible.len();
        assert_eq!(
            out,
            tokens * self.heads * value_len,
            "the output is tokens × heads × value_len"
        );
        assert!(heads > 0 && self.heads.is_multiple_of(heads), "key-value heads divide the heads");
        let row = self.heads * key_len;
        assert!(tokens <= 1 || self.query_stride >= row, "queries do not overlap");
        let end = tokens.saturating_sub(1) * self.query_stride + row;
        assert!(tokens == 0 || self.queries.len() >= end, "each token has its queries");
        assert!(self.seen(0..tokens).end <= self.cache.room(), "all that is seen is stored");
    }

    /// Everything that some of these tokens see.
    fn seen(&self, tokens: Range<usize>) -> Range<usize> {
        let visible = || self.visible[tokens.clone()].iter().filter(|range| !range.is_empty());
        let end = visible().map(|range| range.end).max().unwrap_or(0);
        visible().map(|range| range.start).min().unwrap_or(0)..end
    }

    /// Each task does all pages of its block.
    fn whole(&self, compute: &Compute, plan: &Plan, out: &mut [f32]) {
        let kv_heads = self.cache.shape().heads;
        let out = Parts::new(out);
        compute.pool().run(plan.blocks * kv_heads, |task| {
            // The last tokens see most, so their blocks come first, and short ones fill the gaps.
            let block = plan.blocks - 1 - task / kv_heads;
            let tokens = plan.tokens(block, self.visible.len());
            let positions = self.seen(tokens.clone());
            let block = Block { attention: self, kv_head: task % kv_heads, tokens, positions };
            block.whole(compute.kernels(), &out);
        });
    }

    /// Each task does some pages of its block; the parts are put together afterwards.
    fn split(&self, compute: &Compute, plan: &Plan, partial: &mut Vec<f32>, out: &mut [f32]) {
        let kv_heads = self.cache.shape().heads;
        let width = Partial::words(self.cache.shape());
        let rows = plan.tokens_per_block * self.group();
        let len = rows * width;
        partial.resize(plan.blocks * kv_heads * plan.splits * len, 0.0);
        let parts = Parts::new(partial);
        compute.pool().run(plan.blocks * kv_heads * plan.splits, |task| {
            let (split, rest) = (task % plan.splits, task / plan.splits);
            let tokens = plan.tokens(rest / kv_heads, self.visible.len());
            let positions = share(&self.seen(tokens.clone()), split, plan.splits);
            let block = Block { attention: self, kv_head: rest % kv_heads, tokens, positions };
            // SAFETY: each task has a part of its own.
            block.partial(compute.kernels(), unsafe { parts.part(task * len, len) });
        });
        let value_len = self.cache.shape().value_len;
        for (index, out) in out.chunks_exact_mut(value_len).enumerate() {
            let (token, head) = (index / self.heads, index % self.heads);
            let (block, kv_head) = (token / plan.tokens_per_block, head / self.group());
            let row = token % plan.tokens_per_block * self.group() + head % self.group();
            let first = (block * kv_heads + kv_head) * plan.splits;
            let at = |split: usize| (first + split) * len + row * width;
            let parts = (0..plan.splits).map(|split| Partial::read(&partial[at(split)..][..width]));
            Partial::merge(parts, out);
        }
    }
}

/// The pages that hold these positions.
fn pages(positions: &Range<usize>) -> Range<usize> {
    positions.start / PAGE..positions.end.div_ceil(PAGE)
}

/// The part of the positions that one of several tasks looks at: whole pages.
fn share(positions: &Range<usize>, split: usize, splits: usize) -> Range<usize> {
    let pages = pages(positions);
    let cut = |split: usize| (pages.start + pages.len() * split / splits) * PAGE;
    positions.start.max(cut(split))..positions.end.min(cut(split + 1))
}
