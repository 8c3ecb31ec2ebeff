//! One task of attention: rows of queries against a run of positions.

use std::cell::RefCell;
use std::ops::Range;

use super::cache::{KvShape, PAGE, STRIP, within_page};
use super::{Attention, pages};
use crate::Kernels;
use crate::floats::{Columns, Factors, Floats, Half, Single, Sums};
use crate::lines::Lines;
use crate::matrix::{TILE, tile_size, tiles_size};
use crate::ops::{Parts, soft_capped};
use crate::simd::{MOST_LANES, Simd, Task, exp, fold, load_part, store_part, update};

/// Most rows for which halves are widened while they are multiplied; for more, each page is widened
/// once for all.
const DIRECT: usize = 2 * TILE;

/// Some tokens' query heads of one key-value head, and the positions that they look at.
///
/// A row is one token's query head; rows come token after token.
pub(super) struct Block<'a> {
    pub(super) attention: &'a Attention<'a>,
    pub(super) kv_head: usize,
    pub(super) tokens: Range<usize>,
    pub(super) positions: Range<usize>,
}

thread_local! {
    /// Memory for the block that a thread is at.
    static MEMORY: RefCell<Lines> = RefCell::default();
}

impl Block<'_> {
    /// Computes the outputs of these rows.
    pub(super) fn whole(&self, kernels: Kernels, out: &Parts<'_, f32>) {
        let KvShape { value_len, .. } = self.attention.cache.shape();
        self.run(kernels, |work| {
            for row in 0..self.rows() {
                let (token, head) = self.place(row);
                let at = (token * self.attention.heads + head) * value_len;
                // SAFETY: no other task has the same tokens and heads.
                let out = unsafe { out.part(at, value_len) };
                let (mixed, _, total) = work.row(row);
                let share = if total > 0.0 { total.recip() } else { 0.0 };
                out.iter_mut().zip(mixed).for_each(|(out, mixed)| *out = mixed * share);
            }
        });
    }

    /// Computes what these rows and positions add to the outputs.
    pub(super) fn partial(&self, kernels: Kernels, out: &mut [f32]) {
        let width = Partial::words(self.attention.cache.shape());
        self.run(kernels, |work| {
            for (row, out) in out.chunks_exact_mut(width).take(self.rows()).enumerate() {
                let (mixed, peak, total) = work.row(row);
                out[..2].copy_from_slice(&[peak, total]);
                out[2..].copy_from_slice(&mixed[..width - 2]);
            }
        });
    }

    fn run(&self, kernels: Kernels, end: impl FnOnce(&Work<'_>)) {
        let shape = self.attention.cache.shape();
        MEMORY.with_borrow_mut(|memory| {
            memory.resize(4 * Work::words(self.rows(), shape));
            let memory = bytemuck::cast_slice_mut(memory.as_bytes_mut());
            let mut work = Work::new(self.rows(), shape, memory);
            kernels.run(BlockTask { block: self, work: &mut work });
            end(&work);
        });
    }

    fn rows(&self) -> usize {
        self.tokens.len() * self.attention.group()
    }

    /// Token and query head of a row.
    fn place(&self, row: usize) -> (usize, usize) {
        let group = self.attention.group();
        (self.tokens.start + row / group, self.kv_head * group + row % group)
    }
}

/// What a block works with.
struct Work<'a> {
    rows: usize,
    shape: KvShape,
    /// For each tile of rows and each column the scaled queries of the tile.
    queries: &'a mut [f32],
    /// A page of scores for each row; probabilities later.
    scores: &'a mut [f32],
    /// The sum of values so far, not yet divided by the total.
    mixed: &'a mut [f32],
    /// The largest score so far.
    peaks: &'a mut [f32],
    /// The sum of probabilities so far.
    totals: &'a mut [f32],
    /// What the page at hand scales earlier sums by.
    factors: &'a mut [f32],
    /// Keys and values of a page, widened.
    wide: &'a mut [f32],
}

impl<'a> Work<'a> {
    fn words(rows: usize, shape: KvShape) -> usize {
        let row = shape.key_len + PAGE + shape.value_stride() + 3;
        tiles_size(rows) * row + if rows > DIRECT { shape.head() } else { 0 }
    }

    fn new(rows: usize, shape: KvShape, memory: &'a mut [f32]) -> Self {
        let padded = tiles_size(rows);
        let (queries, memory) = memory.split_at_mut(padded * shape.key_len);
        let (scores, memory) = memory.split_at_mut(padded * PAGE);
        let (mixed, memory) = memory.split_at_mut(padded * shape.value_stride());
        let (peaks, memory) = memory.split_at_mut(padded);
        let (totals, memory) = memory.split_at_mut(padded);
        let (factors, wide) = memory.split_at_mut(padded);
        queries.fill(0.0);
        mixed.fill(0.0);
        // Any score is larger, and its difference to a score is not infinite.
        peaks.fill(f32::MIN);
        totals.fill(0.0);
        factors.fill(1.0);
        Self { rows, shape, queries, scores, mixed, peaks, totals, factors, wide }
    }

