//! Hugging Face folders: how a checkpoint becomes a description.

use serde_json::{Value as Json, json};
use tenfold_core::DType;
use tenfold_formats::safetensors::Dtype;
use tenfold_formats::safetensors::write::Builder;
use tenfold_formats::{
    FormatError, FormatErrorKind, ModelDescription, SafetensorsModel, describe_safetensors,
};

/// A checkpoint that fits a configuration, as far as descriptions look at it.
pub(crate) fn checkpoint(config: &Json, tied: bool) -> Builder<'static> {
    let is_nested = config.get("text_config").is_some();
    let prefix = if is_nested { "language_model." } else { "" };
    let text = config.get("text_config").unwrap_or(config);
    let size = |key: &str| text[key].as_u64().unwrap() as usize;
    let (rows, width) = (size("vocab_size"), size("hidden_size"));
    let mut builder = Builder::new();
    halves(&mut builder, &format!("{prefix}model.embed_tokens.weight"), &[rows, width]);
    halves(&mut builder, &format!("{prefix}model.norm.weight"), &[width]);
    if !tied {
        halves(&mut builder, &format!("{prefix}lm_head.weight"), &[rows, width]);
    }
    for layer in 0..size("num_hidden_layers") {
        let layer = format!("{prefix}model.layers.{layer}");
        halves(&mut builder, &format!("{layer}.input_layernorm.weight"), &[width]);
    }
    builder
}

fn halves(builder: &mut Builder<'_>, name: &str, shape: &[usize]) {
    builder.tensor(name, Dtype::Bf16, shape, vec![0; 2 * shape.iter().product::<usize>()]);
}

pub(crate) fn describe(config: &Json, weights: &[u8]) -> Result<ModelDescription, FormatError> {
    let config = config.to_string();
    let shards = [weights];
    describe_safetensors(&SafetensorsModel {
        config: config.as_bytes(),
        shards: &shards,
        ..SafetensorsModel::default()
    })
}

fn llama() -> Json {
    json!({
        "model_type": "llama", "vocab_size": 12, "hidden_size": 16, "intermediate_size": 32,
        "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2
    })
}

/// The configuration with some keys changed.
fn with(mut config: Json, changes: Json) -> Json {
    let (Json::Object(config_object), Json::Object(changes)) = (&mut config, changes) else {
        panic!("both are objects");
    };
    config_object.extend(changes);
    config
}

fn refuse(config: &Json, weights: &Builder<'_>) -> (FormatErrorKind, String) {
    let error = describe(config, &weights.to_bytes().unwrap()).unwrap_err();
    (error.kind(), error.to_string())
}

#[test]
fn tensors_get_the_names_of_gguf() {
    let mut weights = checkpoint(&llama(), false);
    halves(&mut weights, "model.layers.1.self_attn.q_proj.weight", &[16, 16]);
    halves(&mut weights, "model.layers.1.self_attn.rotary_emb.inv_freq", &[2]);
    weights.tensor("model.extra.steps", Dtype::U32, &[1], vec![0; 4]);
    weights.tensor("model.extra.scale", Dtype::F32, &[], vec![0; 4]);
    let bytes = weights.to_bytes().unwrap();
    let model = describe(&llama(), &bytes).unwrap();
    let names: Vec<&str> = model.tensors.entries.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        [
            "blk.0.attn_norm.weight",
            "blk.1.attn_norm.weight",
            "blk.1.attn_q.weight",
            "model.extra.scale",
            "output.weight",
            "output_norm.weight",
            "token_embd.weight",
        ]
    );
    let view = model.tensors.view("blk.1.attn_q.weight", &[&bytes]).unwrap();
    assert_eq!((view.dtype, view.shape, view.data.len()), (DType::BF16, &[16, 16][..], 512));
    assert_eq!(model.tensors.entries["model.extra.scale"].shape, [1]);
    assert_eq!(model.quantization.as_deref(), Some("BF16"));
}

