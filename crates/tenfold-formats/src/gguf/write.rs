//! Writing GGUF files: all at once in memory, or the header first and then tensor after tensor.

use std::borrow::Cow;
use std::collections::HashSet;
use std::io::{self, Write};

use tenfold_core::DType;

use super::value::{Array, Value, ValueType};
use super::{DEFAULT_ALIGNMENT, MAGIC, tensor_bytes};
use crate::bytes::align_up;
use crate::error::{FormatError, Item, Problem};

/// A value that can be written as metadata.
pub trait Encode {
    /// Its type in the file.
    const TYPE: ValueType;

    /// Appends its bytes, without the type.
    fn encode(&self, out: &mut Vec<u8>);
}

macro_rules! encode_numbers {
    ($($number:ty => $name:ident),*) => {
        $(impl Encode for $number {
            const TYPE: ValueType = ValueType::$name;

            fn encode(&self, out: &mut Vec<u8>) {
                out.extend_from_slice(&self.to_le_bytes());
            }
        })*
    };
}

encode_numbers! {
    u8 => U8, i8 => I8, u16 => U16, i16 => I16, u32 => U32, i32 => I32, f32 => F32,
    u64 => U64, i64 => I64, f64 => F64
}

impl Encode for bool {
    const TYPE: ValueType = ValueType::Bool;

    fn encode(&self, out: &mut Vec<u8>) {
        out.push(u8::from(*self));
    }
}

impl Encode for str {
    const TYPE: ValueType = ValueType::String;

    fn encode(&self, out: &mut Vec<u8>) {
        put_string(out, self.as_bytes());
    }
}

impl Encode for String {
    const TYPE: ValueType = ValueType::String;

    fn encode(&self, out: &mut Vec<u8>) {
        self.as_str().encode(out);
    }
}

impl<T: Encode> Encode for [T] {
    const TYPE: ValueType = ValueType::Array;

    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&T::TYPE.id().to_le_bytes());
        out.extend_from_slice(&(self.len() as u64).to_le_bytes());
        self.iter().for_each(|element| element.encode(out));
    }
}

impl<T: Encode, const N: usize> Encode for [T; N] {
    const TYPE: ValueType = ValueType::Array;

    fn encode(&self, out: &mut Vec<u8>) {
        self.as_slice().encode(out);
    }
}

impl<T: Encode> Encode for Vec<T> {
    const TYPE: ValueType = ValueType::Array;

    fn encode(&self, out: &mut Vec<u8>) {
        self.as_slice().encode(out);
    }
}

impl<T: Encode + ?Sized> Encode for &T {
    const TYPE: ValueType = T::TYPE;

    fn encode(&self, out: &mut Vec<u8>) {
        (**self).encode(out);
    }
}

fn put_string(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend_from_slice(&(bytes.len() as u64).to_le_bytes());
    out.extend_from_slice(bytes);
}

fn encode_value(value: &Value<'_>, out: &mut Vec<u8>) {
    match value {
        Value::U8(value) => value.encode(out),
        Value::I8(value) => value.encode(out),
        Value::U16(value) => value.encode(out),
        Value::I16(value) => value.encode(out),
        Value::U32(value) => value.encode(out),
        Value::I32(value) => value.encode(out),
        Value::F32(value) => value.encode(out),
        Value::Bool(value) => value.encode(out),
        Value::String(value) => put_string(out, value),
        Value::Array(array) => encode_array(array, out),
        Value::U64(value) => value.encode(out),
        Value::I64(value) => value.encode(out),
        Value::F64(value) => value.encode(out),
    }
}

fn encode_array(array: &Array<'_>, out: &mut Vec<u8>) {
    out.extend_from_slice(&array.element_type().id().to_le_bytes());
    out.extend_from_slice(&(array.len() as u64).to_le_bytes());
    out.extend_from_slice(array.raw());
}

#[derive(Clone, Debug)]
struct Entry {
    key: String,
    value_type: ValueType,
    bytes: Vec<u8>,
}

#[derive(Clone, Debug)]
struct Declared {
    name: String,
    dtype: DType,
    shape: Vec<usize>,
}

impl Declared {
    fn len(&self) -> Result<usize, FormatError> {
        let shape: Vec<u64> = self.shape.iter().map(|&size| size as u64).collect();
        let len = tensor_bytes(self.dtype, &shape);
        len.map_err(|error| error.item(Item::Tensor(self.name.clone())))
    }
}

/// The metadata and the list of tensors of a file that is to be written (version 3).
///
/// For models that do not fit in memory twice: declare every tensor, then hand the bytes to the
/// [`TensorSink`] of [`Header::begin`] in the same order. [`Builder`] is simpler for small ones.
#[derive(Clone, Debug)]
pub struct Header {
    alignment: u32,
    metadata: Vec<Entry>,
    tensors: Vec<Declared>,
}

