//! `tenfold bench`: prefill and decode, measured apart, in the form of llama-bench.

mod measure;
mod report;

use std::num::NonZeroUsize;

use tenfold::{Loaded, ModelFiles};

use crate::app::App;
use crate::args::{BenchArgs, BenchOutput, LoadArgs};
use crate::exit::Ending;
use crate::interrupt;

use self::measure::{Measured, Test};
use self::report::{Form, Report};

/// Measures every combination of what was asked.
pub(crate) fn bench(app: &App, args: &BenchArgs) -> anyhow::Result<Ending> {
    let files = app.fetch(&args.model.model)?;
    let tests = tests(args);
    let longest = tests.iter().map(Test::context).max().unwrap_or(1);
    let form = if app.printer.is_json() { BenchOutput::Json } else { args.output };
    let mut report = Report::new(Form::from(form), app.printer)?;
    for threads in threads(args) {
        let loaded = load(app, &files, args, threads, longest)?;
        for test in &tests {
            let Some(samples) = repeat(app, &loaded, test, args.repetitions)? else {
                return Ok(Ending::Interrupted);
            };
            report.add(&loaded, &files, threads, test, &samples)?;
        }
    }
    report.finish()?;
    Ok(Ending::Done)
}

/// Prompt lengths first, then generation lengths, each at every depth: the order of llama-bench.
fn tests(args: &BenchArgs) -> Vec<Test> {
    let prompts = args.n_prompt.iter().map(|&n_prompt| (n_prompt, 0));
    let generations = args.n_gen.iter().map(|&n_gen| (0, n_gen));
    let pairs = prompts.chain(generations).filter(|(n_prompt, n_gen)| n_prompt + n_gen > 0);
    let depths = &args.n_depth;
    pairs
        .flat_map(|(n_prompt, n_gen)| {
            depths.iter().map(move |&n_depth| Test { n_prompt, n_gen, n_depth })
        })
        .collect()
}

fn threads(args: &BenchArgs) -> Vec<NonZeroUsize> {
    match args.threads.is_empty() {
        true => vec![tenfold::device::usable_cores()],
        false => args.threads.clone(),
    }
}

fn load(
    app: &App,
    files: &ModelFiles,
    args: &BenchArgs,
    threads: NonZeroUsize,
    context: usize,
) -> anyhow::Result<Loaded> {
    let load =
        LoadArgs { ctx: Some(context), threads: Some(threads), backend: args.backend.clone() };
    app.load(files, &load)
}

/// One warm-up, then the repetitions; `None` if the user stopped it.
fn repeat(
    app: &App,
    loaded: &Loaded,
    test: &Test,
    repetitions: NonZeroUsize,
) -> anyhow::Result<Option<Vec<Measured>>> {
    let mut samples = Vec::with_capacity(repetitions.get());
    for repetition in 0..=repetitions.get() {
        if app.printer.shows_progress() {
            app.printer.note(&format!("{} {repetition}/{repetitions}", test.name()));
        }
        let measured = measure::measure(loaded, test, repetition as u64)?;
        if interrupt::asked() {
            return Ok(None);
        }
        if repetition > 0 {
            samples.push(measured);
        }
    }
    Ok(Some(samples))
}
