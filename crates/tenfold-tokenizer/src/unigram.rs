//! SentencePiece Unigram: of all ways to cut a text into tokens, the one with the best total score.

use std::borrow::Cow;

use tenfold_core::TokenId;
use tenfold_formats::Vocabulary;

use crate::TokenizerError;
use crate::charsmap::CharacterMap;
use crate::sentencepiece::MARKER;
use crate::tokens::{Kinds, TokenTable};
use crate::trie::Trie;
use crate::utf8::{char_len, first_len};

/// How much worse than the worst token an unknown character is.
const UNKNOWN_PENALTY: f32 = 10.0;

/// A Unigram vocabulary and its normalizer.
#[derive(Debug)]
pub(crate) struct Unigram {
    trie: Trie,
    scores: Vec<f64>,
    unknown_score: f64,
    unknown: TokenId,
    normalizer: Normalizer,
}

impl Unigram {
    pub(crate) fn new(
        tokens: &TokenTable,
        vocabulary: &Vocabulary,
        unknown: Option<TokenId>,
    ) -> Result<Self, TokenizerError> {
        let score = |id: TokenId| vocabulary.scores.get(id as usize).copied().unwrap_or(0.0);
        let ids = || tokens.texts().map(|(id, _)| id);
        let normal = ids().filter(|&id| tokens.kinds(id).is(Kinds::NORMAL));
        let worst = normal.map(score).fold(f32::MAX, f32::min);
        let free =
            |id| if tokens.kinds(id).is(Kinds::USER_DEFINED) { 0.0 } else { score(id).into() };
        let matched = Kinds::NORMAL.or(Kinds::USER_DEFINED).or(Kinds::UNUSED);
        Ok(Self {
            trie: trie_of(tokens, matched),
            scores: ids().map(free).collect(),
            unknown_score: f64::from(worst - UNKNOWN_PENALTY),
            unknown: unknown.unwrap_or(TokenId::MAX),
            normalizer: Normalizer {
                map: CharacterMap::new(&vocabulary.precompiled_charsmap)?,
                user_defined: trie_of(tokens, Kinds::USER_DEFINED),
                add_space_prefix: vocabulary.add_space_prefix.unwrap_or(false),
                merge_spaces: vocabulary.remove_extra_whitespaces.unwrap_or(false),
            },
        })
    }

    pub(crate) fn tokenize(&self, text: &[u8], output: &mut Vec<TokenId>) {
        let text = self.normalizer.normalize(text);
        let best = self.best_cuts(&text);
        let start = output.len();
        let mut end = text.len();
        while let Some(cut) = best.get(end).filter(|_| end > 0) {
            // A run of unknown characters is one unknown token.
            let repeats = cut.token == self.unknown && output[start..].last() == Some(&cut.token);
            if !repeats {
                output.push(cut.token);
            }
            end = cut.start;
        }
        output[start..].reverse();
        if self.unknown == TokenId::MAX {
            output.retain(|&token| token != self.unknown);
        }
    }

    /// For each end, the best last token of the text up to there.
    fn best_cuts(&self, text: &[u8]) -> Vec<Cut> {
        let unreached = Cut { token: self.unknown, start: 0, score: f64::MIN };
        let mut best = vec![unreached; text.len() + 1];
        best[0].score = 0.0;
        let mut start = 0;
        while start < text.len() {
            let len = char_len(text[start]).min(text.len() - start);
            let score = best[start].score;
            let mut is_known = false;
            for (token_len, token) in self.trie.prefixes(&text[start..]) {
                is_known |= token_len == len;
                let score = score + self.scores[token as usize];
                best[start + token_len].improve(Cut { token, start, score });
            }
            if !is_known {
                let score = score + self.unknown_score;
                best[start + len].improve(Cut { token: self.unknown, start, score });
            }
            start += len;
        }
        best
    }
}

#[derive(Clone, Copy, Debug)]
struct Cut {
    token: TokenId,
    start: usize,
    score: f64,
}

impl Cut {
    fn improve(&mut self, challenger: Cut) {
        if challenger.score > self.score {
            *self = challenger;
        }
    }
}

fn trie_of(tokens: &TokenTable, kinds: Kinds) -> Trie {
    let wanted = tokens.texts().filter(|&(id, _)| tokens.kinds(id).is(kinds));
    Trie::new(wanted.map(|(id, text)| (text, id)))
}

/// Replaces characters by the map and spaces by markers.
#[derive(Debug)]
struct Normalizer {
    map: CharacterMap,
    user_defined: Trie,
    add_space_prefix: bool,
    merge_spaces: bool,
}

