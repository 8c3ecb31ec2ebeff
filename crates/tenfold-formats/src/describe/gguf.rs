//! The description of a model in GGUF files.

use tenfold_core::ModelFormat;

use super::rope::gguf_scaling;
use super::{check, family, main_dtype, vocabulary};
use crate::error::{FormatError, FormatErrorKind, Problem};
use crate::gguf::{Gguf, GgufFiles, Value, file_type_name};
use crate::{ModelConfig, ModelDescription, RopeConfig, TensorEntry, TensorTable, Vocabulary};

/// Reads, checks and describes the GGUF files of one model, in the order of their numbers.
///
/// Architectures that Tenfold does not know are described as far as their keys allow, and so are
/// files that hold a vocabulary and no tensors.
///
/// # Errors
/// When a file is not GGUF, breaks its rules, is missing or of another model, or when the sizes it
/// states are not possible or contradict its tensors.
pub fn describe_gguf(shards: &[&[u8]]) -> Result<ModelDescription, FormatError> {
    describe_gguf_files(&GgufFiles::parse(shards)?)
}

/// Describes files that were parsed already, in whole or by their headers.
///
/// # Errors
/// When the sizes that the files state are not possible or contradict their tensors.
pub fn describe_gguf_files(files: &GgufFiles<'_>) -> Result<ModelDescription, FormatError> {
    let gguf = files.first();
    let tensors = table(files);
    let architecture = architecture(gguf, tensors.entries.is_empty())?;
    let is_strict = family::is_known(architecture) && !tensors.entries.is_empty();
    let keys = Keys { gguf, architecture, is_strict };
    let vocabulary = usable(vocabulary(gguf))?;
    let mut description = ModelDescription {
        format: ModelFormat::Gguf,
        architecture: architecture.to_owned(),
        title: text(gguf, "general.name")?,
        license: text(gguf, "general.license")?,
        quantization: None,
        config: config(&keys, &tensors, vocabulary.as_ref())?,
        tensors,
        vocabulary,
        chat_template: text(gguf, "tokenizer.chat_template")?,
    };
    description.quantization = quantization(gguf, &description)?;
    family::complete(architecture, &mut description.config);
    if is_strict {
        check::check(&description)?;
    }
    Ok(description)
}

/// A vocabulary of an unknown kind is none here; [`vocabulary`] itself says which.
fn usable(
    vocabulary: Result<Option<Vocabulary>, FormatError>,
) -> Result<Option<Vocabulary>, FormatError> {
    match vocabulary {
        Err(error) if error.kind() == FormatErrorKind::Unsupported => Ok(None),
        other => other,
    }
}

fn architecture<'a>(gguf: &Gguf<'a>, is_bare: bool) -> Result<&'a str, FormatError> {
    const KEY: &str = "general.architecture";
    match gguf.str(KEY)? {
        Some(architecture) => Ok(architecture),
        None if is_bare => Ok("unknown"),
        None => Err(FormatError::at_key(KEY, Problem::Missing)),
    }
}

fn text(gguf: &Gguf<'_>, key: &str) -> Result<Option<String>, FormatError> {
    Ok(gguf.str(key)?.map(str::to_owned))
}

fn quantization(
    gguf: &Gguf<'_>,
    description: &ModelDescription,
) -> Result<Option<String>, FormatError> {
    let stated = gguf.u64("general.file_type")?.and_then(file_type_name).map(str::to_owned);
    Ok(stated.or_else(|| main_dtype(description)))
}

fn table(files: &GgufFiles<'_>) -> TensorTable {
    let entries = files.tensors().map(|(shard, tensor)| {
        let entry = TensorEntry {
            dtype: tensor.dtype,
            shape: tensor.shape.clone(),
            shard,
            range: tensor.range.clone(),
        };
        (tensor.name.to_owned(), entry)
    });
    TensorTable { entries: entries.collect() }
}

