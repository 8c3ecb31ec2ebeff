//! GGUF, llama.cpp's single-file format: versions 2 and 3, little-endian.
//!
//! ```text
//! magic, version, counts | metadata: key, type, value … | tensors: name, shape, dtype, offset … | data
//! ```

mod items;
mod names;
mod parse;
mod shards;
mod tensor;
mod value;
pub mod write;

pub use items::Items;
pub use names::file_type_name;
pub use parse::Gguf;
pub use shards::GgufFiles;
pub use tensor::Tensor;
pub use value::{Array, Value, ValueType};

use tensor::{check_alignment, tensor_bytes};

/// The first bytes of every GGUF file.
pub const MAGIC: [u8; 4] = *b"GGUF";

/// The alignment of tensors in files that do not say otherwise.
pub const DEFAULT_ALIGNMENT: u32 = 32;

const ALIGNMENT_KEY: &str = "general.alignment";
