//! The same operations for a format that is known only when the program runs.

use bytemuck::Pod;
use tenfold_core::DType;

use crate::block::{Block, Group, IntegerBlock, IntegerLayout};
use crate::{Operation, Q4_0, Q4_1, Q4_K, Q5_0, Q5_1, Q6_K, Q8_0, QuantError};

/// One row of the table of formats. The functions get buffers whose lengths were checked.
#[derive(Clone, Copy)]
struct Format {
    dequantize: fn(&[u8], &mut [f32]),
    integers: Option<Integers>,
}

#[derive(Clone, Copy)]
struct Integers {
    layout: IntegerLayout,
    unpack: fn(&[u8], &mut [i8], &mut [Group]),
}

fn format(dtype: DType) -> Option<Format> {
    Some(match dtype {
        DType::Q4_0 => read_only::<Q4_0>(),
        DType::Q4_1 => read_only::<Q4_1>(),
        DType::Q5_0 => read_only::<Q5_0>(),
        DType::Q5_1 => read_only::<Q5_1>(),
        DType::Q8_0 => read_only::<Q8_0>(),
        DType::Q4_K => read_only::<Q4_K>(),
        DType::Q6_K => read_only::<Q6_K>(),
        _ => return None,
    })
}

const fn read_only<B: IntegerBlock>() -> Format {
    let integers = Integers { layout: B::LAYOUT, unpack: unpack_blocks::<B> };
    Format { dequantize: dequantize_blocks::<B>, integers: Some(integers) }
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

fn unpack_blocks<B: IntegerBlock>(bytes: &[u8], integers: &mut [i8], groups: &mut [Group]) {
    let outs = view_mut(integers).iter_mut().zip(view_mut(groups));
    for (block, (integers, groups)) in view::<_, B>(bytes).iter().zip(outs) {
        block.unpack(integers, groups);
    }
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
