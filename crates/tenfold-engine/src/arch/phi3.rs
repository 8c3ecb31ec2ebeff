//! Phi 3 and 4: Llama with fused matrices, partial rotation and two tables of rope factors.
//!
//! Fused matrices are read wherever a file has them, and the rest is in the rope's configuration.

use tenfold_core::Unsupported;
use tenfold_formats::ModelConfig;

use super::activation;
use crate::plan::Plan;

pub(super) fn plan(config: &ModelConfig) -> Result<Plan, Unsupported> {
    Ok(Plan { activation: activation(config)?, ..Plan::plain(config) })
}
