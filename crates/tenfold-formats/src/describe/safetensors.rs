//! The description of a model in safetensors files with its `config.json`.

use tenfold_core::ModelFormat;

use super::family::{HfDefaults, hf_defaults};
use super::gguf::period;
use super::names::{self, Mapped};
use super::rope::hf_scaling;
use super::{check, main_dtype};
use crate::error::{FormatError, Problem};
use crate::hf::{Config, TokenizerConfig};
use crate::safetensors::{Index, Safetensors, Tensor};
use crate::{ModelConfig, ModelDescription, RopeConfig, RopeLayout, TensorEntry, TensorTable};

/// The bytes of a Hugging Face folder.
#[derive(Clone, Copy, Debug, Default)]
pub struct SafetensorsModel<'a> {
    /// `config.json`.
    pub config: &'a [u8],
    /// `tokenizer_config.json`, if there is one: it may carry the chat template.
    pub tokenizer_config: Option<&'a [u8]>,
    /// `model.safetensors.index.json`, if there is one: tells whether all tensors are there.
    pub index: Option<&'a [u8]>,
    /// The weight files.
    pub shards: &'a [&'a [u8]],
}

/// Reads, checks and describes a Hugging Face folder.
///
/// Architectures that Tenfold does not know are described as far as their keys allow; tensors
/// without a usual name keep the one they have.
///
/// # Errors
/// When a file breaks the rules of its format, or when the sizes it states are not possible or
/// contradict the tensors.
pub fn describe_safetensors(model: &SafetensorsModel<'_>) -> Result<ModelDescription, FormatError> {
    let config = Config::parse(model.config)?;
    let model_type = config.model_type()?;
    let defaults = hf_defaults(model_type);
    let architecture = defaults.map_or(model_type, |defaults| defaults.architecture);
    refuse_unreadable(&config, defaults.is_some())?;
    let shards = parse_shards(model)?;
    let mut tensors = table(architecture, defaults.is_some(), &shards)?;
    if let Some(defaults) = defaults {
        tie(&config, &defaults, &mut tensors)?;
    }
    let mut description = ModelDescription {
        format: ModelFormat::Safetensors,
        architecture: architecture.to_owned(),
        title: None,
        license: None,
        quantization: None,
        config: hyperparameters(&config, defaults.as_ref(), &tensors)?,
        tensors,
        vocabulary: None,
        chat_template: chat_template(model)?,
    };
    description.quantization = main_dtype(&description);
    if defaults.is_some() {
        check::check(&description)?;
    }
    Ok(description)
}

/// What the numbers alone would not tell.
fn refuse_unreadable(config: &Config, is_known: bool) -> Result<(), FormatError> {
    let unsupported =
        |key: &str, what: String| Err(FormatError::at_key(key, Problem::Unsupported { what }));
    if let Some(quantization) = &config.quantization_config {
        let method = quantization.quant_method.as_deref().unwrap_or("an unknown method");
        let what = format!("a safetensors model quantized with {method}");
        return unsupported("quantization_config", what);
    }
    if is_known && config.use_bidirectional_attention == Some(true) {
        let what = "a model in which all tokens see each other".to_owned();
        return unsupported("use_bidirectional_attention", what);
    }
    Ok(())
}

fn parse_shards<'a>(model: &SafetensorsModel<'a>) -> Result<Vec<Safetensors<'a>>, FormatError> {
    if model.shards.is_empty() {
        return Err(FormatError::new(Problem::MissingShards { expected: 1, found: 0 }));
    }
    let is_alone = model.shards.len() == 1;
    let locate = |error: FormatError, shard| if is_alone { error } else { error.shard(shard) };
    let shards = model
        .shards
        .iter()
        .enumerate()
        .map(|(shard, file)| Safetensors::parse(file).map_err(|error| locate(error, shard)));
    let shards = shards.collect::<Result<Vec<_>, _>>()?;
    if let Some(index) = model.index {
        Index::parse(index)?.check(&shards)?;
    }
    Ok(shards)
}

fn chat_template(model: &SafetensorsModel<'_>) -> Result<Option<String>, FormatError> {
    let Some(json) = model.tokenizer_config else { return Ok(None) };
    Ok(TokenizerConfig::parse(json)?.chat_template().map(str::to_owned))
}

