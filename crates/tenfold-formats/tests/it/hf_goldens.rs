//! Configurations of every family, old and new, against what transformers takes them to mean; and
//! names of tensors against gguf's own table (see `goldens/make_hf.py`).

use serde_json::Value as Json;
use tenfold_formats::{ModelConfig, ModelDescription, RopeLayout, RopeScaling};

use crate::hf_models::{checkpoint, describe};

const CONFIGS: &str = include_str!("../goldens/hf_configs.json");
const NAMES: &str = include_str!("../goldens/tensor_names.tsv");

#[test]
fn configurations_mean_what_transformers_takes_them_to_mean() {
    let cases: Vec<Json> = serde_json::from_str(CONFIGS).unwrap();
    assert!(cases.len() > 40, "every family, each in two versions");
    for case in &cases {
        let (name, config, expected) = (&case["name"], &case["config"], &case["expected"]);
        let weights = checkpoint(config, expected["tied"].as_bool().unwrap());
        let model = describe(config, &weights.to_bytes().unwrap())
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        check_sizes(name, &model, expected);
        check_numbers(name, &model.config, expected);
        check_windows(name, &model.config, expected);
        check_scaling(name, &model.config.rope.scaling, expected);
    }
}

fn check_sizes(name: &Json, model: &ModelDescription, expected: &Json) {
    assert_eq!(expected["architecture"], model.architecture, "{name}");
    let config = &model.config;
    let sizes = [
        ("vocabulary_size", config.vocabulary_size),
        ("context_length", config.context_length),
        ("embedding_length", config.embedding_length),
        ("layers", config.layers),
        ("feed_forward_length", config.feed_forward_length),
        ("heads", config.heads),
        ("kv_heads", config.kv_heads),
        ("key_length", config.key_length),
        ("key_length", config.value_length),
        ("rope_dimensions", config.rope.dimensions),
    ];
    for (key, size) in sizes {
        assert_eq!(expected[key], size, "{name}: {key}");
    }
    assert_eq!(config.rope.layout, RopeLayout::Halves);
}

/// Equal as 32-bit floats, or both absent.
fn same(name: &Json, key: &str, found: Option<f32>, expected: &Json) {
    let expected = expected.as_f64().map(|number| number as f32);
    let is_same = match (found, expected) {
        (Some(found), Some(expected)) => (found - expected).abs() <= 2e-7 * expected.abs(),
        (None, None) => true,
        _ => false,
    };
    assert!(is_same, "{name}: {key} is {found:?} and should be {expected:?}");
}

fn check_numbers(name: &Json, config: &ModelConfig, expected: &Json) {
    let scale = config.attention_scale.unwrap_or((config.key_length as f32).sqrt().recip());
    let numbers = [
        ("norm_epsilon", Some(config.norm_epsilon)),
        ("rope_theta", Some(config.rope.theta)),
        ("rope_local_theta", config.rope.local_theta),
        ("attention_soft_cap", config.attention_soft_cap),
        ("final_soft_cap", config.final_soft_cap),
        ("attention_scale", Some(scale)),
    ];
    for (key, number) in numbers {
        same(name, key, number, &expected[key]);
    }
}

fn check_windows(name: &Json, config: &ModelConfig, expected: &Json) {
    let window = config.sliding_window.map_or(Json::Null, Json::from);
    assert_eq!(window, expected["sliding_window"], "{name}");
    let is_global = |layer: usize| {
        let period = config.sliding_window_pattern.filter(|&period| period > 0);
        period.is_some_and(|period| (layer + 1).is_multiple_of(period))
    };
    if let Some(layers) = expected["sliding_layers"].as_array() {
        for (layer, slides) in layers.iter().enumerate() {
            let found = config.sliding_window.is_some() && !is_global(layer);
            assert_eq!(*slides, found, "{name}: layer {layer}");
        }
    }
}

fn check_scaling(name: &Json, scaling: &RopeScaling, expected: &Json) {
    let kind = expected["rope_type"].as_str().unwrap();
    let expected = &expected["rope"];
    let original = |context: &usize| assert_eq!(expected["original"], *context, "{name}");
    match (scaling, kind) {
        // "dynamic" changes nothing within the trained context.
        (RopeScaling::None, "default" | "dynamic") => {}
        (RopeScaling::Linear { factor }, "linear") => {
            same(name, "factor", Some(*factor), &expected["factor"]);
        }
        (
            RopeScaling::Llama3 { factor, low_freq_factor, high_freq_factor, original_context },
            "llama3",
        ) => {
            same(name, "factor", Some(*factor), &expected["factor"]);
            same(name, "low", Some(*low_freq_factor), &expected["low"]);
            same(name, "high", Some(*high_freq_factor), &expected["high"]);
            original(original_context);
        }
        (
            RopeScaling::Yarn { factor, original_context, beta_fast, beta_slow, attention_factor },
            "yarn",
        ) => {
            let usual = 0.1 * factor.ln() + 1.0;
            same(name, "factor", Some(*factor), &expected["factor"]);
            same(name, "fast", Some(*beta_fast), &expected["fast"]);
            same(name, "slow", Some(*beta_slow), &expected["slow"]);
            same(name, "attention", attention_factor.or(Some(usual)), &expected["attention"]);
            original(original_context);
        }
        (RopeScaling::LongRope { short, long, original_context, attention_factor }, "longrope") => {
            for (table, key) in [(short, "short"), (long, "long")] {
                let expected = expected[key].as_array().unwrap();
                assert_eq!(table.len(), expected.len(), "{name}");
                table.iter().zip(expected).for_each(|(&found, e)| same(name, key, Some(found), e));
            }
            same(name, "attention", *attention_factor, &expected["attention"]);
            original(original_context);
        }
        _ => panic!("{name}: {scaling:?} should be of kind {kind}"),
    }
}

#[test]
fn tensors_are_called_what_gguf_calls_them() {
    assert!(NAMES.lines().count() > 80);
    for line in NAMES.lines() {
        let [architecture, name, expected] = line.split('\t').collect::<Vec<_>>()[..] else {
            panic!("three columns in {line:?}");
        };
        // What StableLM calls q_layernorm has a number behind it in real checkpoints.
        let config = serde_json::json!({
            "model_type": architecture, "vocab_size": 4, "hidden_size": 8, "intermediate_size": 8,
            "num_hidden_layers": 2, "num_attention_heads": 2, "num_key_value_heads": 2,
            "head_dim": 8, "tie_word_embeddings": name != "lm_head"
        });
        let mut weights = checkpoint(&config, name != "lm_head");
        for parameter in ["weight", "bias"] {
            let is_there = parameter == "weight"
                && (!name.contains("layers.") || name.ends_with("input_layernorm"));
            if !is_there {
                let dtype = tenfold_formats::safetensors::Dtype::F32;
                weights.tensor(&format!("{name}.{parameter}"), dtype, &[1], vec![0; 4]);
            }
        }
        let model = describe(&config, &weights.to_bytes().unwrap())
            .unwrap_or_else(|error| panic!("{line:?}: {error}"));
        for parameter in ["weight", "bias"] {
            let key = format!("{expected}.{parameter}");
            assert!(model.tensors.entries.contains_key(&key), "{line:?}: no {key}");
        }
    }
}
