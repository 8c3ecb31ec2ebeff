//! The table of tiny models: one row for each architecture and each of its variants.

use tenfold_formats::{ModelConfig, RopeConfig, RopeLayout, RopeScaling};

use super::TinyVocabulary;

/// What a tiny model is.
#[derive(Clone, Debug, PartialEq)]
pub struct TinySpec {
    /// Short name, such as `gemma3` or `llama-linear`.
    pub name: &'static str,
    /// Architecture by its GGUF name.
    pub architecture: &'static str,
    /// Architecture by its name in `config.json`.
    pub model_type: &'static str,
    /// Hyperparameters as a Hugging Face folder means them: RoPE in halves, Gemma's norm weights
    /// without the one. The vocabulary's size is filled in when the model is made.
    pub config: ModelConfig,
    /// The vocabulary.
    pub vocabulary: TinyVocabulary,
    /// The embedding is the output matrix, too.
    pub tied: bool,
    /// Queries, keys and values have biases.
    pub qkv_bias: bool,
    /// Queries and keys are normed.
    pub qk_norm: bool,
    /// Chooses the weights.
    pub seed: u64,
}

/// Every tiny model.
pub fn all() -> Vec<TinySpec> {
    [llamas(), qwens(), gemmas(), others()].concat()
}

/// The tiny model with this name.
pub fn find(name: &str) -> Option<TinySpec> {
    all().into_iter().find(|spec| spec.name == name)
}

impl TinySpec {
    /// The same kind of model with rows of 256 numbers, for formats that come in such blocks.
    #[must_use]
    pub fn wide(mut self) -> Self {
        let config = &mut self.config;
        config.embedding_length *= 4;
        config.feed_forward_length *= 4;
        config.heads *= 2;
        config.kv_heads *= 2;
        config.key_length *= 2;
        config.value_length *= 2;
        config.rope.dimensions *= 2;
        let scale = 1.0 / (config.key_length as f32).sqrt();
        config.attention_scale = config.attention_scale.map(|_| scale);
        widen_tables(&mut config.rope.scaling);
        self
    }
}

/// Phi 3's tables have one number for each rotated pair.
fn widen_tables(scaling: &mut RopeScaling) {
    if let RopeScaling::LongRope { short, long, .. } = scaling {
        for table in [short, long] {
            *table = table.iter().flat_map(|&factor| [factor, factor]).collect();
        }
    }
}

/// What most rows share.
fn base() -> TinySpec {
    let rope = RopeConfig {
        dimensions: 16,
        theta: 10_000.0,
        local_theta: None,
        layout: RopeLayout::Halves,
        scaling: RopeScaling::None,
    };
    let config = ModelConfig {
        context_length: 512,
        embedding_length: 64,
        layers: 3,
        feed_forward_length: 128,
        heads: 4,
        kv_heads: 4,
        key_length: 16,
        value_length: 16,
        norm_epsilon: 1e-5,
        rope,
        activation: Some("silu".to_owned()),
        ..ModelConfig::default()
    };
    TinySpec {
        name: "",
        architecture: "llama",
        model_type: "llama",
        config,
        vocabulary: TinyVocabulary::Llama,
        tied: false,
        qkv_bias: false,
        qk_norm: false,
        seed: 1,
    }
}

/// The row with other hyperparameters.
fn with(mut spec: TinySpec, change: impl FnOnce(&mut ModelConfig)) -> TinySpec {
    change(&mut spec.config);
    spec
}

fn llamas() -> Vec<TinySpec> {
    let llama = TinySpec { name: "llama", ..base() };
    let gqa = TinySpec { vocabulary: TinyVocabulary::Bpe("llama-bpe"), tied: true, ..base() };
    let mistral = TinySpec { name: "mistral", model_type: "mistral", seed: 4, ..base() };
    vec![
        llama,
        with(TinySpec { name: "llama-gqa", seed: 2, ..gqa.clone() }, |config| {
            config.kv_heads = 2;
            config.rope.theta = 500_000.0;
            config.rope.scaling = RopeScaling::Llama3 {
                factor: 8.0,
                low_freq_factor: 1.0,
                high_freq_factor: 4.0,
                original_context: 128,
            };
        }),
        with(TinySpec { name: "llama-linear", seed: 3, tied: false, ..gqa }, |config| {
            config.kv_heads = 1;
            config.layers = 2;
            config.rope.scaling = RopeScaling::Linear { factor: 2.0 };
        }),
        with(mistral, |config| {
            config.kv_heads = 2;
            config.sliding_window = Some(8);
        }),
    ]
}

