//! `tenfold run`: answers one prompt.

use serde::Serialize;
use tenfold::{GenerateOptions, Loaded, Message};

use super::chat;
use crate::answer::{Answer, MetricsJson, UsageJson, timings, warn_of_dropped};
use crate::app::App;
use crate::args::{ChatArgs, RunArgs};
use crate::exit::Ending;
use crate::settings::{generate_options, session_options};
use crate::{interrupt, stdin};

/// What `run --json` prints.
#[derive(Serialize)]
struct Report {
    text: String,
    finish_reason: &'static str,
    usage: Option<UsageJson>,
    metrics: Option<MetricsJson>,
    tokens: Vec<u32>,
    model: String,
    backend: String,
}

/// Answers the prompt of the command line or of standard input; on a terminal without a prompt, a
/// chat starts.
pub(crate) fn run(app: &App, args: RunArgs) -> anyhow::Result<Ending> {
    let prompt = match args.prompt.as_deref() {
        Some(prompt) if prompt != "-" => prompt.to_owned(),
        None if stdin::is_terminal() && !app.printer.is_json() && !args.raw => {
            return chat::chat(app, &as_chat(args));
        }
        _ => stdin::prompt()?,
    };
    if prompt.trim().is_empty() {
        return Err(tenfold::GenerateError::EmptyPrompt.into());
    }
    let files = app.fetch(&args.model.model)?;
    let loaded = app.load(&files, &args.load)?;
    let base = app.sampling(&args.model.model);
    let options = GenerateOptions {
        token_details: app.printer.is_json(),
        ..generate_options(&args.generate, base)
    };
    answer(app, &args, &loaded, &prompt, &options)
}

fn as_chat(args: RunArgs) -> ChatArgs {
    ChatArgs { model: args.model, generate: args.generate, load: args.load, verbose: args.verbose }
}

fn answer(
    app: &App,
    args: &RunArgs,
    loaded: &Loaded,
    prompt: &str,
    options: &GenerateOptions,
) -> anyhow::Result<Ending> {
    let session_options = session_options(&args.generate, args.raw);
    let mut session = loaded.model.clone().start_session(&session_options)?;
    let stream = session.generate(&[Message::user(prompt)], options)?;
    let is_json = app.printer.is_json();
    let show = &mut |text: &str| if is_json { Ok(()) } else { Ok(app.printer.write(text)?) };
    let answer = Answer::pull(stream, show)?;
    if is_json {
        app.printer.json(&report(&answer, loaded))?;
    } else if !answer.text.ends_with('\n') {
        app.printer.write("\n")?;
    }
    if let Some(finish) = &answer.finish {
        warn_of_dropped(&finish.usage, &app.printer);
        if args.verbose {
            timings(finish, loaded.load_time).iter().for_each(|line| app.printer.note(line));
        }
    }
    Ok(if interrupt::asked() { Ending::Interrupted } else { Ending::Done })
}

fn report(answer: &Answer, loaded: &Loaded) -> Report {
    let finish = answer.finish.as_ref();
    Report {
        text: answer.text.clone(),
        finish_reason: finish.map_or("cancelled", |finish| finish.reason.name()),
        usage: finish.map(|finish| (&finish.usage).into()),
        metrics: finish.map(|finish| (&finish.metrics).into()),
        tokens: answer.tokens.clone(),
        model: loaded.model.info().name.clone(),
        backend: loaded.backend.to_string(),
    }
}
