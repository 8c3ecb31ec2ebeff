//! Matrices as they lie in files.

use tenfold_core::DType;

use crate::PackError;

/// A matrix as it lies in a file: row after row; a row gives one output.
#[derive(Clone, Copy, Debug)]
pub struct MatrixSource<'a> {
    /// Number format.
    pub dtype: DType,
    /// Outputs.
    pub rows: usize,
    /// Inputs.
    pub cols: usize,
    /// The numbers, little-endian.
    pub data: &'a [u8],
}

/// Checks that these can be stacked, and gives the number of columns.
pub(super) fn check(sources: &[MatrixSource<'_>]) -> Result<usize, PackError> {
    let cols = sources.first().map_or(0, |source| source.cols);
    if sources.is_empty() {
        return Err(PackError::Empty { source_index: 0, rows: 0, cols: 0 });
    }
    for (source_index, source) in sources.iter().enumerate() {
        source.check_one(source_index)?;
        if source.cols != cols {
            let actual = source.cols;
            return Err(PackError::Columns { source_index, actual, expected: cols });
        }
    }
    Ok(cols)
}

impl MatrixSource<'_> {
    fn check_one(&self, source_index: usize) -> Result<(), PackError> {
        let &Self { dtype, rows, cols, data } = self;
        if rows == 0 || cols == 0 {
            return Err(PackError::Empty { source_index, rows, cols });
        }
        if !is_weights(dtype) {
            return Err(PackError::Unsupported { dtype });
        }
        let expected = dtype.bytes_for(cols).and_then(|bytes| bytes.checked_mul(rows));
        let actual = data.len();
        if expected != Some(actual) {
            return Err(PackError::Bytes { source_index, dtype, rows, cols, actual, expected });
        }
        Ok(())
    }
}

/// Whether products can be made of this format.
fn is_weights(dtype: DType) -> bool {
    matches!(dtype, DType::F32 | DType::F16 | DType::BF16)
        || tenfold_quant::integer_layout(dtype).is_some()
}