/// Hyperparameters of one architecture.
pub(super) struct Keys<'g, 'a> {
    pub(super) gguf: &'g Gguf<'a>,
    architecture: &'g str,
    /// Whether a missing or varying number is an error.
    is_strict: bool,
}

impl Keys<'_, '_> {
    fn name(&self, key: &str) -> String {
        format!("{}.{key}", self.architecture)
    }

    /// A whole number; of one per layer the largest, if they may differ.
    pub(super) fn number(&self, key: &str) -> Result<Option<usize>, FormatError> {
        let name = self.name(key);
        let number = match self.gguf.get(&name) {
            Some(Value::Array(_)) => self.number_per_layer(&name)?,
            _ => self.gguf.u64(&name)?,
        };
        // A number that does not fit is far beyond every bound that is checked later.
        Ok(number.map(|number| usize::try_from(number).unwrap_or(usize::MAX)))
    }

    fn number_per_layer(&self, name: &str) -> Result<Option<u64>, FormatError> {
        let Some(items) = self.gguf.i64s(name)? else { return Ok(None) };
        let (mut least, mut most) = (i64::MAX, 0);
        for item in items.iter() {
            let item = item?;
            least = least.min(item);
            most = most.max(item);
        }
        if self.is_strict && least != most {
            let what = "a model whose layers differ in size".to_owned();
            return Err(FormatError::at_key(name, Problem::Unsupported { what }));
        }
        Ok(u64::try_from(most).ok())
    }

    fn needed(&self, key: &str) -> Result<usize, FormatError> {
        match self.number(key)? {
            Some(number) => Ok(number),
            None if self.is_strict => Err(FormatError::at_key(self.name(key), Problem::Missing)),
            None => Ok(0),
        }
    }

    pub(super) fn float(&self, key: &str) -> Result<Option<f32>, FormatError> {
        self.gguf.f32(&self.name(key))
    }

    /// A float that stands for "not used" when it is zero.
    fn float_or_off(&self, key: &str) -> Result<Option<f32>, FormatError> {
        Ok(self.float(key)?.filter(|&value| value != 0.0))
    }

    pub(super) fn str(&self, key: &str) -> Result<Option<&str>, FormatError> {
        self.gguf.str(&self.name(key))
    }
}

fn config(
    keys: &Keys<'_, '_>,
    tensors: &TensorTable,
    vocabulary: Option<&Vocabulary>,
) -> Result<ModelConfig, FormatError> {
    let embedding_length = keys.needed("embedding_length")?;
    let heads = keys.needed("attention.head_count")?;
    let head_length = embedding_length.checked_div(heads).unwrap_or(0);
    let key_length = keys.number("attention.key_length")?.unwrap_or(head_length);
    let context_length = keys.needed("context_length")?;
    Ok(ModelConfig {
        vocabulary_size: vocabulary_size(keys, tensors, vocabulary)?,
        context_length,
        embedding_length,
        layers: keys.needed("block_count")?,
        feed_forward_length: keys.needed("feed_forward_length")?,
        heads,
        kv_heads: keys.number("attention.head_count_kv")?.unwrap_or(heads),
        key_length,
        value_length: keys.number("attention.value_length")?.unwrap_or(head_length),
        norm_epsilon: norm_epsilon(keys)?,
        // Conversion to GGUF has added it where a family has one.
        norm_weight_offset: 0.0,
        rope: rope(keys, tensors, key_length, context_length)?,
        sliding_window: keys.number("attention.sliding_window")?.filter(|&window| window > 0),
        sliding_window_pattern: sliding_window_pattern(keys)?,
        attention_soft_cap: keys.float_or_off("attn_logit_softcapping")?,
        final_soft_cap: keys.float_or_off("final_logit_softcapping")?,
        attention_scale: keys.float_or_off("attention.scale")?,
        activation: None,
        parallel_residual: parallel_residual(keys, tensors)?,
        experts: keys.number("expert_count")?.unwrap_or(0),
    })
}

