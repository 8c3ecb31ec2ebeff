//! Opens the files of a model: mapped, described, with tokenizer and chat template.
mod mapped;
pub use mapped::MappedFile;
