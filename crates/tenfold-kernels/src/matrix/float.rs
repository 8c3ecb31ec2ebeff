//! The innermost loops of products with float weights.

use super::format::STRIP;
use super::inputs::{TILE, tile_size, tiles_size};
use super::kind::FloatKind;
use super::tile::Outputs;
use crate::floats::{Brain, Columns, Factors, Floats, Half, Single};
use crate::lines::Lines;
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

/// The product of a strip with one tile of `N` inputs.
struct FloatTile<T, const N: usize> {
    columns: Columns<T>,
    records: *const f32,
    outputs: Outputs,
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
    fn factors(&self) -> Factors {
        Factors { start: self.records, column: N, input: 1 }
    }

    /// All rows, `V` vectors at a time.
    ///
    /// # Safety
    /// As for [`strip`].
    #[inline(always)]
    unsafe fn rows<S: Simd, const V: usize>(&self, simd: S) {
        for vector in (0..STRIP / S::LANES).step_by(V) {
            // SAFETY: as the caller promises.
            unsafe {
                let mut sums = [[simd.splat(0.0); N]; V];
                self.columns.add_to(simd, vector * S::LANES, self.factors(), &mut sums);
                self.outputs.write(simd, vector, &sums);
            }
        }
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
        ($format:expr) => {{
            let columns = Columns { format: $format, start, stride: STRIP, count: cols };
            match tile_size(outputs.inputs) {
                1 => kernels.run(FloatTile::<_, 1> { columns, records, outputs }),
                2 => kernels.run(FloatTile::<_, 2> { columns, records, outputs }),
                4 => kernels.run(FloatTile::<_, 4> { columns, records, outputs }),
                _ => kernels.run(FloatTile::<_, 6> { columns, records, outputs }),
            }
        }};
    }
    match kind {
        FloatKind::Single => run!(Single),
        FloatKind::Half => run!(Half),
        FloatKind::Brain => run!(Brain),
    }
}