impl Default for Header {
    fn default() -> Self {
        Self { alignment: DEFAULT_ALIGNMENT, metadata: Vec::new(), tensors: Vec::new() }
    }
}

impl Header {
    /// A header without metadata and tensors, with the usual alignment.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets a value; a key that is there already keeps its place and gets the new value.
    pub fn set<T: Encode + ?Sized>(&mut self, key: &str, value: &T) -> &mut Self {
        let mut bytes = Vec::new();
        value.encode(&mut bytes);
        self.put(key, T::TYPE, bytes)
    }

    /// Copies a value out of another file.
    pub fn copy(&mut self, key: &str, value: &Value<'_>) -> &mut Self {
        let mut bytes = Vec::new();
        encode_value(value, &mut bytes);
        self.put(key, value.value_type(), bytes)
    }

    /// Sets the alignment of the tensors: a power of two, 32 if this is not called.
    pub fn align(&mut self, alignment: u32) -> &mut Self {
        self.alignment = alignment;
        self.set(super::ALIGNMENT_KEY, &alignment)
    }

    /// Announces a tensor; `shape` is slowest first: a weight matrix is `[outputs, inputs]`.
    pub fn declare(&mut self, name: &str, dtype: DType, shape: &[usize]) -> &mut Self {
        self.tensors.push(Declared { name: name.to_owned(), dtype, shape: shape.to_vec() });
        self
    }

    fn put(&mut self, key: &str, value_type: ValueType, bytes: Vec<u8>) -> &mut Self {
        let entry = Entry { key: key.to_owned(), value_type, bytes };
        match self.metadata.iter_mut().find(|existing| existing.key == key) {
            Some(existing) => *existing = entry,
            None => self.metadata.push(entry),
        }
        self
    }

    /// The bytes up to the first tensor's.
    ///
    /// # Errors
    /// When the alignment or a shape is not possible, or two tensors have one name.
    pub fn encode(&self) -> Result<Vec<u8>, FormatError> {
        self.check()?;
        let mut out = Vec::new();
        out.extend_from_slice(&MAGIC);
        out.extend_from_slice(&3_u32.to_le_bytes());
        out.extend_from_slice(&(self.tensors.len() as u64).to_le_bytes());
        out.extend_from_slice(&(self.metadata.len() as u64).to_le_bytes());
        for entry in &self.metadata {
            put_string(&mut out, entry.key.as_bytes());
            out.extend_from_slice(&entry.value_type.id().to_le_bytes());
            out.extend_from_slice(&entry.bytes);
        }
        self.encode_tensors(&mut out)?;
        out.resize(out.len() + self.padding(out.len())?, 0);
        Ok(out)
    }

    fn encode_tensors(&self, out: &mut Vec<u8>) -> Result<(), FormatError> {
        let mut offset = 0;
        for tensor in &self.tensors {
            put_string(out, tensor.name.as_bytes());
            out.extend_from_slice(&(tensor.shape.len() as u32).to_le_bytes());
            for &size in tensor.shape.iter().rev() {
                out.extend_from_slice(&(size as u64).to_le_bytes());
            }
            out.extend_from_slice(&tensor.dtype.gguf_id().to_le_bytes());
            out.extend_from_slice(&(offset as u64).to_le_bytes());
            let len = tensor.len()?;
            offset += len + self.padding(len)?;
        }
        Ok(())
    }

    fn check(&self) -> Result<(), FormatError> {
        super::check_alignment(self.alignment.into())?;
        let mut names = HashSet::new();
        let twice = self.tensors.iter().find(|tensor| !names.insert(&tensor.name));
        match twice {
            Some(tensor) => Err(FormatError::at_tensor(&tensor.name, Problem::Duplicate)),
            None => Ok(()),
        }
    }

    /// Bytes to add after `len` ones so that what follows is aligned.
    fn padding(&self, len: usize) -> Result<usize, FormatError> {
        let end = align_up(len as u64, self.alignment.into()).unwrap_or(0);
        let end = usize::try_from(end).unwrap_or(0);
        end.checked_sub(len).ok_or_else(|| {
            let problem = Problem::TooMany { what: "bytes", count: len as u64, limit: len as u64 };
            FormatError::new(problem).item(Item::Part("header"))
        })
    }

    /// Writes the header; the tensors' bytes follow through the sink.
    ///
    /// # Errors
    /// What [`Header::encode`] finds (as [`io::ErrorKind::InvalidInput`]), and what `out` reports.
    pub fn begin<W: Write>(self, mut out: W) -> io::Result<TensorSink<W>> {
        out.write_all(&self.encode().map_err(invalid)?)?;
        Ok(TensorSink { header: self, out, next: 0 })
    }
}

