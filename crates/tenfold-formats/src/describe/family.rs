//! What is known of the model families beyond what their files say.

use crate::{ModelConfig, RopeLayout};

/// Families whose descriptions are checked in full, by their GGUF names.
const KNOWN: [&str; 8] =
    ["llama", "qwen2", "qwen3", "gemma", "gemma2", "gemma3", "phi3", "stablelm"];

/// Architectures whose GGUF files rotate neighbouring numbers of a head.
const INTERLEAVED: [&str; 24] = [
    "llama",
    "llama4",
    "llada",
    "deci",
    "baichuan",
    "starcoder",
    "internlm2",
    "minicpm",
    "xverse",
    "command-r",
    "cohere2",
    "olmo",
    "arctic",
    "deepseek",
    "deepseek2",
    "plm",
    "chatglm",
    "granite",
    "granitemoe",
    "chameleon",
    "bailingmoe",
    "smollm3",
    "arcee",
    "mistral3",
];

/// Whether descriptions of this architecture are checked in full.
pub(super) fn is_known(architecture: &str) -> bool {
    KNOWN.contains(&architecture)
}

/// Which numbers of a head are rotated together in a GGUF file of this architecture.
pub(super) fn gguf_rope_layout(architecture: &str) -> RopeLayout {
    if INTERLEAVED.contains(&architecture) { RopeLayout::Interleaved } else { RopeLayout::Halves }
}

/// Fills in what GGUF files of a family leave to the reader to know.
pub(super) fn complete(architecture: &str, config: &mut ModelConfig) {
    match architecture {
        "gemma2" => complete_gemma2(config),
        "gemma3" => complete_gemma3(config),
        _ => {}
    }
}

fn complete_gemma2(config: &mut ModelConfig) {
    const LAYERS_OF_27B: usize = 46;
    config.sliding_window.get_or_insert(4096);
    config.sliding_window_pattern.get_or_insert(2);
    config.attention_soft_cap.get_or_insert(50.0);
    config.final_soft_cap.get_or_insert(30.0);
    if config.layers == LAYERS_OF_27B {
        scale_by_hidden_share(config);
    }
}

fn complete_gemma3(config: &mut ModelConfig) {
    const LAYERS_OF_27B: usize = 62;
    if config.sliding_window.is_some() {
        config.sliding_window_pattern.get_or_insert(6);
        config.rope.local_theta.get_or_insert(10_000.0);
    }
    if config.layers == LAYERS_OF_27B {
        scale_by_hidden_share(config);
    }
}

/// The 27B models divide scores by the hidden state's share of a head, which is not the length of
/// a head there.
fn scale_by_hidden_share(config: &mut ModelConfig) {
    let share = config.embedding_length.checked_div(config.heads);
    if let Some(share) = share.filter(|&share| share > 0) {
        config.attention_scale.get_or_insert((share as f32).sqrt().recip());
    }
}

/// What a family's `config.json` means where it is silent.
#[derive(Clone, Copy, Debug)]
pub(super) struct HfDefaults {
    pub(super) architecture: &'static str,
    pub(super) vocabulary_size: u64,
    pub(super) context_length: u64,
    pub(super) heads: u64,
    /// `None`: as many as query heads.
    pub(super) kv_heads: Option<u64>,
    /// `None`: the hidden size divided by the heads.
    pub(super) head_length: Option<u64>,
    pub(super) norm_epsilon: f64,
    pub(super) rope_theta: f64,
    pub(super) rotary_share: f64,
    pub(super) tied_embeddings: bool,
    pub(super) sliding_window: Option<u64>,
    pub(super) sliding_window_pattern: Option<u64>,
    pub(super) soft_caps: (Option<f64>, Option<f64>),
    /// `None`: the length of a head.
    pub(super) query_scalar: Option<f64>,
}

const LLAMA: HfDefaults = HfDefaults {
    architecture: "llama",
    vocabulary_size: 32_000,
    context_length: 2048,
    heads: 32,
    kv_heads: None,
    head_length: None,
    norm_epsilon: 1e-6,
    rope_theta: 10_000.0,
    rotary_share: 1.0,
    tied_embeddings: false,
    sliding_window: None,
    sliding_window_pattern: None,
    soft_caps: (None, None),
    query_scalar: None,
};

const GEMMA: HfDefaults = HfDefaults {
    architecture: "gemma",
    vocabulary_size: 256_000,
    context_length: 8192,
    heads: 16,
    kv_heads: Some(16),
    head_length: Some(256),
    tied_embeddings: true,
    ..LLAMA
};

const GEMMA2: HfDefaults = HfDefaults {
    architecture: "gemma2",
    heads: 8,
    kv_heads: Some(4),
    sliding_window: Some(4096),
    sliding_window_pattern: Some(2),
    soft_caps: (Some(50.0), Some(30.0)),
    query_scalar: Some(256.0),
    ..GEMMA
};

const GEMMA3: HfDefaults = HfDefaults {
    architecture: "gemma3",
    vocabulary_size: 262_208,
    context_length: 131_072,
    rope_theta: 1_000_000.0,
    sliding_window_pattern: Some(6),
    soft_caps: (None, None),
    ..GEMMA2
};

const QWEN2: HfDefaults =
    HfDefaults { architecture: "qwen2", vocabulary_size: 151_936, context_length: 32_768, ..LLAMA };

/// The defaults of a `model_type`, for the families that are checked in full.
pub(super) fn hf_defaults(model_type: &str) -> Option<HfDefaults> {
    Some(match model_type {
        "llama" => LLAMA,
        "mistral" => HfDefaults {
            context_length: 131_072,
            kv_heads: Some(8),
            sliding_window: Some(4096),
            ..LLAMA
        },
        "qwen2" => QWEN2,
        "qwen3" => HfDefaults { architecture: "qwen3", head_length: Some(128), ..QWEN2 },
        "gemma" => GEMMA,
        "gemma2" => GEMMA2,
        "gemma3" | "gemma3_text" => GEMMA3,
        "phi3" => HfDefaults {
            architecture: "phi3",
            vocabulary_size: 32_064,
            context_length: 4096,
            norm_epsilon: 1e-5,
            ..LLAMA
        },
        "stablelm" | "stablelm_epoch" => HfDefaults {
            architecture: "stablelm",
            vocabulary_size: 50_304,
            context_length: 4096,
            norm_epsilon: 1e-5,
            kv_heads: Some(32),
            rotary_share: 0.25,
            ..LLAMA
        },
        _ => return None,
    })
}
