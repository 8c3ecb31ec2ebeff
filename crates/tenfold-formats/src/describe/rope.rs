//! How positions are stretched, from either source.

use super::gguf::Keys;
use crate::error::{FormatError, Problem};
use crate::hf::RopeParameters;
use crate::{RopeScaling, TensorTable};

/// YaRN's bounds where a file does not state them.
const BETA_FAST: f32 = 32.0;
const BETA_SLOW: f32 = 1.0;

/// The scaling that GGUF keys and tensors state.
pub(super) fn gguf_scaling(
    keys: &Keys<'_, '_>,
    tensors: &TensorTable,
    context_length: usize,
) -> Result<RopeScaling, FormatError> {
    let attention_factor = keys.float("rope.scaling.attn_factor")?;
    let original_context =
        keys.number("rope.scaling.original_context_length")?.unwrap_or(context_length);
    if has_long_factors(tensors) {
        let (short, long) = (Vec::new(), Vec::new());
        return Ok(RopeScaling::LongRope { short, long, original_context, attention_factor });
    }
    let factor = gguf_factor(keys)?;
    // Without a type, a factor alone means linear; that is how the oldest files put it.
    match keys.str("rope.scaling.type")?.unwrap_or("linear") {
        "none" | "longrope" => Ok(RopeScaling::None),
        "linear" => Ok(linear(factor)),
        "yarn" if keys.float("rope.scaling.yarn_ext_factor")? == Some(0.0) => Ok(linear(factor)),
        "yarn" => Ok(RopeScaling::Yarn {
            factor,
            original_context,
            beta_fast: keys.float("rope.scaling.yarn_beta_fast")?.unwrap_or(BETA_FAST),
            beta_slow: keys.float("rope.scaling.yarn_beta_slow")?.unwrap_or(BETA_SLOW),
            // GGUF's factor comes on top of the usual one.
            attention_factor: attention_factor.map(|extra| extra * yarn_magnitude(factor, 1.0)),
        }),
        other => Err(unknown("rope.scaling.type", other)),
    }
}

/// Phi 3 files carry the factors of LongRoPE as tensors, and no type.
fn has_long_factors(tensors: &TensorTable) -> bool {
    let names = ["rope_factors_long.weight", "blk.0.rope_factors_long.weight"];
    names.iter().any(|&name| tensors.entries.contains_key(name))
}

/// Zero means no scaling.
fn gguf_factor(keys: &Keys<'_, '_>) -> Result<f32, FormatError> {
    let older = keys.float("rope.scale_linear")?;
    let factor = keys.float("rope.scaling.factor")?.or(older);
    Ok(factor.filter(|&factor| factor != 0.0).unwrap_or(1.0))
}

fn linear(factor: f32) -> RopeScaling {
    if factor == 1.0 { RopeScaling::None } else { RopeScaling::Linear { factor } }
}

/// How much YaRN sharpens the attention.
fn yarn_magnitude(factor: f32, scale: f32) -> f32 {
    if factor <= 1.0 { 1.0 } else { 0.1 * scale * factor.ln() + 1.0 }
}

fn unknown(key: &str, kind: &str) -> FormatError {
    let what = format!("RoPE scaling of kind {kind:?}");
    FormatError::at_key(key, Problem::Unsupported { what })
}

/// The scaling that `config.json` states; `context_length` is its `max_position_embeddings`.
pub(super) fn hf_scaling(
    parameters: &RopeParameters,
    context_length: usize,
) -> Result<RopeScaling, FormatError> {
    let factor = parameters.factor.map(|factor| factor as f32);
    let original = parameters.original_max_position_embeddings.map(to_usize);
    match parameters.kind() {
        // Dynamic scaling changes nothing up to the trained context, and Tenfold goes no further.
        "default" | "dynamic" => Ok(RopeScaling::None),
        "linear" => Ok(linear(needed(factor, "factor")?)),
        "llama3" => Ok(RopeScaling::Llama3 {
            factor: needed(factor, "factor")?,
            low_freq_factor: needed(parameters.low_freq_factor, "low_freq_factor")? as f32,
            high_freq_factor: needed(parameters.high_freq_factor, "high_freq_factor")? as f32,
            original_context: original.unwrap_or(context_length),
        }),
        "yarn" => Ok(hf_yarn(parameters, original.unwrap_or(context_length), context_length)),
        "longrope" | "su" => {
            hf_longrope(parameters, original.unwrap_or(context_length), context_length)
        }
        other => Err(unknown("rope_scaling.rope_type", other)),
    }
}

fn needed<T>(value: Option<T>, key: &str) -> Result<T, FormatError> {
    value.ok_or_else(|| FormatError::at_key(format!("rope_scaling.{key}"), Problem::Missing))
}

fn to_usize(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

fn hf_yarn(
    parameters: &RopeParameters,
    original_context: usize,
    context_length: usize,
) -> RopeScaling {
    let ratio = context_length as f64 / original_context.max(1) as f64;
    let factor = parameters.factor.unwrap_or(ratio) as f32;
    let from_scales = || {
        let magnitude = |scale: f64| yarn_magnitude(factor, scale as f32);
        let used = |scale: Option<f64>| scale.filter(|&scale| scale != 0.0);
        let (over, under) = (used(parameters.mscale)?, used(parameters.mscale_all_dim)?);
        Some(magnitude(over) / magnitude(under))
    };
    RopeScaling::Yarn {
        factor,
        original_context,
        beta_fast: parameters.beta_fast.map_or(BETA_FAST, |beta| beta as f32),
        beta_slow: parameters.beta_slow.map_or(BETA_SLOW, |beta| beta as f32),
        attention_factor: parameters
            .attention_factor
            .map(|factor| factor as f32)
            .or_else(from_scales),
    }
}

fn hf_longrope(
    parameters: &RopeParameters,
    original_context: usize,
    context_length: usize,
) -> Result<RopeScaling, FormatError> {
    let table = |factors: &Option<Vec<f64>>, key| {
        let factors = needed(factors.as_ref(), key)?;
        Ok::<_, FormatError>(factors.iter().map(|&factor| factor as f32).collect::<Vec<_>>())
    };
    let ratio = context_length as f64 / original_context.max(1) as f64;
    let factor = parameters.factor.unwrap_or(ratio);
    let usual = (1.0 + factor.max(1.0).ln() / (original_context.max(2) as f64).ln()).sqrt();
    Ok(RopeScaling::LongRope {
        short: table(&parameters.short_factor, "short_factor")?,
        long: table(&parameters.long_factor, "long_factor")?,
        original_context,
        attention_factor: Some(parameters.attention_factor.unwrap_or(usual) as f32),
    })
}
