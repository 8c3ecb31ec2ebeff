//! The same operations for a format that is known only when the program runs.

use bytemuck::Pod;
use tenfold_core::DType;

use crate::block::{Block, Group, IntegerBlock, IntegerLayout, Quantize};
use crate::{BF16, F16, F32, IQ2_XS, IQ2_XXS, IQ3_XXS, IQ4_NL, IQ4_XS};
use crate::{Operation, QuantError};
use crate::{Q2_K, Q3_K, Q4_0, Q4_1, Q4_K, Q5_0, Q5_1, Q5_K, Q6_K, Q8_0, Q8_1, Q8_K};

type QuantizeFn = fn(&[f32], &mut [u8]);

/// One row of the table of formats. The functions get buffers whose lengths were checked.
#[derive(Clone, Copy)]
struct Format {
    dequantize: fn(&[u8], &mut [f32]),
    quantize: Option<QuantizeFn>,
    integers: Option<Integers>,
    fits: fn(f32) -> bool,
}

#[derive(Clone, Copy)]
struct Integers {
    layout: IntegerLayout,
    unpack: fn(&[u8], &mut [i8], &mut [Group]),
}

/// The table of formats.
fn format(dtype: DType) -> Option<Format> {
    Some(match dtype {
        DType::F32 => float::<F32>(|_| true),
        // The limits are the first numbers that would become infinite.
        DType::F16 => float::<F16>(|x| !x.is_finite() || x.abs() < 65520.0),
        DType::BF16 => float::<BF16>(|x| !x.is_finite() || x.abs() < f32::from_bits(0x7f7f_8000)),
        DType::Q4_0 => writable::<Q4_0>(),
        DType::Q4_1 => writable::<Q4_1>(),
        DType::Q5_0 => writable::<Q5_0>(),
        DType::Q5_1 => writable::<Q5_1>(),
        DType::Q8_0 => writable::<Q8_0>(),
        DType::Q8_1 => writable::<Q8_1>(),
        DType::Q2_K => writable::<Q2_K>(),
        DType::Q3_K => writable::<Q3_K>(),
        DType::Q4_K => writable::<Q4_K>(),
        DType::Q5_K => writable::<Q5_K>(),
        DType::Q6_K => writable::<Q6_K>(),
        DType::Q8_K => Format { fits: f32::is_finite, ..writable::<Q8_K>() },
        DType::IQ2_XXS => read_only::<IQ2_XXS>(),
        DType::IQ2_XS => read_only::<IQ2_XS>(),
        DType::IQ3_XXS => read_only::<IQ3_XXS>(),
        DType::IQ4_NL => writable::<IQ4_NL>(),
        DType::IQ4_XS => writable::<IQ4_XS>(),
        _ => return None,
    })
}

/// Checks when compiling that the blocks are as large as the format says, and have no padding.
macro_rules! check_sizes {
    ($($name:ident)*) => {
        const _: () = { $(
            assert!(size_of::<$name>() == DType::$name.block_bytes());
            assert!(align_of::<$name>() == 1);
        )* };
    };
}
check_sizes!(F32 F16 BF16 Q4_0 Q4_1 Q5_0 Q5_1 Q8_0 Q8_1 Q2_K Q3_K Q4_K Q5_K Q6_K Q8_K);
check_sizes!(IQ2_XXS IQ2_XS IQ3_XXS IQ4_NL IQ4_XS);

fn float<B: Quantize>(fits: fn(f32) -> bool) -> Format {
    let quantize = Some(quantize_blocks::<B> as _);
    Format { dequantize: dequantize_blocks::<B>, quantize, integers: None, fits }
}

fn writable<B: IntegerBlock + Quantize>() -> Format {
    Format { quantize: Some(quantize_blocks::<B>), ..read_only::<B>() }
}

fn read_only<B: IntegerBlock>() -> Format {
    let integers = Integers { layout: B::LAYOUT, unpack: unpack_blocks::<B> };
    Format {
        dequantize: dequantize_blocks::<B>,
        quantize: None,
        integers: Some(integers),
        // Scales and minima are halves, whose largest number this is.
        fits: |x| x.abs() <= 65504.0,
    }
}

// Blocks have no alignment, so a cast fails only for a length that is no whole count of blocks;
// then there is nothing to see.
fn view<T: Pod, U: Pod>(slice: &[T]) -> &[U] {
    bytemuck::try_cast_slice(slice).unwrap_or_default()
}

fn view_mut<T: Pod, U: Pod>(slice: &mut [T]) -> &mut [U] {
    bytemuck::try_cast_slice_mut(slice).unwrap_or_default()
}

fn dequantize_blocks<B: Block>(bytes: &[u8], out: &mut [f32]) {
    for (block, out) in view::<_, B>(bytes).iter().zip(view_mut(out)) {
        block.dequantize(out);
    }
}

fn quantize_blocks<B: Quantize>(values: &[f32], out: &mut [u8]) {
    for (values, out) in view(values).iter().zip(view_mut::<_, B>(out)) {
        *out = B::quantize(values);
    }
}

fn unpack_blocks<B: IntegerBlock>(bytes: &[u8], integers: &mut [i8], groups: &mut [Group]) {
    let outs = view_mut(integers).iter_mut().zip(view_mut(groups));
    for (block, (integers, groups)) in view::<_, B>(bytes).iter().zip(outs) {
        block.unpack(integers, groups);
    }
}