    /// A row's sum of values, its largest score and its sum of probabilities.
    fn row(&self, row: usize) -> (&[f32], f32, f32) {
        let stride = self.shape.value_stride();
        let mixed = &self.mixed[row * stride..][..self.shape.value_len];
        (mixed, self.peaks[row], self.totals[row])
    }
}

/// Calls `$body` for each tile with its first row, and with its size as a constant.
macro_rules! for_each_tile {
    ($rows:expr, |$first:ident, $size:ident| $body:expr) => {
        for $first in (0..$rows).step_by(TILE) {
            match tile_size(TILE.min($rows - $first)) {
                1 => for_each_tile!(@ 1, $size, $body),
                2 => for_each_tile!(@ 2, $size, $body),
                4 => for_each_tile!(@ 4, $size, $body),
                _ => for_each_tile!(@ 6, $size, $body),
            }
        }
    };
    (@ $value:literal, $size:ident, $body:expr) => {{
        const $size: usize = $value;
        $body
    }};
}

struct BlockTask<'a, 'w> {
    block: &'a Block<'a>,
    work: &'a mut Work<'w>,
}

impl Task for BlockTask<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(mut self, simd: S) {
        self.arrange_queries(simd);
        let Block { attention, kv_head, positions, .. } = self.block;
        for page in pages(positions) {
            let halves = attention.cache.head(page, *kv_head);
            if self.work.rows > DIRECT {
                widen(simd, halves, self.work.wide);
                let start = self.work.wide.as_ptr().cast();
                self.page(simd, Single, start, page);
            } else {
                self.page(simd, Half, halves.as_ptr().cast(), page);
            }
        }
    }
}

/// Halves to floats.
#[inline(always)]
fn widen<S: Simd>(simd: S, halves: &[u16], to: &mut [f32]) {
    for (halves, to) in halves.chunks_exact(S::LANES).zip(to.chunks_exact_mut(S::LANES)) {
        // SAFETY: both have `LANES` numbers.
        unsafe { simd.store(simd.load_f16(halves.as_ptr()), to.as_mut_ptr()) };
    }
}

impl BlockTask<'_, '_> {
    /// Lays the queries out as [`Work::queries`] says.
    #[inline(always)]
    fn arrange_queries<S: Simd>(&mut self, simd: S) {
        let Attention { queries, query_stride, scale, .. } = *self.block.attention;
        let key_len = self.work.shape.key_len;
        for row in 0..self.work.rows {
            let (token, head) = self.block.place(row);
            let query = &queries[token * query_stride + head * key_len..][..key_len];
            let first = row / TILE * TILE;
            let size = tile_size(TILE.min(self.work.rows - first));
            let tile = &mut self.work.queries[first * key_len..][..size * key_len];
            for (numbers, tile) in query.chunks(S::LANES).zip(tile.chunks_mut(size * S::LANES)) {
                let mut scaled = [0.0; MOST_LANES];
                let x = simd.mul(load_part(simd, numbers, 0.0), simd.splat(scale));
                store_part(simd, x, &mut scaled);
                let column = tile.iter_mut().skip(row - first).step_by(size);
                column.zip(&scaled).for_each(|(to, &x)| *to = x);
            }
        }
    }

    /// Adds what the positions of one page give. `start` is where its numbers begin.
    #[inline(always)]
    fn page<S: Simd, T: Floats>(&mut self, simd: S, format: T, start: *const u8, page: usize) {
        let span = within_page(&self.block.positions, page);
        let strips = span.start / STRIP * STRIP..span.end.next_multiple_of(STRIP);
        // SAFETY: the page has all strips and positions, and so have the rows their scores.
        unsafe {
            self.score(simd, format, start, &strips);
            self.soften(simd, page, &strips);
            let values = start.add(self.work.shape.keys() * T::BYTES);
            self.mix(simd, format, values, &span);
        }
    }

    /// Computes the scores of all rows for these strips.
    ///
    /// # Safety
    /// `keys` has the strips.
    #[inline(always)]
    unsafe fn score<S: Simd, T: Floats>(
        &mut self,
        simd: S,
        format: T,
        keys: *const u8,
        strips: &Range<usize>,
    ) {
        let key_len = self.work.shape.key_len;
        for strip in strips.clone().step_by(STRIP) {
            for_each_tile!(self.work.rows, |first, N| {
                // SAFETY: as the caller promises; each row has a page of scores, and a tile its
                // queries.
                unsafe {
                    let start = keys.add(strip * key_len * T::BYTES);
                    let keys = Columns { format, start, stride: STRIP, count: key_len };
                    let start = self.work.queries.as_ptr().add(first * key_len);
                    let queries = Factors { start, column: N, input: 1 };
                    let scores = self.work.scores.as_mut_ptr().add(first * PAGE + strip);
                    score_tile::<S, T, N>(simd, keys, queries, scores);
                }
            });
        }
    }