impl Normalizer {
    fn normalize(&self, text: &[u8]) -> Vec<u8> {
        let mut normal = Vec::with_capacity(text.len() + text.len() / 2);
        let mut spaces =
            Spaces { prefix: self.add_space_prefix, merge: self.merge_spaces, in_word: false };
        let mut rest = text;
        while !rest.is_empty() {
            let (len, replacement) = self.first(rest);
            for &byte in &*replacement {
                spaces.push(&mut normal, byte);
            }
            rest = &rest[len..];
        }
        normal
    }

    /// What the first characters become, and how many bytes they take.
    fn first<'a>(&'a self, text: &'a [u8]) -> (usize, Cow<'a, [u8]>) {
        // The reference walks as far as any user-defined token begins alike, even if none ends
        // there; ids depend on it.
        let protected = self.user_defined.longest_path(text);
        if protected > 0 {
            return (protected, Cow::Borrowed(&text[..protected]));
        }
        if let Some((len, replacement)) = self.map.longest_prefix(text) {
            return (len, Cow::Borrowed(replacement));
        }
        match first_len(text) {
            Some(len) => (len, Cow::Borrowed(&text[..len])),
            None => (1, Cow::Borrowed("\u{FFFD}".as_bytes())),
        }
    }
}

/// Where markers go.
struct Spaces {
    prefix: bool,
    merge: bool,
    in_word: bool,
}

impl Spaces {
    fn push(&mut self, text: &mut Vec<u8>, byte: u8) {
        if byte == b' ' {
            self.in_word = false;
            if !self.merge {
                text.extend_from_slice(MARKER);
            }
            return;
        }
        if !self.in_word && (self.prefix || self.merge) {
            text.extend_from_slice(MARKER);
            self.prefix = false;
        }
        self.in_word = true;
        text.push(byte);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vocabulary(tokens: &[(&str, f32)]) -> (TokenTable, Vocabulary) {
        let table = TokenTable::new(tokens.iter().map(|&(text, _)| (text, Kinds::NORMAL)));
        let mut vocabulary =
            crate::testing::vocabulary(tenfold_formats::VocabularyKind::Unigram, &[]);
        vocabulary.scores = tokens.iter().map(|&(_, score)| score).collect();
        (table, vocabulary)
    }

    fn tokenize(tokens: &[(&str, f32)], text: &[u8]) -> Vec<TokenId> {
        let (table, vocabulary) = vocabulary(tokens);
        let mut output = Vec::new();
        Unigram::new(&table, &vocabulary, Some(0)).unwrap().tokenize(text, &mut output);
        output
    }

    #[test]
    fn the_best_total_wins() {
        let tokens = [("<unk>", 0.0), ("a", -1.0), ("b", -1.0), ("ab", -3.0), ("abc", -2.0)];
        let cases: [(&[u8], &[TokenId]); 4] =
            [(b"ab", &[1, 2]), (b"abc", &[4]), (b"abxyb", &[1, 2, 0, 2]), (b"", &[])];
        for (text, expected) in cases {
            assert_eq!(tokenize(&tokens, text), expected, "{text:?}");
        }
    }

    #[test]
    fn bytes_that_are_no_text_are_unknown() {
        let tokens = [("<unk>", 0.0), ("a", -1.0), ("\u{FFFD}", -2.0)];
        assert_eq!(tokenize(&tokens, b"a\xFFa\xC3"), [1, 2, 1, 2]);
    }

    #[test]
    fn spaces_become_markers() {
        let (table, mut vocabulary) = vocabulary(&[]);
        let cases = [
            (false, false, "▁▁a▁▁b▁"),
            (true, false, "▁▁▁a▁▁b▁"),
            (false, true, "▁a▁b"),
            (true, true, "▁a▁b"),
        ];
        for (prefix, merge, expected) in cases {
            vocabulary.add_space_prefix = Some(prefix);
            vocabulary.remove_extra_whitespaces = Some(merge);
            let model = Unigram::new(&table, &vocabulary, None).unwrap();
            let normal = model.normalizer.normalize(b"  a  b ");
            assert_eq!(String::from_utf8(normal).unwrap(), expected);
        }
    }

    #[test]
    fn no_unknown_token_means_nothing_is_written() {
        let (table, vocabulary) = vocabulary(&[("a", -1.0)]);
        let mut output = Vec::new();
        Unigram::new(&table, &vocabulary, None).unwrap().tokenize(b"xax", &mut output);
        assert_eq!(output, [0]);
    }
}
