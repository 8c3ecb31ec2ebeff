//! WordPiece as BERT has it: clean the text, cut it into words, and take the longest token that a
//! word goes on with, again and again.

use tenfold_core::TokenId;

use crate::sentencepiece::MARKER;
use crate::tokens::TokenTable;
use crate::trie::Trie;
use crate::unicode::{Class, base_of, class_of, is_chinese, to_lower};
use crate::utf8::{REPLACEMENT, code_points, push_point};

/// A WordPiece vocabulary in GGUF form: first pieces carry a marker, later ones nothing.
#[derive(Debug)]
pub(crate) struct WordPiece {
    trie: Trie,
    unknown: Option<TokenId>,
    lowercase: bool,
    strip_accents: bool,
}

impl WordPiece {
    pub(crate) fn new(
        tokens: &TokenTable,
        unknown: Option<TokenId>,
        lowercase: bool,
        strip_accents: bool,
    ) -> Self {
        let trie = Trie::new(tokens.texts().map(|(id, text)| (text, id)));
        Self { trie, unknown, lowercase, strip_accents }
    }

    pub(crate) fn tokenize(&self, text: &[u8], output: &mut Vec<TokenId>) {
        for word in self.words(text) {
            let start = output.len();
            if !self.tokenize_word(&word, output) {
                output.truncate(start);
                output.extend(self.unknown);
            }
        }
    }

    /// False if the word has a part that no token starts with.
    fn tokenize_word(&self, word: &[u8], output: &mut Vec<TokenId>) -> bool {
        let mut rest = word;
        while !rest.is_empty() {
            let Some((len, id)) = self.trie.prefixes(rest).last() else { return false };
            output.push(id);
            rest = &rest[len..];
        }
        true
    }

    fn words(&self, text: &[u8]) -> Vec<Vec<u8>> {
        let mut words = Words::default();
        for point in code_points(text) {
            let point = if self.strip_accents { base_of(point) } else { point };
            let class = class_of(point);
            if class.is(Class::SPACE) {
                words.finish();
            } else if !self.is_dropped(point, class) {
                let point = if self.lowercase { to_lower(point) } else { point };
                words.add(point, is_word_of_its_own(point, class));
            }
        }
        words.finish();
        words.finished
    }

    fn is_dropped(&self, point: u32, class: Class) -> bool {
        point == 0
            || point == REPLACEMENT
            || class.is(Class::CONTROL)
            || self.strip_accents && class.is(Class::MARK)
    }
}

fn is_word_of_its_own(point: u32, class: Class) -> bool {
    class.is(Class::PUNCTUATION) || point < 0x7F && class.is(Class::SYMBOL) || is_chinese(point)
}

#[derive(Default)]
struct Words {
    finished: Vec<Vec<u8>>,
    current: Vec<u8>,
}

impl Words {
    fn add(&mut self, point: u32, alone: bool) {
        if alone {
            self.finish();
        }
        if self.current.is_empty() {
            self.current.extend_from_slice(MARKER);
        }
        push_point(&mut self.current, point);
        if alone {
            self.finish();
        }
    }

    fn finish(&mut self) {
        if !self.current.is_empty() {
            self.finished.push(std::mem::take(&mut self.current));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tokens::Kinds;

    fn model(texts: &[&str], lowercase: bool) -> WordPiece {
        let tokens = TokenTable::new(texts.iter().map(|&text| (text, Kinds::NORMAL)));
        WordPiece::new(&tokens, Some(0), lowercase, lowercase)
    }

    fn words(model: &WordPiece, text: &str) -> Vec<String> {
        let words = model.words(text.as_bytes());
        words.into_iter().map(|word| String::from_utf8(word).unwrap()).collect()
    }

    #[test]
    fn text_is_cut_into_clean_words() {
        let cases = [
            ("Héllo,  Wörld!", vec!["▁hello", "▁,", "▁world", "▁!"]),
            ("a\u{0}b\u{FFFD}c\u{200D}d", vec!["▁abcd"]),
            ("x中文y", vec!["▁x", "▁中", "▁文", "▁y"]),
            ("1+1→3", vec!["▁1", "▁+", "▁1→3"]),
            (" \t\u{3000}", vec![]),
        ];
        for (text, expected) in cases {
            assert_eq!(words(&model(&[], true), text), expected, "{text:?}");
        }
        assert_eq!(words(&model(&[], false), "Hé"), ["▁Hé"]);
    }

    #[test]
    fn the_longest_token_wins_and_a_gap_makes_the_word_unknown() {
        let model = model(&["[UNK]", "▁a", "▁ab", "c", "cd", "▁x"], true);
        let cases =
            [("abcd", vec![2, 4]), ("AB c", vec![2, 0]), ("abz x", vec![0, 5]), ("", vec![])];
        for (text, expected) in cases {
            let mut output = Vec::new();
            model.tokenize(text.as_bytes(), &mut output);
            assert_eq!(output, expected, "{text:?}");
        }
    }
}