    /// Turns the scores of a page into probabilities relative to the largest score so far.
    #[inline(always)]
    fn soften<S: Simd>(&mut self, simd: S, page: usize, strips: &Range<usize>) {
        let Self { block, work } = self;
        let count = work.rows;
        let rows = work.scores.chunks_exact_mut(PAGE).take(count);
        for ((row, scores), new) in rows.enumerate().zip(work.factors.iter_mut()) {
            let (token, _) = block.place(row);
            let visible = within_page(&block.attention.visible[token], page);
            let scores = &mut scores[strips.clone()];
            if let Some(cap) = block.attention.soft_cap {
                update!(simd: S, x in scores => soft_capped(simd, x, cap));
            }
            hide(scores, strips.start, &visible);
            let peak = fold!(simd: S, peak = f32::MIN, x in scores => simd.max(peak, x));
            *new = simd.reduce_max(peak).max(work.peaks[row]);
        }
        // From here on, the peaks are the new ones, and the factors what they scale by.
        let old = work.peaks[..count].chunks_mut(S::LANES);
        for (old, new) in old.zip(work.factors[..count].chunks_mut(S::LANES)) {
            let (before, now) = (load_part(simd, old, 0.0), load_part(simd, new, 0.0));
            store_part(simd, now, old);
            store_part(simd, exp(simd, simd.sub(before, now)), new);
        }
        let rows = work.scores.chunks_exact_mut(PAGE).take(count);
        for (row, scores) in rows.enumerate() {
            let sum = exponentials(simd, &mut scores[strips.clone()], work.peaks[row]);
            work.totals[row] = work.totals[row] * work.factors[row] + sum;
        }
    }

    /// Adds the values of these positions, times their probabilities.
    ///
    /// # Safety
    /// `values` has the positions.
    #[inline(always)]
    unsafe fn mix<S: Simd, T: Floats>(
        &mut self,
        simd: S,
        format: T,
        values: *const u8,
        span: &Range<usize>,
    ) {
        let stride = self.work.shape.value_stride();
        for_each_tile!(self.work.rows, |first, N| {
            // SAFETY: as the caller promises; each row has a page of probabilities and a row of sums.
            unsafe {
                let start = values.add(span.start * stride * T::BYTES);
                let values = Columns { format, start, stride, count: span.len() };
                let start = self.work.scores.as_ptr().add(first * PAGE + span.start);
                let shares = Factors { start, column: 1, input: PAGE };
                let factors = self.work.factors.as_ptr().add(first);
                let mixed = self.work.mixed.as_mut_ptr().add(first * stride);
                mix_tile::<S, T, N>(simd, values, shares, factors, mixed);
            }
        });
    }
}

/// Makes scores outside of `visible` vanish; the first score is that of position `start`.
#[inline(always)]
fn hide(scores: &mut [f32], start: usize, visible: &Range<usize>) {
    let len = scores.len();
    let from = visible.start.saturating_sub(start).min(len);
    let to = visible.end.saturating_sub(start).clamp(from, len);
    scores[..from].fill(f32::NEG_INFINITY);
    scores[to..].fill(f32::NEG_INFINITY);
}

/// `x = e^(x - peak)`, and the sum of these. The scores are whole vectors.
#[inline(always)]
fn exponentials<S: Simd>(simd: S, scores: &mut [f32], peak: f32) -> f32 {
    let (mut sum, peak) = (simd.splat(0.0), simd.splat(peak));
    for x in scores.chunks_exact_mut(S::LANES) {
        let power = exp(simd, simd.sub(load_part(simd, x, 0.0), peak));
        store_part(simd, power, x);
        sum = simd.add(sum, power);
    }
    simd.reduce_add(sum)
}

/// The scores of a strip for a tile of `N` rows, which lie a page apart.
///
/// # Safety
/// There are the keys of a strip, queries for `N` rows, and room for their scores.
#[inline(always)]
unsafe fn score_tile<S: Simd, T: Floats, const N: usize>(
    simd: S,
    keys: Columns<T>,
    queries: Factors,
    scores: *mut f32,
) {
    // SAFETY: as the caller promises.
    unsafe {
        match (S::LANES, N) {
            (16, _) => score_vectors::<S, T, 2, N>(simd, keys, queries, scores),
            (8, 1..=2) | (4, 3..) => score_vectors::<S, T, 4, N>(simd, keys, queries, scores),
            (8, _) => score_vectors::<S, T, 2, N>(simd, keys, queries, scores),
            _ => score_vectors::<S, T, 8, N>(simd, keys, queries, scores),
        }
    }
}

