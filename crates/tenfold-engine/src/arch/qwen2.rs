//! Qwen 2 and 2.5: Llama with biases on queries, keys and values.
//!
//! Biases are read wherever a file has them, so nothing here says so.

use tenfold_core::Unsupported;
use tenfold_formats::ModelConfig;

use super::activation;
use crate::plan::Plan;

pub(super) fn plan(config: &ModelConfig) -> Result<Plan, Unsupported> {
    Ok(Plan { activation: activation(config)?, ..Plan::plain(config) })
}
