//! Learns the merges of a small vocabulary from a text, the same ones every time.

use std::collections::{BTreeMap, BTreeSet};

/// Two neighbouring pieces that become one.
pub(super) type Merge = (String, String);

/// A word as a list of pieces, and how often it occurs.
type Words = BTreeMap<Vec<String>, usize>;

/// The best merges of `text`; `spell` writes a word as single characters of the vocabulary.
pub(super) fn merges(text: &str, count: usize, spell: impl Fn(&str) -> Vec<String>) -> Vec<Merge> {
    let mut words = Words::new();
    for word in split(text) {
        *words.entry(spell(&word)).or_default() += 1;
    }
    let mut known = BTreeSet::new();
    let mut merges = Vec::new();
    while merges.len() < count {
        let Some(best) = most_frequent(&words, &known) else { break };
        known.insert(format!("{}{}", best.0, best.1));
        words = words.into_iter().map(|(word, times)| (apply(&word, &best), times)).collect();
        merges.push(best);
    }
    merges
}

/// Runs of letters, each with the space before it; all else is left out.
fn split(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    for character in text.chars() {
        if !character.is_alphabetic() {
            words.push(std::mem::take(&mut word));
        }
        if character.is_alphabetic() || character == ' ' {
            word.push(character);
        }
    }
    words.push(word);
    words.retain(|word| word.chars().count() > 1);
    words
}

/// The pair that occurs most often and makes a new piece; of equals the first by name.
fn most_frequent(words: &Words, known: &BTreeSet<String>) -> Option<Merge> {
    let mut counts = BTreeMap::<(&str, &str), usize>::new();
    for (word, times) in words {
        for pair in word.windows(2) {
            *counts.entry((&pair[0], &pair[1])).or_default() += times;
        }
    }
    counts.retain(|(left, right), _| !known.contains(&format!("{left}{right}")));
    let best = counts.into_iter().rev().max_by_key(|&(_, times)| times)?;
    Some((best.0.0.to_owned(), best.0.1.to_owned()))
}

fn apply(word: &[String], merge: &Merge) -> Vec<String> {
    let mut out: Vec<String> = Vec::with_capacity(word.len());
    let mut open = false;
    for piece in word {
        match out.last_mut() {
            Some(last) if open && *last == merge.0 && *piece == merge.1 => {
                last.push_str(piece);
                open = false;
            }
            _ => {
                out.push(piece.clone());
                open = true;
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn characters(word: &str) -> Vec<String> {
        word.chars().map(String::from).collect()
    }

    #[test]
    fn the_most_frequent_pair_comes_first() {
        let merges = merges("the theme then, them! no", 3, characters);
        let text: Vec<_> = merges.iter().map(|(a, b)| format!("{a}+{b}")).collect();
        assert_eq!(text, ["h+e", "t+he", " +the"]);
    }

    #[test]
    fn merging_goes_from_left_to_right() {
        let aaa = characters("aaa");
        assert_eq!(apply(&aaa, &("a".into(), "a".into())), ["aa", "a"]);
    }

    #[test]
    fn training_ends_when_every_word_is_one_piece() {
        assert_eq!(merges("ab ab", 100, characters).len(), 2);
    }
}