/// [`score_tile`], `V` vectors of positions at a time.
///
/// # Safety
/// As there.
#[inline(always)]
unsafe fn score_vectors<S: Simd, T: Floats, const V: usize, const N: usize>(
    simd: S,
    keys: Columns<T>,
    queries: Factors,
    scores: *mut f32,
) {
    for position in (0..STRIP).step_by(V * S::LANES) {
        let mut sums = [[simd.splat(0.0); N]; V];
        // SAFETY: as the caller promises.
        unsafe {
            keys.add_to(simd, position, queries, &mut sums);
            store_sums(simd, &sums, scores.add(position), PAGE);
        }
    }
}

/// Writes sums for `N` rows, `stride` numbers apart.
///
/// # Safety
/// There is room for them.
#[inline(always)]
unsafe fn store_sums<S: Simd, const V: usize, const N: usize>(
    simd: S,
    sums: &Sums<S::F, V, N>,
    to: *mut f32,
    stride: usize,
) {
    for (v, sums) in sums.iter().enumerate() {
        for (row, &sum) in sums.iter().enumerate() {
            // SAFETY: as the caller promises.
            unsafe { simd.store(sum, to.add(row * stride + v * S::LANES)) };
        }
    }
}

/// Adds values times probabilities to the scaled sums of a tile of `N` rows.
///
/// # Safety
/// There are probabilities for all values and rows, a factor for each row, and its row of sums.
#[inline(always)]
unsafe fn mix_tile<S: Simd, T: Floats, const N: usize>(
    simd: S,
    values: Columns<T>,
    shares: Factors,
    factors: *const f32,
    mixed: *mut f32,
) {
    // SAFETY: as the caller promises.
    unsafe {
        let (mut at, stride) = (0, values.stride);
        if S::LANES == 4 {
            while at + 4 * S::LANES <= stride {
                mix_vectors::<S, T, 4, N>(simd, values, at, shares, factors, mixed);
                at += 4 * S::LANES;
            }
        }
        while at + 2 * S::LANES <= stride {
            mix_vectors::<S, T, 2, N>(simd, values, at, shares, factors, mixed);
            at += 2 * S::LANES;
        }
        while at < stride {
            mix_vectors::<S, T, 1, N>(simd, values, at, shares, factors, mixed);
            at += S::LANES;
        }
    }
}

/// [`mix_tile`] for `V` vectors of columns from column `at` on.
///
/// # Safety
/// As there.
#[inline(always)]
unsafe fn mix_vectors<S: Simd, T: Floats, const V: usize, const N: usize>(
    simd: S,
    values: Columns<T>,
    at: usize,
    shares: Factors,
    factors: *const f32,
    mixed: *mut f32,
) {
    let stride = values.stride;
    let mut sums = [[simd.splat(0.0); N]; V];
    for (v, sums) in sums.iter_mut().enumerate() {
        for (row, sum) in sums.iter_mut().enumerate() {
            // SAFETY: as the caller promises.
            unsafe {
                let before = simd.load(mixed.add(row * stride + at + v * S::LANES));
                *sum = simd.mul(before, simd.splat(*factors.add(row)));
            }
        }
    }
    // SAFETY: as the caller promises.
    unsafe {
        values.add_to(simd, at, shares, &mut sums);
        store_sums(simd, &sums, mixed.add(at), stride);
    }
}

/// What some positions add to the output of a row: its largest score, its sum of probabilities, and
/// the sum of values.
pub(super) struct Partial<'a> {
    peak: f32,
    total: f32,
    mixed: &'a [f32],
}

impl<'a> Partial<'a> {
    /// Numbers that one takes.
    pub(super) fn words(shape: KvShape) -> usize {
        2 + shape.value_len
    }

    /// As [`Block::partial`] has left it.
    pub(super) fn read(words: &'a [f32]) -> Self {
        Self { peak: words[0], total: words[1], mixed: &words[2..] }
    }

    /// The output of a row whose positions are shared by these.
    pub(super) fn merge(parts: impl Iterator<Item = Self> + Clone, out: &mut [f32]) {
        let peak = parts.clone().fold(f32::MIN, |peak, part| peak.max(part.peak));
        let scaled = parts.map(|part| ((part.peak - peak).exp(), part));
        let total: f32 = scaled.clone().map(|(factor, part)| factor * part.total).sum();
        out.fill(0.0);
        if total > 0.0 {
            for (factor, part) in scaled {
                let share = factor / total;
                out.iter_mut().zip(part.mixed).for_each(|(out, mixed)| *out += mixed * share);
            }
        }
    }
}