#[test]
fn a_tied_output_is_no_tensor_and_an_untied_one_is_there() {
    let tied = with(llama(), json!({"tie_word_embeddings": true}));
    for has_output in [true, false] {
        let bytes = checkpoint(&llama(), !has_output).to_bytes().unwrap();
        let model = describe(&tied, &bytes).unwrap();
        assert!(!model.tensors.entries.contains_key("output.weight"));
    }
    let (kind, text) = refuse(&llama(), &checkpoint(&llama(), true));
    assert_eq!(
        (kind, text.as_str()),
        (FormatErrorKind::Missing, "tensor \"lm_head.weight\": it is missing")
    );
}

#[test]
fn gemma_adds_one_to_its_norms_and_llama_does_not() {
    let gemma = with(llama(), json!({"model_type": "gemma", "head_dim": 4}));
    let gemma = describe(&gemma, &checkpoint(&gemma, true).to_bytes().unwrap()).unwrap();
    assert_eq!(gemma.config.norm_weight_offset, 1.0);
    let llama = describe(&llama(), &checkpoint(&llama(), false).to_bytes().unwrap()).unwrap();
    assert_eq!(llama.config.norm_weight_offset, 0.0);
}

#[test]
fn several_files_are_one_model() {
    let config = llama().to_string();
    let (mut one, mut two) = (Builder::new(), checkpoint(&llama(), false));
    halves(&mut one, "model.layers.0.mlp.down_proj.weight", &[16, 32]);
    halves(&mut two, "model.layers.0.mlp.up_proj.weight", &[32, 16]);
    let (one, two) = (one.to_bytes().unwrap(), two.to_bytes().unwrap());
    let shards: [&[u8]; 2] = [&one, &two];
    let index = |tensor: &str| {
        json!({"weight_map": {"model.layers.0.mlp.down_proj.weight": "a.safetensors",
                              tensor: "b.safetensors"}})
        .to_string()
    };
    let all = index("model.norm.weight");
    let model = SafetensorsModel {
        config: config.as_bytes(),
        index: Some(all.as_bytes()),
        shards: &shards,
        ..SafetensorsModel::default()
    };
    let description = describe_safetensors(&model).unwrap();
    assert_eq!(description.tensors.entries["blk.0.ffn_down.weight"].shard, 0);
    assert_eq!(description.tensors.entries["blk.0.ffn_up.weight"].shard, 1);

    let more = index("model.layers.1.mlp.up_proj.weight");
    let missing = SafetensorsModel { index: Some(more.as_bytes()), ..model };
    let text = describe_safetensors(&missing).unwrap_err().to_string();
    assert_eq!(text, "tensor \"model.layers.1.mlp.up_proj.weight\": it is missing");

    let twice: [&[u8]; 3] = [&one, &two, &one];
    let text = describe_safetensors(&SafetensorsModel { shards: &twice, index: None, ..model });
    let text = text.unwrap_err().to_string();
    assert!(text.contains("file 3") && text.contains("twice"), "{text}");
    let none = SafetensorsModel { shards: &[], index: None, ..model };
    assert_eq!(describe_safetensors(&none).unwrap_err().kind(), FormatErrorKind::Missing);
}

