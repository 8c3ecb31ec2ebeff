//! Answers questions about one vocabulary, for comparing it with another implementation.
//!
//! `answer FILE < questions > answers`, where FILE is a GGUF file or a `tokenizer.json`. All numbers
//! are little-endian `u32`. A question is what is asked for, the length of its bytes, and these:
//!
//! | asked for | bytes | answer |
//! | --- | --- | --- |
//! | 0 to 3 | text; bit 0 adds special tokens, bit 1 parses them | number of ids, ids |
//! | 4 to 7 | ids; bit 0 leaves out special tokens, bit 1 goes on with a text | length, text |
//! | 8 to 11 | the same, through the incremental detokenizer | length, text |
//! | 12 | nothing | number of tokens that end generation, ids |
//! | 13 | nothing | number of special tokens, ids |
//!
//! The script `tests/goldens/compare.py` asks.

use std::error::Error;
use std::io::{self, BufReader, BufWriter, ErrorKind, Read, Write};
use std::path::Path;
use std::sync::Arc;

use tenfold_formats::gguf::Gguf;
use tenfold_formats::vocabulary;
use tenfold_tokenizer::{
    DetokenizeOptions, Detokenizer, TokenizeOptions, Tokenizer, TokenizerFiles, VocabularyHints,
};

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args().nth(1).ok_or("usage: answer FILE < questions > answers")?;
    let tokenizer = Arc::new(load(Path::new(&path))?);
    let mut input = BufReader::new(io::stdin().lock());
    let mut output = BufWriter::new(io::stdout().lock());
    while let Some(asked) = read_u32(&mut input)? {
        let len = read_u32(&mut input)?.ok_or("a question is cut short")?;
        let mut bytes = vec![0; len as usize];
        input.read_exact(&mut bytes)?;
        output.write_all(&answer(&tokenizer, asked, &bytes)?)?;
    }
    Ok(output.flush()?)
}

fn load(path: &Path) -> Result<Tokenizer, Box<dyn Error>> {
    let bytes = std::fs::read(path)?;
    if path.extension().is_some_and(|extension| extension == "json") {
        return load_json(path, &bytes);
    }
    let gguf = Gguf::parse(&bytes)?;
    let hints = VocabularyHints {
        model_name: gguf.str("general.name")?,
        architecture: gguf.str("general.architecture")?,
    };
    let found = vocabulary(&gguf)?.ok_or("the file has no vocabulary")?;
    Ok(Tokenizer::from_vocabulary_with(&found, hints)?)
}

fn load_json(path: &Path, bytes: &[u8]) -> Result<Tokenizer, Box<dyn Error>> {
    let config = std::fs::read(path.with_file_name("tokenizer_config.json")).ok();
    let files = TokenizerFiles {
        tokenizer: bytes,
        tokenizer_config: config.as_deref(),
        generation_config: None,
    };
    Ok(Tokenizer::from_json(&files)?)
}

fn answer(tokenizer: &Arc<Tokenizer>, asked: u32, bytes: &[u8]) -> Result<Vec<u8>, Box<dyn Error>> {
    let (first, second) = (asked & 1 == 1, asked & 2 == 2);
    let text_options = TokenizeOptions { add_special: first, parse_special: second };
    let id_options =
        DetokenizeOptions { skip_special: first, continues: second, clean_spaces: asked < 8 };
    Ok(match asked {
        0..4 => listed(&tokenizer.tokenize(bytes, text_options)?),
        4..8 => counted(&tokenizer.detokenize(&ids(bytes), id_options)),
        8..12 => counted(step_by_step(tokenizer, &ids(bytes), id_options).as_bytes()),
        12 => listed(tokenizer.end_of_generation()),
        _ => listed(&special(tokenizer)),
    })
}

fn listed(ids: &[u32]) -> Vec<u8> {
    [ids.len() as u32].iter().chain(ids).flat_map(|id| id.to_le_bytes()).collect()
}

fn counted(text: &[u8]) -> Vec<u8> {
    [&(text.len() as u32).to_le_bytes()[..], text].concat()
}

fn ids(bytes: &[u8]) -> Vec<u32> {
    bytes.as_chunks().0.iter().map(|&id| u32::from_le_bytes(id)).collect()
}

fn special(tokenizer: &Tokenizer) -> Vec<u32> {
    (0..tokenizer.vocabulary_size() as u32).filter(|&id| tokenizer.is_special(id)).collect()
}

fn step_by_step(tokenizer: &Arc<Tokenizer>, ids: &[u32], options: DetokenizeOptions) -> String {
    let mut detokenizer = Detokenizer::new(Arc::clone(tokenizer), options);
    let mut text: String = ids.iter().map(|&id| detokenizer.push(id).to_owned()).collect();
    text.push_str(detokenizer.finish());
    text
}

fn read_u32(input: &mut impl Read) -> io::Result<Option<u32>> {
    let mut bytes = [0; 4];
    match input.read_exact(&mut bytes) {
        Ok(()) => Ok(Some(u32::from_le_bytes(bytes))),
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(None),
        Err(error) => Err(error),
    }
}
