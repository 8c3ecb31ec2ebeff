//! Where the tensors of a GGUF file lie.

use std::ops::Range;

use tenfold_core::DType;

use crate::bytes::{Reader, align_up};
use crate::error::{FormatError, Item, Problem};

/// Dimensions of a tensor, at most.
const MAX_RANK: usize = 4;

/// Longest name that is read; real ones have at most 63 bytes.
const MAX_NAME: usize = 1024;

/// One tensor of a GGUF file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tensor<'a> {
    /// Its name.
    pub name: &'a str,
    /// Number format.
    pub dtype: DType,
    /// Sizes, slowest first: a weight matrix is `[outputs, inputs]`.
    pub shape: Vec<usize>,
    /// Its bytes within the file; checked against the file's length.
    pub range: Range<usize>,
}

/// What the header says of one tensor, before the start of the data is known.
#[derive(Debug)]
pub(super) struct RawTensor<'a> {
    pub(super) name: &'a str,
    dtype: DType,
    shape: Vec<usize>,
    len: usize,
    offset: u64,
    /// Where in the header it is said.
    at: usize,
}

/// The fewest bytes that the description of one tensor takes.
pub(super) const MIN_TENSOR_BYTES: usize = 8 + 4 + 8 + 4 + 8;

pub(super) fn read_tensor<'a>(reader: &mut Reader<'a>) -> Result<RawTensor<'a>, FormatError> {
    let at = reader.offset();
    let name = read_name(reader, "bytes of a tensor's name", MAX_NAME)?;
    read_layout(reader, name, at)
        .map_err(|error| error.item(Item::Tensor(name.to_owned())).offset(at))
}

fn read_layout<'a>(
    reader: &mut Reader<'a>,
    name: &'a str,
    at: usize,
) -> Result<RawTensor<'a>, FormatError> {
    let sizes = read_sizes(reader)?;
    let dtype = read_dtype(reader)?;
    let offset = reader.u64()?;
    let len = tensor_bytes(dtype, &sizes)?;
    let shape = sizes.iter().map(|&size| size as usize).collect();
    Ok(RawTensor { name, dtype, shape, len, offset, at })
}

/// Reads a name with its length: UTF-8 and of sensible length.
pub(super) fn read_name<'a>(
    reader: &mut Reader<'a>,
    what: &'static str,
    limit: usize,
) -> Result<&'a str, FormatError> {
    let offset = reader.offset();
    let bytes = reader.string().map_err(|error| error.item(Item::Part(what)))?;
    if bytes.len() > limit {
        let problem = Problem::TooMany { what, count: bytes.len() as u64, limit: limit as u64 };
        return Err(FormatError::new(problem).offset(offset));
    }
    std::str::from_utf8(bytes)
        .map_err(|_| FormatError::new(Problem::NotUtf8).item(Item::Part(what)).offset(offset))
}

/// The sizes, turned to slowest first (the file has them fastest first).
fn read_sizes(reader: &mut Reader<'_>) -> Result<Vec<u64>, FormatError> {
    let rank = reader.u32()?;
    if rank as usize > MAX_RANK {
        let limit = MAX_RANK as u64;
        let problem = Problem::TooMany { what: "dimensions", count: rank.into(), limit };
        return Err(FormatError::new(problem));
    }
    let mut sizes = (0..rank).map(|_| reader.u64()).collect::<Result<Vec<_>, _>>()?;
    sizes.reverse();
    Ok(sizes)
}

fn read_dtype(reader: &mut Reader<'_>) -> Result<DType, FormatError> {
    let id = reader.u32()?;
    DType::from_gguf_id(id).ok_or_else(|| {
        let dtype = match super::names::foreign_dtype(id) {
            Some(name) => name.to_owned(),
            None => format!("number {id}"),
        };
        FormatError::new(Problem::UnknownDType { dtype })
    })
}

