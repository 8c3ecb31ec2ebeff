//! Opens the files of a model: mapped, described, with tokenizer and chat template.
//!
//! Every backend that works with tokens needs the same four things out of a model's files, and gets
//! them here:
//!
//! ```text
//! ModelFiles -> OpenModel::open ─ description()  what the headers say
//!                               ─ shards()       the mapped bytes of the weights
//!                               ─ tokenizer()    from the GGUF file or tokenizer.json
//!                               ─ template()     the model's own, or a fallback that is said aloud
//! ```
//!
//! ```
//! # use tenfold_formats::gguf::write::Builder;
//! use std::collections::BTreeMap;
//! use tenfold_core::{ModelFiles, ModelFormat};
//! use tenfold_files::OpenModel;
//!
//! # let folder = tempfile::tempdir()?;
//! # let path = folder.path().join("model.gguf");
//! # let mut builder = Builder::new();
//! # builder.set("general.architecture", "llama").set("tokenizer.chat_template", "{{ messages }}");
//! # std::fs::write(&path, builder.to_bytes()?)?;
//! let files = ModelFiles {
//!     name: "my model".to_owned(),
//!     format: ModelFormat::Gguf,
//!     weights: vec![path],
//!     companions: BTreeMap::new(),
//! };
//! let model = OpenModel::open(&files)?;
//! assert_eq!(model.description().architecture, "llama");
//! assert!(model.info().has_chat_template);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! This crate knows nothing about where files come from, and about what a model computes.

mod mapped;
mod open;
mod template;

pub use mapped::MappedFile;
pub use open::OpenModel;
pub use template::OpenTemplate;
