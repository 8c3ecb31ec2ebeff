//! The tokenizer of a model, whatever file it came from.

use tenfold_core::TokenId;

use crate::bpe::Bpe;
use crate::clean::clean_spaces;
use crate::json::JsonModel;
use crate::partition::{Fragment, Partitioner};
use crate::sentencepiece::{MARKER, SentencePiece};
use crate::tokens::{Kinds, TokenTable};
use crate::unigram::Unigram;
use crate::wordpiece::WordPiece;
use crate::{DetokenizeOptions, SpecialTokens, TokenizeOptions, TokenizerError};

/// Text to tokens and back. Immutable; share it by `Arc`.
#[derive(Debug)]
pub struct Tokenizer {
    pub(crate) tokens: TokenTable,
    pub(crate) special: SpecialTokens,
    /// Sorted.
    pub(crate) end_of_generation: Vec<TokenId>,
    pub(crate) rules: Rules,
    pub(crate) model: Model,
    pub(crate) notices: Vec<String>,
}

/// What happens around the algorithm.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Rules {
    /// Comes before a text.
    pub(crate) first: Option<TokenId>,
    /// Comes after a text.
    pub(crate) last: Option<TokenId>,
    /// A space is put before text at the start and after special tokens.
    pub(crate) adds_space: bool,
    /// Spaces are written as U+2581 before the algorithm sees them.
    pub(crate) escapes_spaces: bool,
    /// Each line begins with U+2581.
    pub(crate) marks_lines: bool,
    /// Spaces before punctuation are an artefact.
    pub(crate) cleans_spaces: bool,
}

/// The algorithm and its data.
#[derive(Debug)]
pub(crate) enum Model {
    /// One of our own, which sees text without special tokens.
    Own(Box<Algorithm>, Partitioner),
    /// A `tokenizer.json`, which sees everything.
    Json(Box<JsonModel>),
}

#[derive(Debug)]
pub(crate) enum Algorithm {
    SentencePiece(SentencePiece),
    Bpe(Box<Bpe>),
    WordPiece(WordPiece),
    Unigram(Box<Unigram>),
}

/// Longest text in bytes: with every space escaped, places in it must fit in 32 bits.
const LONGEST_TEXT: usize = 1 << 30;

impl Tokenizer {
    /// The tokens of a text.
    ///
    /// The text need not be UTF-8: what is no character is tokenized as llama.cpp does it. The
    /// SentencePiece vocabularies of GGUF files have tokens for bytes; for all others, and for every
    /// `tokenizer.json`, each byte that belongs to no character counts as U+FFFD.
    ///
    /// # Errors
    /// When the text is longer than a gibibyte, or the rules of a `tokenizer.json` fail on it.
    pub fn tokenize(
        &self,
        text: &[u8],
        options: TokenizeOptions,
    ) -> Result<Vec<TokenId>, TokenizerError> {
        if text.len() > LONGEST_TEXT {
            let limit = LONGEST_TEXT;
            return Err(TokenizerError::TextTooLong { bytes: text.len(), limit });
        }
        match &self.model {
            Model::Json(model) => model.tokenize(text, options),
            Model::Own(algorithm, partitioner) => {
                let fragments = partitioner.partition(text, options.parse_special);
                Ok(self.tokenize_fragments(text, &fragments, algorithm, options.add_special))
            }
        }
    }

    fn tokenize_fragments(
        &self,
        text: &[u8],
        fragments: &[Fragment],
        algorithm: &Algorithm,
        add_special: bool,
    ) -> Vec<TokenId> {
        let mut output = Vec::with_capacity(text.len() / 4 + 2);
        output.extend(self.rules.first.filter(|_| add_special));
        let mut adds_space = self.rules.adds_space;
        for fragment in fragments {
            match fragment {
                Fragment::Token(id) => output.push(*id),
                Fragment::Text(range) => {
                    let text = self.spelled(&text[range.clone()], adds_space);
                    self.run(algorithm, &text, &mut output);
                }
            }
            adds_space = self.rules.adds_space && matches!(fragment, Fragment::Token(_));
        }
        output.extend(self.rules.last.filter(|_| add_special));
        output
    }

    fn run(&self, algorithm: &Algorithm, text: &[u8], output: &mut Vec<TokenId>) {
        match algorithm {
            Algorithm::SentencePiece(model) => model.tokenize(&self.tokens, text, output),
            Algorithm::Bpe(model) => model.tokenize(&self.tokens, text, output),
            Algorithm::WordPiece(model) => model.tokenize(text, output),
            Algorithm::Unigram(model) => model.tokenize(text, output),
        }
    }

