//! The reference against other people's implementations.
//!
//! `goldens/llama.cpp.json` holds what llama.cpp makes of the GGUF files of the tiny models, and
//! `goldens/mlx.json` what mlx-lm makes of their Hugging Face folders. `oracle/make_*.py` wrote them.
#![allow(clippy::unwrap_used, clippy::print_stdout)] // a test may panic and tell what it left out

use std::collections::BTreeSet;
use std::error::Error;

use serde_json::Value;
use tenfold_core::{DType, TokenId};
use tenfold_formats::{SafetensorsModel, describe_gguf, describe_safetensors};
use tenfold_testkit::reference::Reference;
use tenfold_testkit::tiny::{self, TinyModel};

type Outcome<T = ()> = Result<T, Box<dyn Error>>;

const LLAMA_CPP: &str = include_str!("goldens/llama.cpp.json");
const MLX: &str = include_str!("goldens/mlx.json");

fn entries(json: &str) -> Outcome<Vec<Value>> {
    let file: Value = serde_json::from_str(json)?;
    Ok(file["models"].as_array().ok_or("no models")?.clone())
}

fn tokens(json: &Value) -> Outcome<Vec<TokenId>> {
    Ok(serde_json::from_value(json.clone())?)
}

/// Compares every number of one entry.
fn check(reference: Reference, golden: &Value) -> Outcome {
    let reference = match golden["context"].as_u64() {
        Some(context) => reference.with_context(usize::try_from(context)?),
        None => reference,
    };
    let tolerance = golden["tolerance"].as_f64().ok_or("no tolerance")?;
    let prompt = tokens(&golden["prompt"])?;
    let logits = reference.logits(&prompt)?;
    for position in golden["positions"].as_array().ok_or("no positions")? {
        let at: usize = serde_json::from_value(position["at"].clone())?;
        check_position(&logits[at], position, tolerance)
            .map_err(|error| format!("position {at}: {error}"))?;
    }
    let greedy = tokens(&golden["greedy"])?;
    let own = reference.greedy(&prompt, greedy.len())?;
    if own == greedy { Ok(()) } else { Err(format!("greedy {own:?}, not {greedy:?}").into()) }
}

fn check_position(logits: &[f32], golden: &Value, tolerance: f64) -> Outcome {
    let squares: f64 = logits.iter().map(|&x| f64::from(x).powi(2)).sum();
    let rms = (squares / logits.len() as f64).sqrt();
    close("rms", rms, golden["rms"].as_f64(), tolerance)?;
    let top: Vec<(usize, f64)> = serde_json::from_value(golden["top"].clone())?;
    for (token, logit) in top {
        close(&format!("token {token}"), f64::from(logits[token]), Some(logit), tolerance)?;
    }
    Ok(())
}

fn close(what: &str, own: f64, golden: Option<f64>, tolerance: f64) -> Outcome {
    let golden = golden.ok_or("a number is missing")?;
    if (own - golden).abs() <= tolerance {
        return Ok(());
    }
    Err(format!("{what}: {own}, not {golden}").into())
}

fn gguf(name: &str) -> Outcome<Reference> {
    let file = TinyModel::named(name)?.gguf(DType::F32)?;
    Ok(Reference::from_description(&describe_gguf(&[&file])?, &[&file])?)
}

fn folder(name: &str) -> Outcome<Reference> {
    let files = TinyModel::named(name)?.hf(DType::F32)?;
    let shards = [&files["model.safetensors"][..]];
    let description = describe_safetensors(&SafetensorsModel {
        config: &files["config.json"],
        shards: &shards,
        ..SafetensorsModel::default()
    });
    Ok(Reference::from_description(&description?, &shards)?)
}

/// Runs every entry of a file and gives what went wrong.
fn failures(json: &str, load: impl Fn(&str) -> Outcome<Reference>) -> Outcome<Vec<String>> {
    let mut failures = Vec::new();
    for golden in entries(json)? {
        let name = golden["name"].as_str().unwrap_or_default();
        let outcome = load(name).and_then(|reference| check(reference, &golden));
        failures.extend(outcome.err().map(|error| format!("{name}: {error}")));
    }
    Ok(failures)
}

#[test]
fn gguf_files_compute_what_llama_cpp_computes() {
    assert_eq!(failures(LLAMA_CPP, gguf).unwrap(), Vec::<String>::new());
}

#[test]
fn hugging_face_folders_compute_what_mlx_computes() {
    assert_eq!(failures(MLX, folder).unwrap(), Vec::<String>::new());
}

#[test]
fn every_tiny_model_has_a_golden() {
    let all = [LLAMA_CPP, MLX].map(|json| entries(json).unwrap()).concat();
    let covered: BTreeSet<_> = all.iter().filter_map(|golden| golden["name"].as_str()).collect();
    let models: BTreeSet<_> = tiny::all().iter().map(|spec| spec.name).collect();
    assert_eq!(covered, models);
}

#[test]
fn a_changed_weight_is_noticed() {
    let golden = &entries(LLAMA_CPP).unwrap()[0];
    let model = TinyModel::named("llama").unwrap();
    let mut tensors = model.tensors().clone();
    tensors.get_mut("blk.1.attn_v.weight").unwrap().data[7] += 0.05;
    let changed = Reference::new("llama", model.config().clone(), tensors).unwrap();
    assert!(check(changed, golden).is_err());
}
