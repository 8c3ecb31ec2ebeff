//! What the engine's tests share: engines of tiny models and short ways to run them.

#![allow(dead_code)]

use std::num::NonZeroUsize;

use tenfold_core::{DType, TokenId};
use tenfold_engine::{Engine, EngineError, EngineOptions, EngineSequence};
use tenfold_formats::{ModelDescription, describe_gguf};
use tenfold_generate::{SequenceOptions, Step, TokenModel};
use tenfold_testkit::reference::Reference;
use tenfold_testkit::tiny::{self, TinyModel};

/// A tiny model as a file, with its engine.
pub(crate) struct Tiny {
    pub(crate) bytes: Vec<u8>,
    pub(crate) description: ModelDescription,
    pub(crate) engine: Engine,
}

/// Two threads, so that tests run the same paths as users do.
pub(crate) fn options() -> EngineOptions {
    EngineOptions { threads: NonZeroUsize::new(2), ..EngineOptions::default() }
}

/// Loads the file.
pub(crate) fn load(description: &ModelDescription, bytes: &[u8]) -> Result<Engine, EngineError> {
    Engine::load(description, &[bytes], &options(), &mut |_| {})
}

/// The tiny model with this name, wide enough for the format.
pub(crate) fn tiny(name: &str, dtype: DType) -> Tiny {
    let spec = tiny::find(name).unwrap();
    let spec = if dtype.block_len() > 32 { spec.wide() } else { spec };
    let bytes = TinyModel::make(spec).gguf(dtype).unwrap();
    let description = describe_gguf(&[&bytes]).unwrap();
    let engine = load(&description, &bytes).unwrap();
    Tiny { bytes, description, engine }
}

impl Tiny {
    /// A plain forward pass over the numbers of the same file.
    pub(crate) fn reference(&self) -> Reference {
        let reference = Reference::from_description(&self.description, &[&self.bytes]).unwrap();
        reference.with_context(self.engine.shape().context_length)
    }
}

/// Tokens that depend on nothing but `seed`.
pub(crate) fn tokens(engine: &Engine, count: usize, seed: u32) -> Vec<TokenId> {
    let vocabulary = engine.shape().vocabulary_size as u32;
    let mut state = seed.wrapping_mul(2_654_435_761).wrapping_add(12_345);
    let next = |_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) % vocabulary
    };
    (0..count).map(next).collect()
}

/// An empty sequence for the engine's whole context.
pub(crate) fn sequence(engine: &Engine) -> EngineSequence {
    let context_length = engine.shape().context_length;
    engine.new_sequence(&SequenceOptions { context_length }).unwrap()
}

/// Appends the tokens and gives the logits of the last `wanted`, one row for each.
pub(crate) fn extend(
    engine: &Engine,
    sequence: &mut EngineSequence,
    tokens: &[TokenId],
    wanted: usize,
) -> Vec<Vec<f32>> {
    let mut logits = vec![f32::NAN; 3];
    engine.try_forward(&mut [Step { sequence, tokens, wanted, logits: &mut logits }]).unwrap();
    assert_eq!(logits.len(), wanted * engine.shape().vocabulary_size);
    logits.chunks_exact(engine.shape().vocabulary_size).map(<[f32]>::to_vec).collect()
}

/// The logits after each token of a fresh sequence.
pub(crate) fn all_logits(engine: &Engine, tokens: &[TokenId]) -> Vec<Vec<f32>> {
    extend(engine, &mut sequence(engine), tokens, tokens.len())
}

/// How far rows of logits differ, relative to how much logits vary: the root of the mean square of
/// the differences over the standard deviation.
pub(crate) fn distance(found: &[Vec<f32>], expected: &[Vec<f32>]) -> f64 {
    assert_eq!(found.len(), expected.len());
    let numbers = || expected.iter().flatten().map(|&x| f64::from(x));
    let count = numbers().count() as f64;
    let mean = numbers().sum::<f64>() / count;
    let variance = numbers().map(|x| (x - mean).powi(2)).sum::<f64>() / count;
    let differences =
        found.iter().flatten().zip(numbers()).map(|(&a, b)| (f64::from(a) - b).powi(2));
    (differences.sum::<f64>() / count / variance).sqrt()
}
