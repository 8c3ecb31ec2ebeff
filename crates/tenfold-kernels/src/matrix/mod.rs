//! Weight matrices in the layout that the kernels read.

mod float;
mod format;
mod inputs;
mod kind;
mod pack;
mod product;
mod source;
#[cfg(test)]
mod tests;
mod tile;
mod weights;

use std::sync::{Mutex, PoisonError};

use tenfold_quant::QuantError;

use format::STRIP;
use kind::Kind;

pub(crate) use inputs::{TILE, tile_size, tiles_size};
pub(crate) use product::Prepared;
use product::Product;
pub use source::MatrixSource;

use crate::lines::Lines;
use crate::ops::Parts;
use crate::{Compute, PackError, Scratch};

/// A weight matrix, packed for the kernels; a row gives one output.
#[derive(Debug)]
pub struct PackedMatrix {
    rows: usize,
    cols: usize,
    sections: Vec<Section>,
}

/// One of the stacked matrices.
#[derive(Debug)]
struct Section {
    kind: Kind,
    rows: usize,
    strip_bytes: usize,
    data: Lines,
}

impl PackedMatrix {
    /// Packs matrices of equal width, one below the other.
    ///
    /// # Errors
    /// If a format holds no weights, or sizes do not fit each other.
    pub fn pack(compute: &Compute, sources: &[MatrixSource<'_>]) -> Result<Self, PackError> {
        let cols = source::check(sources)?;
        let sections: Result<Vec<_>, _> =
            sources.iter().map(|source| Section::pack(compute, source)).collect();
        Ok(Self { rows: sources.iter().map(|source| source.rows).sum(), cols, sections: sections? })
    }

    /// Outputs: the rows of all stacked matrices.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Inputs.
    pub fn cols(&self) -> usize {
        self.cols
    }

    /// Memory that the weights take.
    pub fn bytes(&self) -> usize {
        self.sections.iter().map(|section| section.data.len()).sum()
    }

    /// Writes the numbers of one row: an embedding, when the matrix is tied to the output.
    ///
    /// # Panics
    /// If there is no such row, or `out` does not have one place for each column.
    pub fn row_to_f32(&self, row: usize, out: &mut [f32]) {
        assert_eq!(out.len(), self.cols, "one place for each column");
        let mut first = 0;
        for section in &self.sections {
            if row - first < section.rows {
                return section.row_to_f32(row - first, out);
            }
            first += section.rows;
        }
        panic!("row {row} was asked of a matrix with {} rows", self.rows);
    }

    /// `out[i] = self · input[i]` for each of `n` inputs.
    ///
    /// `input` is `n × cols`, `out` is `n × rows`. Quantized weights are multiplied with inputs
    /// rounded to 8 bits, with one scale for each 32.
    ///
    /// # Panics
    /// If the lengths of `input` and `out` are not these.
    pub fn matmul(
        &self,
        compute: &Compute,
        input: &[f32],
        n: usize,
        scratch: &mut Scratch,
        out: &mut [f32],
    ) {
        assert_eq!(input.len(), n * self.cols, "the input is n × cols");
        assert_eq!(out.len(), n * self.rows, "the output is n × rows");
        product::prepare(compute, &self.sections, input, self.cols, &mut scratch.prepared);
        let product = Product {
            sections: &self.sections,
            cols: self.cols,
            n,
            prepared: &scratch.prepared,
            out: out.as_mut_ptr(),
            rows: self.rows,
        };
        product.run(compute);
    }
}

impl Section {
    fn pack(compute: &Compute, source: &MatrixSource<'_>) -> Result<Self, PackError> {
        let &MatrixSource { dtype, rows, cols, data } = source;
        let kind = Kind::of(dtype).ok_or(PackError::Unsupported { dtype })?;
        let strip_bytes = kind.strip_bytes(cols);
        let mut packed = Lines::zeroed(rows.div_ceil(STRIP) * strip_bytes);
        let failed = Mutex::new(None);
        let strips = Parts::new(packed.as_bytes_mut());
        let source_bytes = data.len() / rows * STRIP;
        compute.pool().run(rows.div_ceil(STRIP), |strip| {
            let from = data.chunks(source_bytes).nth(strip).unwrap_or_default();
            // SAFETY: strips do not overlap, and each is one task.
            let to = unsafe { strips.part(strip * strip_bytes, strip_bytes) };
            if let Err(error) = pack_strip(source, kind, from, to) {
                failed.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
            }
        });
        match failed.into_inner().unwrap_or_else(PoisonError::into_inner) {
            Some(error) => Err(error.into()),
            None => Ok(Self { kind, rows, strip_bytes, data: packed }),
        }
    }

    fn strips(&self) -> usize {
        self.rows.div_ceil(STRIP)
    }

    fn strip(&self, index: usize) -> &[u8] {
        &self.data.as_bytes()[index * self.strip_bytes..][..self.strip_bytes]
    }

    fn row_to_f32(&self, row: usize, out: &mut [f32]) {
        let strip = self.strip(row / STRIP);
        match self.kind {
            Kind::Quantized(_, format) => pack::unpack_row(format, strip, row % STRIP, out),
            Kind::Float(kind) => pack::unpack_float_row(kind, strip, row % STRIP, out),
        }
    }
}

fn pack_strip(
    source: &MatrixSource<'_>,
    kind: Kind,
    from: &[u8],
    to: &mut [u8],
) -> Result<(), QuantError> {
    match kind {
        Kind::Quantized(_, format) => pack::pack_strip(source.dtype, format, from, source.cols, to),
        Kind::Float(kind) => {
            pack::pack_float_strip(kind, from, source.cols, to);
            Ok(())
        }
    }
}
