//! The header of one GGUF file.

use std::collections::HashMap;

use super::tensor::{self, DataSection, RawTensor, Tensor};
use super::value::{Value, read_type, read_value};
use super::{ALIGNMENT_KEY, DEFAULT_ALIGNMENT, Items, MAGIC};
use crate::bytes::Reader;
use crate::error::{FormatError, Item, Problem};
use crate::sniff::wrong_format;

/// Longest key that the format allows.
const MAX_KEY: usize = u16::MAX as usize;

/// Most keys that are read; real files have some dozens.
const MAX_KEYS: usize = 1 << 16;

/// Most tensors that are read; the largest models have some thousands.
const MAX_TENSORS: usize = 1 << 18;

/// The fewest bytes that a key with its value takes.
const MIN_ENTRY_BYTES: usize = 8 + 4 + 1;

/// A checked view of one GGUF file: metadata and where the tensors lie.
///
/// Strings and arrays stay in the file's bytes; arrays are read when they are asked for.
#[derive(Clone, Debug)]
pub struct Gguf<'a> {
    version: u32,
    metadata: Metadata<'a>,
    tensors: Vec<Tensor<'a>>,
    header_len: usize,
}

#[derive(Clone, Debug, Default)]
struct Metadata<'a> {
    entries: Vec<(&'a str, Value<'a>)>,
    index: HashMap<&'a str, usize>,
}

impl<'a> Gguf<'a> {
    /// Reads and checks the header of a whole file.
    ///
    /// # Errors
    /// When the bytes are no GGUF file, break its rules, or end too early.
    pub fn parse(file: &'a [u8]) -> Result<Self, FormatError> {
        Self::parse_prefix(file, file.len() as u64)
    }

    /// Reads and checks the header of a file of which only the first bytes are at hand.
    ///
    /// # Errors
    /// As [`Gguf::parse`]; a prefix that ends within the header is
    /// [`FormatErrorKind::Truncated`](crate::FormatErrorKind::Truncated).
    pub fn parse_prefix(prefix: &'a [u8], file_len: u64) -> Result<Self, FormatError> {
        let mut reader = Reader::new(prefix);
        let version = read_version(prefix, &mut reader)?;
        let in_header = |error: FormatError| error.item(Item::Part("header"));
        let tensor_count =
            read_count(&mut reader, "tensors", tensor::MIN_TENSOR_BYTES, MAX_TENSORS)
                .map_err(in_header)?;
        let key_count = read_count(&mut reader, "metadata keys", MIN_ENTRY_BYTES, MAX_KEYS)
            .map_err(in_header)?;
        let metadata = Metadata::read(&mut reader, key_count)?;
        let raw = (0..tensor_count)
            .map(|_| tensor::read_tensor(&mut reader))
            .collect::<Result<Vec<_>, _>>()?;
        let header_len = reader.offset();
        let mut gguf = Self { version, metadata, tensors: Vec::new(), header_len };
        gguf.place(raw, file_len)?;
        Ok(gguf)
    }

    fn place(&mut self, raw: Vec<RawTensor<'a>>, file_len: u64) -> Result<(), FormatError> {
        let alignment = self.alignment()?;
        let section = DataSection::after(self.header_len, alignment, file_len)?;
        self.tensors =
            raw.into_iter().map(|tensor| section.place(tensor)).collect::<Result<Vec<_>, _>>()?;
        tensor::check_disjoint(&self.tensors)
    }

    /// The version of the format: 2 or 3.
    pub fn version(&self) -> u32 {
        self.version
    }

    /// Bytes of the header, without the padding before the data.
    pub fn header_len(&self) -> usize {
        self.header_len
    }

    /// The alignment of the tensors.
    ///
    /// # Errors
    /// When the file states one that is no integer.
    pub fn alignment(&self) -> Result<u64, FormatError> {
        Ok(self.u64(ALIGNMENT_KEY)?.unwrap_or(DEFAULT_ALIGNMENT.into()))
    }

