//! Gemma 2: Gemma with norms on both sides, soft caps, and every other layer sliding.

use tenfold_core::Unsupported;
use tenfold_formats::ModelConfig;
use tenfold_kernels::ops::Activation;

use crate::plan::{Plan, Residual};

pub(super) fn plan(config: &ModelConfig) -> Result<Plan, Unsupported> {
    Ok(Plan {
        embedding_scale: (config.embedding_length as f32).sqrt(),
        activation: Activation::GeluTanh,
        residual: Residual::PostNormed,
        attention_soft_cap: config.attention_soft_cap,
        final_soft_cap: config.final_soft_cap,
        ..Plan::plain(config)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arch::tests::description;

    #[test]
    fn even_layers_slide_and_odd_ones_look_back_all_the_way() {
        let mut gemma = description("gemma2");
        gemma.config.sliding_window = Some(4096);
        gemma.config.sliding_window_pattern = Some(2);
        gemma.config.attention_soft_cap = Some(50.0);
        let plan = plan(&gemma.config).unwrap();
        let windows: Vec<_> = (0..4).map(|layer| plan.windows.at(layer)).collect();
        assert_eq!(windows, [Some(4096), None, Some(4096), None]);
        assert_eq!(plan.attention_soft_cap, Some(50.0));
        assert_eq!(plan.embedding_scale, 8.0);
    }
}
