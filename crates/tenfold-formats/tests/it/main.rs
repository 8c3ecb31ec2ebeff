//! Tests through the public interface, in one program.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod gguf_goldens;
mod gguf_malformed;
mod gguf_models;
mod gguf_properties;
mod gguf_shards;
mod hf_goldens;
mod hf_models;
mod models;
mod raw;
mod safetensors_goldens;
mod safetensors_malformed;
mod safetensors_properties;
mod vocabulary;