fn table(
    architecture: &str,
    is_known: bool,
    shards: &[Safetensors<'_>],
) -> Result<TensorTable, FormatError> {
    let mut table = TensorTable::default();
    for (shard, file) in shards.iter().enumerate() {
        for tensor in file.tensors() {
            let Some(name) = canonical(architecture, is_known, tensor) else { continue };
            let entry = entry(tensor, shard)?;
            if table.entries.insert(name, entry).is_some() {
                let error = FormatError::at_tensor(tensor.name.clone(), Problem::Duplicate);
                return Err(error.shard(shard));
            }
        }
    }
    Ok(table)
}

/// The name in the description; `None` for tensors that are left out.
fn canonical(architecture: &str, is_known: bool, tensor: &Tensor<'_>) -> Option<String> {
    match names::map(architecture, &tensor.name) {
        Mapped::Text(name) if is_known => Some(name),
        Mapped::Unused if is_known => None,
        // What has no meaning here and no number format either is of no use to anybody.
        _ if tensor.dtype.to_core().is_none() || tensor.range.is_empty() => None,
        _ => Some(tensor.name.clone().into_owned()),
    }
}

fn entry(tensor: &Tensor<'_>, shard: usize) -> Result<TensorEntry, FormatError> {
    let fail = |problem| Err(FormatError::at_tensor(tensor.name.clone(), problem).shard(shard));
    let Some(dtype) = tensor.dtype.to_core() else {
        return fail(Problem::UnknownDType { dtype: tensor.dtype.name().to_owned() });
    };
    if tensor.range.is_empty() {
        let shape = tensor.shape.iter().map(|&size| size as u64).collect();
        return fail(Problem::BadShape { shape, reason: "a size is zero" });
    }
    // A single number is a vector of one.
    let shape = if tensor.shape.is_empty() { vec![1] } else { tensor.shape.clone() };
    Ok(TensorEntry { dtype, shape, shard, range: tensor.range.clone() })
}

/// A tied output is the embedding, whatever else the file may hold; one that is not must be there.
fn tie(
    config: &Config,
    defaults: &HfDefaults,
    tensors: &mut TensorTable,
) -> Result<(), FormatError> {
    const OUTPUT: &str = "output.weight";
    if config.tie_word_embeddings.unwrap_or(defaults.tied_embeddings) {
        tensors.entries.remove(OUTPUT);
    } else if !tensors.entries.contains_key(OUTPUT) {
        return Err(FormatError::at_tensor("lm_head.weight", Problem::Missing));
    }
    Ok(())
}

fn hyperparameters(
    config: &Config,
    defaults: Option<&HfDefaults>,
    tensors: &TensorTable,
) -> Result<ModelConfig, FormatError> {
    let sizes = Sizes { defaults };
    let embedding_length = sizes.needed("hidden_size", config.hidden_size)?;
    let heads = sizes.or(config.num_attention_heads, |family| Some(family.heads));
    let kv_heads = sizes.or(config.num_key_value_heads, |family| family.kv_heads);
    let head_length = sizes.or(config.head_dim, |family| family.head_length);
    let heads = heads.unwrap_or(0);
    let key_length = head_length.unwrap_or(embedding_length.checked_div(heads).unwrap_or(0));
    let context =
        sizes.or(config.max_position_embeddings, |family| Some(family.context_length)).unwrap_or(0);
    let layers = sizes.needed("num_hidden_layers", config.num_hidden_layers)?;
    let (sliding_window, sliding_window_pattern) = windows(config, defaults, layers)?;
    let soft_caps = defaults.map_or((None, None), |defaults| defaults.soft_caps);
    Ok(ModelConfig {
        vocabulary_size: sizes
            .or(config.vocab_size, |family| Some(family.vocabulary_size))
            .unwrap_or(0),
        context_length: context,
        embedding_length,
        layers,
        feed_forward_length: sizes.needed("intermediate_size", config.intermediate_size)?,
        heads,
        kv_heads: kv_heads.unwrap_or(heads),
        key_length,
        value_length: key_length,
        norm_epsilon: norm_epsilon(config, defaults),
        norm_weight_offset: norm_weight_offset(defaults),
        rope: rope(config, defaults, key_length, context)?,
        sliding_window,
        sliding_window_pattern,
        attention_soft_cap: config.attn_logit_softcapping.unwrap_or(soft_caps.0).map(narrow),
        final_soft_cap: config.final_logit_softcapping.unwrap_or(soft_caps.1).map(narrow),
        attention_scale: attention_scale(config, defaults, key_length),
        activation: config.activation().map(str::to_owned),
        parallel_residual: config.use_parallel_residual.unwrap_or(false)
            && !tensors.entries.contains_key("blk.0.ffn_norm.weight"),
        experts: to_usize(config.experts().unwrap_or(0)),
    })
}

/// Sizes with the defaults of the family; an unknown family has none and may leave them out.
struct Sizes<'d> {
    defaults: Option<&'d HfDefaults>,
}

