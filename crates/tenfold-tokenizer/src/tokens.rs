//! What is known about each token: its text, its kind, and the bytes it puts out.

use hashbrown::{DefaultHashBuilder, HashTable};
use std::hash::BuildHasher;
use tenfold_core::TokenId;
use tenfold_formats::TokenKind;

/// Byte strings side by side in one allocation.
#[derive(Debug, Default)]
pub(crate) struct Strings {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Strings {
    pub(crate) fn push(&mut self, text: &[u8]) {
        self.bytes.extend_from_slice(text);
        self.ends.push(self.bytes.len());
    }

    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    /// The string with this number; empty if there is none.
    pub(crate) fn get(&self, index: usize) -> &[u8] {
        let Some(&end) = self.ends.get(index) else { return &[] };
        let start = index.checked_sub(1).map_or(0, |previous| self.ends[previous]);
        &self.bytes[start..end]
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &[u8]> {
        (0..self.len()).map(|index| self.get(index))
    }
}

/// What a token is; several can be true, because files mark some control tokens as normal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Kinds(u8);

impl Kinds {
    pub(crate) const NORMAL: Kinds = Kinds(1);
    pub(crate) const UNKNOWN: Kinds = Kinds(2);
    pub(crate) const CONTROL: Kinds = Kinds(4);
    pub(crate) const USER_DEFINED: Kinds = Kinds(8);
    pub(crate) const UNUSED: Kinds = Kinds(16);
    pub(crate) const BYTE: Kinds = Kinds(32);

    pub(crate) const fn is(self, other: Kinds) -> bool {
        self.0 & other.0 != 0
    }

    pub(crate) const fn or(self, other: Kinds) -> Kinds {
        Kinds(self.0 | other.0)
    }

    /// Special tokens are no part of the text that a user sees.
    pub(crate) const fn is_special(self) -> bool {
        self.is(Self::CONTROL.or(Self::UNKNOWN))
    }
}

impl From<TokenKind> for Kinds {
    fn from(kind: TokenKind) -> Self {
        match kind {
            TokenKind::Normal => Self::NORMAL,
            TokenKind::Unknown => Self::UNKNOWN,
            TokenKind::Control => Self::CONTROL,
            TokenKind::UserDefined => Self::USER_DEFINED,
            TokenKind::Unused => Self::UNUSED,
            TokenKind::Byte => Self::BYTE,
        }
    }
}

/// The tokens of a vocabulary by id, and their ids by text.
#[derive(Debug)]
pub(crate) struct TokenTable {
    texts: Strings,
    kinds: Vec<Kinds>,
    pieces: Strings,
    ids: HashTable<TokenId>,
    hasher: DefaultHashBuilder,
    longest: usize,
    duplicates: usize,
}

impl TokenTable {
    /// Tokens in the order of their ids. An empty text gets a name that no text can contain by
    /// chance; of equal texts the last one is found by its text.
    pub(crate) fn new<'a>(tokens: impl IntoIterator<Item = (&'a str, Kinds)>) -> Self {
        let mut table = Self {
            texts: Strings::default(),
            kinds: Vec::new(),
            pieces: Strings::default(),
            ids: HashTable::new(),
            hasher: DefaultHashBuilder::default(),
            longest: 0,
            duplicates: 0,
        };
        for (id, (text, kinds)) in (0..).zip(tokens) {
            match text {
                "" => table.push(id, format!("[EMPTY_{id}]").as_bytes(), kinds),
                text => table.push(id, text.as_bytes(), kinds),
            }
        }
        table
    }

    fn push(&mut self, id: TokenId, text: &[u8], kinds: Kinds) {
        self.texts.push(text);
        self.kinds.push(kinds);
        self.longest = self.longest.max(text.len());
        let (texts, hasher) = (&self.texts, &self.hasher);
        let hash = hasher.hash_one(text);
        if let Some(known) = self.ids.find_mut(hash, |&id| texts.get(id as usize) == text) {
            *known = id;
            self.duplicates += 1;
        } else {
            let rehash = |&id: &TokenId| hasher.hash_one(texts.get(id as usize));
            self.ids.insert_unique(hash, id, rehash);
        }
    }