    fn spelled<'a>(&self, text: &'a [u8], adds_space: bool) -> std::borrow::Cow<'a, [u8]> {
        if !self.rules.escapes_spaces {
            return text.into();
        }
        let mut escaped = Vec::with_capacity(text.len() + text.len() / 2);
        if adds_space {
            escaped.extend_from_slice(MARKER);
        }
        for &byte in text {
            match byte {
                b' ' => escaped.extend_from_slice(MARKER),
                other => escaped.push(other),
            }
        }
        if self.rules.marks_lines { marked_lines(&escaped).into() } else { escaped.into() }
    }

    /// The text of some tokens, as bytes: the tokens need not end where a character does.
    pub fn detokenize(&self, ids: &[TokenId], options: DetokenizeOptions) -> Vec<u8> {
        let mut strips_space = self.strips_first_space(options);
        let mut text = Vec::with_capacity(ids.len() * 4);
        for &id in ids {
            text.extend_from_slice(self.piece_of(id, options, &mut strips_space));
        }
        if options.clean_spaces && self.rules.cleans_spaces { clean_spaces(&text) } else { text }
    }

    /// Whether the first text of a sequence starts with a space that was put there.
    pub(crate) fn strips_first_space(&self, options: DetokenizeOptions) -> bool {
        self.rules.adds_space && !options.continues
    }

    /// What a token adds to the text; `strips_space` turns false with the first one that adds any.
    pub(crate) fn piece_of(
        &self,
        id: TokenId,
        options: DetokenizeOptions,
        strips_space: &mut bool,
    ) -> &[u8] {
        let piece = self.tokens.piece(id);
        if piece.is_empty() || options.skip_special && self.is_special(id) {
            return &[];
        }
        if std::mem::take(strips_space) { piece.strip_prefix(b" ").unwrap_or(piece) } else { piece }
    }

    /// The bytes that a token puts out; none if there is no such token.
    pub fn token_bytes(&self, id: TokenId) -> &[u8] {
        self.tokens.piece(id)
    }

    /// The text of a token as the vocabulary writes it, such as `Ġthe`.
    pub fn token_text(&self, id: TokenId) -> Option<&str> {
        let exists = (id as usize) < self.tokens.len();
        std::str::from_utf8(self.tokens.text(id)).ok().filter(|_| exists)
    }

    /// The token with this text as the vocabulary writes it.
    pub fn token_id(&self, text: &str) -> Option<TokenId> {
        self.tokens.find(text.as_bytes())
    }

    /// How many tokens there are; ids are below this.
    pub fn vocabulary_size(&self) -> usize {
        self.tokens.len()
    }

    /// Tokens with a meaning of their own.
    pub fn special_tokens(&self) -> &SpecialTokens {
        &self.special
    }

    /// True for control and unknown tokens: they are no part of the text that a user sees.
    pub fn is_special(&self, id: TokenId) -> bool {
        self.tokens.kinds(id).is_special()
    }

    /// True for raw bytes, which are part of a character.
    pub fn is_byte(&self, id: TokenId) -> bool {
        self.tokens.kinds(id).is(Kinds::BYTE)
    }

    /// True if an answer ends with this token.
    pub fn is_end_of_generation(&self, id: TokenId) -> bool {
        self.end_of_generation.binary_search(&id).is_ok()
    }

    /// All tokens that end an answer, in ascending order.
    pub fn end_of_generation(&self) -> &[TokenId] {
        &self.end_of_generation
    }

    /// The token that `add_special` puts first.
    pub fn first_token(&self) -> Option<TokenId> {
        self.rules.first
    }

    /// True if `add_special` puts the beginning-of-text token first.
    pub fn adds_bos(&self) -> bool {
        self.rules.first.is_some() && self.rules.first == self.special.bos
    }

    /// True if `add_special` puts a token last.
    pub fn adds_eos(&self) -> bool {
        self.rules.last.is_some()
    }

    /// What the user should know about this vocabulary; sentences.
    pub fn notices(&self) -> &[String] {
        &self.notices
    }
}

/// Puts a marker before each line that has none and is not empty.
fn marked_lines(text: &[u8]) -> Vec<u8> {
    let mut marked = Vec::with_capacity(text.len() + text.len() / 16 + MARKER.len());
    for line in text.split_inclusive(|&byte| byte == b'\n') {
        if line != b"\n" && !line.starts_with(MARKER) {
            marked.extend_from_slice(MARKER);
        }
        marked.extend_from_slice(line);
    }
    marked
}
