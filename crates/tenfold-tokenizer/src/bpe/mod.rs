//! Byte-level BPE: text is cut into words by the vocabulary's pre-tokenizer, and the bytes of each
//! word are merged in the order of the merge list.
//!
//! A few vocabularies merge characters instead of bytes; what remains without a token is written as
//! byte tokens there.

mod merges;
mod names;
mod pattern;
mod sets;
mod split;
mod words;

use std::ops::Range;

use hashbrown::HashMap;
use tenfold_core::TokenId;

use self::merges::{Merges, NO_SYMBOL};
pub(crate) use self::names::{PreTokenizer, Spelling};
use self::split::{Text, split};
use crate::byte_level;
use crate::merge::{Merger, Symbol};
use crate::sentencepiece::characters;
use crate::tokens::TokenTable;
use crate::unicode::to_lower;
use crate::utf8::{code_points, rewrite, write};

/// Words longer than this are not worth remembering.
const LONGEST_CACHED: usize = 64;

/// A pre-tokenizer and the merges of a vocabulary.
#[derive(Debug)]
pub(crate) struct Bpe {
    pre: PreTokenizer,
    merges: Merges,
    /// Token of each byte that remains alone.
    bytes: Vec<Option<TokenId>>,
    /// Text is made lower case first.
    lowercase: bool,
}

/// Working memory for one text.
struct Work<'a> {
    tokens: &'a TokenTable,
    merger: Merger,
    encoded: String,
    output: &'a mut Vec<TokenId>,
}

impl Bpe {
    pub(crate) fn new(
        pre: PreTokenizer,
        tokens: &TokenTable,
        merges: &[String],
        lowercase: bool,
    ) -> Self {
        let bytes = (0..=u8::MAX).map(|byte| match pre.spelling {
            // Only characters below U+0080 are one byte long in the alphabet.
            Spelling::Bytes if byte.is_ascii_graphic() => tokens.find(&[byte]),
            Spelling::Bytes => None,
            Spelling::Characters => tokens.find_byte(byte),
        });
        let bytes = bytes.collect();
        Self { bytes, merges: Merges::new(tokens, merges, pre.spelling), pre, lowercase }
    }

    pub(crate) fn tokenize(&self, tokens: &TokenTable, text: &[u8], output: &mut Vec<TokenId>) {
        let mut points = code_points(text);
        let mut text = rewrite(text, &points);
        if self.lowercase {
            points.iter_mut().for_each(|point| *point = to_lower(*point));
            text = write(&points).into();
        }
        let mut work = Work { tokens, merger: Merger::default(), encoded: String::new(), output };
        let mut cache: HashMap<&[u8], Range<usize>> = HashMap::new();
        for word in split(self.pre.steps, &Text::new(&text, &points)) {
            if self.pre.drops_spaces && is_space(word) {
                continue;
            }
            if let Some(known) = cache.get(word) {
                work.output.extend_from_within(known.clone());
                continue;
            }
            let start = work.output.len();
            self.tokenize_word(word, &mut work);
            if word.len() <= LONGEST_CACHED {
                cache.insert(word, start..work.output.len());
            }
        }
    }

    fn tokenize_word(&self, word: &[u8], work: &mut Work<'_>) {
        if let Some(id) = self.whole_word(word, work) {
            work.output.push(id);
            return;
        }
        work.merger.symbols.clear();
        let symbols = &mut work.merger.symbols;
        match self.pre.spelling {
            Spelling::Bytes => symbols.extend(self.byte_symbols(word)),
            Spelling::Characters => symbols.extend(self.character_symbols(word, work.tokens)),
        }
        work.merger.run(&self.merges, word);
        for symbol in &work.merger.symbols {
            match self.merges.token(symbol.id) {
                Some(id) => work.output.push(id),
                None => {
                    let bytes = symbol.text(word).iter();
                    work.output.extend(bytes.filter_map(|&byte| self.bytes[byte as usize]));
                }
            }
        }
    }

    /// The token that is this word, where the vocabulary puts whole words before merges.
    fn whole_word(&self, word: &[u8], work: &mut Work<'_>) -> Option<TokenId> {
        let newlines = self.pre.whole_newlines && word.iter().all(|&byte| byte == b'\n');
        if !self.pre.ignore_merges && !newlines {
            return None;
        }
        match self.pre.spelling {
            Spelling::Characters => work.tokens.find(word),
            Spelling::Bytes => {
                byte_level::encode_into(&mut work.encoded, word);
                work.tokens.find(work.encoded.as_bytes())
            }
        }
    }

    fn byte_symbols(&self, word: &[u8]) -> impl Iterator<Item = Symbol> {
        (0..).zip(word).map(|(start, &byte)| Symbol { start, len: 1, id: self.merges.byte(byte) })
    }

    fn character_symbols<'a>(
        &'a self,
        word: &'a [u8],
        tokens: &'a TokenTable,
    ) -> impl Iterator<Item = Symbol> + 'a {
        characters(word).map(move |symbol| {
            let id = self.merges.find(tokens, symbol.text(word)).unwrap_or(NO_SYMBOL);
            Symbol { id, ..symbol }
        })
    }
}

fn is_space(word: &[u8]) -> bool {
    std::str::from_utf8(word).is_ok_and(|word| word.chars().all(char::is_whitespace))
}
