//! What can go wrong when tensors are converted.

use tenfold_core::DType;

/// What a caller wanted to do with a format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Operation {
    /// Numbers of the format to `f32`.
    Dequantize,
    /// `f32` to numbers of the format.
    Quantize,
    /// Blocks to small integers with their scales.
    Unpack,
}

impl Operation {
    /// A verb for sentences.
    const fn verb(self) -> &'static str {
        match self {
            Self::Dequantize => "dequantized",
            Self::Quantize => "quantized to",
            Self::Unpack => "unpacked to integers",
        }
    }
}

/// The kind of a [`QuantError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum QuantErrorKind {
    /// The format cannot do what was asked.
    Unsupported,
    /// A buffer or a row has the wrong length.
    Length,
    /// A number does not fit in the format.
    Value,
}

/// Why a tensor could not be converted.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum QuantError {
    /// The format cannot do what was asked.
    #[error("{dtype} cannot be {}: {}", operation.verb(), reason(*dtype, *operation))]
    Unsupported {
        /// The format.
        dtype: DType,
        /// What was asked.
        operation: Operation,
    },
    /// The count of numbers is no multiple of the block.
    #[error("{len} numbers are not a whole count of {dtype} blocks of {}", dtype.block_len())]
    PartialBlock {
        /// The format.
        dtype: DType,
        /// Numbers given.
        len: usize,
    },
    /// A buffer does not have the length that the others ask for.
    #[error("the {buffer} buffer for {dtype} has length {actual}, and {expected} is needed")]
    BufferLength {
        /// The format.
        dtype: DType,
        /// Which buffer: `bytes`, `integers`, `groups`.
        buffer: &'static str,
        /// Its length.
        actual: usize,
        /// The length that fits the other buffers.
        expected: usize,
    },
    /// The tensor has no row of this number.
    #[error("row {row} was asked of a {dtype} tensor with {rows} rows")]
    RowOutOfRange {
        /// The format.
        dtype: DType,
        /// The row asked for, from 0.
        row: usize,
        /// Rows that the tensor has.
        rows: usize,
    },
    /// A number is not finite, or too large for the half-precision scales of the format.
    #[error("the number {value} at index {index} does not fit in {dtype}: {}", value_rule(*dtype))]
    Value {
        /// The format.
        dtype: DType,
        /// Position of the first such number.
        index: usize,
        /// The number.
        value: f32,
    },
}

impl QuantError {
    /// The kind, for programs.
    pub fn kind(&self) -> QuantErrorKind {
        match self {
            Self::Unsupported { .. } => QuantErrorKind::Unsupported,
            Self::PartialBlock { .. } | Self::BufferLength { .. } | Self::RowOutOfRange { .. } => {
                QuantErrorKind::Length
            }
            Self::Value { .. } => QuantErrorKind::Value,
        }
    }
}

const fn reason(dtype: DType, operation: Operation) -> &'static str {
    match (dtype, operation) {
        (DType::IQ2_XXS | DType::IQ2_XS | DType::IQ3_XXS, Operation::Quantize) => {
            "Tenfold reads this format but does not write it; choose Q2_K, Q3_K or IQ4_XS instead"
        }
        (DType::F32 | DType::F16 | DType::BF16, Operation::Unpack) => {
            "its numbers are floats; dequantize it instead"
        }
        _ => "its numbers are no weights",
    }
}

const fn value_rule(dtype: DType) -> &'static str {
    match dtype {
        DType::Q8_K => "it must be finite",
        _ => "it must be finite and at most 65504",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_say_what_and_what_to_do() {
        let cases = [
            (
                QuantError::Unsupported { dtype: DType::IQ2_XS, operation: Operation::Quantize },
                "IQ2_XS cannot be quantized to: Tenfold reads this format but does not write it; choose Q2_K, Q3_K or IQ4_XS instead",
                QuantErrorKind::Unsupported,
            ),
            (
                QuantError::Unsupported { dtype: DType::I32, operation: Operation::Dequantize },
                "I32 cannot be dequantized: its numbers are no weights",
                QuantErrorKind::Unsupported,
            ),
            (
                QuantError::PartialBlock { dtype: DType::Q4_K, len: 255 },
                "255 numbers are not a whole count of Q4_K blocks of 256",
                QuantErrorKind::Length,
            ),
            (
                QuantError::Value { dtype: DType::Q4_0, index: 7, value: f32::NAN },
                "the number NaN at index 7 does not fit in Q4_0: it must be finite and at most 65504",
                QuantErrorKind::Value,
            ),
        ];
        for (error, text, kind) in cases {
            assert_eq!(error.to_string(), text);
            assert_eq!(error.kind(), kind);
        }
    }
}
