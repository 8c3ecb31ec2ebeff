//! The weights of a model, read and packed as its plan calls for. Immutable once loaded.

use tenfold_kernels::ops::{self, NormKind};
use tenfold_kernels::{Compute, PackedMatrix, Scratch};

use crate::error::EngineError;
use crate::loader::Loader;
use crate::plan::{HeadNorm, Plan, Residual};
use crate::rope::RopeFactors;

/// All weights of one model.
pub(crate) struct Weights {
    /// One row for each token.
    pub(crate) embedding: PackedMatrix,
    pub(crate) blocks: Vec<Block>,
    pub(crate) output_norm: Norm,
    /// Hidden state to logits; `None` where the embedding serves for it too.
    pub(crate) output: Option<Linear>,
}

/// Weights of one transformer block.
pub(crate) struct Block {
    pub(crate) attention_norm: Norm,
    /// Queries, keys and values, stacked in this order.
    pub(crate) qkv: Linear,
    pub(crate) query_norm: Option<Norm>,
    pub(crate) key_norm: Option<Norm>,
    pub(crate) attention_out: Linear,
    pub(crate) attention_post_norm: Option<Norm>,
    /// `None` where the feed-forward network reads what attention reads.
    pub(crate) feed_forward_norm: Option<Norm>,
    /// Gate and up, stacked in this order.
    pub(crate) gate_up: Linear,
    pub(crate) down: Linear,
    pub(crate) feed_forward_post_norm: Option<Norm>,
}

/// A matrix and its bias.
pub(crate) struct Linear {
    pub(crate) matrix: PackedMatrix,
    pub(crate) bias: Option<Vec<f32>>,
}

/// The weights of a norm.
pub(crate) struct Norm {
    pub(crate) weight: Vec<f32>,
    /// Only layer norms have one.
    pub(crate) bias: Option<Vec<f32>>,
}

impl Weights {
    /// Reads everything but the factors of the rope.
    pub(crate) fn load(loader: &mut Loader<'_>, plan: &Plan) -> Result<Self, EngineError> {
        let sizes = plan.sizes;
        let vocabulary = sizes.vocabulary;
        let embedding = loader.matrix(&[("token_embd.weight", vocabulary)], sizes.hidden)?;
        let blocks = (0..sizes.layers)
            .map(|layer| Block::load(loader, plan, layer))
            .collect::<Result<_, _>>()?;
        let output_norm = norm(loader, plan, "output_norm", &[sizes.hidden])?;
        let output = if loader.has("output.weight") {
            Some(linear(loader, &[("output", vocabulary)], sizes.hidden)?)
        } else {
            None
        };
        Ok(Self { embedding, blocks, output_norm, output })
    }

    /// The logits of `n` normed hidden states.
    pub(crate) fn logits(
        &self,
        compute: &Compute,
        normed: &[f32],
        n: usize,
        scratch: &mut Scratch,
        out: &mut [f32],
    ) {
        match &self.output {
            Some(output) => output.apply(compute, normed, n, scratch, out),
            None => self.embedding.matmul(compute, normed, n, scratch, out),
        }
    }

    /// Bytes that all matrices take.
    pub(crate) fn bytes(&self) -> usize {
        let output = self.output.as_ref().map_or(0, |output| output.matrix.bytes());
        self.embedding.bytes() + output + self.blocks.iter().map(Block::bytes).sum::<usize>()
    }
}

impl Linear {
    /// `out[i] = matrix · input[i] + bias` for each of `n` inputs.
    pub(crate) fn apply(
        &self,
        compute: &Compute,
        input: &[f32],
        n: usize,
        scratch: &mut Scratch,
        out: &mut [f32],
    ) {
        self.matrix.matmul(compute, input, n, scratch, out);
        if let Some(bias) = &self.bias {
            ops::add_to_rows(compute, out, bias);
        }
    }
}

impl Norm {
    /// What the kernels read.
    pub(crate) fn view(&self, plan: &Plan) -> ops::Norm<'_> {
        ops::Norm {
            kind: plan.norm,
            weight: &self.weight,
            bias: self.bias.as_deref(),
            epsilon: plan.norm_epsilon,
        }
    }
}

impl Block {
    fn load(loader: &mut Loader<'_>, plan: &Plan, layer: usize) -> Result<Self, EngineError> {
        let sizes = plan.sizes;
        let hidden = [sizes.hidden];
        let name = |part: &str| format!("blk.{layer}.{part}");
        let post_norm = |loader: &mut Loader<'_>, part: &str| {
            let is_there = plan.residual == Residual::PostNormed;
            is_there.then(|| norm(loader, plan, &name(part), &hidden)).transpose()
        };
        Ok(Self {
            attention_norm: norm(loader, plan, &name("attn_norm"), &hidden)?,
            qkv: qkv(loader, plan, &name)?,
            query_norm: head_norm(loader, plan, &name("attn_q_norm"), sizes.heads)?,
            key_norm: head_norm(loader, plan, &name("attn_k_norm"), sizes.kv_heads)?,
            attention_out: linear(
                loader,
                &[(&name("attn_output"), sizes.hidden)],
                sizes.attention_row(),
            )?,
            attention_post_norm: post_norm(loader, "post_attention_norm")?,
            feed_forward_norm: match plan.residual {
                Residual::Parallel => None,
                Residual::Sequential | Residual::PostNormed => {
                    Some(norm(loader, plan, &name("ffn_norm"), &hidden)?)
                }
            },
            gate_up: gate_up(loader, plan, &name)?,
            down: linear(loader, &[(&name("ffn_down"), sizes.hidden)], sizes.feed_forward)?,
            feed_forward_post_norm: post_norm(loader, "post_ffw_norm")?,
        })
    }

    fn bytes(&self) -> usize {
        let parts = [&self.qkv, &self.attention_out, &self.gate_up, &self.down];
        parts.iter().map(|part| part.matrix.bytes()).sum()
    }
}

