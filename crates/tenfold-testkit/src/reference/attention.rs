//! Causal attention of one layer over all positions at once.

use super::ops::{soft_cap, softmax};
use super::rope::Rope;
use super::{Reference, Result, rounding};
use crate::tensor::Tensor;

/// One layer's attention.
pub(super) struct Attention<'a> {
    model: &'a Reference,
    prefix: String,
    rope: Rope,
    /// Positions that can be seen, the own one included.
    window: usize,
}

/// Queries, keys and values of one position, head after head.
struct Projected {
    q: Vec<f64>,
    k: Vec<f64>,
    v: Vec<f64>,
}

impl<'a> Attention<'a> {
    pub(super) fn new(model: &'a Reference, layer: usize, positions: usize) -> Result<Self> {
        let local = is_local(model, layer);
        let window = model.config.sliding_window.filter(|_| local).unwrap_or(usize::MAX);
        let rope = rope(model, local, positions);
        Ok(Self { model, prefix: format!("blk.{layer}"), rope, window })
    }

    /// The outputs for these normed states.
    pub(super) fn run(&self, states: &[Vec<f64>]) -> Result<Vec<Vec<f64>>> {
        let projected = states.iter().enumerate().map(|(at, x)| self.project(x, at));
        let projected: Vec<_> = projected.collect::<Result<_>>()?;
        (0..states.len()).map(|at| self.attend(&projected, at)).collect()
    }

    fn project(&self, x: &[f64], position: usize) -> Result<Projected> {
        let Projected { q, k, v } = self.split(x)?;
        let q = self.prepare(&q, "attn_q_norm", position);
        let k = self.prepare(&k, "attn_k_norm", position);
        if self.model.rounds {
            return Ok(Projected { q, k: rounding::to_halves(&k), v: rounding::to_halves(&v) });
        }
        Ok(Projected { q, k, v })
    }

    /// Projects with three matrices, or with the one that holds all three (Phi 3).
    fn split(&self, x: &[f64]) -> Result<Projected> {
        if self.tensor("attn_qkv", "weight").is_none() {
            let [q, k, v] = ["attn_q", "attn_k", "attn_v"].map(|part| self.linear(part, x));
            return Ok(Projected { q: q?, k: k?, v: v? });
        }
        let mut q = self.linear("attn_qkv", x)?;
        let config = &self.model.config;
        let mut k = q.split_off(config.heads * config.key_length);
        let v = k.split_off(config.kv_heads * config.key_length);
        Ok(Projected { q, k, v })
    }

    /// Norms each head where the family does, then turns it by its position.
    fn prepare(&self, heads: &[f64], norm: &str, position: usize) -> Vec<f64> {
        let heads = heads.chunks_exact(self.model.config.key_length).enumerate();
        let prepared = heads.map(|(index, head)| {
            let weight = self.head_norm(norm, index);
            let mut head = weight
                .map_or_else(|| head.to_vec(), |weight| self.model.norm_with(weight, None, head));
            self.rope.rotate(&mut head, position);
            head
        });
        prepared.flatten().collect()
    }

    /// The norm of this head. StableLM has one for each head, stacked in GGUF files and one by one
    /// in Hugging Face folders; the other families share one.
    fn head_norm(&self, norm: &str, head: usize) -> Option<&'a [f32]> {
        if let Some(own) = self.tensor(&format!("{norm}.{head}"), "weight") {
            return Some(&own.data);
        }
        let stacked = self.tensor(norm, "weight")?;
        stacked.row(head).or_else(|| stacked.row(0))
    }

    fn attend(&self, all: &[Projected], position: usize) -> Result<Vec<f64>> {
        let visible = &all[(position + 1).saturating_sub(self.window)..=position];
        let heads = (0..self.model.config.heads).map(|head| self.head(visible, head));
        let mixed: Vec<f64> = heads.flatten().collect();
        self.linear("attn_output", &mixed)
    }

    /// One query head of the last of these positions.
    fn head(&self, visible: &[Projected], head: usize) -> Vec<f64> {
        let config = &self.model.config;
        let kv_head = head * config.kv_heads / config.heads;
        let query = visible.last().map_or(&[][..], |last| chunk(&last.q, config.key_length, head));
        let mut weights: Vec<f64> = visible
            .iter()
            .map(|seen| self.score(query, chunk(&seen.k, config.key_length, kv_head)))
            .collect();
        softmax(&mut weights);
        let mut mixed = vec![0.0; config.value_length];
        for (seen, weight) in visible.iter().zip(weights) {
            let value = chunk(&seen.v, config.value_length, kv_head);
            mixed.iter_mut().zip(value).for_each(|(mixed, value)| *mixed += weight * value);
        }
        mixed
    }

    fn score(&self, query: &[f64], key: &[f64]) -> f64 {
        let config = &self.model.config;
        let usual = 1.0 / (config.key_length as f64).sqrt();
        let scale = config.attention_scale.map_or(usual, f64::from);
        let product: f64 = query.iter().zip(key).map(|(q, k)| q * k).sum();
        soft_cap(product * scale, config.attention_soft_cap)
    }

    fn linear(&self, part: &str, x: &[f64]) -> Result<Vec<f64>> {
        let name = format!("{}.{part}.weight", self.prefix);
        self.model.linear(&name, self.tensor(part, "bias"), x)
    }

    fn tensor(&self, part: &str, kind: &str) -> Option<&'a Tensor> {
        self.model.optional(&format!("{}.{part}.{kind}", self.prefix))
    }
}

/// The numbers of one head.
fn chunk(heads: &[f64], len: usize, index: usize) -> &[f64] {
    &heads[index * len..(index + 1) * len]
}

/// True if the layer looks back only as far as its window.
fn is_local(model: &Reference, layer: usize) -> bool {
    let global = |pattern: usize| (layer + 1).is_multiple_of(pattern);
    !model.config.sliding_window_pattern.is_some_and(global)
}

fn rope(model: &Reference, local: bool, positions: usize) -> Rope {
    let config = &model.config;
    let context = model.context.unwrap_or(positions);
    let windowed = local && config.sliding_window.is_some();
    match config.rope.local_theta {
        Some(theta) if windowed => Rope::plain(&config.rope, theta),
        _ => {
            let rope = Rope::scaled(&config.rope, context, config.context_length);
            divisors(model, context).map_or(rope.clone(), |tensor| rope.divided(&tensor.data))
        }
    }
}

/// The tensor of frequency divisors that GGUF files may carry.
fn divisors(model: &Reference, context: usize) -> Option<&Tensor> {
    let long = match &model.config.rope.scaling {
        tenfold_formats::RopeScaling::LongRope { original_context, .. } => {
            context > *original_context
        }
        _ => false,
    };
    let factors = if long { "rope_factors_long.weight" } else { "rope_factors_short.weight" };
    model.optional("rope_freqs.weight").or_else(|| model.optional(factors))
}
