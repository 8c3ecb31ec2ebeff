//! Cutting a text into words, step by step: each step cuts the pieces that the last one left.

use std::cell::OnceCell;
use std::sync::LazyLock;

use super::pattern::{Pattern, collapse};
use super::sets::Set;
use super::words;
use crate::unicode::{Class, class_of};
use crate::utf8::encoded_len;

/// One way to cut pieces.
pub(super) enum Step {
    /// The pre-tokenizer of GPT-2.
    Gpt2,
    /// The pre-tokenizer of Llama 3 and Qwen.
    Words(words::Words),
    /// The pre-tokenizer of Kimi K2.
    Kimi,
    /// Groups of three digits, counted from the end of a number. What precedes a number stays with
    /// its first group.
    DigitGroups,
    /// A cut wherever a multiple of three ASCII digits follows and then no more.
    Thousands,
    /// A cut before each U+2581.
    BeforeMarkers,
    /// The white space at the end.
    TrailingSpace,
    /// Characters of one set.
    Runs(Runs),
    /// A regular expression.
    Pattern(&'static LazyLock<Pattern>),
}

/// Runs of characters of a set, cut out of what is around them.
#[derive(Clone, Copy)]
pub(super) struct Runs {
    /// The set.
    pub(super) set: Set,
    /// What may stand before a run and belong to it.
    pub(super) lead: Lead,
    /// Shorter runs do not count.
    pub(super) min: usize,
    /// Longer runs are cut.
    pub(super) max: usize,
}

/// What may stand before a run.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Lead {
    Nothing,
    Space,
    AnySpace,
}

/// A text by code points.
pub(crate) struct Text<'a> {
    bytes: &'a [u8],
    points: &'a [u32],
    classes: Vec<Class>,
    collapsed: OnceCell<Vec<u8>>,
}

impl<'a> Text<'a> {
    /// `bytes` and `points` are the same text.
    pub(super) fn new(bytes: &'a [u8], points: &'a [u32]) -> Self {
        let classes = points.iter().map(|&point| class_of(point)).collect();
        Self { bytes, points, classes, collapsed: OnceCell::new() }
    }
}

/// One piece of a text. Beyond its ends there is nothing.
#[derive(Clone, Copy)]
pub(super) struct Piece<'a> {
    text: &'a Text<'a>,
    pub(super) start: usize,
    pub(super) end: usize,
}

impl<'a> Piece<'a> {
    /// The code point at a place, or `None` beyond the end.
    pub(super) fn point(&self, at: usize) -> Option<u32> {
        self.text.points[..self.end].get(at).copied()
    }

    /// The class at a place; no class at all beyond the end.
    pub(super) fn class(&self, at: usize) -> Class {
        self.text.classes[..self.end].get(at).copied().unwrap_or_default()
    }

    /// True if the code point at a place is this character.
    pub(super) fn is(&self, at: usize, character: char) -> bool {
        self.point(at) == Some(character as u32)
    }

    /// True if a line ends at a place.
    pub(super) fn is_line_end(&self, at: usize) -> bool {
        self.is(at, '\r') || self.is(at, '\n')
    }

    /// The first place from `at` on where `holds` is false.
    pub(super) fn skip(&self, mut at: usize, holds: impl Fn(usize) -> bool) -> usize {
        while at < self.end && holds(at) {
            at += 1;
        }
        at
    }

    /// The piece in the alphabet of [`Pattern`].
    pub(super) fn collapsed(&self) -> &'a [u8] {
        let text = self.text;
        let all = text.collapsed.get_or_init(|| collapse(text.points, &text.classes));
        &all[self.start..self.end]
    }
}

