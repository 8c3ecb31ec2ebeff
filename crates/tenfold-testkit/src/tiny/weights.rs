//! Pseudo-random weights whose logits are lively: the next token depends on what came before.

use super::TinySpec;
use crate::rng::Rng;
use crate::tensor::{Tensor, Tensors};

/// Makes every tensor of a model under its canonical name.
pub(super) fn make(spec: &TinySpec) -> Tensors {
    let mut maker = Maker { spec, tensors: Tensors::new() };
    maker.outer();
    for layer in 0..spec.config.layers {
        maker.attention(&format!("blk.{layer}"));
        maker.feed_forward(&format!("blk.{layer}"));
    }
    maker.tensors
}

struct Maker<'a> {
    spec: &'a TinySpec,
    tensors: Tensors,
}

impl Maker<'_> {
    fn outer(&mut self) {
        let config = &self.spec.config;
        let (rows, columns) = (config.vocabulary_size, config.embedding_length);
        self.normal("token_embd.weight", &[rows, columns], self.embedding_deviation());
        // Enough for logits with a deviation of about 4, whichever matrix makes them.
        let root = (columns as f32).sqrt();
        let gain = if self.spec.tied { 4.0 / (self.embedding_deviation() * root) } else { 1.0 };
        self.norm("output_norm", &[columns], gain);
        if !self.spec.tied {
            self.matrix("output.weight", rows, columns, 4.0);
        }
    }

    fn attention(&mut self, block: &str) {
        let config = &self.spec.config;
        let width = config.embedding_length;
        let (q, k) = (config.heads * config.key_length, config.kv_heads * config.key_length);
        let v = config.kv_heads * config.value_length;
        self.norm(&format!("{block}.attn_norm"), &[width], 1.0);
        if self.spec.architecture == "phi3" {
            self.matrix(&format!("{block}.attn_qkv.weight"), q + k + v, width, 1.4);
        } else {
            for (part, rows, gain) in [("q", q, 1.6), ("k", k, 1.6), ("v", v, 1.0)] {
                self.matrix(&format!("{block}.attn_{part}.weight"), rows, width, gain);
                if self.spec.qkv_bias {
                    self.normal(&format!("{block}.attn_{part}.bias"), &[rows], 0.3);
                }
            }
        }
        let mixed = config.heads * config.value_length;
        self.matrix(&format!("{block}.attn_output.weight"), width, mixed, 1.5);
        if self.spec.qk_norm {
            self.head_norm(&format!("{block}.attn_q_norm"), config.heads);
            self.head_norm(&format!("{block}.attn_k_norm"), config.kv_heads);
        }
    }

    /// One norm for all heads, or one for each (StableLM).
    fn head_norm(&mut self, name: &str, heads: usize) {
        let length = self.spec.config.key_length;
        if self.spec.architecture == "stablelm" {
            self.norm_weight(name, &[heads, length], 1.5);
        } else {
            self.norm_weight(name, &[length], 1.5);
        }
    }

    fn feed_forward(&mut self, block: &str) {
        let config = &self.spec.config;
        let (width, inner) = (config.embedding_length, config.feed_forward_length);
        if !config.parallel_residual {
            self.norm(&format!("{block}.ffn_norm"), &[width], 1.0);
        }
        if self.spec.architecture == "phi3" {
            self.matrix(&format!("{block}.ffn_up.weight"), 2 * inner, width, 1.2);
        } else {
            self.matrix(&format!("{block}.ffn_gate.weight"), inner, width, 1.2);
            self.matrix(&format!("{block}.ffn_up.weight"), inner, width, 1.2);
        }
        self.matrix(&format!("{block}.ffn_down.weight"), width, inner, 2.0);
        if matches!(self.spec.architecture, "gemma2" | "gemma3") {
            self.norm(&format!("{block}.post_attention_norm"), &[width], 1.0);
            self.norm(&format!("{block}.post_ffw_norm"), &[width], 1.0);
        }
    }

    /// Small where the embedding is the output matrix, too: a model would repeat its last token
    /// otherwise. Gemma multiplies its embedding by the root of its length.
    fn embedding_deviation(&self) -> f32 {
        let deviation = if self.spec.tied { 0.15 } else { 0.5 };
        let gemma = self.spec.architecture.starts_with("gemma");
        let length = self.spec.config.embedding_length as f32;
        if gemma { deviation / length.sqrt() } else { deviation }
    }

    /// A matrix whose outputs are `gain` times as large as its inputs.
    fn matrix(&mut self, name: &str, rows: usize, columns: usize, gain: f32) {
        self.normal(name, &[rows, columns], gain / (columns as f32).sqrt());
    }

    /// A norm with its weight, and its bias if the family has one.
    fn norm(&mut self, name: &str, shape: &[usize], gain: f32) {
        self.norm_weight(name, shape, gain);
        if self.spec.architecture == "stablelm" {
            self.normal(&format!("{name}.bias"), shape, 0.2);
        }
    }

    fn norm_weight(&mut self, name: &str, shape: &[usize], gain: f32) {
        let name = format!("{name}.weight");
        let mut rng = Rng::named(self.spec.seed, &name);
        let offset = self.spec.config.norm_weight_offset;
        let tensor = Tensor::from_fn(shape, |_| gain * (1.0 + 0.2 * rng.normal()) - offset);
        self.tensors.insert(name, tensor);
    }

    fn normal(&mut self, name: &str, shape: &[usize], deviation: f32) {
        let mut rng = Rng::named(self.spec.seed, name);
        let tensor = Tensor::from_fn(shape, |_| deviation * rng.normal());
        self.tensors.insert(name.to_owned(), tensor);
    }
}
