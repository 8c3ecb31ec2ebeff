//! The JSON files of a Hugging Face folder, and a model described by such a `config.json`.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tenfold_formats::hf::{Config, GenerationConfig, TokenizerConfig};
use tenfold_formats::{SafetensorsModel, describe_safetensors};

fuzz_target!(|json: &[u8]| {
    if let Ok(config) = GenerationConfig::parse(json) {
        let _ = config.end_of_generation();
    }
    if let Ok(config) = TokenizerConfig::parse(json) {
        let _ = (config.chat_template(), config.bos_token());
    }
    if let Ok(config) = Config::parse(json) {
        let _ = (config.rope(), config.local_rope_theta());
    }
    let shards = [&b"\x08\0\0\0\0\0\0\0{}      "[..]];
    let model = SafetensorsModel { config: json, shards: &shards, ..Default::default() };
    let _ = describe_safetensors(&model);
});
