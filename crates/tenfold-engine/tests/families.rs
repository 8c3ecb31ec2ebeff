//! Every family, in every kind of number format, against a plain forward pass written apart.
#![allow(clippy::unwrap_used, clippy::print_stdout)] // a test may panic and tell what it left out

mod support;

use support::{Tiny, all_logits, distance, load, tiny, tokens};
use tenfold_core::DType;
use tenfold_formats::{SafetensorsModel, describe_safetensors};
use tenfold_generate::TokenModel;
use tenfold_testkit::reference::Reference;
use tenfold_testkit::tiny::{self, TinyModel};

/// Longer than every tiny model's window, and than the YaRN and Llama 3 rules leave unchanged.
const LENGTH: usize = 40;
/// Runs of two tokens in [`exactness`].
const STARTS: u32 = 40;

/// How far the engine is from the reference on the numbers of the same file, over a long run.
fn distance_of(tiny: &Tiny) -> f64 {
    let tokens = tokens(&tiny.engine, LENGTH, 7);
    distance(&all_logits(&tiny.engine, &tokens), &tiny.reference().logits(&tokens).unwrap())
}

/// The distance that a quarter of many short runs stay within, from a reference that rounds its
/// inputs, keys and values as the engine does.
///
/// Where an input lies so near the middle between two integers that single floats round it the
/// other way, the two part by one unit of 8 bits, which is much in so small a model. In most runs of
/// two tokens that happens nowhere. What the engine does wrong, it does wrong in all of them.
fn exactness(tiny: &Tiny) -> f64 {
    let reference = tiny.reference().with_rounding();
    let distance_from = |start| {
        let tokens = tokens(&tiny.engine, 2, start);
        distance(&all_logits(&tiny.engine, &tokens), &reference.logits(&tokens).unwrap())
    };
    let mut distances: Vec<f64> = (0..STARTS).map(distance_from).collect();
    distances.sort_by(f64::total_cmp);
    distances[STARTS as usize / 4]
}

/// What the rounding may cost over a long run: floats only that of keys and values to halves,
/// integers that of what they are multiplied with to 8 bits, too. On these models, whose logits
/// hang on few numbers, it costs up to 0.062.
fn allowed(dtype: DType) -> f64 {
    if dtype.block_len() == 1 { 0.004 } else { 0.1 }
}

/// What is allowed of [`exactness`]; 0.0001 and 0.000002 occur.
fn allowed_without_rounding(dtype: DType) -> f64 {
    if dtype.block_len() == 1 { 0.001 } else { 0.000_02 }
}

fn check(names: &[&str], dtypes: &[DType]) {
    let mut far = Vec::new();
    for name in names {
        for &dtype in dtypes {
            let tiny = tiny(name, dtype);
            let found = [distance_of(&tiny), exactness(&tiny)];
            let bounds = [allowed(dtype), allowed_without_rounding(dtype)];
            if !found.iter().zip(bounds).all(|(&found, bound)| found <= bound) {
                far.push(format!("{name} {dtype}: {found:?}"));
            }
        }
    }
    assert!(far.is_empty(), "too far from the reference: {far:#?}");
}

fn every_name() -> Vec<&'static str> {
    tiny::all().iter().map(|spec| spec.name).collect()
}

#[test]
fn every_family_agrees_with_the_reference_in_floats() {
    check(&every_name(), &[DType::F32]);
}

#[test]
fn every_family_agrees_with_the_reference_in_quantized_weights() {
    check(&every_name(), &[DType::Q8_0, DType::Q4_0]);
}

#[test]
fn every_format_agrees_with_the_reference() {
    let halves = [DType::F16, DType::BF16];
    let blocks_of_32 = [DType::Q4_1, DType::Q5_0, DType::Q5_1, DType::IQ4_NL];
    let blocks_of_256 =
        [DType::Q2_K, DType::Q3_K, DType::Q4_K, DType::Q5_K, DType::Q6_K, DType::IQ4_XS];
    check(&["llama-gqa", "gemma3"], &[&halves[..], &blocks_of_32, &blocks_of_256].concat());
}

#[test]
fn folders_of_safetensors_give_what_their_weights_say() {
    let mut far = Vec::new();
    for name in every_name() {
        let model = TinyModel::named(name).unwrap();
        let files = model.hf(DType::F32).unwrap();
        let weights = files["model.safetensors"].as_slice();
        let folder = SafetensorsModel {
            config: &files["config.json"],
            shards: &[weights],
            ..SafetensorsModel::default()
        };
        let description = describe_safetensors(&folder).unwrap();
        let engine = load(&description, weights).unwrap();
        let tokens = tokens(&engine, LENGTH, 7);
        let reference = Reference::from_tiny(&model).unwrap();
        let reference = reference.with_context(engine.shape().context_length);
        let distance = distance(&all_logits(&engine, &tokens), &reference.logits(&tokens).unwrap());
        if distance.is_nan() || distance > allowed(DType::F32) {
            far.push(format!("{name}: {distance:.5}"));
        }
    }
    assert!(far.is_empty(), "too far from the reference: {far:#?}");
}
