//! A plain forward pass for every architecture: no cache, no batches, f64 throughout.
//!
//! It is written from the models' published definitions and shares nothing with the engine that is
//! tested against it. Slow and easy to check is the point.

mod attention;
mod family;
mod ops;
mod rope;
mod rounding;

use std::cmp::Ordering;
use std::collections::BTreeSet;

use tenfold_core::TokenId;
use tenfold_formats::{ModelConfig, ModelDescription};
use tenfold_quant::QuantError;

use self::attention::Attention;
use self::family::{Activation, Family, Norm};
use self::ops::{add, layer_norm, linear, rms_norm, soft_cap};
use crate::tensor::{Tensor, Tensors};
use crate::tiny::TinyModel;

pub(crate) use self::rope::llama3_divisors;

/// Why the reference cannot run a model.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ReferenceError {
    /// No rule says how this architecture computes.
    #[error("the reference does not know the architecture {0:?}")]
    Architecture(String),
    /// The model lacks a tensor.
    #[error("the tensor {0} is missing")]
    MissingTensor(String),
    /// The bytes of a tensor cannot be turned into numbers.
    #[error("the tensor {tensor} cannot be read: {source}")]
    Quant {
        /// Which tensor.
        tensor: String,
        /// Why.
        source: QuantError,
    },
    /// A token is not in the vocabulary.
    #[error("token {0} is not in the vocabulary")]
    Token(TokenId),
}

type Result<T, E = ReferenceError> = std::result::Result<T, E>;

/// A model that the plain forward pass can run.
#[derive(Clone, Debug)]
pub struct Reference {
    family: Family,
    config: ModelConfig,
    tensors: Tensors,
    context: Option<usize>,
    /// Tensors that the file stores as integers.
    quantized: BTreeSet<String>,
    rounds: bool,
}

impl Reference {
    /// A model from its own f32 tensors.
    ///
    /// # Errors
    /// When the architecture is not known.
    pub fn new(architecture: &str, config: ModelConfig, tensors: Tensors) -> Result<Self> {
        let family = Family::find(architecture)
            .ok_or_else(|| ReferenceError::Architecture(architecture.to_owned()))?;
        let config = family.complete(config);
        let quantized = BTreeSet::new();
        Ok(Self { family, config, tensors, context: None, quantized, rounds: false })
    }

    /// A tiny model.
    ///
    /// # Errors
    /// When the architecture is not known.
    pub fn from_tiny(model: &TinyModel) -> Result<Self> {
        Self::new(model.spec().architecture, model.config().clone(), model.tensors().clone())
    }

    /// A model out of files: its description and their bytes in shard order.
    ///
    /// # Errors
    /// When the architecture is not known or a tensor cannot be read.
    pub fn from_description(description: &ModelDescription, shards: &[&[u8]]) -> Result<Self> {
        let names = description.tensors.entries.keys();
        let tensors = names.map(|name| Ok((name.clone(), read(description, name, shards)?)));
        let tensors = tensors.collect::<Result<Tensors>>()?;
        let model = Self::new(&description.architecture, description.config.clone(), tensors)?;
        let entries = description.tensors.entries.iter();
        let quantized = entries.filter(|(_, entry)| entry.dtype.block_len() > 1);
        Ok(Self { quantized: quantized.map(|(name, _)| name.clone()).collect(), ..model })
    }

    /// Rounds what engines round that multiply integers: the inputs of quantized matrices to 8 bits
    /// in groups of 32, keys and values to halves.
    ///
    /// What is left between such an engine and the reference are the errors of single floats, so
    /// a mistake shows that would drown in the rounding.
    #[must_use]
    pub fn with_rounding(self) -> Self {
        Self { rounds: true, ..self }
    }

    /// Chooses Phi 3's RoPE table as if the context had this many tokens; without it, the number of
    /// tokens given decides.
    #[must_use]
    pub fn with_context(self, tokens: usize) -> Self {
        Self { context: Some(tokens), ..self }
    }

