//! Gemma 3 (text): Gemma 2 with normed heads instead of soft caps, and a rope of their own for the
//! sliding layers, five to a global one.

use tenfold_core::Unsupported;
use tenfold_formats::{ModelConfig, RopeConfig, RopeScaling};
use tenfold_kernels::ops::Activation;

use crate::plan::{HeadNorm, Plan, Residual};

pub(super) fn plan(config: &ModelConfig) -> Result<Plan, Unsupported> {
    let local_rope = config.rope.local_theta.map(|theta| RopeConfig {
        theta,
        scaling: RopeScaling::None,
        ..config.rope.clone()
    });
    Ok(Plan {
        embedding_scale: (config.embedding_length as f32).sqrt(),
        activation: Activation::GeluTanh,
        residual: Residual::PostNormed,
        head_norm: HeadNorm::Shared,
        attention_soft_cap: config.attention_soft_cap,
        local_rope,
        final_soft_cap: config.final_soft_cap,
        ..Plan::plain(config)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arch::tests::description;

    #[test]
    fn sliding_layers_have_an_unscaled_rope_of_their_own() {
        let mut model = description("gemma3");
        model.config.sliding_window = Some(512);
        model.config.sliding_window_pattern = Some(6);
        model.config.rope.theta = 1e6;
        model.config.rope.local_theta = Some(1e4);
        model.config.rope.scaling = RopeScaling::Linear { factor: 8.0 };
        let plan = plan(&model.config).unwrap();
        let local: Vec<bool> = (0..6).map(|layer| plan.is_local(layer)).collect();
        assert_eq!(local, [true, true, true, true, true, false]);
        assert_eq!(plan.rope.scaling, RopeScaling::Linear { factor: 8.0 });
        let local = plan.local_rope.unwrap();
        assert_eq!((local.theta, local.scaling), (1e4, RopeScaling::None));
    }
}
