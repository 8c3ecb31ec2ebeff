//! The alphabet of byte-level BPE: one printable character for each of the 256 bytes.
//!
//! Printable bytes of Latin-1 stand for themselves; the others, in order, for U+0100 and on.

use std::sync::LazyLock;

const fn is_itself(byte: u8) -> bool {
    matches!(byte, 0x21..=0x7E | 0xA1..=0xAC | 0xAE..=0xFF)
}

static CHARACTERS: LazyLock<[char; 256]> = LazyLock::new(|| {
    let mut others = '\u{100}'..;
    std::array::from_fn(|byte| match byte as u8 {
        byte if is_itself(byte) => char::from(byte),
        _ => others.next().unwrap_or_default(),
    })
});

/// How many bytes stand for characters from U+0100 on.
const OTHERS: usize = 68;

static OTHER_BYTES: LazyLock<[u8; OTHERS]> = LazyLock::new(|| {
    let mut bytes = (0..=u8::MAX).filter(|&byte| !is_itself(byte));
    std::array::from_fn(|_| bytes.next().unwrap_or_default())
});

/// The character that stands for a byte.
pub(crate) fn char_of(byte: u8) -> char {
    CHARACTERS[byte as usize]
}

/// The byte that a character stands for.
pub(crate) fn byte_of(character: char) -> Option<u8> {
    match u32::from(character) {
        point @ 0..=0xFF => Some(point as u8).filter(|&byte| is_itself(byte)),
        point => OTHER_BYTES.get((point as usize).checked_sub(0x100)?).copied(),
    }
}

/// Writes bytes in the alphabet, replacing what `text` held.
pub(crate) fn encode_into(text: &mut String, bytes: &[u8]) {
    text.clear();
    text.extend(bytes.iter().map(|&byte| char_of(byte)));
}

/// The bytes of a text in the alphabet; `None` if a character is not of it.
pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
    text.chars().map(byte_of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_round_trips() {
        let bytes: Vec<u8> = (0..=255).collect();
        let mut text = String::new();
        encode_into(&mut text, &bytes);
        assert_eq!(text.chars().count(), 256);
        assert_eq!(decode(&text), Some(bytes));
    }

    #[test]
    fn known_characters() {
        assert_eq!(char_of(b' '), 'Ġ');
        assert_eq!(char_of(b'\n'), 'Ċ');
        assert_eq!(char_of(0xAD), '\u{143}');
        assert_eq!(decode("Ġa"), Some(b" a".to_vec()));
        assert_eq!(decode("▁a"), None);
        assert_eq!(decode(" "), None);
    }
}
