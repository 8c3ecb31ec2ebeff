//! Metadata values as they lie in the file.

use crate::bytes::Reader;
use crate::error::{FormatError, Problem};

/// Deepest arrays of arrays that are read; real files have none.
const MAX_DEPTH: usize = 4;

macro_rules! value_types {
    ($($(#[$doc:meta])* $name:ident $id:literal $text:literal $size:expr;)*) => {
        /// The type of a metadata value.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum ValueType { $($(#[$doc])* $name,)* }

        impl ValueType {
            /// The type with this number in files.
            pub const fn from_id(id: u32) -> Option<Self> {
                match id { $($id => Some(Self::$name),)* _ => None }
            }

            /// Its number in files.
            pub const fn id(self) -> u32 {
                match self { $(Self::$name => $id,)* }
            }

            /// Its name for people.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// Bytes of one value, where all values of the type have the same size.
            pub const fn size(self) -> Option<usize> {
                match self { $(Self::$name => $size,)* }
            }
        }
    };
}

value_types! {
    /// Unsigned, 8 bits.
    U8 0 "u8" Some(1);
    /// Signed, 8 bits.
    I8 1 "i8" Some(1);
    /// Unsigned, 16 bits.
    U16 2 "u16" Some(2);
    /// Signed, 16 bits.
    I16 3 "i16" Some(2);
    /// Unsigned, 32 bits.
    U32 4 "u32" Some(4);
    /// Signed, 32 bits.
    I32 5 "i32" Some(4);
    /// IEEE float, 32 bits.
    F32 6 "f32" Some(4);
    /// True or false, one byte.
    Bool 7 "bool" Some(1);
    /// Text with its length.
    String 8 "string" None;
    /// Values of one type with their count.
    Array 9 "array" None;
    /// Unsigned, 64 bits.
    U64 10 "u64" Some(8);
    /// Signed, 64 bits.
    I64 11 "i64" Some(8);
    /// IEEE float, 64 bits.
    F64 12 "f64" Some(8);
}

impl ValueType {
    /// The fewest bytes that one value can take.
    const fn min_size(self) -> usize {
        match self.size() {
            Some(size) => size,
            None if matches!(self, Self::String) => 8,
            None => 12,
        }
    }
}

/// One metadata value. Strings and arrays borrow from the file.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value<'a> {
    /// Unsigned, 8 bits.
    U8(u8),
    /// Signed, 8 bits.
    I8(i8),
    /// Unsigned, 16 bits.
    U16(u16),
    /// Signed, 16 bits.
    I16(i16),
    /// Unsigned, 32 bits.
    U32(u32),
    /// Signed, 32 bits.
    I32(i32),
    /// IEEE float, 32 bits.
    F32(f32),
    /// True or false.
    Bool(bool),
    /// Text; meant to be UTF-8, which is checked when it is used as such.
    String(&'a [u8]),
    /// Values of one type.
    Array(Array<'a>),
    /// Unsigned, 64 bits.
    U64(u64),
    /// Signed, 64 bits.
    I64(i64),
    /// IEEE float, 64 bits.
    F64(f64),
}

impl<'a> Value<'a> {
    /// Its type.
    pub fn value_type(&self) -> ValueType {
        match self {
            Self::U8(_) => ValueType::U8,
            Self::I8(_) => ValueType::I8,
            Self::U16(_) => ValueType::U16,
            Self::I16(_) => ValueType::I16,
            Self::U32(_) => ValueType::U32,
            Self::I32(_) => ValueType::I32,
            Self::F32(_) => ValueType::F32,
            Self::Bool(_) => ValueType::Bool,
            Self::String(_) => ValueType::String,
            Self::Array(_) => ValueType::Array,
            Self::U64(_) => ValueType::U64,
            Self::I64(_) => ValueType::I64,
            Self::F64(_) => ValueType::F64,
        }
    }

    /// The value as an unsigned integer, if it is an integer and not negative.
    pub fn as_u64(&self) -> Option<u64> {
        match *self {
            Self::U8(value) => Some(value.into()),
            Self::U16(value) => Some(value.into()),
            Self::U32(value) => Some(value.into()),
            Self::U64(value) => Some(value),
            _ => self.as_i64().and_then(|value| value.try_into().ok()),
        }
    }

    /// The value as a signed integer, if it is an integer that fits.
    pub fn as_i64(&self) -> Option<i64> {
        match *self {
            Self::I8(value) => Some(value.into()),
            Self::I16(value) => Some(value.into()),
            Self::I32(value) => Some(value.into()),
            Self::I64(value) => Some(value),
            Self::U8(_) | Self::U16(_) | Self::U32(_) | Self::U64(_) => {
                self.as_u64().and_then(|value| value.try_into().ok())
            }
            _ => None,
        }
    }

    /// The value as a float, if it is one of either width.
    pub fn as_f64(&self) -> Option<f64> {
        match *self {
            Self::F32(value) => Some(value.into()),
            Self::F64(value) => Some(value),
            _ => None,
        }
    }

    /// The value as a float of 32 bits, if it is one of either width.
    pub fn as_f32(&self) -> Option<f32> {
        self.as_f64().map(|value| value as f32)
    }

    /// The value as true or false.
    pub fn as_bool(&self) -> Option<bool> {
        match *self {
            Self::Bool(value) => Some(value),
            _ => None,
        }
    }

    /// The bytes of a string.
    pub fn as_bytes(&self) -> Option<&'a [u8]> {
        match *self {
            Self::String(value) => Some(value),
            _ => None,
        }
    }

    /// The text of a string, if it is UTF-8.
    pub fn as_str(&self) -> Option<&'a str> {
        self.as_bytes().and_then(|bytes| std::str::from_utf8(bytes).ok())
    }

    /// The elements of an array.
    pub fn as_array(&self) -> Option<Array<'a>> {
        match *self {
            Self::Array(array) => Some(array),
            _ => None,
        }
    }
}

