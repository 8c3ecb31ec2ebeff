//! From the header of a weight format to the one [`ModelDescription`].
//!
//! ```text
//! GGUF metadata      ─┐
//! config.json        ─┴→ ModelConfig ─┐
//! tensor names, ranges ───────────────┴→ check → ModelDescription
//! ```

mod check;
mod family;
mod gguf;
mod names;
mod rope;
mod safetensors;
mod vocabulary;

pub use self::gguf::{describe_gguf, describe_gguf_files};
pub use safetensors::{SafetensorsModel, describe_safetensors};
pub use vocabulary::vocabulary;

use tenfold_core::DType;

use crate::ModelDescription;

/// The number format that takes most bytes, by name.
fn main_dtype(description: &ModelDescription) -> Option<String> {
    description.tensors.main_dtype().map(DType::name).map(str::to_owned)
}