    /// The logits after each token.
    ///
    /// # Errors
    /// When a tensor is missing or a token is not in the vocabulary.
    pub fn logits(&self, tokens: &[TokenId]) -> Result<Vec<Vec<f32>>> {
        let hidden = self.hidden(tokens)?;
        hidden.iter().map(|hidden| self.project(hidden)).collect()
    }

    /// The logits after the last token; empty for no tokens.
    ///
    /// # Errors
    /// Those of [`Reference::logits`].
    pub fn last_logits(&self, tokens: &[TokenId]) -> Result<Vec<f32>> {
        let hidden = self.hidden(tokens)?;
        hidden.last().map_or_else(|| Ok(Vec::new()), |hidden| self.project(hidden))
    }

    /// The next `count` tokens when always the most likely one is taken.
    ///
    /// # Errors
    /// Those of [`Reference::logits`].
    pub fn greedy(&self, prompt: &[TokenId], count: usize) -> Result<Vec<TokenId>> {
        let mut tokens = prompt.to_vec();
        for _ in 0..count {
            tokens.push(most_likely(&self.last_logits(&tokens)?));
        }
        Ok(tokens.split_off(prompt.len()))
    }

    /// Mean negative log-likelihood of each token but the first; its exponential is the perplexity.
    ///
    /// # Errors
    /// Those of [`Reference::logits`].
    pub fn mean_loss(&self, tokens: &[TokenId]) -> Result<f64> {
        let logits = self.logits(tokens)?;
        let pairs = logits.iter().zip(tokens.iter().skip(1));
        let losses: Vec<f64> = pairs.map(|(logits, &next)| loss(logits, next)).collect();
        Ok(losses.iter().sum::<f64>() / losses.len().max(1) as f64)
    }

    fn tensor(&self, name: &str) -> Result<&Tensor> {
        self.optional(name).ok_or_else(|| ReferenceError::MissingTensor(name.to_owned()))
    }

    fn optional(&self, name: &str) -> Option<&Tensor> {
        self.tensors.get(name)
    }

    /// The hidden state of each position after the last block.
    fn hidden(&self, tokens: &[TokenId]) -> Result<Vec<Vec<f64>>> {
        let mut states: Vec<_> = tokens.iter().map(|&id| self.embed(id)).collect::<Result<_>>()?;
        (0..self.config.layers).try_for_each(|layer| self.block(layer, &mut states))?;
        Ok(states)
    }

    fn embed(&self, token: TokenId) -> Result<Vec<f64>> {
        let table = self.tensor("token_embd.weight")?;
        let row = table.row(token as usize).ok_or(ReferenceError::Token(token))?;
        let scale = match self.family.scales_embeddings {
            true => (self.config.embedding_length as f64).sqrt(),
            false => 1.0,
        };
        Ok(row.iter().map(|&x| f64::from(x) * scale).collect())
    }

    /// One transformer block over all positions.
    fn block(&self, layer: usize, states: &mut [Vec<f64>]) -> Result<()> {
        let normed = states.iter().map(|x| self.norm(&format!("blk.{layer}.attn_norm"), x));
        let normed: Vec<_> = normed.collect::<Result<_>>()?;
        let attended = Attention::new(self, layer, states.len())?.run(&normed)?;
        for ((state, normed), attended) in states.iter_mut().zip(&normed).zip(&attended) {
            add(state, &self.post_norm(&format!("blk.{layer}.post_attention_norm"), attended)?);
            let input = match self.config.parallel_residual {
                true => normed.clone(),
                false => self.norm(&format!("blk.{layer}.ffn_norm"), state)?,
            };
            let output = self.feed_forward(layer, &input)?;
            add(state, &self.post_norm(&format!("blk.{layer}.post_ffw_norm"), &output)?);
        }
        Ok(())
    }

