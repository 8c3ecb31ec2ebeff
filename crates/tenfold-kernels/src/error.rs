//! What can go wrong when weights are packed.

use tenfold_core::DType;
use tenfold_quant::QuantError;

/// The kind of a [`PackError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PackErrorKind {
    /// The number format holds no weights that a product can be made of.
    Unsupported,
    /// Sizes do not fit each other.
    Shape,
}

/// Why a matrix could not be packed.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum PackError {
    /// The number format holds no weights.
    #[error("a matrix of {dtype} cannot be multiplied: its numbers are no weights")]
    Unsupported {
        /// The format.
        dtype: DType,
    },
    /// A matrix without rows or columns.
    #[error("matrix {source_index} has {rows} rows and {cols} columns; both must be at least 1")]
    Empty {
        /// Which of the stacked matrices, from 0.
        source_index: usize,
        /// Its rows.
        rows: usize,
        /// Its columns.
        cols: usize,
    },
    /// Matrices that are stacked must have the same columns.
    #[error("matrix {source_index} has {actual} columns, and the first one has {expected}")]
    Columns {
        /// Which of the stacked matrices, from 0.
        source_index: usize,
        /// Its columns.
        actual: usize,
        /// The first matrix's columns.
        expected: usize,
    },
    /// The bytes are not those of a matrix of this size.
    #[error(
        "matrix {source_index} has {actual} bytes; {rows} × {cols} numbers of {dtype} take {}",
        expected.map_or_else(|| "no whole number of blocks".to_owned(), |bytes| bytes.to_string())
    )]
    Bytes {
        /// Which of the stacked matrices, from 0.
        source_index: usize,
        /// Its number format.
        dtype: DType,
        /// Its rows.
        rows: usize,
        /// Its columns.
        cols: usize,
        /// Bytes given.
        actual: usize,
        /// Bytes that fit, or `None` if a row is not a whole number of blocks.
        expected: Option<usize>,
    },
    /// The blocks could not be read.
    #[error(transparent)]
    Quant(#[from] QuantError),
}

impl PackError {
    /// The kind, for programs.
    pub fn kind(&self) -> PackErrorKind {
        match self {
            Self::Unsupported { .. } | Self::Quant(_) => PackErrorKind::Unsupported,
            Self::Empty { .. } | Self::Columns { .. } | Self::Bytes { .. } => PackErrorKind::Shape,
        }
    }
}