    /// All keys with their values, in the order of the file.
    pub fn metadata(&self) -> impl ExactSizeIterator<Item = (&'a str, Value<'a>)> + '_ {
        self.metadata.entries.iter().copied()
    }

    /// The tensors in the order of the file.
    pub fn tensors(&self) -> &[Tensor<'a>] {
        &self.tensors
    }

    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<Value<'a>> {
        let index = self.metadata.index.get(key)?;
        self.metadata.entries.get(*index).map(|(_, value)| *value)
    }

    /// A text; `None` if there is no such key.
    ///
    /// # Errors
    /// When the value is no string or no UTF-8.
    pub fn str(&self, key: &str) -> Result<Option<&'a str>, FormatError> {
        let Some(bytes) = self.typed(key, "a string", Value::as_bytes)? else {
            return Ok(None);
        };
        match std::str::from_utf8(bytes) {
            Ok(text) => Ok(Some(text)),
            Err(_) => Err(FormatError::at_key(key, Problem::NotUtf8)),
        }
    }

    /// An integer of any width that is not negative; `None` if there is no such key.
    ///
    /// # Errors
    /// When the value is something else.
    pub fn u64(&self, key: &str) -> Result<Option<u64>, FormatError> {
        self.typed(key, "an integer that is not negative", Value::as_u64)
    }

    /// An integer of any width that fits in 32 bits; `None` if there is no such key.
    ///
    /// # Errors
    /// When the value is something else.
    pub fn u32(&self, key: &str) -> Result<Option<u32>, FormatError> {
        let narrow = |value: &Value<'a>| value.as_u64().and_then(|value| value.try_into().ok());
        self.typed(key, "an integer from 0 to 4294967295", narrow)
    }

    /// An integer of any width; `None` if there is no such key.
    ///
    /// # Errors
    /// When the value is something else.
    pub fn i64(&self, key: &str) -> Result<Option<i64>, FormatError> {
        self.typed(key, "an integer", Value::as_i64)
    }

    /// A float of either width; `None` if there is no such key.
    ///
    /// # Errors
    /// When the value is something else.
    pub fn f32(&self, key: &str) -> Result<Option<f32>, FormatError> {
        self.typed(key, "a float", Value::as_f32)
    }

    /// True or false; `None` if there is no such key.
    ///
    /// # Errors
    /// When the value is something else.
    pub fn bool(&self, key: &str) -> Result<Option<bool>, FormatError> {
        self.typed(key, "a bool", Value::as_bool)
    }

    /// The texts of an array; `None` if there is no such key.
    ///
    /// # Errors
    /// When the value is no array of strings. Text that is not UTF-8 is an error of its element.
    pub fn strs(&self, key: &str) -> Result<Option<Items<'a, &'a str>>, FormatError> {
        self.items(key, "an array of strings in UTF-8", Value::as_str)
    }

    /// The integers of an array, of any width; `None` if there is no such key.
    ///
    /// # Errors
    /// When the value is no array. An element of another type is an error of its own.
    pub fn i64s(&self, key: &str) -> Result<Option<Items<'a, i64>>, FormatError> {
        self.items(key, "an array of integers", Value::as_i64)
    }

    /// The floats of an array, of either width; `None` if there is no such key.
    ///
    /// # Errors
    /// When the value is no array. An element of another type is an error of its own.
    pub fn f32s(&self, key: &str) -> Result<Option<Items<'a, f32>>, FormatError> {
        self.items(key, "an array of floats", Value::as_f32)
    }

    /// The numbers of an array, floats or integers; `None` if there is no such key.
    ///
    /// # Errors
    /// When the value is no array. An element of another type is an error of its own.
    pub fn numbers(&self, key: &str) -> Result<Option<Items<'a, f32>>, FormatError> {
        let number = |value: &Value<'a>| {
            value.as_f32().or_else(|| value.as_i64().map(|integer| integer as f32))
        };
        self.items(key, "an array of numbers", number)
    }

    /// The truth values of an array; `None` if there is no such key.
    ///
    /// # Errors
    /// When the value is no array. An element of another type is an error of its own.
    pub fn bools(&self, key: &str) -> Result<Option<Items<'a, bool>>, FormatError> {
        self.items(key, "an array of bools", Value::as_bool)
    }

    /// The bytes of an array of 8-bit integers, as they lie in the file; `None` if there is none.
    ///
    /// # Errors
    /// When the value is something else.
    pub fn bytes(&self, key: &str) -> Result<Option<&'a [u8]>, FormatError> {
        self.typed(key, "an array of 8-bit integers", |value| {
            value.as_array().and_then(|array| array.as_bytes())
        })
    }

    fn items<T: 'a>(
        &self,
        key: &str,
        expected: &'static str,
        convert: fn(&Value<'a>) -> Option<T>,
    ) -> Result<Option<Items<'a, T>>, FormatError> {
        let array = self.typed(key, expected, Value::as_array)?;
        Ok(array.map(|array| Items::new(key, array, expected, convert)))
    }

    fn typed<T>(
        &self,
        key: &str,
        expected: &'static str,
        convert: impl Fn(&Value<'a>) -> Option<T>,
    ) -> Result<Option<T>, FormatError> {
        let Some(value) = self.get(key) else { return Ok(None) };
        match convert(&value) {
            Some(converted) => Ok(Some(converted)),
            None => Err(FormatError::at_key(key, wrong_type(expected, &value))),
        }
    }
}

