//! Times prefill and decode of a GGUF file.
//!
//! ```text
//! cargo run --release -p tenfold-engine --example bench -- FILE.gguf [--prompt 512] [--output 64]
//!     [--depth 0] [--threads N] [--repeat 5]
//! ```
//!
//! Prints the median and the best of the repetitions in tokens a second, and what loading took. On
//! Linux it also prints tokens for each second that the calling thread has computed: with one thread,
//! a figure that other programs on the machine hardly change.

// A program for the terminal.
#![allow(clippy::print_stdout)]

use std::error::Error;
use std::num::NonZeroUsize;
use std::time::{Duration, Instant};

use tenfold_core::TokenId;
use tenfold_engine::{Engine, EngineOptions, EngineSequence};
use tenfold_formats::describe_gguf;
use tenfold_generate::{Sequence, SequenceOptions, Step, TokenModel};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

struct Settings {
    path: String,
    prompt: usize,
    output: usize,
    depth: usize,
    threads: usize,
    repeat: usize,
}

fn main() -> Result<()> {
    let settings = settings()?;
    let (engine, took) = load(&settings)?;
    println!(
        "{}: {} on {} threads, loaded in {:.0} ms, {:.1} MB packed",
        settings.path,
        engine.kernels(),
        engine.threads(),
        took.as_secs_f64() * 1e3,
        engine.weight_bytes() as f64 / 1e6
    );
    let context_length =
        engine.shape().context_length.min(settings.depth + settings.prompt + settings.output + 1);
    let mut sequence = engine.new_sequence(&SequenceOptions { context_length })?;
    let filler = tokens(&engine, settings.depth + settings.prompt);
    if settings.depth > 0 {
        extend(&engine, &mut sequence, &filler[..settings.depth])?;
    }
    let mut times = [vec![], vec![]];
    for _ in 0..settings.repeat {
        sequence.truncate(settings.depth)?;
        times[0].push(prefill(&engine, &mut sequence, &filler[settings.depth..])?);
        sequence.truncate(settings.depth.max(1))?;
        times[1].push(decode(&engine, &mut sequence, settings.output)?);
    }
    report("prefill", settings.prompt, &mut times[0]);
    report("decode", settings.output, &mut times[1]);
    Ok(())
}

fn load(settings: &Settings) -> Result<(Engine, Duration)> {
    let bytes = std::fs::read(&settings.path)?;
    let description = describe_gguf(&[&bytes])?;
    let threads = NonZeroUsize::new(settings.threads);
    let options = EngineOptions { threads, ..EngineOptions::default() };
    let start = Instant::now();
    let engine = Engine::load(&description, &[&bytes], &options, &mut |_| {})?;
    Ok((engine, start.elapsed()))
}

/// Tokens that depend on nothing.
fn tokens(engine: &Engine, count: usize) -> Vec<TokenId> {
    let vocabulary = engine.shape().vocabulary_size;
    (0..count).map(|index| (index * 7919 % vocabulary) as TokenId).collect()
}

/// What a run took.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Took {
    time: Duration,
    /// What the calling thread has computed of it.
    computed: Duration,
}

fn prefill(engine: &Engine, sequence: &mut EngineSequence, prompt: &[TokenId]) -> Result<Took> {
    timed(|| extend(engine, sequence, prompt))
}

fn decode(engine: &Engine, sequence: &mut EngineSequence, count: usize) -> Result<Took> {
    timed(|| {
        tokens(engine, count).into_iter().try_for_each(|token| extend(engine, sequence, &[token]))
    })
}

fn timed(work: impl FnOnce() -> Result<()>) -> Result<Took> {
    let (start, computed) = (Instant::now(), computed());
    work()?;
    Ok(Took { time: start.elapsed(), computed: self::computed().saturating_sub(computed) })
}

/// What this thread has computed since it began, or nothing where the system does not say.
fn computed() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds = text.split(' ').next().and_then(|number| number.parse().ok());
    Duration::from_nanos(nanoseconds.unwrap_or(0))
}

fn extend(engine: &Engine, sequence: &mut EngineSequence, tokens: &[TokenId]) -> Result<()> {
    let mut logits = Vec::new();
    engine.forward(&mut [Step { sequence, tokens, wanted: 1, logits: &mut logits }])?;
    Ok(())
}

fn report(what: &str, tokens: usize, times: &mut [Took]) {
    let rate = |time: Duration| tokens as f64 / time.as_secs_f64();
    let median = times.len() / 2;
    times.sort_unstable_by_key(|took| took.computed);
    let computed = rate(times[median].computed);
    times.sort_unstable();
    let (median, best) = (rate(times[median].time), rate(times[0].time));
    println!(
        "{what} {tokens}: {median:.1} tok/s (best {best:.1}); {computed:.1} by computing time"
    );
}

fn settings() -> Result<Settings> {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().ok_or("usage: bench FILE.gguf [--prompt N] [--output N] …")?;
    let mut settings = Settings { path, prompt: 512, output: 64, depth: 0, threads: 0, repeat: 5 };
    while let (Some(name), Some(value)) = (arguments.next(), arguments.next()) {
        let value = value.parse()?;
        match name.as_str() {
            "--prompt" => settings.prompt = value,
            "--output" => settings.output = value,
            "--depth" => settings.depth = value,
            "--threads" => settings.threads = value,
            "--repeat" => settings.repeat = value,
            other => return Err(format!("unknown option {other}").into()),
        }
    }
    Ok(settings)
}