fn invalid(error: FormatError) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, error)
}

/// Takes the bytes of the declared tensors, in the order in which they were declared.
#[derive(Debug)]
pub struct TensorSink<W> {
    header: Header,
    out: W,
    next: usize,
}

impl<W: Write> TensorSink<W> {
    /// Writes the bytes of the next tensor.
    ///
    /// # Errors
    /// When the bytes are not as many as were declared, and what the output reports.
    pub fn write(&mut self, data: &[u8]) -> io::Result<()> {
        let padding = self.check_next(data).map_err(invalid)?;
        self.next += 1;
        self.out.write_all(data)?;
        self.out.write_all(&vec![0; padding])
    }

    fn check_next(&self, data: &[u8]) -> Result<usize, FormatError> {
        let Some(tensor) = self.header.tensors.get(self.next) else {
            return Err(FormatError::new(count_mismatch(self.next + 1, self.next)));
        };
        let expected = tensor.len()?;
        if data.len() != expected {
            let problem = Problem::Mismatch {
                found: format!("{} bytes long", data.len()),
                expected: format!("{expected} bytes"),
                reason: "its declared shape".into(),
            };
            return Err(FormatError::at_tensor(&tensor.name, problem));
        }
        self.header.padding(data.len())
    }

    /// Ends the file and gives the output back.
    ///
    /// # Errors
    /// When tensors are missing, and what the output reports.
    pub fn finish(mut self) -> io::Result<W> {
        let declared = self.header.tensors.len();
        if self.next != declared {
            return Err(invalid(FormatError::new(count_mismatch(self.next, declared))));
        }
        self.out.flush()?;
        Ok(self.out)
    }
}

fn count_mismatch(written: usize, declared: usize) -> Problem {
    let found = format!("a file with {written} tensors");
    Problem::Mismatch { found, expected: declared.to_string(), reason: "the header".into() }
}

/// Builds a GGUF file in memory.
///
/// ```
/// use tenfold_core::DType;
/// use tenfold_formats::gguf::{Gguf, write::Builder};
///
/// let mut builder = Builder::new();
/// builder.set("general.architecture", "llama").set("tokenizer.ggml.tokens", &["a", "b"]);
/// builder.tensor("token_embd.weight", DType::F32, &[2, 4], vec![0; 32]);
/// let bytes = builder.to_bytes()?;
/// assert_eq!(Gguf::parse(&bytes)?.str("general.architecture")?, Some("llama"));
/// # Ok::<(), tenfold_formats::FormatError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Builder<'a> {
    header: Header,
    data: Vec<Cow<'a, [u8]>>,
}

impl<'a> Builder<'a> {
    /// A file without metadata and tensors.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets a value; a key that is there already keeps its place and gets the new value.
    pub fn set<T: Encode + ?Sized>(&mut self, key: &str, value: &T) -> &mut Self {
        self.header.set(key, value);
        self
    }

    /// Copies a value out of another file.
    pub fn copy(&mut self, key: &str, value: &Value<'_>) -> &mut Self {
        self.header.copy(key, value);
        self
    }

    /// Sets the alignment of the tensors: a power of two, 32 if this is not called.
    pub fn align(&mut self, alignment: u32) -> &mut Self {
        self.header.align(alignment);
        self
    }

    /// Adds a tensor; `shape` is slowest first: a weight matrix is `[outputs, inputs]`.
    pub fn tensor(
        &mut self,
        name: &str,
        dtype: DType,
        shape: &[usize],
        data: impl Into<Cow<'a, [u8]>>,
    ) -> &mut Self {
        self.header.declare(name, dtype, shape);
        self.data.push(data.into());
        self
    }

    /// The file.
    ///
    /// # Errors
    /// When a shape is not possible, does not agree with its bytes, or a name occurs twice.
    pub fn to_bytes(&self) -> Result<Vec<u8>, FormatError> {
        let mut bytes = Vec::new();
        self.write_to(&mut bytes).map_err(|error| match error.downcast::<FormatError>() {
            Ok(error) => error,
            // Writing to memory reports nothing else.
            Err(other) => FormatError::new(Problem::Unsupported { what: other.to_string() }),
        })?;
        Ok(bytes)
    }

    /// Writes the file.
    ///
    /// # Errors
    /// As [`Builder::to_bytes`] (as [`io::ErrorKind::InvalidInput`]), and what `out` reports.
    pub fn write_to<W: Write>(&self, out: W) -> io::Result<()> {
        let mut sink = self.header.clone().begin(out)?;
        self.data.iter().try_for_each(|data| sink.write(data))?;
        sink.finish().map(drop)
    }
}
