//! A tiny model as a GGUF file, as llama.cpp's converter would write it.

use std::borrow::Cow;

use tenfold_core::DType;
use tenfold_formats::gguf::write::Builder;
use tenfold_formats::{RopeScaling, TokenKind, Vocabulary, VocabularyKind};

use super::{TinyError, TinyModel, encode};
use crate::reference::llama3_divisors;
use crate::tensor::Tensor;

/// The whole file.
pub(super) fn write(model: &TinyModel, dtype: DType) -> Result<Vec<u8>, TinyError> {
    let mut file = Builder::new();
    general(&mut file, model, dtype);
    sizes(&mut file, model);
    attention(&mut file, model);
    rope(&mut file, model);
    vocabulary(&mut file, model);
    for (name, tensor) in model.tensors() {
        let tensor = stored(model, name, tensor);
        let dtype = if is_matrix(name, &tensor) { dtype } else { DType::F32 };
        file.tensor(name, dtype, &tensor.shape, encode(name, dtype, &tensor.data)?);
    }
    for (name, numbers) in rope_tables(model) {
        file.tensor(name, DType::F32, &[numbers.len()], encode(name, DType::F32, &numbers)?);
    }
    Ok(file.to_bytes()?)
}

/// True for what a quantized file stores in its own format; norms and biases stay f32.
fn is_matrix(name: &str, tensor: &Tensor) -> bool {
    tensor.shape.len() == 2 && !name.contains("norm")
}

/// The numbers as GGUF files have them.
fn stored<'a>(model: &TinyModel, name: &str, tensor: &'a Tensor) -> Cow<'a, Tensor> {
    let config = model.config();
    let interleaved = model.spec().architecture == "llama";
    if interleaved && (name.contains("attn_q.") || name.contains("attn_k.")) {
        return Cow::Owned(tensor.with_rows(|row| interleave(row, config.key_length)));
    }
    if config.norm_weight_offset != 0.0 && name.ends_with("norm.weight") {
        let mut tensor = tensor.clone();
        tensor.data.iter_mut().for_each(|weight| *weight += config.norm_weight_offset);
        return Cow::Owned(tensor);
    }
    Cow::Borrowed(tensor)
}

/// Where a row comes from when the two halves of each head are shuffled into each other.
fn interleave(row: usize, head: usize) -> usize {
    let (start, within) = (row / head * head, row % head);
    start + within % 2 * (head / 2) + within / 2
}

fn general(file: &mut Builder<'_>, model: &TinyModel, dtype: DType) {
    let spec = model.spec();
    file.set("general.architecture", spec.architecture)
        .set("general.name", &format!("tiny {}", spec.name))
        .set("general.license", "mit")
        .set("general.quantization_version", &2_u32);
    if let Some(id) = file_type(dtype) {
        file.set("general.file_type", &id);
    }
}

/// The number of a file whose matrices all have this format.
fn file_type(dtype: DType) -> Option<u32> {
    let name = match dtype {
        DType::Q3_K => "Q3_K_S",
        DType::Q4_K => "Q4_K_S",
        DType::Q5_K => "Q5_K_S",
        dtype => dtype.name(),
    };
    (0..64).find(|&id| tenfold_formats::gguf::file_type_name(id.into()) == Some(name))
}

fn sizes(file: &mut Builder<'_>, model: &TinyModel) {
    let (config, key) = (model.config(), key(model));
    let numbers = [
        ("vocab_size", config.vocabulary_size),
        ("context_length", config.context_length),
        ("embedding_length", config.embedding_length),
        ("block_count", config.layers),
        ("feed_forward_length", config.feed_forward_length),
        ("attention.head_count", config.heads),
        ("attention.head_count_kv", config.kv_heads),
        ("attention.key_length", config.key_length),
        ("attention.value_length", config.value_length),
    ];
    for (name, number) in numbers {
        file.set(&key(name), &(number as u32));
    }
}

fn attention(file: &mut Builder<'_>, model: &TinyModel) {
    let (config, key) = (model.config(), key(model));
    if model.spec().architecture == "stablelm" {
        file.set(&key("attention.layer_norm_epsilon"), &config.norm_epsilon);
        file.set(&key("use_parallel_residual"), &config.parallel_residual);
    } else {
        file.set(&key("attention.layer_norm_rms_epsilon"), &config.norm_epsilon);
    }
    if let Some(window) = config.sliding_window {
        file.set(&key("attention.sliding_window"), &(window as u32));
    }
    if let Some(cap) = config.attention_soft_cap {
        file.set(&key("attn_logit_softcapping"), &cap);
    }
    if let Some(cap) = config.final_soft_cap {
        file.set(&key("final_logit_softcapping"), &cap);
    }
}

