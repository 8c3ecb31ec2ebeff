//! One safetensors file, alone and as the weights of a model.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tenfold_formats::safetensors::{Index, Safetensors};
use tenfold_formats::{SafetensorsModel, describe_safetensors};

const CONFIG: &[u8] = br#"{"model_type": "llama", "hidden_size": 4, "intermediate_size": 8,
    "num_hidden_layers": 1, "num_attention_heads": 2, "vocab_size": 8}"#;

fuzz_target!(|file: &[u8]| {
    if let Ok(parsed) = Safetensors::parse(file) {
        for tensor in parsed.tensors() {
            assert!(file.get(tensor.range.clone()).is_some());
        }
    }
    let _ = Index::parse(file);
    let shards = [file];
    let model = SafetensorsModel { config: CONFIG, shards: &shards, ..Default::default() };
    let _ = describe_safetensors(&model);
});
