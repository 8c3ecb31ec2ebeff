//! safetensors: a JSON header that says where each tensor lies, then the tensors.
//!
//! ```text
//! length of the header (u64) | {"name": {"dtype", "shape", "data_offsets"}, …} | data
//! ```

mod dtype;
mod header;
mod index;
mod parse;
pub mod write;

pub use dtype::Dtype;
pub use index::Index;
pub use parse::{Safetensors, Tensor};

/// Largest header that the format allows.
const MAX_HEADER: u64 = 100_000_000;

/// The key of the header that holds texts instead of a tensor.
const METADATA_KEY: &str = "__metadata__";
