//! Llama 1 to 3, and what shares its design: Mistral, SmolLM2, TinyLlama, Vicuna, DeepSeek distills.
//!
//! The plain decoder. Mistral's first version slides on every layer, which its files state.

use tenfold_core::Unsupported;
use tenfold_formats::ModelConfig;

use super::activation;
use crate::plan::Plan;

pub(super) fn plan(config: &ModelConfig) -> Result<Plan, Unsupported> {
    Ok(Plan { activation: activation(config)?, ..Plan::plain(config) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arch::tests::description;

    #[test]
    fn mistral_slides_on_every_layer() {
        let mut mistral = description("llama");
        mistral.config.sliding_window = Some(32);
        let plan = plan(&mistral.config).unwrap();
        assert!((0..6).all(|layer| plan.windows.at(layer) == Some(32)));
    }

    #[test]
    fn an_activation_that_is_not_there_is_refused() {
        let mut llama = description("llama");
        llama.config.activation = Some("relu2".into());
        assert!(plan(&llama.config).unwrap_err().what.contains("relu2"));
    }
}
