//! The elements of a metadata array, converted one by one.

use super::parse::wrong_type;
use super::value::{Array, Value};
use crate::error::{FormatError, Problem};

/// Elements of an array under one key; an element of another type is an error that says which.
#[derive(Clone, Debug)]
pub struct Items<'a, T> {
    key: String,
    array: Array<'a>,
    expected: &'static str,
    convert: fn(&Value<'a>) -> Option<T>,
}

impl<'a, T: 'a> Items<'a, T> {
    pub(super) fn new(
        key: &str,
        array: Array<'a>,
        expected: &'static str,
        convert: fn(&Value<'a>) -> Option<T>,
    ) -> Self {
        Self { key: key.to_owned(), array, expected, convert }
    }

    /// How many elements there are.
    pub fn len(&self) -> usize {
        self.array.len()
    }

    /// True if there are none.
    pub fn is_empty(&self) -> bool {
        self.array.is_empty()
    }

    /// The elements in order.
    pub fn iter(&self) -> impl Iterator<Item = Result<T, FormatError>> + '_ {
        self.array
            .iter()
            .enumerate()
            .map(|(index, value)| (self.convert)(&value).ok_or_else(|| self.wrong(index, &value)))
    }

    /// All elements at once.
    ///
    /// # Errors
    /// When an element has another type.
    pub fn to_vec(&self) -> Result<Vec<T>, FormatError> {
        self.iter().collect()
    }

    fn wrong(&self, index: usize, value: &Value<'_>) -> FormatError {
        let problem = match value {
            Value::String(bytes) if std::str::from_utf8(bytes).is_err() => Problem::NotUtf8,
            other => wrong_type(self.expected, other),
        };
        FormatError::at_key(format!("{}[{index}]", self.key), problem)
    }
}
