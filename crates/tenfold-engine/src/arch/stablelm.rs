//! StableLM: Llama with layer norms and partial rotation; the 12B model norms each head with
//! weights of its own and runs attention and feed-forward network side by side.

use tenfold_core::Unsupported;
use tenfold_formats::ModelConfig;
use tenfold_kernels::ops::NormKind;

use super::activation;
use crate::plan::{HeadNorm, Plan, Residual};

pub(super) fn plan(config: &ModelConfig) -> Result<Plan, Unsupported> {
    Ok(Plan {
        norm: NormKind::Layer,
        head_norm: HeadNorm::PerHead,
        activation: activation(config)?,
        residual: if config.parallel_residual { Residual::Parallel } else { Residual::Sequential },
        ..Plan::plain(config)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arch::tests::description;

    #[test]
    fn only_the_12b_model_is_parallel() {
        let mut model = description("stablelm");
        assert_eq!(plan(&model.config).unwrap().residual, Residual::Sequential);
        model.config.parallel_residual = true;
        assert_eq!(plan(&model.config).unwrap().residual, Residual::Parallel);
    }
}
