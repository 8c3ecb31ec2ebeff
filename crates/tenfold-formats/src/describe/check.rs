//! Bounds on hyperparameters, and whether they agree with the tensors.
//!
//! What passes here can be multiplied and allocated by without a further thought.

use crate::error::{FormatError, Item, Problem};
use crate::{ModelConfig, ModelDescription, RopeScaling, TensorTable};

/// Largest sizes that make sense, some times larger than any model of today.
const MAX_LAYERS: usize = 2048;
const MAX_WIDTH: usize = 1 << 20;
const MAX_HEADS: usize = 1 << 12;
const MAX_HEAD_LENGTH: usize = 1 << 13;
const MAX_VOCABULARY: usize = 1 << 24;
const MAX_CONTEXT: usize = 1 << 31;

/// Checks a model of a known family whose tensors are at hand.
pub(super) fn check(description: &ModelDescription) -> Result<(), FormatError> {
    let config = &description.config;
    check_sizes(config)?;
    check_heads(config)?;
    check_numbers(config)?;
    check_scaling(&config.rope.scaling, config.rope.dimensions)?;
    check_tensors(config, &description.tensors)?;
    check_vocabulary(description)
}

fn out_of_range(name: &'static str, value: &dyn ToString, allowed: String) -> FormatError {
    let problem = Problem::OutOfRange { value: value.to_string(), allowed };
    FormatError::new(problem).item(Item::Hyperparameter(name))
}

fn check_sizes(config: &ModelConfig) -> Result<(), FormatError> {
    let sizes = [
        ("layers", config.layers, MAX_LAYERS),
        ("embedding_length", config.embedding_length, MAX_WIDTH),
        ("feed_forward_length", config.feed_forward_length, MAX_WIDTH),
        ("vocabulary_size", config.vocabulary_size, MAX_VOCABULARY),
        ("context_length", config.context_length, MAX_CONTEXT),
        ("heads", config.heads, MAX_HEADS),
        ("kv_heads", config.kv_heads, MAX_HEADS),
        ("key_length", config.key_length, MAX_HEAD_LENGTH),
        ("value_length", config.value_length, MAX_HEAD_LENGTH),
        ("rope.dimensions", config.rope.dimensions, config.key_length),
        ("sliding_window", config.sliding_window.unwrap_or(1), MAX_CONTEXT),
    ];
    match sizes.into_iter().find(|&(_, value, most)| value == 0 || value > most) {
        Some((name, value, most)) => Err(out_of_range(name, &value, format!("from 1 to {most}"))),
        None => Ok(()),
    }
}

fn check_heads(config: &ModelConfig) -> Result<(), FormatError> {
    if !config.heads.is_multiple_of(config.kv_heads) {
        let allowed = format!("a divisor of the {} heads", config.heads);
        return Err(out_of_range("kv_heads", &config.kv_heads, allowed));
    }
    if !config.rope.dimensions.is_multiple_of(2) {
        let value = config.rope.dimensions;
        return Err(out_of_range("rope.dimensions", &value, "an even number".into()));
    }
    Ok(())
}

fn check_numbers(config: &ModelConfig) -> Result<(), FormatError> {
    let positive = [
        ("rope.theta", Some(config.rope.theta)),
        ("rope.local_theta", config.rope.local_theta),
        ("attention_soft_cap", config.attention_soft_cap),
        ("final_soft_cap", config.final_soft_cap),
        ("attention_scale", config.attention_scale),
    ];
    for (name, value) in positive {
        if let Some(value) = value.filter(|value| !value.is_finite() || *value <= 0.0) {
            return Err(out_of_range(name, &value, "a positive number".into()));
        }
    }
    let epsilon = config.norm_epsilon;
    if !(0.0..1.0).contains(&epsilon) {
        return Err(out_of_range("norm_epsilon", &epsilon, "from 0 to 1".into()));
    }
    Ok(())
}