impl Sizes<'_> {
    fn or(
        &self,
        stated: Option<u64>,
        default: impl Fn(&HfDefaults) -> Option<u64>,
    ) -> Option<usize> {
        stated.or_else(|| self.defaults.and_then(default)).map(to_usize)
    }

    fn needed(&self, key: &str, stated: Option<u64>) -> Result<usize, FormatError> {
        match stated {
            Some(size) => Ok(to_usize(size)),
            None if self.defaults.is_some() => Err(FormatError::at_key(key, Problem::Missing)),
            None => Ok(0),
        }
    }
}

/// A number that does not fit is far beyond every bound that is checked later.
fn to_usize(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

fn narrow(number: f64) -> f32 {
    number as f32
}

fn norm_epsilon(config: &Config, defaults: Option<&HfDefaults>) -> f32 {
    let stated = config.norm_epsilon();
    narrow(stated.or(defaults.map(|defaults| defaults.norm_epsilon)).unwrap_or(0.0))
}

/// Gemma's checkpoints hold the difference of a norm's weight from 1.
fn norm_weight_offset(defaults: Option<&HfDefaults>) -> f32 {
    let is_gemma = defaults.is_some_and(|defaults| defaults.architecture.starts_with("gemma"));
    if is_gemma { 1.0 } else { 0.0 }
}

/// Stated only where it differs from what the length of a head gives.
fn attention_scale(
    config: &Config,
    defaults: Option<&HfDefaults>,
    key_length: usize,
) -> Option<f32> {
    // Other families have the key at times, and do not use it.
    let default = defaults?.query_scalar?;
    let scalar = config.query_pre_attn_scalar.unwrap_or(default);
    (scalar != key_length as f64).then(|| narrow(scalar.powf(-0.5)))
}

fn rope(
    config: &Config,
    defaults: Option<&HfDefaults>,
    key_length: usize,
    context: usize,
) -> Result<RopeConfig, FormatError> {
    let stated = config.rope();
    let share = stated
        .partial_rotary_factor
        .or(defaults.map(|defaults| defaults.rotary_share))
        .unwrap_or(1.0);
    let theta = stated.rope_theta.or(defaults.map(|defaults| defaults.rope_theta));
    let has_local_rope = defaults.is_some_and(|defaults| defaults.architecture == "gemma3");
    Ok(RopeConfig {
        dimensions: (key_length as f64 * share) as usize,
        theta: narrow(theta.unwrap_or(10_000.0)),
        local_theta: has_local_rope.then(|| narrow(config.local_rope_theta().unwrap_or(10_000.0))),
        layout: RopeLayout::Halves,
        scaling: match hf_scaling(&stated, context) {
            // For showing a model of another family, a rule that is not known does not matter.
            Err(_) if defaults.is_none() => crate::RopeScaling::None,
            other => other?,
        },
    })
}

/// The sliding window, and every how many layers one is global.
fn windows(
    config: &Config,
    defaults: Option<&HfDefaults>,
    layers: usize,
) -> Result<(Option<usize>, Option<usize>), FormatError> {
    let usual = defaults.and_then(|defaults| defaults.sliding_window);
    let window = config.sliding_window.unwrap_or(usual).filter(|&window| window > 0);
    let is_qwen = defaults.is_some_and(|defaults| defaults.architecture.starts_with("qwen"));
    if window.is_none() || (is_qwen && config.use_sliding_window != Some(true)) {
        return Ok((None, None));
    }
    let window = window.map(to_usize);
    let pattern = config.global_every();
    let usual = defaults.and_then(|defaults| defaults.sliding_window_pattern);
    let Some(slides) = layer_types(config, is_qwen, layers) else {
        return Ok((window, pattern.or(usual).map(to_usize)));
    };
    match period(&slides) {
        Some(1) => Ok((None, None)),
        Some(period) => Ok((window, Some(period))),
        None if defaults.is_none() => Ok((window, None)),
        None => {
            let what = "a pattern of sliding layers without a fixed step".to_owned();
            Err(FormatError::at_key("layer_types", Problem::Unsupported { what }))
        }
    }
}

/// Which layers slide, where the file says it layer by layer.
fn layer_types(config: &Config, is_qwen: bool, layers: usize) -> Option<Vec<bool>> {
    if let Some(types) = &config.layer_types {
        return Some(types.iter().map(|kind| kind == "sliding_attention").collect());
    }
    let first = to_usize(config.max_window_layers.filter(|_| is_qwen)?);
    // More layers than that are refused later.
    Some((0..layers.min(1 << 12)).map(|layer| layer >= first).collect())
}