/// Divisors of the rope's frequencies, as far as the file has them.
pub(crate) fn rope_factors(
    loader: &mut Loader<'_>,
    plan: &Plan,
) -> Result<RopeFactors, EngineError> {
    let pairs = [plan.rope.dimensions / 2];
    let mut factors = |name| loader.vector_if_present(name, &pairs).map(Option::unwrap_or_default);
    Ok(RopeFactors {
        always: factors("rope_freqs.weight")?,
        short: factors("rope_factors_short.weight")?,
        long: factors("rope_factors_long.weight")?,
    })
}

/// Queries, keys and values: one tensor or three, as the file has it.
fn qkv(
    loader: &mut Loader<'_>,
    plan: &Plan,
    name: &dyn Fn(&str) -> String,
) -> Result<Linear, EngineError> {
    let sizes = plan.sizes;
    let fused = name("attn_qkv");
    if loader.has(&format!("{fused}.weight")) {
        return linear(loader, &[(&fused, sizes.qkv_row())], sizes.hidden);
    }
    let (q, k, v) = (name("attn_q"), name("attn_k"), name("attn_v"));
    let rows = [(&*q, sizes.query_row()), (&*k, sizes.key_row()), (&*v, sizes.value_row())];
    linear(loader, &rows, sizes.hidden)
}

/// Gate and up: one tensor or two, as the file has it.
fn gate_up(
    loader: &mut Loader<'_>,
    plan: &Plan,
    name: &dyn Fn(&str) -> String,
) -> Result<Linear, EngineError> {
    let (rows, cols) = (plan.sizes.feed_forward, plan.sizes.hidden);
    let (gate, up) = (name("ffn_gate"), name("ffn_up"));
    if loader.has(&format!("{gate}.weight")) {
        return linear(loader, &[(&gate, rows), (&up, rows)], cols);
    }
    linear(loader, &[(&up, 2 * rows)], cols)
}

/// Matrices of `(name, rows)` stacked, with the biases of those that have one.
fn linear(
    loader: &mut Loader<'_>,
    parts: &[(&str, usize)],
    cols: usize,
) -> Result<Linear, EngineError> {
    let names: Vec<String> = parts.iter().map(|(name, _)| format!("{name}.weight")).collect();
    let rows = parts.iter().map(|&(_, rows)| rows);
    let sources: Vec<_> = names.iter().map(String::as_str).zip(rows).collect();
    let matrix = loader.matrix(&sources, cols)?;
    let mut bias = Vec::new();
    let mut any = false;
    for &(name, rows) in parts {
        let part = loader.vector_if_present(&format!("{name}.bias"), &[rows])?;
        any |= part.is_some();
        bias.extend(part.unwrap_or_else(|| vec![0.0; rows]));
    }
    Ok(Linear { matrix, bias: any.then_some(bias) })
}

fn norm(
    loader: &mut Loader<'_>,
    plan: &Plan,
    name: &str,
    shape: &[usize],
) -> Result<Norm, EngineError> {
    let mut weight = loader.vector(&format!("{name}.weight"), shape)?;
    for weight in &mut weight {
        *weight += plan.norm_weight_offset;
    }
    let bias = match plan.norm {
        NormKind::Layer => loader.vector_if_present(&format!("{name}.bias"), shape)?,
        NormKind::Rms => None,
    };
    Ok(Norm { weight, bias })
}

/// Norms of the query or key heads, as far as the family and the file have them.
fn head_norm(
    loader: &mut Loader<'_>,
    plan: &Plan,
    name: &str,
    heads: usize,
) -> Result<Option<Norm>, EngineError> {
    let key = plan.sizes.key;
    match plan.head_norm {
        HeadNorm::None => Ok(None),
        HeadNorm::Shared => norm(loader, plan, name, &[key]).map(Some),
        // GGUF files stack the vectors of all heads, Hugging Face folders number them.
        HeadNorm::PerHead if loader.has(&format!("{name}.weight")) => {
            norm(loader, plan, name, &[heads, key]).map(Some)
        }
        HeadNorm::PerHead if loader.has(&format!("{name}.0.weight")) => {
            numbered_norms(loader, plan, name, heads).map(Some)
        }
        HeadNorm::PerHead => Ok(None),
    }
}

/// The norms `name.0` to `name.{heads - 1}`, one after the other.
fn numbered_norms(
    loader: &mut Loader<'_>,
    plan: &Plan,
    name: &str,
    heads: usize,
) -> Result<Norm, EngineError> {
    let mut all = Norm { weight: Vec::new(), bias: None };
    for head in 0..heads {
        let one = norm(loader, plan, &format!("{name}.{head}"), &[plan.sizes.key])?;
        all.weight.extend(one.weight);
        if let Some(bias) = one.bias {
            all.bias.get_or_insert_default().extend(bias);
        }
    }
    Ok(all)
}