    /// Sets what each token puts out.
    pub(crate) fn set_pieces(&mut self, piece: impl Fn(&str, Kinds) -> Vec<u8>) {
        let mut pieces = Strings::default();
        for (text, &kinds) in self.texts.iter().zip(&self.kinds) {
            // Texts came in as `str`, so nothing is lost here.
            pieces.push(&piece(&String::from_utf8_lossy(text), kinds));
        }
        self.pieces = pieces;
    }

    pub(crate) fn len(&self) -> usize {
        self.texts.len()
    }

    /// How many tokens cannot be found by their text, because a later one has the same.
    pub(crate) fn duplicates(&self) -> usize {
        self.duplicates
    }

    pub(crate) fn text(&self, id: TokenId) -> &[u8] {
        self.texts.get(id as usize)
    }

    pub(crate) fn texts(&self) -> impl Iterator<Item = (TokenId, &[u8])> {
        (0..).zip(self.texts.iter())
    }

    /// Bytes that the token puts out.
    pub(crate) fn piece(&self, id: TokenId) -> &[u8] {
        self.pieces.get(id as usize)
    }

    pub(crate) fn kinds(&self, id: TokenId) -> Kinds {
        self.kinds.get(id as usize).copied().unwrap_or(Kinds::UNUSED)
    }

    pub(crate) fn set_kinds(&mut self, id: TokenId, kinds: Kinds) {
        if let Some(slot) = self.kinds.get_mut(id as usize) {
            *slot = kinds;
        }
    }

    pub(crate) fn find(&self, text: &[u8]) -> Option<TokenId> {
        if text.len() > self.longest {
            return None;
        }
        let hash = self.hasher.hash_one(text);
        self.ids.find(hash, |&id| self.text(id) == text).copied()
    }

    /// The token that stands for one raw byte: `<0x0A>`.
    pub(crate) fn find_byte(&self, byte: u8) -> Option<TokenId> {
        self.find(format!("<0x{byte:02X}>").as_bytes())
    }
}

/// The byte in a text such as `<0x0A>`.
pub(crate) fn byte_of_text(text: &str) -> Option<u8> {
    let digits = text.strip_prefix("<0x")?.strip_suffix('>')?;
    if digits.len() != 2 || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    u8::from_str_radix(digits, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(texts: &[&str]) -> TokenTable {
        TokenTable::new(texts.iter().map(|&text| (text, Kinds::NORMAL)))
    }

    #[test]
    fn tokens_are_found_by_text() {
        let table = table(&["a", "", "bc", "a"]);
        let cases: [(&str, Option<TokenId>); 5] =
            [("a", Some(3)), ("bc", Some(2)), ("[EMPTY_1]", Some(1)), ("", None), ("abcde", None)];
        for (text, id) in cases {
            assert_eq!(table.find(text.as_bytes()), id, "{text:?}");
        }
        assert_eq!((table.duplicates(), table.longest, table.len()), (1, 9, 4));
        assert_eq!(table.text(99), b"");
        assert_eq!(table.kinds(99), Kinds::UNUSED);
    }

    #[test]
    fn many_tokens_survive_growing() {
        let texts: Vec<String> = (0..5000).map(|n| format!("token {n}")).collect();
        let table = TokenTable::new(texts.iter().map(|text| (text.as_str(), Kinds::NORMAL)));
        for (text, id) in texts.iter().zip(0..) {
            assert_eq!(table.find(text.as_bytes()), Some(id));
        }
    }

    #[test]
    fn byte_texts() {
        let cases =
            [("<0x0A>", Some(10)), ("<0xff>", Some(255)), ("<0x+1>", None), ("<0xé>", None)];
        for (text, byte) in cases {
            assert_eq!(byte_of_text(text), byte, "{text}");
        }
        assert_eq!(table(&["<0xAB>"]).find_byte(0xAB), Some(0));
    }

    #[test]
    fn pieces_follow_the_rule() {
        let mut table = table(&["ab", "c"]);
        assert_eq!(table.piece(0), b"");
        table.set_pieces(|text, _| text.to_uppercase().into_bytes());
        assert_eq!(
            (table.piece(0), table.piece(1), table.piece(2)),
            (&b"AB"[..], &b"C"[..], &b""[..])
        );
    }
}
