//! `config.json`: the hyperparameters.

use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use super::{parse_object, typed};
use crate::error::{FormatError, Item, Problem};

const FILE: &str = "config.json";

/// What `config.json` says of a text model; `None` where it is silent.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct Config {
    /// The family, such as `llama`.
    pub model_type: Option<String>,
    /// Class names of the model.
    pub architectures: Option<Vec<String>>,
    /// Rows of the embedding.
    pub vocab_size: Option<u64>,
    /// Numbers in a hidden state.
    pub hidden_size: Option<u64>,
    /// Inner size of the feed-forward network.
    pub intermediate_size: Option<u64>,
    /// Transformer blocks.
    pub num_hidden_layers: Option<u64>,
    /// Query heads.
    pub num_attention_heads: Option<u64>,
    /// Key and value heads.
    pub num_key_value_heads: Option<u64>,
    /// Numbers in a head.
    pub head_dim: Option<u64>,
    /// Longest context.
    pub max_position_embeddings: Option<u64>,
    /// Context before it was stretched.
    pub original_max_position_embeddings: Option<u64>,
    /// Epsilon of RMS norms.
    pub rms_norm_eps: Option<f64>,
    /// Epsilon of layer norms.
    pub layer_norm_eps: Option<f64>,
    /// The same under the name that the first StableLM gives it.
    pub norm_eps: Option<f64>,
    /// Activation of the feed-forward network.
    pub hidden_act: Option<String>,
    /// The same under the name that Gemma gives it; it counts if both are there.
    pub hidden_activation: Option<String>,
    /// Base of the RoPE frequencies.
    pub rope_theta: Option<f64>,
    /// The same for sliding layers.
    pub rope_local_base_freq: Option<f64>,
    /// Share of a head that is rotated.
    pub partial_rotary_factor: Option<f64>,
    /// The same under the name that the first StableLM gives it.
    pub rope_pct: Option<f64>,
    /// Scaling of positions, as it was written before `rope_parameters`.
    pub rope_scaling: Option<RopeParameters>,
    /// All about RoPE in one place, perhaps one by one for each type of layer.
    pub rope_parameters: Option<RopeParameters>,
    /// Tokens that sliding layers look back on; `Some(None)` if stated as none at all.
    #[serde(default, deserialize_with = "stated")]
    pub sliding_window: Option<Option<u64>>,
    /// Whether the window is used (Qwen).
    pub use_sliding_window: Option<bool>,
    /// First layer that slides (Qwen).
    pub max_window_layers: Option<u64>,
    /// Every n-th layer is global.
    pub sliding_window_pattern: Option<u64>,
    /// The same under the name that newer files give it.
    #[serde(rename = "_sliding_window_pattern")]
    pub private_sliding_window_pattern: Option<u64>,
    /// `full_attention` or `sliding_attention`, layer by layer.
    pub layer_types: Option<Vec<String>>,
    /// Soft cap on attention scores.
    #[serde(default, deserialize_with = "stated")]
    pub attn_logit_softcapping: Option<Option<f64>>,
    /// Soft cap on the logits.
    #[serde(default, deserialize_with = "stated")]
    pub final_logit_softcapping: Option<Option<f64>>,
    /// Scores are divided by its square root.
    pub query_pre_attn_scalar: Option<f64>,
    /// Whether all tokens see each other, as in models for embeddings.
    pub use_bidirectional_attention: Option<bool>,
    /// Attention and feed-forward network read the same input.
    pub use_parallel_residual: Option<bool>,
    /// The output matrix is the embedding.
    pub tie_word_embeddings: Option<bool>,
    /// Feed-forward networks to choose from.
    pub num_experts: Option<u64>,
    /// The same under the name that Mixtral gives it.
    pub num_local_experts: Option<u64>,
    /// The same under the name that DeepSeek gives it.
    pub n_routed_experts: Option<u64>,
    /// How the weights were quantized.
    pub quantization_config: Option<QuantizationConfig>,
}

/// How the weights of a checkpoint were quantized.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct QuantizationConfig {
    /// The method, such as `awq` or `gptq`.
    pub quant_method: Option<String>,
}

