//! Merging neighbours, best pair first: the core of both BPE algorithms.
//!
//! Of all pairs of neighbours the one with the lowest rank is merged, the leftmost of equals first,
//! until no pair is left that may be merged. Short words are searched anew after every merge; long
//! ones use a heap, so that a megabyte of one letter takes n log n steps.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Part of a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Symbol {
    /// First byte.
    pub(crate) start: u32,
    /// Bytes; 0 once it was merged into its left neighbour.
    pub(crate) len: u32,
    /// What the rule knows it by.
    pub(crate) id: u32,
}

impl Symbol {
    /// The bytes of the symbol.
    pub(crate) fn text<'a>(&self, word: &'a [u8]) -> &'a [u8] {
        &word[self.start as usize..(self.start + self.len) as usize]
    }

    fn join(&self, right: &Symbol, id: u32) -> Symbol {
        Symbol { start: self.start, len: self.len + right.len, id }
    }
}

/// What becomes of two neighbours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Merge {
    /// Lower ranks come first; [`Merge::NEVER`] does not happen.
    pub(crate) rank: u32,
    /// The merged symbol.
    pub(crate) id: u32,
}

impl Merge {
    /// The two stay apart.
    pub(crate) const NEVER: Merge = Merge { rank: u32::MAX, id: u32::MAX };
}

/// Says which neighbours may be merged.
pub(crate) trait MergeRule {
    /// What becomes of `left` and `right`, which stand side by side in `word`.
    fn merge(&self, word: &[u8], left: &Symbol, right: &Symbol) -> Merge;
}

/// Symbols beyond which the heap is faster.
const SHORT: usize = 48;

/// Working memory that is kept from word to word.
#[derive(Debug, Default)]
pub(crate) struct Merger {
    /// The symbols of the word, before and after.
    pub(crate) symbols: Vec<Symbol>,
    pairs: Vec<Merge>,
    links: Vec<Link>,
    heap: BinaryHeap<Reverse<Candidate>>,
}

#[derive(Clone, Copy, Debug)]
struct Link {
    previous: u32,
    next: u32,
}

/// No neighbour on this side.
const END: u32 = u32::MAX;

/// Ordered by rank, then from left to right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Candidate {
    rank: u32,
    left: u32,
    right: u32,
    len: u32,
    id: u32,
}

impl Merger {
    /// Merges the symbols of `word` as far as the rule goes.
    pub(crate) fn run(&mut self, rule: &impl MergeRule, word: &[u8]) {
        if self.symbols.len() <= SHORT {
            self.run_short(rule, word);
        } else {
            self.run_long(rule, word);
        }
    }

    fn run_short(&mut self, rule: &impl MergeRule, word: &[u8]) {
        let (symbols, pairs) = (&mut self.symbols, &mut self.pairs);
        pairs.clear();
        pairs.extend(symbols.windows(2).map(|pair| rule.merge(word, &pair[0], &pair[1])));
        while let Some((at, best)) = first_best(pairs) {
            symbols[at] = symbols[at].join(&symbols[at + 1], best.id);
            symbols.remove(at + 1);
            pairs.remove(at);
            if at > 0 {
                pairs[at - 1] = rule.merge(word, &symbols[at - 1], &symbols[at]);
            }
            if at < pairs.len() {
                pairs[at] = rule.merge(word, &symbols[at], &symbols[at + 1]);
            }
        }
    }

    fn run_long(&mut self, rule: &impl MergeRule, word: &[u8]) {
        let count = self.symbols.len() as u32;
        self.links.clear();
        self.links.extend((0..count).map(|index| Link {
            previous: index.checked_sub(1).unwrap_or(END),
            next: if index + 1 < count { index + 1 } else { END },
        }));
        self.heap.clear();
        for right in 1..count {
            self.propose(rule, word, right - 1, right);
        }
        while let Some(Reverse(candidate)) = self.heap.pop() {
            if self.is_current(&candidate) {
                self.apply(rule, word, &candidate);
            }
        }
        self.symbols.retain(|symbol| symbol.len > 0);
    }