/// The words of a text, in order; together they are the text.
pub(super) fn split<'a>(
    steps: &[Step],
    text: &Text<'a>,
) -> impl Iterator<Item = &'a [u8]> + use<'a> {
    let mut ends = vec![text.points.len()];
    for step in steps {
        let mut finer = Vec::with_capacity(ends.len());
        let mut start = 0;
        for end in ends {
            if end > start {
                step.cut(Piece { text, start, end }, &mut finer);
            }
            start = end;
        }
        ends = finer;
    }
    let (points, mut rest, mut at) = (text.points, text.bytes, 0);
    ends.into_iter().map(move |end| {
        let len = points[at..end].iter().map(|&point| encoded_len(point)).sum();
        let (word, tail) = rest.split_at(len);
        (rest, at) = (tail, end);
        word
    })
}

impl Step {
    /// Pushes the ends of all parts of the piece, the last one included.
    fn cut(&self, piece: Piece<'_>, ends: &mut Vec<usize>) {
        match self {
            Self::Gpt2 => cut_words(piece, words::gpt2, ends),
            Self::Words(rules) => cut_words(piece, |piece, at| rules.next(piece, at), ends),
            Self::Kimi => cut_words(piece, words::kimi, ends),
            Self::DigitGroups => cut_digit_groups(piece, ends),
            Self::Thousands => cut_thousands(piece, ends),
            Self::BeforeMarkers => cut_before_markers(piece, ends),
            Self::TrailingSpace => cut_trailing_space(piece, ends),
            Self::Runs(runs) => runs.cut(piece, ends),
            Self::Pattern(pattern) => pattern.cut(piece, ends),
        }
    }
}

fn cut_words(piece: Piece<'_>, next: impl Fn(&Piece<'_>, usize) -> usize, ends: &mut Vec<usize>) {
    let mut at = piece.start;
    while at < piece.end {
        at = next(&piece, at);
        ends.push(at);
    }
}

/// Pushes an end unless it would make an empty part.
pub(super) fn push_end(piece: Piece<'_>, end: usize, ends: &mut Vec<usize>) {
    let last = ends.last().copied().unwrap_or(0).max(piece.start);
    if end > last {
        ends.push(end);
    }
}

impl Runs {
    fn cut(&self, piece: Piece<'_>, ends: &mut Vec<usize>) {
        let mut at = piece.start;
        while at < piece.end {
            match self.end_of_run(&piece, at) {
                Some(end) => {
                    push_end(piece, at, ends);
                    ends.push(end);
                    at = end;
                }
                None => at += 1,
            }
        }
        push_end(piece, piece.end, ends);
    }

    fn end_of_run(&self, piece: &Piece<'_>, at: usize) -> Option<usize> {
        let has =
            |at: usize| piece.point(at).is_some_and(|point| (self.set)(point, piece.class(at)));
        let start = if self.leads(piece, at) && has(at + 1) { at + 1 } else { at };
        let limit = start.saturating_add(self.max);
        let end = piece.skip(start, |at| at < limit && has(at));
        (end - start >= self.min).then_some(end)
    }

    fn leads(&self, piece: &Piece<'_>, at: usize) -> bool {
        match self.lead {
            Lead::Nothing => false,
            Lead::Space => piece.is(at, ' '),
            Lead::AnySpace => piece.class(at).is(Class::SPACE),
        }
    }
}

fn cut_digit_groups(piece: Piece<'_>, ends: &mut Vec<usize>) {
    let is_number = |at: usize| piece.class(at).is(Class::NUMBER);
    let mut at = piece.start;
    while at < piece.end {
        let end = piece.skip(at, is_number);
        if end == at {
            at += 1;
            continue;
        }
        let first = (end - at) % 3;
        ends.extend((at + first..=end).step_by(3).filter(|&end| end > at));
        at = end;
    }
    push_end(piece, piece.end, ends);
}

fn cut_thousands(piece: Piece<'_>, ends: &mut Vec<usize>) {
    let is_digit = |at: usize| matches!(piece.point(at), Some(0x30..=0x39));
    let mut at = piece.start;
    while at < piece.end {
        let end = piece.skip(at, is_digit);
        let first = (end - at) % 3;
        for group in (at + first..end).step_by(3) {
            push_end(piece, group, ends);
        }
        at = end.max(at + 1);
    }
    push_end(piece, piece.end, ends);
}