/// How positions enter the attention.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct RopeParameters {
    /// The kind of scaling.
    pub rope_type: Option<String>,
    /// The same under its old name.
    #[serde(rename = "type")]
    pub old_type: Option<String>,
    /// Base of the frequencies.
    pub rope_theta: Option<f64>,
    /// Share of a head that is rotated.
    pub partial_rotary_factor: Option<f64>,
    /// How many times longer the context became.
    pub factor: Option<f64>,
    /// Context before that.
    pub original_max_position_embeddings: Option<u64>,
    /// YaRN, LongRoPE: multiplies sine and cosine.
    pub attention_factor: Option<f64>,
    /// YaRN: upper bound of rotations that are interpolated.
    pub beta_fast: Option<f64>,
    /// YaRN: lower bound of rotations that are extrapolated.
    pub beta_slow: Option<f64>,
    /// YaRN: scales the attention factor.
    pub mscale: Option<f64>,
    /// YaRN: scales the divisor of the attention factor.
    pub mscale_all_dim: Option<f64>,
    /// Llama 3: share of the context below which the factor applies in full.
    pub low_freq_factor: Option<f64>,
    /// Llama 3: share above which nothing changes.
    pub high_freq_factor: Option<f64>,
    /// LongRoPE: divisors up to the original context.
    pub short_factor: Option<Vec<f64>>,
    /// LongRoPE: divisors beyond it.
    pub long_factor: Option<Vec<f64>>,
    /// What holds for global layers only.
    pub full_attention: Option<Box<RopeParameters>>,
    /// What holds for sliding layers only.
    pub sliding_attention: Option<Box<RopeParameters>>,
}

impl RopeParameters {
    /// The kind of scaling; `default` for none.
    pub fn kind(&self) -> &str {
        self.rope_type.as_deref().or(self.old_type.as_deref()).unwrap_or("default")
    }
}

/// Tells a key that is `null` from one that is not there.
fn stated<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

impl Config {
    /// Reads `config.json`. The text part of a model for text and images is taken for the model.
    ///
    /// # Errors
    /// When the bytes are no JSON object, or a value has the wrong type.
    pub fn parse(json: &[u8]) -> Result<Self, FormatError> {
        let mut object = parse_object(json, FILE)?;
        flatten(&mut object);
        typed(object, FILE)
    }

    /// The family.
    ///
    /// # Errors
    /// When the file does not name one.
    pub fn model_type(&self) -> Result<&str, FormatError> {
        self.model_type
            .as_deref()
            .ok_or_else(|| FormatError::new(Problem::Missing).item(Item::Key("model_type".into())))
    }

    /// The activation of the feed-forward network.
    pub fn activation(&self) -> Option<&str> {
        self.hidden_activation.as_deref().or(self.hidden_act.as_deref())
    }

    /// Epsilon of the norms, of whatever kind they are.
    pub fn norm_epsilon(&self) -> Option<f64> {
        self.rms_norm_eps.or(self.layer_norm_eps).or(self.norm_eps)
    }

    /// Every how many layers one is global.
    pub fn global_every(&self) -> Option<u64> {
        self.sliding_window_pattern.or(self.private_sliding_window_pattern)
    }

    /// Feed-forward networks to choose from in each block.
    pub fn experts(&self) -> Option<u64> {
        self.num_experts.or(self.num_local_experts).or(self.n_routed_experts)
    }

    /// RoPE for global layers, wherever the file states it.
    pub fn rope(&self) -> RopeParameters {
        let stated = self.rope_parameters.as_ref().or(self.rope_scaling.as_ref());
        let mut rope = match stated {
            Some(all) => all.full_attention.as_deref().unwrap_or(all).clone(),
            None => RopeParameters::default(),
        };
        rope.rope_theta = rope.rope_theta.or(self.rope_theta);
        rope.partial_rotary_factor =
            rope.partial_rotary_factor.or(self.partial_rotary_factor).or(self.rope_pct);
        rope.original_max_position_embeddings =
            self.original_max_position_embeddings.or(rope.original_max_position_embeddings);
        rope
    }

    /// The base of the RoPE frequencies of sliding layers, where it has one of its own.
    pub fn local_rope_theta(&self) -> Option<f64> {
        let nested = self.rope_parameters.as_ref().and_then(|all| all.sliding_attention.as_deref());
        nested.and_then(|rope| rope.rope_theta).or(self.rope_local_base_freq)
    }
}

/// Lifts the keys of `text_config` over those around it.
fn flatten(object: &mut Value) {
    let Value::Object(outer) = object else { return };
    if let Some(Value::Object(inner)) = outer.remove("text_config") {
        outer.extend::<Map<String, Value>>(inner);
    }
}