    fn propose(&mut self, rule: &impl MergeRule, word: &[u8], left: u32, right: u32) {
        if left == END || right == END {
            return;
        }
        let (first, second) = (&self.symbols[left as usize], &self.symbols[right as usize]);
        let Merge { rank, id } = rule.merge(word, first, second);
        if rank != Merge::NEVER.rank {
            let len = first.len + second.len;
            self.heap.push(Reverse(Candidate { rank, left, right, len, id }));
        }
    }

    /// False if one of the two was merged with another symbol meanwhile.
    fn is_current(&self, candidate: &Candidate) -> bool {
        let left = &self.symbols[candidate.left as usize];
        let right = &self.symbols[candidate.right as usize];
        left.len > 0 && right.len > 0 && left.len + right.len == candidate.len
    }

    fn apply(&mut self, rule: &impl MergeRule, word: &[u8], candidate: &Candidate) {
        let &Candidate { left, right, id, .. } = candidate;
        let joined = self.symbols[left as usize].join(&self.symbols[right as usize], id);
        self.symbols[left as usize] = joined;
        self.symbols[right as usize].len = 0;
        let next = self.links[right as usize].next;
        self.links[left as usize].next = next;
        if next != END {
            self.links[next as usize].previous = left;
        }
        self.propose(rule, word, self.links[left as usize].previous, left);
        self.propose(rule, word, left, next);
    }
}

fn first_best(pairs: &[Merge]) -> Option<(usize, Merge)> {
    let (at, &best) = pairs.iter().enumerate().min_by_key(|(_, pair)| pair.rank)?;
    (best.rank != Merge::NEVER.rank).then_some((at, best))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Merges any two neighbours whose joined text stands in the list, earlier entries first.
    struct List(Vec<String>);

    impl MergeRule for List {
        fn merge(&self, word: &[u8], left: &Symbol, right: &Symbol) -> Merge {
            let joined = left.join(right, 0);
            let rank = self.0.iter().position(|text| text.as_bytes() == joined.text(word));
            rank.map_or(Merge::NEVER, |rank| Merge { rank: rank as u32, id: 0 })
        }
    }

    fn single_bytes(word: &str) -> Vec<Symbol> {
        (0..word.len() as u32).map(|start| Symbol { start, len: 1, id: 0 }).collect()
    }

    fn merged(rule: &List, word: &str, run: fn(&mut Merger, &List, &[u8])) -> Vec<String> {
        let mut merger = Merger { symbols: single_bytes(word), ..Merger::default() };
        run(&mut merger, rule, word.as_bytes());
        let texts = merger.symbols.iter().map(|symbol| symbol.text(word.as_bytes()));
        texts.map(|text| String::from_utf8_lossy(text).into_owned()).collect()
    }

    #[test]
    fn the_best_pair_goes_first_and_the_leftmost_of_equals() {
        let rule = List(["bc", "ab", "aa", "aaaa"].map(str::to_owned).to_vec());
        let cases =
            [("abc", vec!["a", "bc"]), ("aaa", vec!["aa", "a"]), ("aaaaa", vec!["aaaa", "a"])];
        for (word, expected) in cases {
            assert_eq!(merged(&rule, word, Merger::run_short), expected);
            assert_eq!(merged(&rule, word, Merger::run_long), expected);
        }
    }

    #[test]
    fn a_word_of_nothing_or_one() {
        let rule = List(vec![]);
        for word in ["", "a"] {
            assert_eq!(merged(&rule, word, Merger::run_long).concat(), word);
            assert_eq!(merged(&rule, word, Merger::run_short).concat(), word);
        }
    }

    proptest! {
        #[test]
        fn both_ways_agree(list in prop::collection::vec("[ab]{2,5}", 0..12), word in "[ab]{0,60}") {
            let rule = List(list);
            prop_assert_eq!(
                merged(&rule, &word, Merger::run_short),
                merged(&rule, &word, Merger::run_long)
            );
        }
    }
}