/// Whether this can be done with the format.
pub fn supports(dtype: DType, operation: Operation) -> bool {
    format(dtype).is_some_and(|format| match operation {
        Operation::Dequantize => true,
        Operation::Quantize => format.quantize.is_some(),
        Operation::Unpack => format.integers.is_some(),
    })
}

/// Converts `bytes` of this format to `out.len()` numbers.
///
/// # Errors
/// If the format holds no weights, or `bytes` and `out` do not fit each other.
pub fn dequantize(dtype: DType, bytes: &[u8], out: &mut [f32]) -> Result<(), QuantError> {
    let format = find(dtype, Operation::Dequantize)?;
    check_bytes(dtype, bytes.len(), out.len())?;
    (format.dequantize)(bytes, out);
    Ok(())
}

/// Converts all of `bytes` to numbers.
///
/// # Errors
/// If the format holds no weights, or `bytes` ends within a block.
pub fn dequantize_to_vec(dtype: DType, bytes: &[u8]) -> Result<Vec<f32>, QuantError> {
    find(dtype, Operation::Dequantize)?;
    let len = bytes.len() / dtype.block_bytes() * dtype.block_len();
    check_bytes(dtype, bytes.len(), len)?;
    let mut out = vec![0.0; len];
    dequantize(dtype, bytes, &mut out)?;
    Ok(out)
}

/// Rounds numbers to this format.
///
/// # Errors
/// If the format cannot be written, the lengths do not fit each other, or a number is not finite or
/// too large for the format. [`DType::F32`], [`DType::F16`] and [`DType::BF16`] take infinities and
/// not-a-numbers as they are.
pub fn quantize(dtype: DType, values: &[f32], out: &mut [u8]) -> Result<(), QuantError> {
    let unsupported = QuantError::Unsupported { dtype, operation: Operation::Quantize };
    let format = find(dtype, Operation::Quantize)?;
    let quantize = format.quantize.ok_or(unsupported)?;
    check_bytes(dtype, out.len(), values.len())?;
    if let Some((index, &value)) = values.iter().enumerate().find(|&(_, &x)| !(format.fits)(x)) {
        return Err(QuantError::Value { dtype, index, value });
    }
    quantize(values, out);
    Ok(())
}

/// Rounds numbers to this format, in a new buffer.
///
/// # Errors
/// As [`quantize`].
pub fn quantize_to_vec(dtype: DType, values: &[f32]) -> Result<Vec<u8>, QuantError> {
    let len = values.len();
    let mut out = vec![0; dtype.bytes_for(len).ok_or(QuantError::PartialBlock { dtype, len })?];
    quantize(dtype, values, &mut out)?;
    Ok(out)
}

/// How [`unpack`] gives this format, or `None` for floats and for what is no weight.
pub fn integer_layout(dtype: DType) -> Option<IntegerLayout> {
    Some(format(dtype)?.integers?.layout)
}

/// Converts `bytes` of this format to integers and the groups that scale them: one group for each
/// [`IntegerLayout::group_len`] integers.
///
/// # Errors
/// If the format is not made of integers, or the lengths do not fit each other.
pub fn unpack(
    dtype: DType,
    bytes: &[u8],
    integers: &mut [i8],
    groups: &mut [Group],
) -> Result<(), QuantError> {
    let unsupported = QuantError::Unsupported { dtype, operation: Operation::Unpack };
    let format = find(dtype, Operation::Unpack)?.integers.ok_or(unsupported)?;
    check_bytes(dtype, bytes.len(), integers.len())?;
    check_length(dtype, "groups", groups.len(), integers.len() / format.layout.group_len)?;
    (format.unpack)(bytes, integers, groups);
    Ok(())
}

/// The bytes of one row of a tensor with rows of `row_len` numbers.
///
/// # Errors
/// If a row is no whole count of blocks, the tensor no whole count of rows, or there is no such row.
pub fn row(dtype: DType, bytes: &[u8], row_len: usize, row: usize) -> Result<&[u8], QuantError> {
    let partial = QuantError::PartialBlock { dtype, len: row_len };
    let row_bytes = dtype.bytes_for(row_len).filter(|&bytes| bytes > 0).ok_or(partial)?;
    let rows = bytes.len() / row_bytes;
    check_length(dtype, "bytes", bytes.len(), rows * row_bytes)?;
    let found = bytes.chunks_exact(row_bytes).nth(row);
    found.ok_or(QuantError::RowOutOfRange { dtype, row, rows })
}

/// Converts one row of a tensor whose rows are as long as `out`: what an embedding table needs.
///
/// # Errors
/// As [`dequantize`] and [`row`].
pub fn dequantize_row(
    dtype: DType,
    bytes: &[u8],
    index: usize,
    out: &mut [f32],
) -> Result<(), QuantError> {
    find(dtype, Operation::Dequantize)?;
    dequantize(dtype, row(dtype, bytes, out.len(), index)?, out)
}

fn find(dtype: DType, operation: Operation) -> Result<Format, QuantError> {
    format(dtype).ok_or(QuantError::Unsupported { dtype, operation })
}

fn check_bytes(dtype: DType, bytes: usize, len: usize) -> Result<(), QuantError> {
    let expected = dtype.bytes_for(len).ok_or(QuantError::PartialBlock { dtype, len })?;
    check_length(dtype, "bytes", bytes, expected)
}

fn check_length(
    dtype: DType,
    buffer: &'static str,
    actual: usize,
    expected: usize,
) -> Result<(), QuantError> {
    if actual == expected {
        return Ok(());
    }
    Err(QuantError::BufferLength { dtype, buffer, actual, expected })
}
