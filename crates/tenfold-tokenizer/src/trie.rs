//! A read-only set of byte strings, each with a number, walked byte by byte.

use std::collections::VecDeque;
use std::ops::Range;

/// A place in a [`Trie`].
pub(crate) type Node = u32;

const NO_VALUE: u32 = u32::MAX;

/// Children of a node lie side by side, sorted by their byte.
#[derive(Debug, Default)]
pub(crate) struct Trie {
    labels: Vec<u8>,
    values: Vec<u32>,
    children: Vec<Range<Node>>,
    roots: Vec<Option<Node>>,
}

/// Part of the sorted keys that share their first bytes, and the node that stands for these.
struct Group {
    node: usize,
    keys: Range<usize>,
    depth: usize,
}

impl Trie {
    /// Builds the set; of equal keys the last one counts, and empty ones are left out.
    pub(crate) fn new<'a>(entries: impl IntoIterator<Item = (&'a [u8], u32)>) -> Self {
        let mut keys: Vec<(&[u8], u32)> = entries.into_iter().collect();
        keys.retain(|(key, _)| !key.is_empty());
        keys.sort_by_key(|&(key, _)| key);
        let mut trie = Self::default();
        trie.push_node(0);
        let mut groups = VecDeque::from([Group { node: 0, keys: 0..keys.len(), depth: 0 }]);
        while let Some(group) = groups.pop_front() {
            trie.add_children(&keys, &group, &mut groups);
        }
        trie.roots = (0..=u8::MAX).map(|byte| trie.search(0, byte)).collect();
        trie
    }

    fn push_node(&mut self, label: u8) -> usize {
        self.labels.push(label);
        self.values.push(NO_VALUE);
        self.children.push(0..0);
        self.labels.len() - 1
    }

    fn add_children(&mut self, keys: &[(&[u8], u32)], group: &Group, groups: &mut VecDeque<Group>) {
        let Group { node, depth, .. } = *group;
        let first = self.labels.len() as Node;
        let mut start = group.keys.start;
        while start < group.keys.end {
            let (key, value) = keys[start];
            let Some(&label) = key.get(depth) else {
                self.values[node] = value;
                start += 1;
                continue;
            };
            let same = keys[start..group.keys.end].partition_point(|(key, _)| key[depth] == label);
            let child = self.push_node(label);
            groups.push_back(Group { node: child, keys: start..start + same, depth: depth + 1 });
            start += same;
        }
        self.children[node] = first..self.labels.len() as Node;
    }

    fn search(&self, node: Node, byte: u8) -> Option<Node> {
        let children = self.children.get(node as usize)?;
        let labels = self.labels.get(children.start as usize..children.end as usize)?;
        let index = match labels.len() {
            0..=8 => labels.iter().position(|&label| label == byte)?,
            _ => labels.binary_search(&byte).ok()?,
        };
        Some(children.start + index as Node)
    }

    /// The node that a first byte leads to.
    pub(crate) fn start(&self, byte: u8) -> Option<Node> {
        self.roots.get(byte as usize).copied().flatten()
    }

    /// The node that one more byte leads to.
    pub(crate) fn step(&self, node: Node, byte: u8) -> Option<Node> {
        self.search(node, byte)
    }

    /// The number of the key that ends here.
    pub(crate) fn value(&self, node: Node) -> Option<u32> {
        self.values.get(node as usize).copied().filter(|&value| value != NO_VALUE)
    }

    /// All keys that `text` starts with, shortest first, as length and number.
    pub(crate) fn prefixes<'a>(
        &'a self,
        text: &'a [u8],
    ) -> impl Iterator<Item = (usize, u32)> + 'a {
        self.walk(text).filter_map(|(len, node)| Some((len, self.value(node)?)))
    }

    /// How many bytes of `text` lead along the trie, whether or not a key ends there.
    pub(crate) fn longest_path(&self, text: &[u8]) -> usize {
        self.walk(text).last().map_or(0, |(len, _)| len)
    }

    fn walk<'a>(&'a self, text: &'a [u8]) -> impl Iterator<Item = (usize, Node)> + 'a {
        let mut node = None;
        text.iter().enumerate().map_while(move |(index, &byte)| {
            node = match node {
                None => self.start(byte),
                Some(node) => self.step(node, byte),
            };
            node.map(|node| (index + 1, node))
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn trie(keys: &[&str]) -> Trie {
        Trie::new(keys.iter().enumerate().map(|(index, key)| (key.as_bytes(), index as u32)))
    }

    #[test]
    fn prefixes_come_shortest_first() {
        let trie = trie(&["a", "abc", "abd", "b", "ab", ""]);
        let found: Vec<_> = trie.prefixes(b"abcd").collect();
        assert_eq!(found, [(1, 0), (2, 4), (3, 1)]);
        assert_eq!(trie.longest_path(b"abe"), 2);
        assert_eq!(trie.prefixes(b"xabc").count(), 0);
        assert_eq!(trie.longest_path(b""), 0);
    }

    #[test]
    fn the_last_of_equal_keys_counts() {
        assert_eq!(trie(&["x", "x"]).prefixes(b"x").collect::<Vec<_>>(), [(1, 1)]);
    }

    proptest! {
        #[test]
        fn it_finds_what_a_plain_search_finds(
            keys in prop::collection::vec("[ab\u{e9}]{0,4}", 0..20),
            text in "[ab\u{e9}]{0,8}",
        ) {
            let trie = Trie::new(keys.iter().zip(0u32..).map(|(key, id)| (key.as_bytes(), id)));
            let mut expected: Vec<(usize, u32)> = keys
                .iter()
                .zip(0u32..)
                .filter(|(key, _)| !key.is_empty() && text.starts_with(key.as_str()))
                .map(|(key, id)| (key.len(), id))
                .collect();
            expected.sort_by_key(|&(len, id)| (len, std::cmp::Reverse(id)));
            expected.dedup_by_key(|&mut (len, _)| len);
            let found: Vec<_> = trie.prefixes(text.as_bytes()).collect();
            prop_assert_eq!(found, expected);
        }
    }
}
