//! One safetensors file, checked by the rules of the format.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};
use std::ops::Range;

use super::header::{RawHeader, RawTensor};
use super::{Dtype, MAX_HEADER};
use crate::bytes::Reader;
use crate::error::{FormatError, Item, Problem};
use crate::hf::json_problem;
use crate::sniff::wrong_format;

/// One tensor of a safetensors file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tensor<'a> {
    /// Its name.
    pub name: Cow<'a, str>,
    /// Number format.
    pub dtype: Dtype,
    /// Sizes, slowest first; empty for a single number.
    pub shape: Vec<usize>,
    /// Its bytes within the file; checked against the file's length.
    pub range: Range<usize>,
}

/// A checked view of one safetensors file.
#[derive(Clone, Debug)]
pub struct Safetensors<'a> {
    metadata: BTreeMap<String, String>,
    tensors: Vec<Tensor<'a>>,
}

impl<'a> Safetensors<'a> {
    /// Reads and checks the header of a whole file.
    ///
    /// # Errors
    /// When the bytes are no safetensors file, break its rules, or end too early.
    pub fn parse(file: &'a [u8]) -> Result<Self, FormatError> {
        Self::parse_prefix(file, file.len() as u64)
    }

    /// Reads and checks the header of a file of which only the first bytes are at hand.
    ///
    /// # Errors
    /// As [`Safetensors::parse`]; a prefix that ends within the header is
    /// [`FormatErrorKind::Truncated`](crate::FormatErrorKind::Truncated).
    pub fn parse_prefix(prefix: &'a [u8], file_len: u64) -> Result<Self, FormatError> {
        let json = read_json(prefix)?;
        let header: RawHeader<'a> = serde_json::from_slice(json).map_err(|error| {
            FormatError::new(json_problem(&error)).item(Item::Part("header")).offset(8)
        })?;
        let start = 8 + json.len() as u64;
        let mut tensors = header
            .tensors
            .into_iter()
            .map(|(name, raw)| place(name, raw, start, file_len))
            .collect::<Result<Vec<_>, _>>()?;
        check_names(&tensors)?;
        tensors.sort_by_key(|tensor| (tensor.range.start, tensor.range.end));
        check_gapless(&tensors, start, file_len)?;
        Ok(Self { metadata: header.metadata, tensors })
    }

    /// Texts that the file carries about itself.
    pub fn metadata(&self) -> &BTreeMap<String, String> {
        &self.metadata
    }

    /// The tensors in the order of their bytes.
    pub fn tensors(&self) -> &[Tensor<'a>] {
        &self.tensors
    }
}

fn read_json(file: &[u8]) -> Result<&[u8], FormatError> {
    if !has_plausible_start(file) {
        return Err(wrong_format("a safetensors file", file));
    }
    let in_header = |error: FormatError| error.item(Item::Part("header"));
    let mut reader = Reader::new(file);
    let len = reader.u64().map_err(in_header)?;
    if len > MAX_HEADER {
        let problem = Problem::TooMany { what: "bytes", count: len, limit: MAX_HEADER };
        return Err(in_header(FormatError::new(problem).offset(0)));
    }
    // The limit was checked above, so this does not cut the number off.
    reader.take(len as usize).map_err(in_header)
}

/// A length below 2^32 and a brace, as far as the file goes.
fn has_plausible_start(file: &[u8]) -> bool {
    let is_short_length = file.iter().take(8).skip(4).all(|&byte| byte == 0);
    !file.is_empty() && is_short_length && file.get(8).is_none_or(|&byte| byte == b'{')
}

fn place<'a>(
    name: Cow<'a, str>,
    raw: RawTensor<'a>,
    start: u64,
    file_len: u64,
) -> Result<Tensor<'a>, FormatError> {
    let fail = |problem| Err(FormatError::at_tensor(name.clone(), problem));
    let Some(dtype) = Dtype::from_name(&raw.dtype) else {
        return fail(Problem::UnknownDType { dtype: raw.dtype.into_owned() });
    };
    let Some(len) = dtype.bytes_for(&raw.shape) else {
        let reason = "it takes no whole number of bytes, or too many";
        return fail(Problem::BadShape { shape: raw.shape, reason });
    };
    let (first, end) = raw.data_offsets;
    if end.checked_sub(first) != Some(len) {
        return fail(Problem::Mismatch {
            found: format!("at the offsets {first} to {end}"),
            expected: format!("a length of {len} bytes"),
            reason: "its shape".into(),
        });
    }
    let (first, end) = (start.saturating_add(first), start.saturating_add(end));
    if end > file_len {
        return fail(Problem::BeyondEnd { start: first, end, len: file_len });
    }
    match (usize::try_from(first), usize::try_from(end), sizes(&raw.shape)) {
        (Ok(first), Ok(end), Ok(shape)) => Ok(Tensor { name, dtype, shape, range: first..end }),
        _ => fail(Problem::BeyondEnd { start: first, end, len: file_len }),
    }
}

fn sizes(shape: &[u64]) -> Result<Vec<usize>, std::num::TryFromIntError> {
    shape.iter().map(|&size| usize::try_from(size)).collect()
}

fn check_names(tensors: &[Tensor<'_>]) -> Result<(), FormatError> {
    let mut names = HashSet::new();
    let twice = tensors.iter().find(|tensor| !names.insert(&*tensor.name));
    let error = twice.map(|it| FormatError::at_tensor(it.name.clone(), Problem::Duplicate));
    error.map_or(Ok(()), Err)
}

/// The tensors cover the data exactly: none overlap, and no byte is left over.
fn check_gapless(tensors: &[Tensor<'_>], start: u64, file_len: u64) -> Result<(), FormatError> {
    let mut end = start;
    let mut before = "the header";
    for tensor in tensors {
        let first = tensor.range.start as u64;
        if first < end {
            let other = before.to_owned();
            return Err(FormatError::at_tensor(tensor.name.clone(), Problem::Overlap { other }));
        }
        check_no_gap(end, first)?;
        end = tensor.range.end as u64;
        before = &tensor.name;
    }
    check_no_gap(end, file_len)
}

fn check_no_gap(end: u64, next: u64) -> Result<(), FormatError> {
    match next.saturating_sub(end) {
        0 => Ok(()),
        count => Err(FormatError::new(Problem::Gap { count })
            .item(Item::Part("data"))
            .offset(usize::try_from(end).unwrap_or(usize::MAX))),
    }
}
