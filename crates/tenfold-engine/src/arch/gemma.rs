//! Gemma 1: embeddings scaled by the root of their length, GELU.
//!
//! What a file names as its activation is left aside in the Gemma families: published
//! configurations say `gelu` and mean the `tanh` formula.

use tenfold_core::Unsupported;
use tenfold_formats::ModelConfig;
use tenfold_kernels::ops::Activation;

use crate::plan::Plan;

pub(super) fn plan(config: &ModelConfig) -> Result<Plan, Unsupported> {
    let embedding_scale = (config.embedding_length as f32).sqrt();
    Ok(Plan { embedding_scale, activation: Activation::GeluTanh, ..Plan::plain(config) })
}
