//! Compares the engine with what llama.cpp says of real models.
//!
//! ```text
//! cargo run --release -p tenfold-engine --example goldens -- GOLDENS PAGE.txt smollm2:135m=FILE.gguf …
//! ```
//!
//! GOLDENS is a folder with `greedy.json` and `perplexity.json`. For each prompt, llama.cpp's tokens
//! are forced, and the line tells how many of them the engine would have chosen, too, before the two
//! part, and by how much llama.cpp preferred its own choice there.

// A program for the terminal.
#![allow(clippy::print_stdout)]

use std::error::Error;
use std::path::Path;

use serde_json::Value;
use tenfold_core::TokenId;
use tenfold_engine::{Engine, EngineOptions, EngineSequence};
use tenfold_formats::{ModelDescription, describe_gguf};
use tenfold_generate::{SequenceOptions, Step, TokenModel};
use tenfold_tokenizer::{TokenizeOptions, Tokenizer};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// What llama.cpp's two best logits may differ by where the engine chooses otherwise.
const NEAR_TIE: f64 = 0.2;

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let (Some(goldens), Some(page)) = (arguments.next(), arguments.next()) else {
        return Err("usage: goldens GOLDENS PAGE.txt NAME=FILE.gguf…".into());
    };
    let read = |name| json(&Path::new(&goldens).join(name));
    let (greedy, perplexity) = (read("greedy.json")?, read("perplexity.json")?);
    let page = std::fs::read(page)?;
    for argument in arguments {
        let (name, path) = argument.split_once('=').ok_or("a model is given as NAME=FILE")?;
        let bytes = std::fs::read(path)?;
        let description = describe_gguf(&[&bytes])?;
        let options = EngineOptions::default();
        let engine = Engine::load(&description, &[&bytes], &options, &mut |_| {})?;
        println!("{name}: {} on {} threads", engine.kernels(), engine.threads());
        for run in greedy[name]["runs"].as_array().ok_or("no runs of this model")? {
            compare(&engine, run)?;
        }
        let expected = &perplexity[name];
        let found = mean_loss(&engine, &description, &page, number(&expected["tokens"]))?;
        report_loss(found, expected["nll"].as_f64().ok_or("no likelihood")?);
    }
    Ok(())
}

fn json(path: &Path) -> Result<Value> {
    Ok(serde_json::from_slice(&std::fs::read(path)?)?)
}

/// What a run shows.
#[derive(Default)]
struct Comparison {
    /// Choices that are the same before the first one that is not.
    same: usize,
    /// By how much llama.cpp preferred its choice where the two part.
    gap: Option<f64>,
    /// Choices that differ without a near tie.
    wrong: usize,
    /// Squares of the differences of the two best logits, added.
    squares: f64,
    tokens: usize,
}

impl Comparison {
    fn add(&mut self, logits: &[f32], token: TokenId, top: &Value) {
        let number = |index: usize| top[index].as_f64().unwrap_or(f64::NAN);
        let (best, second, second_logit) = (number(0), number(1) as usize, number(2));
        let gap = best - second_logit;
        if most_likely(logits) == token {
            self.same += usize::from(self.gap.is_none());
        } else {
            self.gap = self.gap.or(Some(gap));
            self.wrong += usize::from(gap >= NEAR_TIE);
        }
        let found = f64::from(logits[token as usize]) - f64::from(logits[second]);
        self.squares += (found - gap).powi(2);
        self.tokens += 1;
    }

    fn print(&self) {
        let Self { same, gap, wrong, squares, tokens } = self;
        let gap = gap.map_or(String::new(), |gap| format!(", gap {gap:.3}"));
        let error = (squares / *tokens as f64).sqrt();
        println!(
            "  {same} of {tokens} before they part{gap}; gaps off by {error:.3}; {wrong} wrong"
        );
    }
}

/// One prompt with llama.cpp's tokens forced.
fn compare(engine: &Engine, run: &Value) -> Result<()> {
    let (prompt, output) = (tokens(&run["prompt_tokens"]), tokens(&run["tokens"]));
    let mut sequence = sequence(engine)?;
    let mut logits = extend(engine, &mut sequence, &prompt, 1)?;
    let mut comparison = Comparison::default();
    for (index, &token) in output.iter().enumerate() {
        comparison.add(&logits, token, &run["top"][index]);
        logits = extend(engine, &mut sequence, &[token], 1)?;
    }
    comparison.print();
    Ok(())
}

/// The mean negative log likelihood of the page's tokens, the first one excepted.
fn mean_loss(
    engine: &Engine,
    description: &ModelDescription,
    page: &[u8],
    count: usize,
) -> Result<f64> {
    let vocabulary = description.vocabulary.as_ref().ok_or("no vocabulary")?;
    let tokenizer = Tokenizer::from_vocabulary(vocabulary)?;
    let tokens = tokenizer.tokenize(page, TokenizeOptions::default())?;
    if tokens.len() != count {
        println!("  the page has {} tokens, and llama.cpp found {count}", tokens.len());
    }
    let logits = extend(engine, &mut sequence(engine)?, &tokens, tokens.len())?;
    let rows = logits.chunks_exact(engine.shape().vocabulary_size);
    let losses = rows.zip(&tokens[1..]).map(|(logits, &next)| loss(logits, next));
    Ok(losses.sum::<f64>() / (tokens.len() - 1) as f64)
}

fn report_loss(found: f64, expected: f64) {
    let (perplexity, reference) = (found.exp(), expected.exp());
    let off = (perplexity / reference - 1.0) * 100.0;
    println!("  perplexity {perplexity:.4}, llama.cpp {reference:.4}: {off:+.3} %");
}

fn loss(logits: &[f32], next: TokenId) -> f64 {
    let max = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let sum: f64 = logits.iter().map(|&logit| f64::from(logit - max).exp()).sum();
    sum.ln() - f64::from(logits[next as usize] - max)
}

fn most_likely(logits: &[f32]) -> TokenId {
    let best = logits.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1).then(b.0.cmp(&a.0)));
    best.map_or(0, |(token, _)| token as TokenId)
}

fn sequence(engine: &Engine) -> Result<EngineSequence> {
    let context_length = engine.shape().context_length.min(4096);
    Ok(engine.new_sequence(&SequenceOptions { context_length })?)
}

fn extend(
    engine: &Engine,
    sequence: &mut EngineSequence,
    tokens: &[TokenId],
    wanted: usize,
) -> Result<Vec<f32>> {
    let mut logits = Vec::new();
    engine.forward(&mut [Step { sequence, tokens, wanted, logits: &mut logits }])?;
    Ok(logits)
}

fn tokens(list: &Value) -> Vec<TokenId> {
    let list = list.as_array().into_iter().flatten();
    list.filter_map(|token| token.as_u64()?.try_into().ok()).collect()
}

fn number(value: &Value) -> usize {
    value.as_u64().unwrap_or(0) as usize
}
