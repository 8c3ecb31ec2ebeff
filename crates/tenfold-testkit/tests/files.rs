//! The files of a tiny model hold the very model that is in memory.
#![allow(clippy::unwrap_used, clippy::print_stdout)] // a test may panic and tell what it left out

use tenfold_core::{DType, TokenId};
use tenfold_formats::{ModelDescription, SafetensorsModel, describe_gguf, describe_safetensors};
use tenfold_testkit::reference::{Reference, ReferenceError};
use tenfold_testkit::tiny::{self, TinyModel};

const PROMPT: [TokenId; 12] = [1, 290, 17, 301, 42, 260, 333, 99, 7, 120, 310, 64];

/// How far the logits of these files are from those of the model in memory.
fn distance(
    model: &TinyModel,
    description: &ModelDescription,
    shard: &[u8],
) -> Result<f32, ReferenceError> {
    let memory = Reference::from_tiny(model)?.logits(&PROMPT)?.concat();
    let file = Reference::from_description(description, &[shard])?.logits(&PROMPT)?.concat();
    Ok(memory.iter().zip(&file).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max))
}

#[test]
fn gguf_files_hold_the_model() {
    for spec in tiny::all() {
        let model = TinyModel::make(spec);
        let file = model.gguf(DType::F32).unwrap();
        let description = describe_gguf(&[&file]).unwrap();
        let distance = distance(&model, &description, &file).unwrap();
        assert!(distance < 1e-4, "{}: {distance}", model.spec().name);
        let same = description.vocabulary.as_ref() == Some(model.vocabulary());
        assert!(same, "{}: {:?}", model.spec().name, description.vocabulary);
        assert_eq!(description.chat_template.as_deref(), Some(model.chat_template()));
    }
}

#[test]
fn hugging_face_folders_hold_the_model() {
    for spec in tiny::all() {
        let model = TinyModel::make(spec);
        let files = model.hf(DType::F32).unwrap();
        let description = describe_safetensors(&SafetensorsModel {
            config: &files["config.json"],
            tokenizer_config: Some(&files["tokenizer_config.json"]),
            index: None,
            shards: &[&files["model.safetensors"]],
        });
        let description = description.unwrap();
        let distance = distance(&model, &description, &files["model.safetensors"]).unwrap();
        assert!(distance < 1e-4, "{}: {distance}", model.spec().name);
        assert_eq!(description.chat_template.as_deref(), Some(model.chat_template()));
    }
}

#[test]
fn quantized_files_stay_near_the_model() {
    for name in ["llama", "gemma3", "phi3"] {
        let model = TinyModel::make(tiny::find(name).unwrap().wide());
        let mut last = 0.0;
        for dtype in [DType::F16, DType::Q8_0, DType::Q6_K, DType::Q4_K, DType::Q2_K] {
            let file = model.gguf(dtype).unwrap();
            let distance = distance(&model, &describe_gguf(&[&file]).unwrap(), &file).unwrap();
            assert!(distance > last, "{name} {dtype}: {distance} after {last}");
            last = distance;
        }
        assert!(last < 40.0, "{name}: {last}");
    }
}
