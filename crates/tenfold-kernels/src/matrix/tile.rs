//! The innermost loops of products with quantized weights.

use super::format::STRIP;
use super::inputs::{record_words, tile_size};
use super::weights::Weights;
use crate::Kernels;
use crate::simd::{Simd, Task};

/// Running sums of `V` vectors of rows for `N` inputs.
type Sums<F, const V: usize, const N: usize> = [[F; N]; V];

/// Adds the products of all groups for `V` vectors of rows from `vector` on.
///
/// # Safety
/// `weights` has the groups and vectors, and `records` has `groups` records of `N` inputs.
#[inline(always)]
pub(super) unsafe fn tile<S: Simd, W: Weights, const V: usize, const N: usize>(
    simd: S,
    weights: W,
    vector: usize,
    records: *const u32,
    groups: usize,
) -> Sums<S::F, V, N> {
    let mut sums = [[simd.splat(0.0); N]; V];
    for group in 0..groups {
        let place = Place { group, vector };
        // SAFETY: as the caller promises.
        unsafe {
            let record = records.add(group * record_words(N, W::PARTS));
            add_group(simd, weights, place, record, &mut sums);
        }
    }
    sums
}

/// A group, and the first vector of rows.
#[derive(Clone, Copy)]
struct Place {
    group: usize,
    vector: usize,
}

/// Adds the products of one group.
///
/// # Safety
/// As for [`tile`].
#[inline(always)]
unsafe fn add_group<S: Simd, W: Weights, const V: usize, const N: usize>(
    simd: S,
    weights: W,
    place: Place,
    record: *const u32,
    sums: &mut Sums<S::F, V, N>,
) {
    let Place { group, vector } = place;
    let pairs = 4 / W::PARTS;
    // SAFETY: as the caller promises.
    unsafe {
        let mut shared = [weights.begin(simd, group, vector); V];
        for (v, shared) in shared.iter_mut().enumerate().skip(1) {
            *shared = weights.begin(simd, group, vector + v);
        }
        for part in 0..W::PARTS {
            let corrections = record.add((9 + part) * N);
            let mut dots = [[simd.dot_start(W::BITS, 0); N]; V];
            for dots in &mut dots {
                for (input, dot) in dots.iter_mut().enumerate() {
                    *dot = simd.dot_start(W::BITS, start::<W>(corrections, input));
                }
            }
            for pair in part * pairs..(part + 1) * pairs {
                add_pair(simd, weights, place, pair, &mut shared, record, &mut dots);
            }
            add_scaled(simd, weights, place, part, record, &dots, sums);
        }
    }
}

/// Where the dot product of an input begins.
///
/// # Safety
/// `corrections` has a word for the input.
#[inline(always)]
unsafe fn start<W: Weights>(corrections: *const u32, input: usize) -> i32 {
    // SAFETY: as the caller promises.
    if W::OFFSET { 0 } else { unsafe { *corrections.add(input) as i32 } }
}

/// Adds the products of two steps.
///
/// # Safety
/// As for [`tile`].
#[inline(always)]
unsafe fn add_pair<S: Simd, W: Weights, const V: usize, const N: usize>(
    simd: S,
    weights: W,
    Place { group, vector }: Place,
    pair: usize,
    shared: &mut [S::I; V],
    record: *const u32,
    dots: &mut [[S::Dot; N]; V],
) {
    // SAFETY: as the caller promises; a record begins with 8 words for each input.
    unsafe {
        let mut codes = [(shared[0], shared[0]); V];
        for (v, (codes, shared)) in codes.iter_mut().zip(shared).enumerate() {
            *codes = weights.pair(simd, group, vector + v, pair, shared);
        }
        for input in 0..N {
            let words = record.add(2 * pair * N + input);
            let inputs = (simd.splat_bytes(words), simd.splat_bytes(words.add(N)));
            for (dots, &codes) in dots.iter_mut().zip(&codes) {
                dots[input] = simd.dot(W::BITS, dots[input], codes, inputs);
            }
        }
    }
}