fn cut_before_markers(piece: Piece<'_>, ends: &mut Vec<usize>) {
    for at in piece.start..piece.end {
        if piece.is(at, '▁') {
            push_end(piece, at, ends);
        }
    }
    push_end(piece, piece.end, ends);
}

fn cut_trailing_space(piece: Piece<'_>, ends: &mut Vec<usize>) {
    let is_space = |at: &usize| piece.class(*at).is(Class::SPACE);
    let spaces = (piece.start..piece.end).rev().take_while(is_space).count();
    push_end(piece, piece.end - spaces, ends);
    push_end(piece, piece.end, ends);
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::sets;
    use super::*;
    use crate::utf8::code_points;

    /// The words of a text, joined by bars.
    pub(in super::super) fn show(steps: &[Step], text: &str) -> String {
        let points = code_points(text.as_bytes());
        let words = split(steps, &Text::new(text.as_bytes(), &points));
        let words: Vec<_> = words.map(|word| std::str::from_utf8(word).unwrap()).collect();
        assert_eq!(words.concat(), text);
        words.join("|")
    }

    const fn runs(set: Set, lead: Lead, min: usize, max: usize) -> Step {
        Step::Runs(Runs { set, lead, min, max })
    }

    #[test]
    fn runs_are_cut_out() {
        let all = usize::MAX;
        let cases = [
            (runs(sets::number, Lead::Nothing, 1, 1), "a12b3", "a|1|2|b|3"),
            (runs(sets::number, Lead::Nothing, 1, 3), "a12345b", "a|123|45|b"),
            (runs(sets::ascii_digit, Lead::Nothing, 3, 3), "12 34567", "12 |345|67"),
            (runs(sets::letter, Lead::AnySpace, 1, all), "a  b\tc1", "a| | b|\tc|1"),
            (runs(sets::bloom_word, Lead::Space, 1, all), "a b\tc, d", "a| b|\t|c|,| d"),
            (runs(sets::newline, Lead::Nothing, 1, all), "\n\na\nb", "\n\n|a|\n|b"),
        ];
        for (step, text, expected) in cases {
            assert_eq!(show(&[step], text), expected);
        }
    }

    #[test]
    fn digits_in_groups() {
        let cases = [
            (Step::DigitGroups, "ab1234c", "ab1|234|c"),
            (Step::DigitGroups, "123456", "123|456"),
            (Step::DigitGroups, "x12 1", "x12| 1"),
            (Step::Thousands, "1234567", "1|234|567"),
            (Step::Thousands, "a123b", "a|123b"),
            (Step::Thousands, "12", "12"),
        ];
        for (step, text, expected) in cases {
            assert_eq!(show(&[step], text), expected);
        }
    }

    #[test]
    fn words_that_begin_with_a_marker() {
        for (text, expected) in [("▁a▁▁b", "▁a|▁|▁b"), ("ab", "ab"), ("a▁", "a|▁")]
        {
            assert_eq!(show(&[Step::BeforeMarkers], text), expected);
        }
    }

    #[test]
    fn space_at_the_end() {
        for (text, expected) in [("a  ", "a|  "), ("  ", "  "), (" a", " a")] {
            assert_eq!(show(&[Step::TrailingSpace], text), expected);
        }
    }

    #[test]
    fn later_steps_cut_the_pieces_of_earlier_ones() {
        let steps = [runs(sets::number, Lead::Nothing, 1, usize::MAX), Step::Gpt2];
        assert_eq!(show(&steps, "it's 42 now"), "it|'s| |42| now");
        assert_eq!(show(&[], "ab"), "ab");
        assert_eq!(show(&steps, ""), "");
    }
}