#[test]
fn the_chat_template_comes_from_the_tokenizers_configuration() {
    let config = llama().to_string();
    let weights = checkpoint(&llama(), false).to_bytes().unwrap();
    let shards = [weights.as_slice()];
    let model = describe_safetensors(&SafetensorsModel {
        config: config.as_bytes(),
        tokenizer_config: Some(br#"{"chat_template": "{{ messages }}"}"#),
        shards: &shards,
        ..SafetensorsModel::default()
    });
    let model = model.unwrap();
    assert_eq!(model.chat_template.as_deref(), Some("{{ messages }}"));
    assert!(model.info("tiny", 1).has_chat_template);
}

#[test]
fn an_unknown_architecture_is_described_as_far_as_it_goes() {
    let config = json!({"model_type": "mamba2", "hidden_size": 8, "rope_scaling": {"type": "odd"}});
    let mut weights = Builder::new();
    halves(&mut weights, "backbone.layers.0.mixer.A_log", &[4]);
    let model = describe(&config, &weights.to_bytes().unwrap()).unwrap();
    assert_eq!((model.architecture.as_str(), model.config.embedding_length), ("mamba2", 8));
    assert!(model.tensors.entries.contains_key("backbone.layers.0.mixer.A_log"));
}

#[test]
fn what_cannot_be_right_is_refused() {
    let weights = checkpoint(&llama(), false);
    let cases = [
        (json!({"quantization_config": {"quant_method": "awq"}}), "quantized with awq"),
        (json!({"use_bidirectional_attention": true}), "all tokens see each other"),
        (json!({"num_key_value_heads": 3}), "hyperparameter kv_heads: the value 3"),
        (json!({"num_key_value_heads": 0}), "kv_heads: the value 0"),
        (json!({"num_attention_heads": 0}), "heads: the value 0"),
        (json!({"num_hidden_layers": 3}), "layers: it is 3, but 2 is expected"),
        (json!({"num_hidden_layers": u64::MAX}), "hyperparameter layers"),
        (json!({"hidden_size": 32}), "token_embd.weight\": it is of shape [12, 16], but [12, 32]"),
        (json!({"vocab_size": 13}), "token_embd.weight"),
        (json!({"vocab_size": 0}), "vocabulary_size"),
        (json!({"intermediate_size": null}), "intermediate_size\": it is missing"),
        (json!({"head_dim": 3}), "rope.dimensions: the value 3"),
        (json!({"rms_norm_eps": 2.0}), "norm_epsilon"),
        (json!({"rope_theta": 0.0}), "rope.theta"),
        (json!({"rope_theta": -5}), "rope.theta"),
        (json!({"rope_theta": 1e300}), "rope.theta: the value inf"),
        (json!({"rope_scaling": {"type": "linear"}}), "rope_scaling.factor\": it is missing"),
        (json!({"rope_scaling": {"type": "linear", "factor": 0}}), "rope.scaling: the value 0"),
        (json!({"rope_scaling": {"rope_type": "axial"}}), "\"axial\" is not supported"),
        (
            json!({"rope_scaling": {"type": "longrope", "short_factor": [1], "long_factor": [1]}}),
            "of 1 factors",
        ),
        (json!({"hidden_size": "many"}), "config.json: the JSON cannot be read: invalid type"),
        (json!({"hidden_size": -1}), "config.json"),
        (json!({"model_type": null}), "model_type\": it is missing"),
        (
            json!({"layer_types": ["full_attention", "sliding_attention"], "sliding_window": 4}),
            "fixed step",
        ),
    ];
    for (changes, part) in cases {
        let (_, text) = refuse(&with(llama(), changes.clone()), &weights);
        assert!(text.contains(part), "{changes}: {part:?} is not in {text:?}");
    }
}

#[test]
fn tensors_in_formats_that_are_not_computed_with_are_named() {
    let mut weights = checkpoint(&llama(), false);
    weights.tensor("model.layers.0.mlp.up_proj.weight", Dtype::F8_E4M3, &[2], vec![0; 2]);
    let (kind, text) = refuse(&llama(), &weights);
    assert_eq!(kind, FormatErrorKind::Unsupported);
    assert!(text.contains("F8_E4M3") && text.contains("up_proj"), "{text}");
    let mut weights = checkpoint(&llama(), false);
    weights.tensor("model.layers.0.mlp.up_proj.weight", Dtype::F32, &[0, 4], vec![]);
    assert!(refuse(&llama(), &weights).1.contains("a size is zero"));
}

#[test]
fn a_config_that_is_something_else_is_called_by_its_name() {
    let weights = checkpoint(&llama(), false).to_bytes().unwrap();
    let shards = [weights.as_slice()];
    let cases: [(&[u8], &str); 4] = [
        (b"<html>404</html>", "config.json, byte 0: this is not a JSON object but a web page"),
        (b"", "an empty file"),
        (b"version https://git-lfs.github.com/spec/v1\n", "Git LFS"),
        (b"{\"model_type\": ", "config.json: the JSON cannot be read: EOF"),
    ];
    for (config, part) in cases {
        let model = SafetensorsModel { config, shards: &shards, ..SafetensorsModel::default() };
        let text = describe_safetensors(&model).unwrap_err().to_string();
        assert!(text.contains(part), "{part:?} is not in {text:?}");
    }
}
