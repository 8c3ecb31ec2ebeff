//! Tokens to text, one at a time.

use std::sync::Arc;

use tenfold_core::TokenId;

use crate::{DetokenizeOptions, Tokenizer};

/// Turns tokens into text as they come, and never gives half a character.
///
/// A token may end within a character; its first bytes are kept until the rest arrives. Bytes that
/// cannot become a character are replaced by U+FFFD, just as if the whole text were read at once.
///
/// ```
/// # use tenfold_tokenizer::{DetokenizeOptions, Detokenizer};
/// # fn show(tokenizer: std::sync::Arc<tenfold_tokenizer::Tokenizer>, ids: &[u32]) -> String {
/// let mut detokenizer = Detokenizer::new(tokenizer, DetokenizeOptions::default());
/// let mut text = String::new();
/// for &id in ids {
///     text += detokenizer.push(id);
/// }
/// text + detokenizer.finish()
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Detokenizer {
    tokenizer: Arc<Tokenizer>,
    options: DetokenizeOptions,
    strips_space: bool,
    pending: Vec<u8>,
    text: String,
}

impl Detokenizer {
    /// Starts a text.
    pub fn new(tokenizer: Arc<Tokenizer>, options: DetokenizeOptions) -> Self {
        let strips_space = tokenizer.strips_first_space(options);
        Self { tokenizer, options, strips_space, pending: Vec::new(), text: String::new() }
    }

    /// The text that is complete with this token; often one word, sometimes nothing.
    pub fn push(&mut self, id: TokenId) -> &str {
        let bytes = self.tokenizer.piece_of(id, self.options, &mut self.strips_space);
        self.pending.extend_from_slice(bytes);
        self.text.clear();
        let kept = take_complete(&self.pending, &mut self.text);
        self.pending.drain(..self.pending.len() - kept);
        &self.text
    }

    /// What was kept back: U+FFFD for the first bytes of a character that never came.
    pub fn finish(&mut self) -> &str {
        self.text.clear();
        self.text.push_str(&String::from_utf8_lossy(&self.pending));
        self.pending.clear();
        &self.text
    }
}

/// Appends all but the beginning of a last character, and returns how many bytes that is.
fn take_complete(bytes: &[u8], text: &mut String) -> usize {
    let mut rest = bytes;
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        rest = &rest[chunk.valid().len()..];
        let invalid = chunk.invalid();
        let may_go_on = invalid.len() == rest.len()
            && std::str::from_utf8(rest).is_err_and(|error| error.error_len().is_none());
        if may_go_on {
            return invalid.len();
        }
        if !invalid.is_empty() {
            text.push(char::REPLACEMENT_CHARACTER);
        }
        rest = &rest[invalid.len()..];
    }
    0
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn in_chunks(bytes: &[u8], sizes: &[usize]) -> String {
        let (mut text, mut pending, mut rest) = (String::new(), Vec::new(), bytes);
        let mut sizes = sizes.iter().cycle();
        while !rest.is_empty() {
            let (chunk, tail) = rest.split_at((*sizes.next().unwrap()).min(rest.len()));
            pending.extend_from_slice(chunk);
            let kept = take_complete(&pending, &mut text);
            pending.drain(..pending.len() - kept);
            rest = tail;
        }
        text + &String::from_utf8_lossy(&pending)
    }

    #[test]
    fn half_characters_are_kept_back() {
        let cases: [(&[u8], &str, usize); 6] = [
            (b"ab", "ab", 0),
            (b"a\xE2\x82", "a", 2),
            (b"\xE2\x28", "\u{FFFD}(", 0),
            (b"\xFF\xF0\x9F\x98", "\u{FFFD}", 3),
            (b"\xC0", "\u{FFFD}", 0),
            (b"", "", 0),
        ];
        for (bytes, expected, kept) in cases {
            let mut text = String::new();
            assert_eq!(take_complete(bytes, &mut text), kept, "{bytes:?}");
            assert_eq!(text, expected, "{bytes:?}");
        }
    }

    proptest! {
        #[test]
        fn any_chunks_give_the_same_text(
            bytes in prop_oneof![any::<Vec<u8>>(), any::<String>().prop_map(String::into_bytes)],
            sizes in prop::collection::vec(1usize..5, 1..6),
        ) {
            prop_assert_eq!(in_chunks(&bytes, &sizes), String::from_utf8_lossy(&bytes));
        }
    }
}
