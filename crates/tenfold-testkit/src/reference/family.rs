//! What tells the architectures apart; everything else they share.

use tenfold_formats::ModelConfig;

/// Which normalization a family uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Norm {
    Rms,
    Layer,
}

/// Which activation its feed-forward network uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Activation {
    Silu,
    GeluTanh,
}

/// The rules of one family that its tensors do not show.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Family {
    names: &'static [&'static str],
    pub(super) norm: Norm,
    pub(super) activation: Activation,
    /// The embedding is multiplied by the root of its length.
    pub(super) scales_embeddings: bool,
    /// Attention and feed-forward are normed before they join the residual stream, too.
    pub(super) post_norms: bool,
    /// What the family's files may leave out: sliding-window pattern, base of the local RoPE.
    pattern: Option<usize>,
    local_theta: Option<f32>,
}

const LLAMA: Family = Family {
    names: &["llama", "mistral", "qwen2", "qwen3", "phi3"],
    norm: Norm::Rms,
    activation: Activation::Silu,
    scales_embeddings: false,
    post_norms: false,
    pattern: None,
    local_theta: None,
};

const GEMMA: Family = Family {
    names: &["gemma"],
    activation: Activation::GeluTanh,
    scales_embeddings: true,
    ..LLAMA
};

const FAMILIES: [Family; 5] = [
    LLAMA,
    Family { names: &["stablelm"], norm: Norm::Layer, ..LLAMA },
    GEMMA,
    Family { names: &["gemma2"], post_norms: true, pattern: Some(2), ..GEMMA },
    Family {
        names: &["gemma3"],
        post_norms: true,
        pattern: Some(6),
        local_theta: Some(10_000.0),
        ..GEMMA
    },
];

impl Family {
    pub(super) fn find(architecture: &str) -> Option<Self> {
        FAMILIES.into_iter().find(|family| family.names.contains(&architecture))
    }

    /// Fills in what the file left to the family.
    pub(super) fn complete(&self, mut config: ModelConfig) -> ModelConfig {
        config.sliding_window_pattern = config.sliding_window_pattern.or(self.pattern);
        config.rope.local_theta = config.rope.local_theta.or(self.local_theta);
        config
    }
}