fn qwens() -> Vec<TinySpec> {
    let qwen = TinySpec { vocabulary: TinyVocabulary::Bpe("qwen2"), ..base() };
    let qwen2 =
        TinySpec { architecture: "qwen2", model_type: "qwen2", qkv_bias: true, ..qwen.clone() };
    let qwen3 = TinySpec { architecture: "qwen3", model_type: "qwen3", qk_norm: true, ..qwen };
    let common = |config: &mut ModelConfig| {
        config.kv_heads = 2;
        config.rope.theta = 1_000_000.0;
        config.norm_epsilon = 1e-6;
    };
    vec![
        with(TinySpec { name: "qwen2", seed: 5, ..qwen2.clone() }, common),
        with(TinySpec { name: "qwen2-yarn", seed: 6, tied: true, ..qwen2 }, |config| {
            common(config);
            config.layers = 2;
            config.rope.scaling = RopeScaling::Yarn {
                factor: 4.0,
                original_context: 128,
                beta_fast: 32.0,
                beta_slow: 1.0,
                attention_factor: None,
            };
        }),
        with(TinySpec { name: "qwen3", seed: 7, tied: true, ..qwen3 }, |config| {
            common(config);
            set_head_length(config, 32);
        }),
    ]
}

fn gemmas() -> Vec<TinySpec> {
    let gemma = TinySpec {
        name: "gemma",
        architecture: "gemma",
        model_type: "gemma",
        vocabulary: TinyVocabulary::Gemma,
        tied: true,
        seed: 8,
        ..base()
    };
    let gemma = with(gemma, |config| {
        set_head_length(config, 32);
        config.kv_heads = 1;
        config.norm_epsilon = 1e-6;
        config.norm_weight_offset = 1.0;
        config.activation = Some("gelu_pytorch_tanh".to_owned());
    });
    let named = |name, seed| TinySpec {
        name,
        architecture: if name == "gemma2" { "gemma2" } else { "gemma3" },
        model_type: if name == "gemma2" { "gemma2" } else { "gemma3_text" },
        seed,
        ..gemma.clone()
    };
    let gemma2 = with(named("gemma2", 9), |config| {
        config.layers = 4;
        config.kv_heads = 2;
        config.sliding_window = Some(8);
        config.sliding_window_pattern = Some(2);
        config.attention_soft_cap = Some(50.0);
        config.final_soft_cap = Some(30.0);
        config.attention_scale = Some(1.0 / 32.0_f32.sqrt());
    });
    let gemma3 = |name, seed| {
        with(TinySpec { qk_norm: true, ..named(name, seed) }, |config| {
            config.layers = 6;
            config.sliding_window = Some(8);
            config.sliding_window_pattern = Some(6);
            config.rope.theta = 1_000_000.0;
            config.rope.local_theta = Some(10_000.0);
            config.attention_scale = Some(1.0 / 32.0_f32.sqrt());
        })
    };
    let linear = with(gemma3("gemma3-linear", 11), |config| {
        config.rope.scaling = RopeScaling::Linear { factor: 8.0 };
    });
    vec![gemma.clone(), gemma2, gemma3("gemma3", 10), linear]
}

fn others() -> Vec<TinySpec> {
    let phi3 = TinySpec {
        architecture: "phi3",
        model_type: "phi3",
        vocabulary: TinyVocabulary::Phi3,
        ..base()
    };
    let stablelm = TinySpec {
        architecture: "stablelm",
        model_type: "stablelm",
        vocabulary: TinyVocabulary::Bpe("stablelm2"),
        qkv_bias: true,
        ..base()
    };
    let stablelm = with(stablelm, |config| config.rope.dimensions = 4);
    vec![
        TinySpec { name: "phi3", seed: 12, ..phi3.clone() },
        with(TinySpec { name: "phi3-longrope", seed: 13, ..phi3 }, |config| {
            config.kv_heads = 2;
            config.layers = 2;
            config.context_length = 1024;
            config.rope.scaling = RopeScaling::LongRope {
                short: vec![1.0, 1.05, 1.1, 1.2, 1.3, 1.5, 1.7, 2.0],
                long: vec![1.1, 1.5, 2.0, 2.5, 3.0, 4.0, 6.0, 8.0],
                original_context: 256,
                attention_factor: None,
            };
        }),
        TinySpec { name: "stablelm", seed: 14, ..stablelm.clone() },
        with(
            TinySpec {
                name: "stablelm-parallel",
                seed: 15,
                qkv_bias: false,
                qk_norm: true,
                ..stablelm
            },
            |config| {
                config.kv_heads = 2;
                config.parallel_residual = true;
            },
        ),
    ]
}

fn set_head_length(config: &mut ModelConfig, length: usize) {
    config.key_length = length;
    config.value_length = length;
    config.rope.dimensions = length;
}
