//! The merge list of a vocabulary, by numbers instead of texts.

use hashbrown::HashMap;
use tenfold_core::TokenId;

use super::names::Spelling;
use crate::byte_level;
use crate::merge::{Merge, MergeRule, Symbol};
use crate::tokens::TokenTable;

/// A character or byte that neither the vocabulary nor the merges know.
pub(super) const NO_SYMBOL: u32 = u32::MAX;

/// Which pairs of symbols become one.
///
/// A symbol is a token id, or beyond them the number of a text that only the merges know.
#[derive(Debug)]
pub(super) struct Merges {
    pairs: HashMap<(u32, u32), Merge>,
    extra: HashMap<Box<[u8]>, u32>,
    bytes: [u32; 256],
    tokens: u32,
}

impl Merges {
    pub(super) fn new(tokens: &TokenTable, merges: &[String], spelling: Spelling) -> Self {
        let mut table = Self {
            pairs: HashMap::with_capacity(merges.len()),
            extra: HashMap::new(),
            bytes: [NO_SYMBOL; 256],
            tokens: tokens.len() as u32,
        };
        for (merge, rank) in merges.iter().zip(0..) {
            if let Some((left, right)) = halves(merge) {
                table.add(tokens, left, right, rank);
            }
        }
        if spelling == Spelling::Bytes {
            for byte in 0..=u8::MAX {
                let text = byte_level::char_of(byte).to_string();
                let symbol = table.find(tokens, text.as_bytes());
                table.bytes[byte as usize] = symbol.unwrap_or(NO_SYMBOL);
            }
        }
        table
    }

    fn add(&mut self, tokens: &TokenTable, left: &str, right: &str, rank: u32) {
        let pair = (self.intern(tokens, left), self.intern(tokens, right));
        let id = self.intern(tokens, &[left, right].concat());
        // Of equal merges the first one counts.
        self.pairs.entry(pair).or_insert(Merge { rank, id });
    }

    fn intern(&mut self, tokens: &TokenTable, text: &str) -> u32 {
        if let Some(symbol) = self.find(tokens, text.as_bytes()) {
            return symbol;
        }
        let symbol = self.tokens.saturating_add(self.extra.len() as u32);
        self.extra.insert(text.as_bytes().into(), symbol);
        symbol
    }

    /// The symbol with this text.
    pub(super) fn find(&self, tokens: &TokenTable, text: &[u8]) -> Option<u32> {
        tokens.find(text).or_else(|| self.extra.get(text).copied())
    }

    /// The symbol of one byte.
    pub(super) fn byte(&self, byte: u8) -> u32 {
        self.bytes[byte as usize]
    }

    /// The token that a symbol is, if any.
    pub(super) fn token(&self, symbol: u32) -> Option<TokenId> {
        (symbol < self.tokens).then_some(symbol)
    }
}

impl MergeRule for Merges {
    fn merge(&self, _: &[u8], left: &Symbol, right: &Symbol) -> Merge {
        self.pairs.get(&(left.id, right.id)).copied().unwrap_or(Merge::NEVER)
    }
}

/// Splits a merge at its first space, which may not be its first character.
fn halves(merge: &str) -> Option<(&str, &str)> {
    let first = merge.chars().next()?.len_utf8();
    let space = merge[first..].find(' ')? + first;
    Some((&merge[..space], &merge[space + 1..]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tokens::Kinds;

    #[test]
    fn merges_are_split_at_the_first_space() {
        let cases =
            [("a b", Some(("a", "b"))), ("  b", Some((" ", "b"))), ("ab", None), ("", None)];
        for (merge, expected) in cases {
            assert_eq!(halves(merge), expected, "{merge:?}");
        }
    }

    #[test]
    fn the_first_of_equal_merges_counts_and_unknown_texts_get_numbers() {
        let tokens = TokenTable::new([("a", Kinds::NORMAL), ("ab", Kinds::NORMAL)]);
        let list = ["a b", "a b", "broken", "ab c"].map(str::to_owned);
        let merges = Merges::new(&tokens, &list, Spelling::Bytes);
        let symbol = |id| Symbol { start: 0, len: 1, id };
        let b = merges.byte(b'b');
        assert_eq!(merges.token(b), None);
        assert_eq!(merges.merge(b"", &symbol(0), &symbol(b)), Merge { rank: 0, id: 1 });
        let abc = merges.merge(b"", &symbol(1), &symbol(merges.byte(b'c')));
        assert_eq!((abc.rank, merges.token(abc.id)), (3, None));
        assert_eq!(merges.byte(b'x'), NO_SYMBOL);
    }
}
