//! How a family computes: every switch in which decoder families differ, as plain data.
//!
//! A family's file fills in a [`Plan`]; [`crate::weights`] reads the tensors that the plan calls
//! for, and [`crate::forward`] follows it.

use tenfold_formats::{ModelConfig, RopeConfig};
use tenfold_kernels::KvShape;
use tenfold_kernels::ops::{Activation, NormKind};

/// What a model family does with its hyperparameters.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Plan {
    /// Sizes of the model.
    pub(crate) sizes: Sizes,
    /// Multiplies the embedding of a token.
    pub(crate) embedding_scale: f32,
    /// The norm before attention, before the feed-forward network and before the output.
    pub(crate) norm: NormKind,
    /// Epsilon of every norm.
    pub(crate) norm_epsilon: f32,
    /// Added to the weights of every norm.
    pub(crate) norm_weight_offset: f32,
    /// Norm of the query and key heads before they are rotated.
    pub(crate) head_norm: HeadNorm,
    /// Scale of the attention scores.
    pub(crate) attention_scale: f32,
    /// Soft cap on the attention scores.
    pub(crate) attention_soft_cap: Option<f32>,
    /// How far each layer looks back.
    pub(crate) windows: Windows,
    /// Rotary position embedding of the layers that look back all the way.
    pub(crate) rope: RopeConfig,
    /// The one of the sliding layers, where it differs.
    pub(crate) local_rope: Option<RopeConfig>,
    /// What gates the feed-forward network.
    pub(crate) activation: Activation,
    /// How a block adds attention and feed-forward network to the hidden state.
    pub(crate) residual: Residual,
    /// Soft cap on the logits.
    pub(crate) final_soft_cap: Option<f32>,
}

/// Sizes of the matrices; all are at least 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sizes {
    pub(crate) vocabulary: usize,
    pub(crate) layers: usize,
    /// Numbers in a hidden state.
    pub(crate) hidden: usize,
    pub(crate) feed_forward: usize,
    pub(crate) heads: usize,
    pub(crate) kv_heads: usize,
    /// Numbers in a query or key head.
    pub(crate) key: usize,
    /// Numbers in a value head.
    pub(crate) value: usize,
}

impl Sizes {
    /// Numbers in all query heads.
    pub(crate) fn query_row(&self) -> usize {
        self.heads * self.key
    }

    /// Numbers in all key heads.
    pub(crate) fn key_row(&self) -> usize {
        self.kv_heads * self.key
    }

    /// Numbers in all value heads.
    pub(crate) fn value_row(&self) -> usize {
        self.kv_heads * self.value
    }

    /// Numbers in the queries, keys and values of one token.
    pub(crate) fn qkv_row(&self) -> usize {
        self.query_row() + self.key_row() + self.value_row()
    }

    /// What a layer keeps of each token.
    pub(crate) fn kv_shape(&self) -> KvShape {
        KvShape { heads: self.kv_heads, key_len: self.key, value_len: self.value }
    }

    /// Numbers in what the heads of one token give.
    pub(crate) fn attention_row(&self) -> usize {
        self.heads * self.value
    }
}

/// Norm of each query and key head, of the same kind as the other norms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HeadNorm {
    /// No norm.
    None,
    /// One weight vector for all heads of a layer.
    Shared,
    /// Each head has a weight vector of its own, in files that have them.
    PerHead,
}

/// How a block adds its two halves to the hidden state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Residual {
    /// The feed-forward network reads what attention has added, through a norm of its own.
    Sequential,
    /// The same, and each half goes through one more norm before it is added.
    PostNormed,
    /// Both read the same normed input.
    Parallel,
}

/// How far each layer looks back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Windows {
    /// Tokens that a sliding layer sees, itself included; `None` if no layer slides.
    pub(crate) size: Option<usize>,
    /// Every n-th layer is global; `None` or 0 if all slide.
    pub(crate) global_every: Option<usize>,
}

impl Windows {
    /// The window of a layer; `None` looks back all the way.
    pub(crate) fn at(&self, layer: usize) -> Option<usize> {
        let is_global = |every: usize| every > 0 && (layer + 1).is_multiple_of(every);
        if self.global_every.is_some_and(is_global) { None } else { self.size }
    }
}

impl Plan {
    /// The plain decoder: RMS norms, SiLU, windows and rope as the file states them.
    ///
    /// Families start from it and change what they do otherwise.
    pub(crate) fn plain(config: &ModelConfig) -> Self {
        Self {
            sizes: Sizes {
                vocabulary: config.vocabulary_size,
                layers: config.layers,
                hidden: config.embedding_length,
                feed_forward: config.feed_forward_length,
                heads: config.heads,
                kv_heads: config.kv_heads,
                key: config.key_length,
                value: config.value_length,
            },
            embedding_scale: 1.0,
            norm: NormKind::Rms,
            norm_epsilon: config.norm_epsilon,
            norm_weight_offset: config.norm_weight_offset,
            head_norm: HeadNorm::None,
            attention_scale: config
                .attention_scale
                .unwrap_or_else(|| (config.key_length as f32).sqrt().recip()),
            attention_soft_cap: None,
            windows: Windows {
                size: config.sliding_window.filter(|&size| size > 0),
                global_every: config.sliding_window_pattern,
            },
            rope: config.rope.clone(),
            local_rope: None,
            activation: Activation::Silu,
            residual: Residual::Sequential,
            final_soft_cap: None,
        }
    }

    /// Whether this layer uses [`Plan::local_rope`].
    pub(crate) fn is_local(&self, layer: usize) -> bool {
        self.local_rope.is_some() && self.windows.at(layer).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sixth_layer_of_a_pattern_of_six_is_global() {
        let windows = Windows { size: Some(512), global_every: Some(6) };
        let global: Vec<usize> = (0..18).filter(|&layer| windows.at(layer).is_none()).collect();
        assert_eq!(global, [5, 11, 17]);
    }

    #[test]
    fn without_a_step_no_layer_is_global_and_without_a_size_all_are() {
        for global_every in [None, Some(0)] {
            let windows = Windows { size: Some(4), global_every };
            assert!((0..4).all(|layer| windows.at(layer) == Some(4)));
            let windows = Windows { size: None, global_every };
            assert!((0..4).all(|layer| windows.at(layer).is_none()));
        }
    }
}
