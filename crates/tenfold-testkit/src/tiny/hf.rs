//! A tiny model as the files of a Hugging Face folder.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tenfold_core::DType;
use tenfold_formats::safetensors::Dtype;
use tenfold_formats::safetensors::write::Builder;
use tenfold_formats::{ModelConfig, RopeScaling};

use super::{TinyError, TinyModel, encode, tokenizer};
use crate::tensor::Tensor;

/// Every file by name.
pub(super) fn files(
    model: &TinyModel,
    dtype: DType,
) -> Result<BTreeMap<&'static str, Vec<u8>>, TinyError> {
    let text = |value: Value| format!("{value:#}").into_bytes();
    Ok(BTreeMap::from([
        ("config.json", text(config(model))),
        ("generation_config.json", text(generation(model))),
        ("model.safetensors", weights(model, dtype)?),
        ("tokenizer.json", text(tokenizer::tokenizer(model))),
        ("tokenizer_config.json", text(tokenizer::config(model))),
    ]))
}

fn weights(model: &TinyModel, dtype: DType) -> Result<Vec<u8>, TinyError> {
    let float = matches!(dtype, DType::F32 | DType::F16 | DType::BF16).then_some(dtype);
    let stored = float.and_then(Dtype::from_core).ok_or(TinyError::NoSafetensors(dtype))?;
    let mut file = Builder::new();
    file.metadata("format", "pt");
    for (name, tensor) in model.tensors() {
        for (name, tensor) in renamed(model, name, tensor) {
            file.tensor(&name, stored, &tensor.shape, encode(&name, dtype, &tensor.data)?);
        }
    }
    Ok(file.to_bytes()?)
}

/// The tensor under its usual name; StableLM's norms of heads are one tensor each.
fn renamed(model: &TinyModel, name: &str, tensor: &Tensor) -> Vec<(String, Tensor)> {
    let full = hf_name(model.spec().architecture, name);
    if !full.contains("{head}") {
        return vec![(full, tensor.clone())];
    }
    let heads = tensor.rows().enumerate();
    let heads = heads.map(|(head, row)| {
        let tensor = Tensor { shape: vec![row.len()], data: row.to_vec() };
        (full.replace("{head}", &head.to_string()), tensor)
    });
    heads.collect()
}

fn hf_name(architecture: &str, name: &str) -> String {
    let (module, parameter) = name.rsplit_once('.').unwrap_or((name, "weight"));
    match module.strip_prefix("blk.").and_then(|rest| rest.split_once('.')) {
        Some((layer, module)) => {
            format!("model.layers.{layer}.{}.{parameter}", in_layer(architecture, module))
        }
        None => format!("{}.{parameter}", outer(module)),
    }
}

fn outer(module: &str) -> &str {
    match module {
        "token_embd" => "model.embed_tokens",
        "output_norm" => "model.norm",
        "output" => "lm_head",
        other => other,
    }
}

fn in_layer<'a>(architecture: &str, module: &'a str) -> &'a str {
    match (module, architecture) {
        ("attn_norm", _) => "input_layernorm",
        ("attn_q", _) => "self_attn.q_proj",
        ("attn_k", _) => "self_attn.k_proj",
        ("attn_v", _) => "self_attn.v_proj",
        ("attn_qkv", _) => "self_attn.qkv_proj",
        ("attn_output", _) => "self_attn.o_proj",
        ("attn_q_norm", "stablelm") => "self_attn.q_layernorm.norms.{head}",
        ("attn_k_norm", "stablelm") => "self_attn.k_layernorm.norms.{head}",
        ("attn_q_norm", _) => "self_attn.q_norm",
        ("attn_k_norm", _) => "self_attn.k_norm",
        ("post_attention_norm", _) => "post_attention_layernorm",
        ("ffn_norm", "gemma2" | "gemma3") => "pre_feedforward_layernorm",
        ("ffn_norm", _) => "post_attention_layernorm",
        ("post_ffw_norm", _) => "post_feedforward_layernorm",
        ("ffn_gate", _) => "mlp.gate_proj",
        ("ffn_up", "phi3") => "mlp.gate_up_proj",
        ("ffn_up", _) => "mlp.up_proj",
        ("ffn_down", _) => "mlp.down_proj",
        (other, _) => other,
    }
}