    fn feed_forward(&self, layer: usize, x: &[f64]) -> Result<Vec<f64>> {
        let name = |part| format!("blk.{layer}.ffn_{part}.weight");
        let up = self.linear(&name("up"), None, x)?;
        let (gate, up) = match self.optional(&name("gate")) {
            Some(_) => (self.linear(&name("gate"), None, x)?, up),
            // Phi 3 stores the gate and the other half as one matrix, the gate first.
            None => (up[..up.len() / 2].to_vec(), up[up.len() / 2..].to_vec()),
        };
        let inner: Vec<f64> =
            gate.iter().zip(&up).map(|(&gate, up)| self.activate(gate) * up).collect();
        self.linear(&name("down"), None, &inner)
    }

    /// The product with the matrix of this name.
    fn linear(&self, name: &str, bias: Option<&Tensor>, x: &[f64]) -> Result<Vec<f64>> {
        let weight = self.tensor(name)?;
        if self.rounds && self.quantized.contains(name) {
            return Ok(linear(weight, bias, &rounding::to_8_bits(x)));
        }
        Ok(linear(weight, bias, x))
    }

    fn activate(&self, x: f64) -> f64 {
        match self.family.activation {
            Activation::Silu => ops::silu(x),
            Activation::GeluTanh => ops::gelu_tanh(x),
        }
    }

    fn norm(&self, name: &str, x: &[f64]) -> Result<Vec<f64>> {
        let weight = self.tensor(&format!("{name}.weight"))?;
        Ok(self.norm_with(&weight.data, self.optional(&format!("{name}.bias")), x))
    }

    /// The norm after a part of a block, which only some families have.
    fn post_norm(&self, name: &str, x: &[f64]) -> Result<Vec<f64>> {
        if self.family.post_norms { self.norm(name, x) } else { Ok(x.to_vec()) }
    }

    fn norm_with(&self, weight: &[f32], bias: Option<&Tensor>, x: &[f64]) -> Vec<f64> {
        let epsilon = f64::from(self.config.norm_epsilon);
        match self.family.norm {
            Norm::Rms => rms_norm(x, weight, epsilon, self.config.norm_weight_offset.into()),
            Norm::Layer => layer_norm(x, weight, bias, epsilon),
        }
    }

    fn project(&self, hidden: &[f64]) -> Result<Vec<f32>> {
        let hidden = self.norm("output_norm", hidden)?;
        let own = self.optional("output.weight").is_some();
        let name = if own { "output.weight" } else { "token_embd.weight" };
        let logits = self.linear(name, None, &hidden)?.into_iter();
        Ok(logits.map(|logit| soft_cap(logit, self.config.final_soft_cap) as f32).collect())
    }
}

fn read(description: &ModelDescription, name: &str, shards: &[&[u8]]) -> Result<Tensor> {
    let missing = || ReferenceError::MissingTensor(name.to_owned());
    let view = description.tensors.view(name, shards).ok_or_else(missing)?;
    let mut data = vec![0.0; view.shape.iter().product()];
    tenfold_quant::dequantize(view.dtype, view.data, &mut data)
        .map_err(|source| ReferenceError::Quant { tensor: name.to_owned(), source })?;
    Ok(Tensor { shape: view.shape.to_vec(), data })
}

/// The token with the largest logit; the first of equals.
pub fn most_likely(logits: &[f32]) -> TokenId {
    let larger = |a: &(usize, &f32), b: &(usize, &f32)| {
        a.1.partial_cmp(b.1).unwrap_or(Ordering::Equal).then(b.0.cmp(&a.0))
    };
    logits.iter().enumerate().max_by(larger).map_or(0, |(id, _)| id as TokenId)
}

fn loss(logits: &[f32], next: TokenId) -> f64 {
    let max = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let sum: f64 = logits.iter().map(|&logit| f64::from(logit - max).exp()).sum();
    let logit = logits.get(next as usize).copied().unwrap_or(f32::NEG_INFINITY);
    sum.ln() - f64::from(logit - max)
}