fn check_scaling(scaling: &RopeScaling, dimensions: usize) -> Result<(), FormatError> {
    match scaling {
        RopeScaling::None => Ok(()),
        RopeScaling::Linear { factor } => check_factors(&[*factor]),
        RopeScaling::Yarn { factor, original_context, beta_fast, beta_slow, attention_factor } => {
            check_factors(&[*factor, *beta_fast, *beta_slow, attention_factor.unwrap_or(1.0)])?;
            check_original(*original_context)
        }
        RopeScaling::Llama3 { factor, low_freq_factor, high_freq_factor, original_context } => {
            check_factors(&[*factor, *low_freq_factor, *high_freq_factor])?;
            if low_freq_factor >= high_freq_factor {
                let allowed = format!("less than high_freq_factor {high_freq_factor}");
                return Err(out_of_range("rope.scaling", low_freq_factor, allowed));
            }
            check_original(*original_context)
        }
        RopeScaling::LongRope { short, long, original_context, attention_factor } => {
            check_factors(&[attention_factor.unwrap_or(1.0)])?;
            check_factors(short)?;
            check_factors(long)?;
            check_table(short, dimensions)?;
            check_table(long, dimensions)?;
            check_original(*original_context)
        }
    }
}

fn check_factors(factors: &[f32]) -> Result<(), FormatError> {
    match factors.iter().find(|factor| !factor.is_finite() || **factor <= 0.0) {
        Some(factor) => Err(out_of_range("rope.scaling", factor, "a positive number".into())),
        None => Ok(()),
    }
}

fn check_table(table: &[f32], dimensions: usize) -> Result<(), FormatError> {
    let value = format!("of {} factors", table.len());
    let error = out_of_range("rope.scaling", &value, format!("{} factors", dimensions / 2));
    let is_fine = table.is_empty() || table.len() == dimensions / 2;
    if is_fine { Ok(()) } else { Err(error) }
}

fn check_original(original_context: usize) -> Result<(), FormatError> {
    let allowed = format!("a context from 1 to {MAX_CONTEXT}");
    let error = out_of_range("rope.scaling", &original_context, allowed);
    if (1..=MAX_CONTEXT).contains(&original_context) { Ok(()) } else { Err(error) }
}

fn check_tensors(config: &ModelConfig, tensors: &TensorTable) -> Result<(), FormatError> {
    let table = [config.vocabulary_size, config.embedding_length];
    check_shape(tensors, "token_embd.weight", &table, true)?;
    check_shape(tensors, "output.weight", &table, false)?;
    check_shape(tensors, "output_norm.weight", &[config.embedding_length], true)?;
    let blocks = tensors.entries.keys().filter_map(|name| block_number(name)).max();
    let blocks = blocks.map_or(0, |number| number.saturating_add(1));
    if blocks == config.layers {
        return Ok(());
    }
    let problem = Problem::Mismatch {
        found: config.layers.to_string(),
        expected: blocks.to_string(),
        reason: "the names of the tensors".into(),
    };
    Err(FormatError::new(problem).item(Item::Hyperparameter("layers")))
}

/// The number in `blk.N.…`.
fn block_number(name: &str) -> Option<usize> {
    name.strip_prefix("blk.")?.split('.').next()?.parse().ok()
}

fn check_shape(
    tensors: &TensorTable,
    name: &str,
    expected: &[usize],
    required: bool,
) -> Result<(), FormatError> {
    let entry = match tensors.entries.get(name) {
        Some(entry) if entry.shape == expected => return Ok(()),
        Some(entry) => entry,
        None if required => return Err(FormatError::at_tensor(name, Problem::Missing)),
        None => return Ok(()),
    };
    let problem = Problem::Mismatch {
        found: format!("of shape {:?}", entry.shape),
        expected: format!("{expected:?}"),
        reason: "the hyperparameters".into(),
    };
    Err(FormatError::at_tensor(name, problem))
}

/// Ids of tokens are rows of the embedding.
fn check_vocabulary(description: &ModelDescription) -> Result<(), FormatError> {
    let tokens = description.vocabulary.as_ref().map_or(0, |vocabulary| vocabulary.tokens.len());
    let rows = description.config.vocabulary_size;
    if tokens <= rows {
        return Ok(());
    }
    let problem = Problem::Mismatch {
        found: rows.to_string(),
        expected: tokens.to_string(),
        reason: "the number of tokens in the vocabulary".into(),
    };
    Err(FormatError::new(problem).item(Item::Hyperparameter("vocabulary_size")))
}
