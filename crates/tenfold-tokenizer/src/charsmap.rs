//! The compiled character map of a SentencePiece normalizer: prefixes and what replaces them.
//!
//! Layout: length of an array in bytes; the array, an XOR-compressed compact double array with one
//! little-endian `u32` for each node; replacement texts, each ended by a zero byte.

use crate::TokenizerError;

/// A checked map. An empty one replaces nothing.
#[derive(Debug, Default)]
pub(crate) struct CharacterMap {
    nodes: Vec<u32>,
    replacements: Vec<u8>,
}

impl CharacterMap {
    /// Reads a map; no bytes make an empty one.
    pub(crate) fn new(bytes: &[u8]) -> Result<Self, TokenizerError> {
        if bytes.is_empty() {
            return Ok(Self::default());
        }
        let damaged = |what| TokenizerError::InvalidCharacterMap { what };
        let (head, rest) = bytes.split_first_chunk().ok_or(damaged("its header is cut short"))?;
        let len = u32::from_le_bytes(*head) as usize;
        let (nodes, replacements) =
            rest.split_at_checked(len).ok_or(damaged("its array reaches beyond the end"))?;
        if replacements.last() != Some(&0) {
            return Err(damaged("its last replacement has no end"));
        }
        let nodes = nodes.as_chunks().0.iter().map(|&node| u32::from_le_bytes(node)).collect();
        Ok(Self { nodes, replacements: replacements.to_vec() })
    }

    /// The longest prefix of `text` that has a replacement: its length and the replacement.
    pub(crate) fn longest_prefix(&self, text: &[u8]) -> Option<(usize, &[u8])> {
        let mut index = base(*self.nodes.first()?);
        let mut longest = None;
        for (len, &byte) in (1..).zip(text) {
            index ^= u32::from(byte);
            let Some(&node) = self.nodes.get(index as usize) else { break };
            if byte == 0 || label(node) != u32::from(byte) {
                break;
            }
            index ^= base(node);
            if has_leaf(node) {
                longest = self.replacement(index).map(|replacement| (len, replacement));
            }
        }
        longest
    }

    fn replacement(&self, leaf: u32) -> Option<&[u8]> {
        let start = self.nodes.get(leaf as usize)? & 0x7FFF_FFFF;
        let text = self.replacements.get(start as usize..)?;
        text.split(|&byte| byte == 0).next()
    }
}

/// Offset of the children, stored in fewer bits for near ones.
const fn base(node: u32) -> u32 {
    (node >> 10) << ((node & 1 << 9) >> 6)
}

const fn label(node: u32) -> u32 {
    node & (1 << 31 | 0xFF)
}

const fn has_leaf(node: u32) -> bool {
    node >> 8 & 1 == 1
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A map that replaces "a" by "xy": root at 0, "a" at `1 ^ 0x61`, its leaf beside.
    fn map() -> Vec<u8> {
        let mut nodes = vec![0u32; 256];
        nodes[0] = 1 << 10;
        nodes[1 ^ 0x61] = 2 << 10 | 1 << 8 | 0x61;
        nodes[1 ^ 0x61 ^ 2] = 1 << 31;
        let mut bytes = 1024u32.to_le_bytes().to_vec();
        bytes.extend(nodes.iter().flat_map(|node| node.to_le_bytes()));
        bytes.extend(b"xy\0");
        bytes
    }

    #[test]
    fn prefixes_are_replaced() {
        let map = CharacterMap::new(&map()).unwrap();
        let found = |text: &[u8]| {
            let (len, replacement) = map.longest_prefix(text)?;
            Some((len, String::from_utf8_lossy(replacement).into_owned()))
        };
        assert_eq!(found(b"a"), Some((1, "xy".to_owned())));
        assert_eq!(found(b"ab"), Some((1, "xy".to_owned())));
        assert_eq!(found(b"b"), None);
        assert_eq!(found(b"\0"), None);
        assert_eq!(CharacterMap::new(b"").unwrap().longest_prefix(b"a"), None);
    }

    #[test]
    fn damaged_maps_are_refused() {
        let whole = map();
        let cases: [&[u8]; 4] =
            [&whole[..3], &whole[..500], &whole[..whole.len() - 1], &[255, 255, 255, 255, 0]];
        for bytes in cases {
            assert!(CharacterMap::new(bytes).is_err(), "{} bytes", bytes.len());
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_a_panic(bytes: Vec<u8>, text: Vec<u8>) {
            if let Ok(map) = CharacterMap::new(&bytes) {
                map.longest_prefix(&text);
            }
        }
    }
}