/// Values of one type, read from the file as they are asked for.
///
/// Everything in it was checked when the file was parsed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Array<'a> {
    element: ValueType,
    len: usize,
    bytes: &'a [u8],
}

impl<'a> Array<'a> {
    /// The type of the elements.
    pub fn element_type(&self) -> ValueType {
        self.element
    }

    /// How many elements there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// True if there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The elements in order.
    pub fn iter(&self) -> impl Iterator<Item = Value<'a>> + use<'a> {
        let (element, mut reader) = (self.element, Reader::new(self.bytes));
        (0..self.len).map_while(move |_| read_value(&mut reader, element).ok())
    }

    /// The bytes of an array of 8-bit integers.
    pub fn as_bytes(&self) -> Option<&'a [u8]> {
        matches!(self.element, ValueType::U8 | ValueType::I8).then_some(self.bytes)
    }

    /// The elements as they lie in the file.
    pub(super) fn raw(&self) -> &'a [u8] {
        self.bytes
    }
}

/// Reads one value of a known type.
pub(super) fn read_value<'a>(
    reader: &mut Reader<'a>,
    value_type: ValueType,
) -> Result<Value<'a>, FormatError> {
    read_nested(reader, value_type, 0)
}

fn read_nested<'a>(
    reader: &mut Reader<'a>,
    value_type: ValueType,
    depth: usize,
) -> Result<Value<'a>, FormatError> {
    Ok(match value_type {
        ValueType::U8 => Value::U8(u8::from_le_bytes(reader.array()?)),
        ValueType::I8 => Value::I8(i8::from_le_bytes(reader.array()?)),
        ValueType::U16 => Value::U16(u16::from_le_bytes(reader.array()?)),
        ValueType::I16 => Value::I16(i16::from_le_bytes(reader.array()?)),
        ValueType::U32 => Value::U32(reader.u32()?),
        ValueType::I32 => Value::I32(i32::from_le_bytes(reader.array()?)),
        ValueType::F32 => Value::F32(f32::from_le_bytes(reader.array()?)),
        ValueType::Bool => Value::Bool(read_bool(reader)?),
        ValueType::String => Value::String(reader.string()?),
        ValueType::Array => Value::Array(read_array(reader, depth)?),
        ValueType::U64 => Value::U64(reader.u64()?),
        ValueType::I64 => Value::I64(i64::from_le_bytes(reader.array()?)),
        ValueType::F64 => Value::F64(f64::from_le_bytes(reader.array()?)),
    })
}

fn read_bool(reader: &mut Reader<'_>) -> Result<bool, FormatError> {
    let offset = reader.offset();
    match reader.array()? {
        [0] => Ok(false),
        [1] => Ok(true),
        [other] => Err(FormatError::new(Problem::OutOfRange {
            value: other.to_string(),
            allowed: "0 or 1".into(),
        })
        .offset(offset)),
    }
}

/// Reads the number of a type.
pub(super) fn read_type(reader: &mut Reader<'_>) -> Result<ValueType, FormatError> {
    let offset = reader.offset();
    let id = reader.u32()?;
    ValueType::from_id(id)
        .ok_or_else(|| FormatError::new(Problem::UnknownValueType { id }).offset(offset))
}

fn read_array<'a>(reader: &mut Reader<'a>, depth: usize) -> Result<Array<'a>, FormatError> {
    let start = reader.offset();
    if depth == MAX_DEPTH {
        return Err(FormatError::new(Problem::NestedTooDeep { limit: MAX_DEPTH }).offset(start));
    }
    let element = read_type(reader)?;
    let len = reader.count("array elements", element.min_size())?;
    let data = reader.rest();
    let before = reader.offset();
    match element.size() {
        // Booleans have values that are not allowed, so they are looked at one by one.
        Some(size) if element != ValueType::Bool => {
            reader.take(len * size)?;
        }
        _ => {
            for _ in 0..len {
                read_nested(reader, element, depth + 1)?;
            }
        }
    }
    let bytes = data.get(..reader.offset() - before).unwrap_or_default();
    Ok(Array { element, len, bytes })
}
