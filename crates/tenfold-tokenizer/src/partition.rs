//! Cutting special tokens out of a text before the rest is tokenized.
//!
//! The longest token text is looked for first, everywhere in the text; then the next one in what is
//! left, and so on. Doing just that would read the text once for each of thousands of tokens. So one
//! walk finds the places where tokens occur at all, and only there they compete.

use std::cmp::Reverse;
use std::ops::Range;

use memchr::memmem::Finder;
use tenfold_core::TokenId;

use crate::tokens::{Kinds, TokenTable};
use crate::trie::Trie;

/// Part of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fragment {
    /// Bytes to be tokenized.
    Text(Range<usize>),
    /// A special token.
    Token(TokenId),
}

/// White space beside a special token that belongs to it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Strip {
    /// Before it.
    pub(crate) left: bool,
    /// After it.
    pub(crate) right: bool,
}

#[derive(Debug)]
struct Special {
    id: TokenId,
    text: Box<[u8]>,
    /// Matched only when the caller asks for special tokens.
    is_hidden: bool,
    strip: Strip,
}

/// Finds special tokens in text.
#[derive(Debug)]
pub(crate) struct Partitioner {
    /// Longest text first.
    specials: Vec<Special>,
    trie: Trie,
    strips: bool,
}

/// A stretch of text in which special tokens occur, and which ones, by their place in the list.
#[derive(Debug)]
struct Cluster {
    range: Range<usize>,
    specials: Vec<u32>,
}

impl Partitioner {
    /// All special and user-defined tokens of the table.
    pub(crate) fn new(tokens: &TokenTable, strip: impl Fn(TokenId) -> Strip) -> Self {
        let matched = Kinds::CONTROL.or(Kinds::USER_DEFINED).or(Kinds::UNKNOWN);
        let mut specials: Vec<Special> = tokens
            .texts()
            .filter(|&(id, _)| tokens.kinds(id).is(matched))
            .map(|(id, text)| Special {
                id,
                text: text.into(),
                is_hidden: tokens.kinds(id).is_special(),
                strip: strip(id),
            })
            .collect();
        specials.sort_by_key(|special| Reverse(special.text.len()));
        let trie =
            Trie::new(specials.iter().zip(0..).map(|(special, index)| (&*special.text, index)));
        let strips = specials.iter().any(|special| special.strip != Strip::default());
        Self { specials, trie, strips }
    }

    /// Cuts `text`; `parse_special` finds control tokens too.
    pub(crate) fn partition(&self, text: &[u8], parse_special: bool) -> Vec<Fragment> {
        let mut fragments = Vec::new();
        let mut done = 0;
        for cluster in self.clusters(text, parse_special) {
            push_text(&mut fragments, done..cluster.range.start);
            done = cluster.range.end;
            self.resolve(text, cluster, &mut fragments);
        }
        push_text(&mut fragments, done..text.len());
        fragments
    }

    fn clusters(&self, text: &[u8], parse_special: bool) -> Vec<Cluster> {
        let mut clusters: Vec<Cluster> = Vec::new();
        for start in 0..text.len() {
            for (len, index) in self.trie.prefixes(&text[start..]) {
                if parse_special || !self.specials[index as usize].is_hidden {
                    add_match(&mut clusters, start..start + len, index);
                }
            }
        }
        if self.strips { self.widened(clusters, text.len()) } else { clusters }
    }

    /// Stripped white space reaches beyond a cluster, so all of them become one.
    fn widened(&self, clusters: Vec<Cluster>, len: usize) -> Vec<Cluster> {
        let mut specials: Vec<u32> =
            clusters.into_iter().flat_map(|found| found.specials).collect();
        if specials.is_empty() {
            return Vec::new();
        }
        specials.sort_unstable();
        specials.dedup();
        vec![Cluster { range: 0..len, specials }]
    }

    fn resolve(&self, text: &[u8], mut cluster: Cluster, fragments: &mut Vec<Fragment>) {
        cluster.specials.sort_unstable();
        let mut parts = vec![Fragment::Text(cluster.range)];
        for index in cluster.specials {
            let special = &self.specials[index as usize];
            let finder = Finder::new(&special.text);
            let mut next = Vec::with_capacity(parts.len());
            for part in parts {
                match part {
                    Fragment::Text(range) => special.cut(text, &finder, range, &mut next),
                    token @ Fragment::Token(_) => next.push(token),
                }
            }
            parts = next;
        }
        for part in parts {
            match part {
                Fragment::Text(range) => push_text(fragments, range),
                token @ Fragment::Token(_) => fragments.push(token),
            }
        }
    }
}

fn add_match(clusters: &mut Vec<Cluster>, range: Range<usize>, index: u32) {
    match clusters.last_mut() {
        Some(last) if range.start < last.range.end => {
            last.range.end = last.range.end.max(range.end);
            if !last.specials.contains(&index) {
                last.specials.push(index);
            }
        }
        _ => clusters.push(Cluster { range, specials: vec![index] }),
    }
}

/// Adds text; what was left at the end of a cluster goes on in it.
fn push_text(fragments: &mut Vec<Fragment>, range: Range<usize>) {
    if range.is_empty() {
        return;
    }
    match fragments.last_mut() {
        Some(Fragment::Text(last)) if last.end == range.start => last.end = range.end,
        _ => fragments.push(Fragment::Text(range)),
    }
}