/// The bytes that a tensor takes; `shape` is slowest first.
pub(super) fn tensor_bytes(dtype: DType, shape: &[u64]) -> Result<usize, FormatError> {
    let bad = |reason| FormatError::new(Problem::BadShape { shape: shape.to_vec(), reason });
    let Some(&row) = shape.last() else {
        return Err(bad("it has no dimension"));
    };
    if shape.len() > MAX_RANK {
        return Err(bad("it has more than 4 dimensions"));
    }
    if shape.contains(&0) {
        return Err(bad("a size is zero"));
    }
    if row % dtype.block_len() as u64 != 0 {
        return Err(bad("its rows are not a multiple of the number format's blocks"));
    }
    let count = shape.iter().try_fold(1_u64, |product, &size| product.checked_mul(size));
    count
        .and_then(|count| usize::try_from(count).ok())
        .and_then(|count| dtype.bytes_for(count))
        .filter(|&len| isize::try_from(len).is_ok())
        .ok_or_else(|| bad("it has more numbers than memory can hold"))
}

/// Checks that an alignment is a power of two.
pub(super) fn check_alignment(alignment: u64) -> Result<(), FormatError> {
    if alignment.is_power_of_two() && alignment <= 1 << 30 {
        return Ok(());
    }
    let problem = Problem::OutOfRange {
        value: alignment.to_string(),
        allowed: "a power of two, at most 2^30".into(),
    };
    Err(FormatError::at_key(super::ALIGNMENT_KEY, problem))
}

/// The data section of a file: where it starts, how it is aligned, where the file ends.
#[derive(Clone, Copy, Debug)]
pub(super) struct DataSection {
    pub(super) start: u64,
    pub(super) alignment: u64,
    pub(super) file_len: u64,
}

impl DataSection {
    pub(super) fn after(
        header_len: usize,
        alignment: u64,
        file_len: u64,
    ) -> Result<Self, FormatError> {
        check_alignment(alignment)?;
        let start = align_up(header_len as u64, alignment).unwrap_or(u64::MAX);
        Ok(Self { start, alignment, file_len })
    }

    pub(super) fn place<'a>(&self, tensor: RawTensor<'a>) -> Result<Tensor<'a>, FormatError> {
        let fail = |problem| Err(FormatError::at_tensor(tensor.name, problem).offset(tensor.at));
        if !tensor.offset.is_multiple_of(self.alignment) {
            let (offset, alignment) = (tensor.offset, self.alignment);
            return fail(Problem::Misaligned { offset, alignment });
        }
        let start = self.start.saturating_add(tensor.offset);
        let end = start.saturating_add(tensor.len as u64);
        if end > self.file_len {
            return fail(Problem::BeyondEnd { start, end, len: self.file_len });
        }
        match (usize::try_from(start), usize::try_from(end)) {
            (Ok(start), Ok(end)) => Ok(Tensor {
                name: tensor.name,
                dtype: tensor.dtype,
                shape: tensor.shape,
                range: start..end,
            }),
            _ => fail(Problem::BeyondEnd { start, end, len: self.file_len }),
        }
    }
}

/// Checks that no two tensors share a name or a byte.
pub(super) fn check_disjoint(tensors: &[Tensor<'_>]) -> Result<(), FormatError> {
    let mut sorted: Vec<&Tensor<'_>> = tensors.iter().collect();
    sorted.sort_unstable_by_key(|tensor| tensor.range.start);
    for (before, after) in sorted.iter().zip(sorted.iter().skip(1)) {
        if after.range.start < before.range.end {
            let problem = Problem::Overlap { other: before.name.to_owned() };
            return Err(FormatError::at_tensor(after.name, problem));
        }
    }
    sorted.sort_unstable_by_key(|tensor| tensor.name);
    match sorted.iter().zip(sorted.iter().skip(1)).find(|(one, two)| one.name == two.name) {
        Some((tensor, _)) => Err(FormatError::at_tensor(tensor.name, Problem::Duplicate)),
        None => Ok(()),
    }
}
