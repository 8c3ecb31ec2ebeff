//! Inputs of a product, quantized to 8 bits in tiles.
//!
//! A tile is a few inputs (tokens) side by side, filled up with zeros. For each group of columns it
//! has one record of 32-bit words, so that a kernel reads one run of memory:
//!
//! ```text
//! 8 steps × inputs: 4 signed bytes | scale of each input | parts × inputs: starts or sums
//! ```
//!
//! The last field corrects for what the codes of the weights leave out: `-zero · Σ bytes`, at which
//! a dot product begins when the integers were shifted to be unsigned, or `scale · Σ bytes`, which
//! multiplies the offsets.

use super::format::{GROUP, STEP};
use crate::Compute;
use crate::lines::Lines;
use crate::ops::Parts;
use crate::simd::{Simd, Task};

/// Most inputs of a tile.
pub(crate) const TILE: usize = 6;

/// The size of the tile that holds so many inputs: kernels exist for 1, 2, 4 and 6 of them.
pub(crate) const fn tile_size(inputs: usize) -> usize {
    match inputs {
        0..=2 => inputs,
        3..=4 => 4,
        _ => TILE,
    }
}

/// The size of all tiles that hold `n` inputs.
pub(crate) const fn tiles_size(n: usize) -> usize {
    n / TILE * TILE + tile_size(n % TILE)
}

/// Steps of a group.
const STEPS: usize = GROUP / STEP;

/// What the weights need to know of their inputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Flavour {
    /// Scales of the weights in a group.
    pub(super) parts: usize,
    /// The code of the integer 0, or `None` for weights with offsets, whose last field is sums.
    pub(super) zero: Option<i32>,
}

/// Words of the record of one group.
pub(super) const fn record_words(inputs: usize, parts: usize) -> usize {
    inputs * (STEPS + 1 + parts)
}

/// Where a tile begins in the words of all tiles.
pub(super) const fn tile_at(tile: usize, groups: usize, parts: usize) -> usize {
    tile * groups * record_words(TILE, parts)
}

/// Quantizes `n` inputs of `groups` groups into tiles of up to [`TILE`].
pub(super) fn quantize(
    compute: &Compute,
    input: &[f32],
    groups: usize,
    flavour: Flavour,
    words: &mut Lines,
) {
    let n = input.len() / (groups * GROUP);
    words.resize(4 * groups * record_words(tiles_size(n), flavour.parts));
    let words = Parts::new(bytemuck::cast_slice_mut::<u8, u32>(words.as_bytes_mut()));
    compute.pool().run(n.div_ceil(TILE), |tile| {
        let inputs = TILE.min(n - tile * TILE);
        let size = tile_size(inputs);
        let len = groups * record_words(size, flavour.parts);
        // SAFETY: tiles do not overlap.
        let words = unsafe { words.part(tile_at(tile, groups, flavour.parts), len) };
        let rows = &input[tile * TILE * groups * GROUP..][..inputs * groups * GROUP];
        compute.kernels().run(QuantizeTile { rows, size, flavour, words });
    });
}

struct QuantizeTile<'a> {
    rows: &'a [f32],
    size: usize,
    flavour: Flavour,
    words: &'a mut [u32],
}

impl Task for QuantizeTile<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { rows, size, flavour, words } = self;
        let record = record_words(size, flavour.parts);
        let groups = words.len() / record;
        for (input, row) in rows.chunks_exact(groups * GROUP).enumerate() {
            let records = words.chunks_exact_mut(record);
            for (values, record) in row.as_chunks::<GROUP>().0.iter().zip(records) {
                write_group(simd, values, flavour, &mut record[input..], size);
            }
        }
        for input in rows.len() / (groups * GROUP)..size {
            words.iter_mut().skip(input).step_by(size).for_each(|word| *word = 0);
        }
    }
}

/// Writes the words of one input, which lie `stride` apart.
#[inline(always)]
fn write_group<S: Simd>(
    simd: S,
    values: &[f32; GROUP],
    flavour: Flavour,
    words: &mut [u32],
    stride: usize,
) {
    let (bytes, scale) = quantize_group(simd, values);
    for (step, bytes) in bytes.as_chunks::<STEP>().0.iter().enumerate() {
        words[step * stride] = u32::from_ne_bytes(bytes.map(|byte| byte as u8));
    }
    words[STEPS * stride] = scale.to_bits();
    for (part, bytes) in bytes.chunks_exact(GROUP / flavour.parts).enumerate() {
        let sum: i32 = bytes.iter().map(|&byte| i32::from(byte)).sum();
        words[(STEPS + 1 + part) * stride] = match flavour.zero {
            Some(zero) => (-zero * sum) as u32,
            None => (scale * sum as f32).to_bits(),
        };
    }
}

/// Signed bytes, none of them -128, and their scale.
#[inline(always)]
fn quantize_group<S: Simd>(simd: S, values: &[f32; GROUP]) -> ([i8; GROUP], f32) {
    let mut largest = simd.splat(0.0);
    for vector in values.chunks_exact(S::LANES) {
        // SAFETY: the vector has `LANES` numbers.
        largest = simd.max(largest, simd.abs(unsafe { simd.load(vector.as_ptr()) }));
    }
    let scale = simd.reduce_max(largest) / 127.0;
    // Numbers so small that the inverse is infinite count as 0.
    let inverse = if scale < f32::MIN_POSITIVE { 0.0 } else { 1.0 / scale };
    let mut bytes = [0; GROUP];
    for (vector, bytes) in values.chunks_exact(S::LANES).zip(bytes.chunks_exact_mut(S::LANES)) {
        // SAFETY: both have `LANES` elements.
        unsafe {
            let scaled = simd.mul(simd.load(vector.as_ptr()), simd.splat(inverse));
            simd.store_i8(scaled, bytes.as_mut_ptr());
        }
    }
    (bytes, scale)
}