fn config(model: &TinyModel) -> Value {
    let (spec, config) = (model.spec(), model.config());
    let mut json = json!({
        "architectures": [class(spec.model_type)],
        "model_type": spec.model_type,
        "vocab_size": config.vocabulary_size,
        "hidden_size": config.embedding_length,
        "intermediate_size": config.feed_forward_length,
        "num_hidden_layers": config.layers,
        "num_attention_heads": config.heads,
        "num_key_value_heads": config.kv_heads,
        "head_dim": config.key_length,
        "max_position_embeddings": config.context_length,
        "rope_theta": config.rope.theta,
        "rope_scaling": rope_scaling(&config.rope.scaling),
        "tie_word_embeddings": spec.tied,
        "sliding_window": config.sliding_window,
        "bos_token_id": model.vocabulary().bos,
        "eos_token_id": model.vocabulary().eos,
        "torch_dtype": "float32",
    });
    for (key, value) in family_keys(model, config) {
        json[key] = value;
    }
    json
}

/// The keys that only this family has.
fn family_keys(model: &TinyModel, config: &ModelConfig) -> Vec<(&'static str, Value)> {
    let activation = json!(config.activation);
    let epsilon = json!(config.norm_epsilon);
    let query_scalar = config.attention_scale.map(|scale| (1.0 / (scale * scale)).round());
    let mut keys = match model.spec().model_type {
        "stablelm" => vec![
            ("layer_norm_eps", epsilon),
            ("use_qkv_bias", json!(model.spec().qkv_bias)),
            ("qk_layernorm", json!(model.spec().qk_norm)),
            ("use_parallel_residual", json!(config.parallel_residual)),
            ("partial_rotary_factor", json!(rotary_share(config))),
        ],
        "gemma2" | "gemma3_text" => vec![
            ("rms_norm_eps", epsilon),
            ("query_pre_attn_scalar", json!(query_scalar)),
            ("attn_logit_softcapping", json!(config.attention_soft_cap)),
            ("final_logit_softcapping", json!(config.final_soft_cap)),
        ],
        "phi3" => vec![
            ("rms_norm_eps", epsilon),
            ("pad_token_id", json!(model.vocabulary().eot)),
            ("original_max_position_embeddings", json!(original_context(config))),
        ],
        _ => vec![("rms_norm_eps", epsilon)],
    };
    let is_gemma = model.spec().model_type.starts_with("gemma");
    keys.push((if is_gemma { "hidden_activation" } else { "hidden_act" }, activation));
    if let Some(theta) = config.rope.local_theta {
        keys.push(("rope_local_base_freq", json!(theta)));
        keys.push(("sliding_window_pattern", json!(config.sliding_window_pattern)));
    }
    keys
}

fn rotary_share(config: &ModelConfig) -> f64 {
    config.rope.dimensions as f64 / config.key_length as f64
}

fn original_context(config: &ModelConfig) -> usize {
    match config.rope.scaling {
        RopeScaling::LongRope { original_context, .. } => original_context,
        _ => config.context_length,
    }
}

fn class(model_type: &str) -> &'static str {
    match model_type {
        "mistral" => "MistralForCausalLM",
        "qwen2" => "Qwen2ForCausalLM",
        "qwen3" => "Qwen3ForCausalLM",
        "gemma" => "GemmaForCausalLM",
        "gemma2" => "Gemma2ForCausalLM",
        "gemma3_text" => "Gemma3ForCausalLM",
        "phi3" => "Phi3ForCausalLM",
        "stablelm" => "StableLmForCausalLM",
        _ => "LlamaForCausalLM",
    }
}

fn rope_scaling(scaling: &RopeScaling) -> Value {
    match scaling {
        RopeScaling::None => Value::Null,
        RopeScaling::Linear { factor } => json!({"rope_type": "linear", "factor": factor}),
        RopeScaling::Yarn { factor, original_context, .. } => json!({
            "rope_type": "yarn",
            "factor": factor,
            "original_max_position_embeddings": original_context,
        }),
        RopeScaling::Llama3 { factor, low_freq_factor, high_freq_factor, original_context } => {
            json!({
                "rope_type": "llama3",
                "factor": factor,
                "low_freq_factor": low_freq_factor,
                "high_freq_factor": high_freq_factor,
                "original_max_position_embeddings": original_context,
            })
        }
        RopeScaling::LongRope { short, long, .. } => json!({
            "type": "longrope",
            "short_factor": short,
            "long_factor": long,
        }),
    }
}

fn generation(model: &TinyModel) -> Value {
    let vocabulary = model.vocabulary();
    let ends: Vec<u32> = vocabulary.eos.into_iter().chain(vocabulary.eot).collect();
    json!({"bos_token_id": vocabulary.bos, "eos_token_id": ends, "do_sample": true})
}
