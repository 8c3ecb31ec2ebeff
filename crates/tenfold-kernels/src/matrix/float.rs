//! The innermost loops of products with float weights.

use super::format::STRIP;
use super::inputs::{TILE, tile_size, tiles_size};
use super::kind::FloatKind;
use super::lines::Lines;
use super::tile::Outputs;
use crate::ops::Parts;
use crate::simd::{Simd, Task};
use crate::{Compute, Kernels};

/// Lays inputs out in tiles: for each column the numbers of all inputs of the tile, filled up with
/// zeros.
pub(super) fn arrange(compute: &Compute, input: &[f32], cols: usize, words: &mut Lines) {
    let n = input.len() / cols;
    words.resize(4 * tiles_size(n) * cols);
    let words = Parts::new(bytemuck::cast_slice_mut::<u8, f32>(words.as_bytes_mut()));
    compute.pool().run(n.div_ceil(TILE), |tile| {
        let inputs = TILE.min(n - tile * TILE);
        let size = tile_size(inputs);
        // SAFETY: tiles do not overlap.
        let words = unsafe { words.part(tile * TILE * cols, size * cols) };
        words.fill(0.0);
        let rows = &input[tile * TILE * cols..][..inputs * cols];
        for (i, row) in rows.chunks_exact(cols).enumerate() {
            for (&number, column) in row.iter().zip(words.chunks_exact_mut(size)) {
                column[i] = number;
            }
        }
    });
}

/// One format of floats in memory.
pub(super) trait Floats: Copy {
    /// Reads a vector of weights.
    ///
    /// # Safety
    /// `LANES` numbers can be read, `at` numbers from the start.
    unsafe fn read<S: Simd>(self, simd: S, start: *const u8, at: usize) -> S::F;
}

macro_rules! floats {
    ($($name:ident $number:ty, $load:ident;)*) => {$(
        #[derive(Clone, Copy)]
        struct $name;

        impl Floats for $name {
            #[inline(always)]
            unsafe fn read<S: Simd>(self, simd: S, start: *const u8, at: usize) -> S::F {
                // SAFETY: as the caller promises.
                unsafe { simd.$load(start.cast::<$number>().add(at)) }
            }
        }
    )*};
}

floats! {
    Single f32, load;
    Half u16, load_f16;
    Brain u16, load_bf16;
}

/// The product of a strip with one tile of `N` inputs.
struct FloatTile<T, const N: usize> {
    start: *const u8,
    cols: usize,
    records: *const f32,
    outputs: Outputs,
    format: T,
}

impl<T: Floats, const N: usize> Task for FloatTile<T, N> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        // SAFETY: whoever started this answered for the pointers.
        unsafe {
            if S::LANES < 16 && N == 1 {
                self.rows::<S, 4>(simd);
            } else {
                self.rows::<S, 2>(simd);
            }
        }
    }
}

impl<T: Floats, const N: usize> FloatTile<T, N> {
    /// All rows, `V` vectors at a time.
    ///
    /// # Safety
    /// As for [`strip`].
    #[inline(always)]
    unsafe fn rows<S: Simd, const V: usize>(&self, simd: S) {
        for vector in (0..STRIP / S::LANES).step_by(V) {
            // SAFETY: as the caller promises.
            unsafe {
                let sums = self.sums::<S, V>(simd, vector);
                self.outputs.write(simd, vector, &sums);
            }
        }
    }

    /// Adds the products of all columns for `V` vectors of rows from `vector` on.
    ///
    /// # Safety
    /// As for [`strip`].
    #[inline(always)]
    unsafe fn sums<S: Simd, const V: usize>(&self, simd: S, vector: usize) -> [[S::F; N]; V] {
        let mut sums = [[simd.splat(0.0); N]; V];
        for col in 0..self.cols {
            for (v, sums) in sums.iter_mut().enumerate() {
                let at = col * STRIP + (vector + v) * S::LANES;
                // SAFETY: as the caller promises.
                let weights = unsafe { self.format.read(simd, self.start, at) };
                for (i, sum) in sums.iter_mut().enumerate() {
                    // SAFETY: as the caller promises.
                    let input = simd.splat(unsafe { *self.records.add(col * N + i) });
                    *sum = simd.fma(weights, input, *sum);
                }
            }
        }
        sums
    }
}

/// Computes a strip of floats for one tile.
///
/// # Safety
/// The strip has the columns, `records` the numbers of a tile for `outputs.inputs`, and nobody else
/// uses the outputs.
pub(super) unsafe fn strip(
    kernels: Kernels,
    kind: FloatKind,
    start: *const u8,
    cols: usize,
    records: *const f32,
    outputs: Outputs,
) {
    macro_rules! run {
        ($format:ident) => {{
            let format = $format;
            match tile_size(outputs.inputs) {
                1 => kernels.run(FloatTile::<_, 1> { start, cols, records, outputs, format }),
                2 => kernels.run(FloatTile::<_, 2> { start, cols, records, outputs, format }),
                4 => kernels.run(FloatTile::<_, 4> { start, cols, records, outputs, format }),
                _ => kernels.run(FloatTile::<_, 6> { start, cols, records, outputs, format }),
            }
        }};
    }
    match kind {
        FloatKind::Single => run!(Single),
        FloatKind::Half => run!(Half),
        FloatKind::Brain => run!(Brain),
    }
}