/// Scales the dot products of one part and adds them to the sums.
///
/// # Safety
/// As for [`tile`].
#[inline(always)]
unsafe fn add_scaled<S: Simd, W: Weights, const V: usize, const N: usize>(
    simd: S,
    weights: W,
    Place { group, vector }: Place,
    part: usize,
    record: *const u32,
    dots: &[[S::Dot; N]; V],
    sums: &mut Sums<S::F, V, N>,
) {
    // SAFETY: as the caller promises; after 8 words for each input come its scale and corrections.
    unsafe {
        let corrections = record.add((9 + part) * N);
        for v in 0..V {
            let scale = weights.scale(simd, group, vector + v, part);
            for (input, (sum, &dot)) in sums[v].iter_mut().zip(&dots[v]).enumerate() {
                let dot = simd.dot_end(W::BITS, dot, start::<W>(corrections, input));
                let input_scale = simd.splat(*record.add(8 * N + input).cast::<f32>());
                *sum = simd.fma(dot, simd.mul(scale, input_scale), *sum);
            }
            if W::OFFSET {
                let offset = weights.offset(simd, group, vector + v, part);
                for (input, sum) in sums[v].iter_mut().enumerate() {
                    let inputs_sum = simd.splat(*corrections.add(input).cast::<f32>());
                    *sum = simd.fma(offset, inputs_sum, *sum);
                }
            }
        }
    }
}

/// Where the outputs of a strip go.
#[derive(Clone, Copy)]
pub(super) struct Outputs {
    /// The strip's first output of the tile's first input.
    pub(super) start: *mut f32,
    /// From one input's outputs to the next.
    pub(super) stride: usize,
    /// Rows of the strip that exist.
    pub(super) rows: usize,
    /// Inputs of the tile that exist.
    pub(super) inputs: usize,
}

impl Outputs {
    /// Writes the sums of `V` vectors from `vector` on.
    ///
    /// # Safety
    /// Nobody else uses the outputs of the strip's rows for the tile's inputs, which exist.
    #[inline(always)]
    pub(super) unsafe fn write<S: Simd, const V: usize, const N: usize>(
        self,
        simd: S,
        vector: usize,
        sums: &Sums<S::F, V, N>,
    ) {
        for (v, sums) in sums.iter().enumerate() {
            let row = (vector + v) * S::LANES;
            for (input, &sum) in sums.iter().enumerate().take(self.inputs) {
                let count = self.rows.saturating_sub(row).min(S::LANES);
                let mut lanes = [0.0; STRIP];
                // SAFETY: the lanes fit in a strip; `count` rows from `row` on exist.
                unsafe {
                    let to = self.start.add(input * self.stride + row.min(self.rows));
                    if count == S::LANES {
                        simd.store(sum, to);
                    } else {
                        simd.store(sum, lanes.as_mut_ptr());
                        to.copy_from_nonoverlapping(lanes.as_ptr(), count);
                    }
                }
            }
        }
    }
}

/// The product of a strip with one tile of `N` inputs.
struct StripTile<W, const N: usize> {
    weights: W,
    records: *const u32,
    groups: usize,
    outputs: Outputs,
}

impl<W: Weights, const N: usize> Task for StripTile<W, N> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        // As many vectors of rows as registers allow: two accumulators for each vector and input,
        // in 32 registers or in 16.
        // SAFETY: whoever started this answered for the pointers.
        unsafe {
            match (S::LANES, N) {
                (16, _) => self.rows::<S, 2>(simd),
                (_, 1) => self.rows::<S, 4>(simd),
                (_, 2) => self.rows::<S, 2>(simd),
                _ => self.rows::<S, 1>(simd),
            }
        }
    }
}

impl<W: Weights, const N: usize> StripTile<W, N> {
    /// All rows, `V` vectors at a time.
    ///
    /// # Safety
    /// As for [`strip`].
    #[inline(always)]
    unsafe fn rows<S: Simd, const V: usize>(&self, simd: S) {
        for vector in (0..STRIP / S::LANES).step_by(V) {
            // SAFETY: as the caller promises.
            unsafe {
                let sums =
                    tile::<S, W, V, N>(simd, self.weights, vector, self.records, self.groups);
                self.outputs.write(simd, vector, &sums);
            }
        }
    }
}

/// Computes a strip for one tile.
///
/// # Safety
/// `weights` has `groups` groups, `records` the records of a tile for `outputs.inputs`, and nobody
/// else uses the outputs.
pub(super) unsafe fn strip<W: Weights>(
    kernels: Kernels,
    weights: W,
    records: *const u32,
    groups: usize,
    outputs: Outputs,
) {
    match tile_size(outputs.inputs) {
        1 => kernels.run(StripTile::<W, 1> { weights, records, groups, outputs }),
        2 => kernels.run(StripTile::<W, 2> { weights, records, groups, outputs }),
        4 => kernels.run(StripTile::<W, 4> { weights, records, groups, outputs }),
        _ => kernels.run(StripTile::<W, 6> { weights, records, groups, outputs }),
    }
}
