//! Writing safetensors files.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::{self, Write};

use serde_json::{Map, Value, json};

use super::{Dtype, METADATA_KEY};
use crate::error::{FormatError, Problem};

/// Builds a safetensors file in memory.
///
/// ```
/// use tenfold_formats::safetensors::{Dtype, Safetensors, write::Builder};
///
/// let mut builder = Builder::new();
/// builder.tensor("model.norm.weight", Dtype::F32, &[4], vec![0; 16]);
/// let bytes = builder.to_bytes()?;
/// assert_eq!(Safetensors::parse(&bytes)?.tensors()[0].shape, [4]);
/// # Ok::<(), tenfold_formats::FormatError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Builder<'a> {
    metadata: BTreeMap<String, String>,
    tensors: BTreeMap<String, Source<'a>>,
}

#[derive(Clone, Debug)]
struct Source<'a> {
    dtype: Dtype,
    shape: Vec<usize>,
    data: Cow<'a, [u8]>,
}

impl<'a> Builder<'a> {
    /// A file without tensors.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a text about the file.
    pub fn metadata(&mut self, key: &str, text: &str) -> &mut Self {
        self.metadata.insert(key.to_owned(), text.to_owned());
        self
    }

    /// Adds a tensor, or replaces the one of this name; `shape` is slowest first.
    pub fn tensor(
        &mut self,
        name: &str,
        dtype: Dtype,
        shape: &[usize],
        data: impl Into<Cow<'a, [u8]>>,
    ) -> &mut Self {
        let source = Source { dtype, shape: shape.to_vec(), data: data.into() };
        self.tensors.insert(name.to_owned(), source);
        self
    }

    /// The file.
    ///
    /// # Errors
    /// When the shape of a tensor does not agree with its bytes.
    pub fn to_bytes(&self) -> Result<Vec<u8>, FormatError> {
        let mut bytes = self.header()?;
        self.ordered().iter().for_each(|(_, source)| bytes.extend_from_slice(&source.data));
        Ok(bytes)
    }

    /// Writes the file.
    ///
    /// # Errors
    /// As [`Builder::to_bytes`] (as [`io::ErrorKind::InvalidInput`]), and what `out` reports.
    pub fn write_to<W: Write>(&self, mut out: W) -> io::Result<()> {
        let header =
            self.header().map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
        out.write_all(&header)?;
        self.ordered().iter().try_for_each(|(_, source)| out.write_all(&source.data))?;
        out.flush()
    }

    /// Wide numbers first, so that each tensor is aligned for its format.
    fn ordered(&self) -> Vec<(&String, &Source<'a>)> {
        let mut tensors: Vec<_> = self.tensors.iter().collect();
        tensors.sort_by_key(|(_, source)| std::cmp::Reverse(source.dtype.bits()));
        tensors
    }

    /// The length and the header, padded so that the data begins at a multiple of 8.
    fn header(&self) -> Result<Vec<u8>, FormatError> {
        let mut header = Map::new();
        if !self.metadata.is_empty() {
            header.insert(METADATA_KEY.to_owned(), json!(self.metadata));
        }
        let mut offset = 0;
        for (name, source) in self.ordered() {
            source.check().map_err(|problem| FormatError::at_tensor(name, problem))?;
            let end = offset + source.data.len();
            let entry = json!({
                "dtype": source.dtype.name(), "shape": source.shape, "data_offsets": [offset, end]
            });
            header.insert(name.clone(), entry);
            offset = end;
        }
        let mut text = Value::Object(header).to_string();
        text.extend(std::iter::repeat_n(' ', text.len().next_multiple_of(8) - text.len()));
        Ok([&(text.len() as u64).to_le_bytes()[..], text.as_bytes()].concat())
    }
}

impl Source<'_> {
    fn check(&self) -> Result<(), Problem> {
        let shape: Vec<u64> = self.shape.iter().map(|&size| size as u64).collect();
        let expected = self.dtype.bytes_for(&shape);
        if expected == Some(self.data.len() as u64) {
            return Ok(());
        }
        Err(Problem::Mismatch {
            found: format!("{} bytes long", self.data.len()),
            expected: expected.map_or("a whole number of".into(), |len| format!("{len} bytes")),
            reason: "its shape".into(),
        })
    }
}
