//! `tenfold tokenize` and `tenfold detokenize`.

use anyhow::Context;
use tenfold::tokenizer::{DetokenizeOptions, TokenizeOptions, Tokenizer};

use crate::app::App;
use crate::args::{DetokenizeArgs, TokenizeArgs};
use crate::exit::{Ending, UsageError};
use crate::stdin;

/// Prints the token ids of a text.
pub(crate) fn tokenize(app: &App, args: &TokenizeArgs) -> anyhow::Result<Ending> {
    let tokenizer = tokenizer(app, &args.model.model)?;
    let text = match &args.text {
        Some(text) => text.clone().into_bytes(),
        None => stdin::bytes()?,
    };
    let options =
        TokenizeOptions { add_special: !args.no_special, parse_special: args.parse_special };
    let ids = tokenizer.tokenize(&text, options)?;
    if app.printer.is_json() {
        app.printer.json(&ids)?;
    } else {
        let words: Vec<String> = ids.iter().map(ToString::to_string).collect();
        app.printer.line(&words.join(" "))?;
    }
    Ok(Ending::Done)
}

/// Prints the text of token ids, byte for byte.
pub(crate) fn detokenize(app: &App, args: &DetokenizeArgs) -> anyhow::Result<Ending> {
    let ids = if args.ids.is_empty() { read_ids()? } else { args.ids.clone() };
    let tokenizer = tokenizer(app, &args.model.model)?;
    let size = tokenizer.vocabulary_size();
    if let Some(id) = ids.iter().find(|id| **id as usize >= size) {
        anyhow::bail!("token {id} is not in the vocabulary, which has {size} tokens");
    }
    let options =
        DetokenizeOptions { skip_special: args.no_special, ..DetokenizeOptions::default() };
    let bytes = tokenizer.detokenize(&ids, options);
    if app.printer.is_json() {
        app.printer.json(&String::from_utf8_lossy(&bytes))?;
    } else {
        app.printer.write_bytes(&bytes)?;
        app.printer.write("\n")?;
    }
    Ok(Ending::Done)
}

fn tokenizer(app: &App, model: &str) -> anyhow::Result<Tokenizer> {
    let files = app.fetch(model)?;
    Ok(app.runtime.tokenizer(&files)?)
}

/// Ids separated by spaces, commas or line ends; a JSON array is fine too.
fn read_ids() -> anyhow::Result<Vec<u32>> {
    let text = String::from_utf8(stdin::bytes()?).context("standard input is not text")?;
    let words = text.split(|c: char| c.is_whitespace() || matches!(c, ',' | '[' | ']'));
    words
        .filter(|word| !word.is_empty())
        .map(|word| word.parse().map_err(|_| UsageError(format!("{word:?} is no token id")).into()))
        .collect()
}
