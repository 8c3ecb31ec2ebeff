//! Prints what the header of a GGUF model says: `describe FILE [FILE …]`, the files in order.

use std::error::Error;
use std::io::Write;

use tenfold_formats::describe_gguf;
use tenfold_formats::gguf::Gguf;

fn main() -> Result<(), Box<dyn Error>> {
    let files: Vec<Vec<u8>> =
        std::env::args_os().skip(1).map(std::fs::read).collect::<Result<_, _>>()?;
    let shards: Vec<&[u8]> = files.iter().map(Vec::as_slice).collect();
    let model = describe_gguf(&shards)?;

    let mut out = std::io::stdout().lock();
    writeln!(out, "{} ({})", model.title.as_deref().unwrap_or("untitled"), model.architecture)?;
    writeln!(out, "{:#?}", model.config)?;
    if let Some(vocabulary) = &model.vocabulary {
        writeln!(out, "{:?} vocabulary of {}", vocabulary.kind, vocabulary.tokens.len())?;
    }
    if let Some(first) = shards.first() {
        for (key, value) in Gguf::parse(first)?.metadata() {
            writeln!(out, "{key}: {}", value.value_type().name())?;
        }
    }
    for (name, tensor) in &model.tensors.entries {
        writeln!(out, "{name} {} {:?} {:?}", tensor.dtype, tensor.shape, tensor.range)?;
    }
    Ok(())
}