/// Says what a value is instead of what it should be.
pub(super) fn wrong_type(expected: &'static str, value: &Value<'_>) -> Problem {
    let found = match value {
        Value::Array(array) => format!("an array of {}", array.element_type().name()),
        Value::String(_) => "a string".to_owned(),
        other => match other.as_i64() {
            Some(number) => format!("the {} {number}", other.value_type().name()),
            None => format!("a {}", other.value_type().name()),
        },
    };
    Problem::WrongType { expected, found }
}

fn read_version(file: &[u8], reader: &mut Reader<'_>) -> Result<u32, FormatError> {
    if !file.starts_with(&MAGIC) {
        return Err(wrong_format("a GGUF file", file));
    }
    reader.take(MAGIC.len())?;
    let version = reader.u32()?;
    let what = match version {
        2 | 3 => return Ok(version),
        // The low half is zero when the version was written by a big-endian machine.
        _ if version & 0xFFFF == 0 && version != 0 => "a big-endian GGUF file".to_owned(),
        _ => format!("version {version} of GGUF"),
    };
    Err(FormatError::new(Problem::Version { what }).offset(MAGIC.len()))
}

fn read_count(
    reader: &mut Reader<'_>,
    what: &'static str,
    min_size: usize,
    limit: usize,
) -> Result<usize, FormatError> {
    let offset = reader.offset();
    let count = reader.count(what, min_size)?;
    if count > limit {
        let problem = Problem::TooMany { what, count: count as u64, limit: limit as u64 };
        return Err(FormatError::new(problem).offset(offset));
    }
    Ok(count)
}

impl<'a> Metadata<'a> {
    fn read(reader: &mut Reader<'a>, count: usize) -> Result<Self, FormatError> {
        let mut metadata = Self::default();
        for _ in 0..count {
            let offset = reader.offset();
            let key = tensor::read_name(reader, "metadata key", MAX_KEY)?;
            let value = read_type(reader)
                .and_then(|value_type| read_value(reader, value_type))
                .map_err(|error| error.item(Item::Key(key.to_owned())))?;
            if metadata.index.insert(key, metadata.entries.len()).is_some() {
                return Err(FormatError::at_key(key, Problem::Duplicate).offset(offset));
            }
            metadata.entries.push((key, value));
        }
        Ok(metadata)
    }
}
