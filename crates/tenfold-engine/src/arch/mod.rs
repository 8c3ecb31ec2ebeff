//! The model families, one file each, and the table that finds them.
//!
//! A family turns the hyperparameters of a file into a [`Plan`]. To add one: write its file, add a
//! row to [`FAMILIES`], and give it a case in the golden tests.

mod gemma;
mod gemma2;
mod gemma3;
mod llama;
mod phi3;
mod qwen2;
mod qwen3;
mod stablelm;

use tenfold_core::Unsupported;
use tenfold_formats::ModelConfig;
use tenfold_kernels::ops::Activation;

use crate::plan::Plan;

/// One model family.
pub(crate) struct Family {
    /// Architecture by its GGUF name.
    pub(crate) name: &'static str,
    /// What it does with its hyperparameters.
    pub(crate) plan: fn(&ModelConfig) -> Result<Plan, Unsupported>,
}

/// Every family, by the GGUF name of its architecture.
pub(crate) const FAMILIES: &[Family] = &[
    Family { name: "llama", plan: llama::plan },
    Family { name: "qwen2", plan: qwen2::plan },
    Family { name: "qwen3", plan: qwen3::plan },
    Family { name: "gemma", plan: gemma::plan },
    Family { name: "gemma2", plan: gemma2::plan },
    Family { name: "gemma3", plan: gemma3::plan },
    Family { name: "phi3", plan: phi3::plan },
    Family { name: "stablelm", plan: stablelm::plan },
];

/// The family of this architecture.
pub(crate) fn find(architecture: &str) -> Result<&'static Family, Unsupported> {
    FAMILIES.iter().find(|family| family.name == architecture).ok_or_else(|| {
        let known: Vec<&str> = FAMILIES.iter().map(|family| family.name).collect();
        Unsupported::new(
            format!("architecture {architecture:?}"),
            format!("the native engine knows {}", known.join(", ")),
        )
        .with_remedy("run the model with another backend")
    })
}

/// The activation that the file names, or SiLU if it names none.
fn activation(config: &ModelConfig) -> Result<Activation, Unsupported> {
    match config.activation.as_deref() {
        None | Some("silu" | "swish") => Ok(Activation::Silu),
        Some("gelu_pytorch_tanh" | "gelu_new") => Ok(Activation::GeluTanh),
        Some("relu") => Ok(Activation::Relu),
        Some(other) => Err(Unsupported::new(
            format!("activation {other:?}"),
            "the native engine knows silu, gelu_pytorch_tanh and relu",
        )),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use tenfold_core::ModelFormat;
    use tenfold_formats::{ModelDescription, RopeConfig, TensorTable};

    use super::*;

    /// A description with sizes and no tensors.
    pub(crate) fn description(architecture: &str) -> ModelDescription {
        let config = ModelConfig {
            vocabulary_size: 32,
            context_length: 128,
            embedding_length: 64,
            layers: 6,
            feed_forward_length: 96,
            heads: 4,
            kv_heads: 2,
            key_length: 16,
            value_length: 16,
            norm_epsilon: 1e-5,
            rope: RopeConfig { dimensions: 16, theta: 10_000.0, ..RopeConfig::default() },
            ..ModelConfig::default()
        };
        ModelDescription {
            format: ModelFormat::Gguf,
            architecture: architecture.into(),
            title: None,
            license: None,
            quantization: None,
            config,
            tensors: TensorTable::default(),
            vocabulary: None,
            chat_template: None,
        }
    }

    #[test]
    fn every_family_makes_a_plan_of_the_sizes_that_the_file_states() {
        for family in FAMILIES {
            let config = description(family.name).config;
            let plan = (find(family.name).unwrap().plan)(&config).unwrap();
            assert_eq!(plan.sizes.hidden, 64, "{}", family.name);
            assert_eq!(plan.sizes.qkv_row(), 128, "{}", family.name);
            assert_eq!(plan.attention_scale, 0.25, "{}", family.name);
        }
    }

    #[test]
    fn an_unknown_architecture_is_named_with_what_is_known() {
        let error = find("rwkv7").map(|family| family.name).unwrap_err();
        assert!(error.what.contains("rwkv7"));
        assert!(error.reason.contains("stablelm"));
        assert!(error.remedy.is_some());
    }
}
