//! Qwen 3: Llama with normed query and key heads.

use tenfold_core::Unsupported;
use tenfold_formats::ModelConfig;

use super::activation;
use crate::plan::{HeadNorm, Plan};

pub(super) fn plan(config: &ModelConfig) -> Result<Plan, Unsupported> {
    Ok(Plan { head_norm: HeadNorm::Shared, activation: activation(config)?, ..Plan::plain(config) })
}
