//! How fast text becomes tokens.
//!
//! `cargo bench -p tenfold-tokenizer -- FILE…` prints a table with a column for each file, in megabytes
//! of text a second on one thread; the best of three runs counts. A GGUF file is read by the
//! tokenizers of this crate, a `tokenizer.json` by the library of that format.

use std::error::Error;
use std::path::Path;
use std::time::Instant;

use tenfold_formats::gguf::Gguf;
use tenfold_tokenizer::{TokenizeOptions, Tokenizer, TokenizerFiles};

const MEGABYTE: usize = 1_000_000;

fn main() -> Result<(), Box<dyn Error>> {
    // Cargo passes a flag of its own.
    let files: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with('-')).collect();
    let tokenizers =
        files.iter().map(|file| load(Path::new(file))).collect::<Result<Vec<_>, _>>()?;
    let mut table = String::from("| text (1 MB) |");
    for file in &files {
        let path = Path::new(file);
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        table += &format!(" {name} |");
    }
    table += &format!("\n| --- |{}\n", " ---: |".repeat(files.len()));
    for (name, text) in texts() {
        table += &format!("| {name} |");
        for tokenizer in &tokenizers {
            table += &format!(" {:.1} |", megabytes_per_second(tokenizer, &text)?);
        }
        table.push('\n');
    }
    std::io::Write::write_all(&mut std::io::stdout(), table.as_bytes())?;
    Ok(())
}

fn load(path: &Path) -> Result<Tokenizer, Box<dyn Error>> {
    let bytes = std::fs::read(path)?;
    if path.extension().is_some_and(|extension| extension == "json") {
        let files = TokenizerFiles { tokenizer: &bytes, ..TokenizerFiles::default() };
        return Ok(Tokenizer::from_json(&files)?);
    }
    let vocabulary = tenfold_formats::vocabulary(&Gguf::parse(&bytes)?)?;
    Ok(Tokenizer::from_vocabulary(&vocabulary.ok_or("the file has no vocabulary")?)?)
}

fn texts() -> Vec<(&'static str, String)> {
    let prose = "Once upon a time, there was a little girl named Lily. She didn't like the rain, \
                 but her 3 brothers loved it; \"Let's go out!\" they said, again and again.\n\n";
    let words = || prose.split(' ').cycle().enumerate();
    let varied = words().map(|(n, word)| format!("{word}{} ", if n % 7 == 0 { n } else { 0 }));
    let code =
        "    if (values[index] != nullptr) {\n\t\treturn a_long_name->field + 0x1F;\n    }\n\n";
    let mixed = "naïve Größe Привет, мир! 你好世界。こんにちは 한국어 สวัสดี मराठी 😀👍🏽 x² €5\n";
    let rows = [
        ("prose, few words", repeated(prose)),
        ("prose, many words", first_megabyte(varied)),
        ("code", repeated(code)),
        ("many scripts", repeated(mixed)),
        ("one letter", repeated("a")),
        ("spaces", repeated(" ")),
        ("words of 200,000 letters", repeated(&("antidisestablish".repeat(12_500) + " "))),
    ];
    rows.to_vec()
}

fn repeated(unit: &str) -> String {
    unit.repeat(MEGABYTE.div_ceil(unit.len()))
}

fn first_megabyte(parts: impl Iterator<Item = String>) -> String {
    let mut text = String::new();
    for part in parts {
        text += &part;
        if text.len() >= MEGABYTE {
            break;
        }
    }
    text
}

fn megabytes_per_second(tokenizer: &Tokenizer, text: &str) -> Result<f64, Box<dyn Error>> {
    let mut best = f64::MAX;
    for _ in 0..3 {
        let start = Instant::now();
        tokenizer.tokenize(text.as_bytes(), TokenizeOptions::plain())?;
        best = best.min(start.elapsed().as_secs_f64());
    }
    Ok(text.len() as f64 / 1e6 / best)
}
