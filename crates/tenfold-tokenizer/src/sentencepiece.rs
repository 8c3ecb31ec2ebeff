//! SentencePiece BPE: neighbours are merged when their joined text is a token, best score first.
//!
//! What remains without a token is written as byte tokens.

use hashbrown::{HashMap, HashSet};
use tenfold_core::TokenId;

use crate::merge::{Merge, MergeRule, Merger, Symbol};
use crate::tokens::TokenTable;
use crate::utf8::char_len;

/// The space of SentencePiece vocabularies, U+2581.
pub(crate) const MARKER: &[u8] = "▁".as_bytes();

/// Words longer than this are not worth remembering.
const LONGEST_CACHED: usize = 64;

/// The merge order of a vocabulary, and what to write for single bytes.
#[derive(Debug)]
pub(crate) struct SentencePiece {
    /// Place of each token when sorted by score, best first; equal scores share one.
    ranks: Vec<u32>,
    bytes: Vec<Option<TokenId>>,
    /// Characters after which some token goes on over the start of a word. After all others, words
    /// are independent of each other.
    bridges: HashSet<Box<[u8]>>,
}

impl SentencePiece {
    /// Prepares a vocabulary. `unknown` stands in for bytes that have no token.
    pub(crate) fn new(tokens: &TokenTable, scores: &[f32], unknown: Option<TokenId>) -> Self {
        let bytes = (0..=u8::MAX)
            .map(|byte| tokens.find_byte(byte).or_else(|| tokens.find(&[byte])).or(unknown))
            .collect();
        let bridges = tokens.texts().flat_map(|(_, text)| bridges(text)).map(Into::into).collect();
        Self { ranks: ranks(scores, tokens.len()), bytes, bridges }
    }

    /// Bytes that neither have a token of their own nor an unknown token.
    pub(crate) fn bytes_without_token(&self) -> usize {
        self.bytes.iter().filter(|token| token.is_none()).count()
    }

    /// Tokenizes text whose spaces are already markers.
    pub(crate) fn tokenize(&self, tokens: &TokenTable, text: &[u8], output: &mut Vec<TokenId>) {
        let mut merger = Merger::default();
        let mut cache = HashMap::new();
        let mut rest = text;
        while !rest.is_empty() {
            let (word, tail) = rest.split_at(self.first_word(rest));
            rest = tail;
            if let Some(&(start, end)) = cache.get(word) {
                output.extend_from_within(start..end);
                continue;
            }
            let start = output.len();
            self.tokenize_word(tokens, word, &mut merger, output);
            if word.len() <= LONGEST_CACHED {
                cache.insert(word, (start, output.len()));
            }
        }
    }

    /// Bytes up to the first place that no token reaches over.
    fn first_word(&self, text: &[u8]) -> usize {
        let ends = word_ends(text).find(|(before, _)| !self.bridges.contains(*before));
        ends.map_or(text.len(), |(_, end)| end)
    }

    fn tokenize_word(
        &self,
        tokens: &TokenTable,
        word: &[u8],
        merger: &mut Merger,
        output: &mut Vec<TokenId>,
    ) {
        let rule = ByText { tokens, ranks: &self.ranks };
        merger.symbols.clear();
        merger.symbols.extend(characters(word));
        merger.run(&rule, word);
        for symbol in &merger.symbols {
            let text = symbol.text(word);
            match tokens.find(text) {
                Some(id) => output.push(id),
                None => output.extend(text.iter().filter_map(|&byte| self.bytes[byte as usize])),
            }
        }
    }
}

struct ByText<'a> {
    tokens: &'a TokenTable,
    ranks: &'a [u32],
}

impl MergeRule for ByText<'_> {
    fn merge(&self, word: &[u8], left: &Symbol, right: &Symbol) -> Merge {
        let joined = &word[left.start as usize..(right.start + right.len) as usize];
        match self.tokens.find(joined) {
            Some(id) => Merge { rank: self.ranks[id as usize], id },
            None => Merge::NEVER,
        }
    }
}