impl Special {
    /// Cuts all places of this token out of one stretch of text.
    fn cut(
        &self,
        text: &[u8],
        finder: &Finder<'_>,
        range: Range<usize>,
        parts: &mut Vec<Fragment>,
    ) {
        let mut rest = range;
        while let Some(at) = finder.find(&text[rest.clone()]) {
            let found = rest.start + at..rest.start + at + self.text.len();
            let mut before = rest.start..found.start;
            if self.strip.left {
                before.end -= trailing_spaces(&text[before.clone()]);
            }
            push_text(parts, before);
            parts.push(Fragment::Token(self.id));
            rest.start = found.end;
            if self.strip.right {
                rest.start += leading_spaces(&text[rest.clone()]);
            }
        }
        push_text(parts, rest);
    }
}

/// The six characters that C calls space.
fn is_space(byte: &u8) -> bool {
    matches!(byte, b'\t'..=b'\r' | b' ')
}

fn leading_spaces(text: &[u8]) -> usize {
    text.iter().take_while(|byte| is_space(byte)).count()
}

fn trailing_spaces(text: &[u8]) -> usize {
    text.iter().rev().take_while(|byte| is_space(byte)).count()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn table(tokens: &[(&str, Kinds)]) -> TokenTable {
        TokenTable::new(tokens.iter().copied())
    }

    fn show(partitioner: &Partitioner, text: &str, parse_special: bool) -> Vec<String> {
        let show = |fragment: &Fragment| match fragment {
            Fragment::Text(range) => format!("'{}'", &text[range.clone()]),
            Fragment::Token(id) => id.to_string(),
        };
        partitioner.partition(text.as_bytes(), parse_special).iter().map(show).collect()
    }

    #[test]
    fn user_defined_tokens_are_always_found_and_control_tokens_on_request() {
        let tokens =
            table(&[("<s>", Kinds::CONTROL), ("\n\n", Kinds::USER_DEFINED), ("a", Kinds::NORMAL)]);
        let partitioner = Partitioner::new(&tokens, |_| Strip::default());
        assert_eq!(show(&partitioner, "<s>a\n\n\n", true), ["0", "'a'", "1", "'\n'"]);
        assert_eq!(show(&partitioner, "<s>a\n\n\n", false), ["'<s>a'", "1", "'\n'"]);
        assert!(partitioner.partition(b"", true).is_empty());
    }

    #[test]
    fn the_longest_token_wins_even_from_the_right() {
        let tokens =
            table(&[("ab", Kinds::CONTROL), ("bcd", Kinds::CONTROL), ("x", Kinds::NORMAL)]);
        let partitioner = Partitioner::new(&tokens, |_| Strip::default());
        assert_eq!(show(&partitioner, "abcdab", true), ["'a'", "1", "0"]);
    }

    #[test]
    fn stripped_white_space_belongs_to_the_token() {
        let tokens = table(&[("<m>", Kinds::CONTROL), ("  ", Kinds::USER_DEFINED)]);
        let strip = |id| Strip { left: id == 0, right: id == 0 };
        let partitioner = Partitioner::new(&tokens, strip);
        assert_eq!(show(&partitioner, "a \n<m>  <m>b", true), ["'a'", "0", "0", "'b'"]);
        assert_eq!(show(&partitioner, "  <m>", true), ["0"]);
        assert_eq!(show(&partitioner, "  <m>", false), ["1", "'<m>'"]);
    }

    #[test]
    fn a_long_run_is_fast() {
        let runs: Vec<String> = (1..32).map(|len| "\n".repeat(len)).collect();
        let tokens = TokenTable::new(runs.iter().map(|run| (run.as_str(), Kinds::USER_DEFINED)));
        let partitioner = Partitioner::new(&tokens, |_| Strip::default());
        let fragments = partitioner.partition(&vec![b'\n'; 1 << 20], false);
        assert_eq!(fragments.len(), (1 << 20) / 31 + 1);
    }

    /// One pass over the whole text for each token, longest first.
    fn plain(tokens: &[String], text: &str) -> Vec<Fragment> {
        let mut order: Vec<usize> = (0..tokens.len()).collect();
        order.sort_by_key(|&index| Reverse(tokens[index].len()));
        let mut parts = vec![Fragment::Text(0..text.len())];
        for index in order {
            parts = parts
                .into_iter()
                .flat_map(|part| match part {
                    Fragment::Text(range) => cut_plain(text, range, &tokens[index], index as u32),
                    token @ Fragment::Token(_) => vec![token],
                })
                .collect();
        }
        parts.retain(|part| !matches!(part, Fragment::Text(range) if range.is_empty()));
        parts
    }

    fn cut_plain(text: &str, range: Range<usize>, token: &str, id: TokenId) -> Vec<Fragment> {
        let mut parts = Vec::new();
        let mut start = range.start;
        while let Some(at) = text[start..range.end].find(token) {
            parts.push(Fragment::Text(start..start + at));
            parts.push(Fragment::Token(id));
            start += at + token.len();
        }
        parts.push(Fragment::Text(start..range.end));
        parts
    }

    proptest! {
        #[test]
        fn it_equals_one_pass_for_each_token(
            tokens in prop::collection::btree_set("[ab]{1,4}", 1..8),
            text in "[abc]{0,30}",
        ) {
            let tokens: Vec<String> = tokens.into_iter().collect();
            let table = TokenTable::new(tokens.iter().map(|text| (text.as_str(), Kinds::USER_DEFINED)));
            let partitioner = Partitioner::new(&table, |_| Strip::default());
            prop_assert_eq!(partitioner.partition(text.as_bytes(), false), plain(&tokens, &text));
        }
    }
}
