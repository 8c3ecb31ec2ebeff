//! Weight matrices in the layout that the kernels read.

mod source;

use std::sync::Mutex;

use half::f16;
use tenfold_core::DType;

pub use source::MatrixSource;

use crate::{Compute, PackError, Scratch};

/// A weight matrix, packed for the kernels; a row gives one output.
#[derive(Debug)]
pub struct PackedMatrix {
    rows: usize,
    cols: usize,
    sections: Vec<Section>,
}

#[derive(Debug)]
struct Section {
    dtype: DType,
    rows: usize,
    data: Vec<u8>,
}

impl PackedMatrix {
    /// Packs matrices of equal width, one below the other.
    ///
    /// # Errors
    /// If a format holds no weights, or sizes do not fit each other.
    pub fn pack(_compute: &Compute, sources: &[MatrixSource<'_>]) -> Result<Self, PackError> {
        let cols = source::check(sources)?;
        let mut sections = Vec::new();
        for source in sources {
            sections.push(Section {
                dtype: source.dtype,
                rows: source.rows,
                data: source.data.to_vec(),
            });
        }
        Ok(Self { rows: sections.iter().map(|section| section.rows).sum(), cols, sections })
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
                section.row_to_f32(row - first, out);
                return;
            }
            first += section.rows;
        }
        panic!("row {row} was asked of a matrix with {} rows", self.rows);
    }

    /// `out[i] = self · input[i]` for each of `n` inputs.
    ///
    /// `input` is `n × cols`, `out` is `n × rows`.
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
        scratch.floats.resize(self.rows * n, 0.0);
        let columns: Vec<_> = scratch.floats.chunks_mut(n.max(1)).map(Mutex::new).collect();
        compute.pool().run(self.rows, |row| {
            let mut weights = vec![0.0; self.cols];
            self.row_to_f32(row, &mut weights);
            let mut column = columns[row].lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            for (out, input) in column.iter_mut().zip(input.chunks_exact(self.cols)) {
                *out = input.iter().zip(&weights).map(|(a, b)| a * b).sum();
            }
        });
        drop(columns);
        for (i, out) in out.chunks_exact_mut(self.rows).enumerate() {
            for (out, column) in out.iter_mut().zip(scratch.floats.chunks_exact(n)) {
                *out = column[i];
            }
        }
    }
}

impl Section {
    fn row_to_f32(&self, row: usize, out: &mut [f32]) {
        let row_bytes = self.data.len() / self.rows;
        let bytes = &self.data[row * row_bytes..][..row_bytes];
        let halves = || bytes.as_chunks::<2>().0.iter().map(|b| u16::from_le_bytes(*b));
        match self.dtype {
            DType::F32 => {
                for (out, bytes) in out.iter_mut().zip(bytes.as_chunks::<4>().0) {
                    *out = f32::from_le_bytes(*bytes);
                }
            }
            DType::F16 => {
                out.iter_mut().zip(halves()).for_each(|(o, h)| *o = f16::from_bits(h).to_f32());
            }
            DType::BF16 => {
                out.iter_mut()
                    .zip(halves())
                    .for_each(|(o, h)| *o = f32::from_bits(u32::from(h) << 16));
            }
            dtype => {
                let result = tenfold_quant::dequantize(dtype, bytes, out);
                debug_assert!(result.is_ok(), "sizes were checked when packing");
            }
        }
    }
}