/// Splits into characters, judging their length by the first byte alone.
pub(crate) fn characters(word: &[u8]) -> impl Iterator<Item = Symbol> + '_ {
    let mut start = 0;
    std::iter::from_fn(move || {
        let rest = word.get(start..)?;
        let len = char_len(*rest.first()?).min(rest.len());
        let symbol = Symbol { start: start as u32, len: len as u32, id: u32::MAX };
        start += len;
        Some(symbol)
    })
}

/// The places where a marker follows something else, with the character before.
fn word_ends(text: &[u8]) -> impl Iterator<Item = (&[u8], usize)> {
    let mut before = MARKER;
    characters(text).filter_map(move |symbol| {
        let current = symbol.text(text);
        let previous = std::mem::replace(&mut before, current);
        let is_end = current == MARKER && previous != MARKER;
        is_end.then_some((previous, symbol.start as usize))
    })
}

/// The characters in a token's text after which a word ends.
fn bridges(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    word_ends(text).map(|(before, _)| before)
}

/// Places by score; missing scores count as 0.
fn ranks(scores: &[f32], count: usize) -> Vec<u32> {
    // Adding zero makes the two zeros one.
    let score = |index: u32| scores.get(index as usize).map_or(0.0, |score| score + 0.0);
    let mut order: Vec<u32> = (0..count as u32).collect();
    order.sort_by(|&a, &b| score(b).total_cmp(&score(a)));
    let mut ranks = vec![0; count];
    let mut rank = 0;
    for pair in order.windows(2) {
        rank += u32::from(score(pair[0]).total_cmp(&score(pair[1])).is_ne());
        ranks[pair[1] as usize] = rank;
    }
    ranks
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tokens::Kinds;

    fn table(texts: &[&str]) -> TokenTable {
        TokenTable::new(texts.iter().map(|&text| (text, Kinds::NORMAL)))
    }

    fn tokenize(texts: &[&str], scores: &[f32], text: &str) -> Vec<TokenId> {
        let tokens = table(texts);
        let model = SentencePiece::new(&tokens, scores, Some(0));
        let mut output = Vec::new();
        model.tokenize(&tokens, text.as_bytes(), &mut output);
        output
    }

    #[test]
    fn better_scores_merge_first() {
        let texts = ["<unk>", "a", "b", "ab", "bc", "c"];
        assert_eq!(tokenize(&texts, &[0.0, 0.0, 0.0, -1.0, -2.0, 0.0], "abc"), [3, 5]);
        assert_eq!(tokenize(&texts, &[0.0, 0.0, 0.0, -2.0, -1.0, 0.0], "abc"), [1, 4]);
        assert_eq!(tokenize(&texts, &[], "abc"), [3, 5], "equal scores merge from the left");
    }

    #[test]
    fn what_has_no_token_becomes_bytes_or_the_unknown_token() {
        let texts = ["<unk>", "<0xC3>", "<0xA9>", "x"];
        assert_eq!(tokenize(&texts, &[], "éxy"), [1, 2, 3, 0]);
        let tokens = table(&["x"]);
        let model = SentencePiece::new(&tokens, &[], None);
        assert_eq!(model.bytes_without_token(), 255);
    }

    #[test]
    fn words_are_cut_only_where_no_token_reaches_over() {
        let cases = [("▁▁a▁b", vec![7]), ("▁▁", vec![]), ("a▁▁é▁", vec![1, 9]), ("", vec![])];
        for (text, ends) in cases {
            let found: Vec<usize> = word_ends(text.as_bytes()).map(|(_, end)| end).collect();
            assert_eq!(found, ends, "{text}");
        }
        assert_eq!(tokenize(&["<unk>", "a", "▁", "a▁", "▁a"], &[], "a▁a"), [3, 1]);
        assert_eq!(tokenize(&["<unk>", "a", "▁", "▁a"], &[], "a▁a▁a"), [1, 3, 3]);
        assert_eq!(tokenize(&["<unk>", "a", "▁", "b", "b▁a"], &[], "a▁ab▁a"), [1, 2, 1, 3, 2, 1]);
    }

    #[test]
    fn hostile_scores_do_no_harm() {
        let scores = [f32::NAN, f32::INFINITY, -0.0, 0.0, f32::NEG_INFINITY];
        assert_eq!(ranks(&scores, 6), [0, 1, 2, 2, 3, 2]);
    }
}