/// Rows of the embedding; where there is none, what the metadata says.
fn vocabulary_size(
    keys: &Keys<'_, '_>,
    tensors: &TensorTable,
    vocabulary: Option<&Vocabulary>,
) -> Result<usize, FormatError> {
    let rows = tensors.entries.get("token_embd.weight").and_then(|entry| match *entry.shape {
        [rows, _] => Some(rows),
        _ => None,
    });
    let tokens = vocabulary.map_or(0, |vocabulary| vocabulary.tokens.len());
    Ok(rows.or(keys.number("vocab_size")?).unwrap_or(tokens))
}

fn norm_epsilon(keys: &Keys<'_, '_>) -> Result<f32, FormatError> {
    const RMS: &str = "attention.layer_norm_rms_epsilon";
    let stated = match keys.float(RMS)? {
        Some(epsilon) => Some(epsilon),
        None => keys.float("attention.layer_norm_epsilon")?,
    };
    match stated {
        Some(epsilon) => Ok(epsilon),
        None if keys.is_strict => Err(FormatError::at_key(keys.name(RMS), Problem::Missing)),
        None => Ok(0.0),
    }
}

fn rope(
    keys: &Keys<'_, '_>,
    tensors: &TensorTable,
    key_length: usize,
    context_length: usize,
) -> Result<RopeConfig, FormatError> {
    Ok(RopeConfig {
        dimensions: keys.number("rope.dimension_count")?.unwrap_or(key_length),
        theta: keys.float("rope.freq_base")?.unwrap_or(10_000.0),
        local_theta: keys.float("rope.freq_base_swa")?,
        layout: family::gguf_rope_layout(keys.architecture),
        scaling: gguf_scaling(keys, tensors, context_length)?,
    })
}

/// Every how many layers one is global: stated as such, or layer by layer.
fn sliding_window_pattern(keys: &Keys<'_, '_>) -> Result<Option<usize>, FormatError> {
    const KEY: &str = "attention.sliding_window_pattern";
    let name = keys.name(KEY);
    match keys.gguf.get(&name) {
        Some(Value::Array(_)) => {}
        _ => return keys.number(KEY),
    }
    let slides = match keys.gguf.bools(&name)? {
        Some(items) => items.to_vec()?,
        None => Vec::new(),
    };
    match period(&slides) {
        Some(period) => Ok(Some(period)),
        None if keys.is_strict => {
            let what = "a pattern of sliding layers without a fixed step".to_owned();
            Err(FormatError::at_key(name, Problem::Unsupported { what }))
        }
        None => Ok(None),
    }
}

/// The `n` for which every n-th layer is global; 0 if all slide, `None` if there is no such number.
pub(super) fn period(slides: &[bool]) -> Option<usize> {
    let Some(first) = slides.iter().position(|slides| !slides) else { return Some(0) };
    let period = first + 1;
    let fits = |(layer, &slides): (usize, &bool)| slides != (layer + 1).is_multiple_of(period);
    slides.iter().enumerate().all(fits).then_some(period)
}

/// StableLM files state a parallel residual even for models without one. A norm before the
/// feed-forward network tells: a parallel one has none of its own.
fn parallel_residual(keys: &Keys<'_, '_>, tensors: &TensorTable) -> Result<bool, FormatError> {
    let stated = keys.gguf.bool(&keys.name("use_parallel_residual"))?.unwrap_or(false);
    Ok(stated && !tensors.entries.contains_key("blk.0.ffn_norm.weight"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_step_of_global_layers_is_found() {
        let cases: &[(&[bool], Option<usize>)] = &[
            (&[], Some(0)),
            (&[true, true], Some(0)),
            (&[false, false], Some(1)),
            (&[true, false, true, false], Some(2)),
            (&[true, true, false, true, true], Some(3)),
            (&[true, false, false], None),
            (&[false, true], None),
        ];
        for (slides, expected) in cases {
            assert_eq!(period(slides), *expected, "{slides:?}");
        }
    }
}