fn rope(file: &mut Builder<'_>, model: &TinyModel) {
    let (rope, key) = (&model.config().rope, key(model));
    file.set(&key("rope.freq_base"), &rope.theta);
    file.set(&key("rope.dimension_count"), &(rope.dimensions as u32));
    let mut scaling = |kind: &str, factor: f32, original: Option<usize>| {
        file.set(&key("rope.scaling.type"), kind).set(&key("rope.scaling.factor"), &factor);
        if let Some(original) = original {
            file.set(&key("rope.scaling.original_context_length"), &(original as u32));
        }
    };
    match &rope.scaling {
        // Llama 3's rule is a tensor of divisors.
        RopeScaling::None | RopeScaling::Llama3 { .. } => {}
        RopeScaling::Linear { factor } => scaling("linear", *factor, None),
        RopeScaling::Yarn { factor, original_context, .. } => {
            scaling("yarn", *factor, Some(*original_context));
        }
        RopeScaling::LongRope { original_context, .. } => {
            let length = model.config().context_length as f32 / *original_context as f32;
            let magnitude = (1.0 + length.ln() / (*original_context as f32).ln()).sqrt();
            file.set(&key("rope.scaling.attn_factor"), &magnitude);
            file.set(&key("rope.scaling.original_context_length"), &(*original_context as u32));
        }
    }
}

/// The divisors of RoPE frequencies that GGUF files keep as tensors.
fn rope_tables(model: &TinyModel) -> Vec<(&'static str, Vec<f32>)> {
    let rope = &model.config().rope;
    match &rope.scaling {
        RopeScaling::Llama3 { .. } => vec![("rope_freqs.weight", llama3_divisors(rope))],
        RopeScaling::LongRope { short, long, .. } => vec![
            ("rope_factors_long.weight", long.clone()),
            ("rope_factors_short.weight", short.clone()),
        ],
        _ => Vec::new(),
    }
}

/// Puts the architecture before a key.
fn key(model: &TinyModel) -> impl Fn(&str) -> String + use<> {
    let architecture = model.spec().architecture;
    move |name| format!("{architecture}.{name}")
}

fn vocabulary(file: &mut Builder<'_>, model: &TinyModel) {
    let vocabulary = model.vocabulary();
    let kinds: Vec<i32> = vocabulary.kinds.iter().map(|&kind| kind_id(kind)).collect();
    file.set("tokenizer.ggml.model", model_name(vocabulary))
        .set("tokenizer.ggml.pre", vocabulary.pre.as_deref().unwrap_or("default"))
        .set("tokenizer.ggml.tokens", &vocabulary.tokens)
        .set("tokenizer.ggml.token_type", &kinds);
    if !vocabulary.scores.is_empty() {
        file.set("tokenizer.ggml.scores", &vocabulary.scores);
    }
    if !vocabulary.merges.is_empty() {
        file.set("tokenizer.ggml.merges", &vocabulary.merges);
    }
    special_tokens(file, vocabulary);
    file.set("tokenizer.chat_template", model.chat_template());
}

fn special_tokens(file: &mut Builder<'_>, vocabulary: &Vocabulary) {
    let ids = [
        ("bos", vocabulary.bos),
        ("eos", vocabulary.eos),
        ("eot", vocabulary.eot),
        ("unknown", vocabulary.unk),
        ("padding", vocabulary.pad),
    ];
    for (name, id) in ids {
        if let Some(id) = id {
            file.set(&format!("tokenizer.ggml.{name}_token_id"), &id);
        }
    }
    let switches =
        [("add_bos_token", vocabulary.add_bos), ("add_space_prefix", vocabulary.add_space_prefix)];
    for (name, switch) in switches {
        if let Some(switch) = switch {
            file.set(&format!("tokenizer.ggml.{name}"), &switch);
        }
    }
}

fn model_name(vocabulary: &Vocabulary) -> &'static str {
    match vocabulary.kind {
        VocabularyKind::SentencePiece => "llama",
        VocabularyKind::WordPiece => "bert",
        VocabularyKind::Unigram => "t5",
        _ => "gpt2",
    }
}

const fn kind_id(kind: TokenKind) -> i32 {
    match kind {
        TokenKind::Normal => 1,
        TokenKind::Unknown => 2,
        TokenKind::Control => 3,
        TokenKind::UserDefined => 4,
        TokenKind::Unused => 5,
        TokenKind::Byte => 6,
    }
}
