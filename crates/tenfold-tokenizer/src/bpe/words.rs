//! The pre-tokenizers of most vocabularies, by hand: they are the ones whose speed matters.
//!
//! Each function returns where the word that starts at `at` ends.

use super::split::Piece;
use crate::unicode::{Class, is_han};

/// What differs between Llama 3, Qwen 2, Qwen 3.5 and K2 Horizon.
#[derive(Clone, Copy)]
pub(super) struct Words {
    /// Most digits in one word.
    pub(super) digits: usize,
    /// What words consist of.
    pub(super) letters: Letters,
}

/// What counts as a letter.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Letters {
    /// Letters.
    Plain,
    /// Combining marks too.
    Marked,
    /// Marks and the two joiners of Indic and Arabic scripts too; alone after a symbol, these three
    /// are symbols.
    Joined,
}

/// `'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`
pub(super) fn gpt2(piece: &Piece<'_>, at: usize) -> usize {
    let others = Class::LETTER.or(Class::NUMBER).or(Class::SPACE);
    let start = at + usize::from(piece.is(at, ' '));
    let class = piece.class(start);
    contraction(piece, at, Case::Lower)
        .or_else(|| same_class(piece, start, class, Class::LETTER))
        .or_else(|| same_class(piece, start, class, Class::NUMBER))
        .or_else(|| symbols(piece, at, others))
        .or_else(|| spaces(piece, at))
        .unwrap_or(at + 1)
}

fn same_class(piece: &Piece<'_>, start: usize, class: Class, wanted: Class) -> Option<usize> {
    let run = || piece.skip(start, |at| piece.class(at).is(wanted));
    class.is(wanted).then(run)
}

impl Words {
    fn case(self) -> Case {
        if self.letters == Letters::Joined { Case::Folded } else { Case::Any }
    }

    /// `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|`
    /// `\s*[\r\n]+|\s+(?!\S)|\s+`, with the digits and letters of the vocabulary.
    pub(super) fn next(self, piece: &Piece<'_>, at: usize) -> usize {
        let others = Class::LETTER.or(Class::NUMBER).or(Class::SPACE);
        let others = if self.letters == Letters::Marked { others.or(Class::MARK) } else { others };
        contraction(piece, at, self.case())
            .or_else(|| prefixed_letters(piece, at, |at| self.letters.contain(piece, at)))
            .or_else(|| digits(piece, at, self.digits))
            .or_else(|| symbols(piece, at, others).map(|end| line_ends(piece, end)))
            .or_else(|| lines(piece, at))
            .or_else(|| spaces(piece, at))
            .unwrap_or(at + 1)
    }
}

impl Letters {
    fn contain(self, piece: &Piece<'_>, at: usize) -> bool {
        let class = piece.class(at);
        match self {
            Self::Plain => class.is(Class::LETTER),
            Self::Marked => class.is(Class::LETTER.or(Class::MARK)),
            Self::Joined => {
                class.is(Class::LETTER.or(Class::MARK))
                    || matches!(piece.point(at), Some(0x200C | 0x200D))
            }
        }
    }
}

/// Chinese runs, other letters with an optional contraction, and the rest as Llama 3 has it.
pub(super) fn kimi(piece: &Piece<'_>, at: usize) -> usize {
    let others = Class::LETTER.or(Class::NUMBER).or(Class::SPACE);
    han(piece, at)
        .or_else(|| letters_without_han(piece, at))
        .or_else(|| digits(piece, at, 3))
        .or_else(|| symbols(piece, at, others).map(|end| line_ends(piece, end)))
        .or_else(|| lines(piece, at))
        .or_else(|| spaces(piece, at))
        .unwrap_or(at + 1)
}

/// Which letters a contraction may have.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Case {
    Lower,
    Any,
    /// The long s too, as regular expressions without regard to case have it.
    Folded,
}

fn contraction(piece: &Piece<'_>, at: usize, case: Case) -> Option<usize> {
    if !piece.is(at, '\'') {
        return None;
    }
    let next = |offset: usize| {
        let letter = char::from_u32(piece.point(at + offset)?)?;
        Some(match case {
            Case::Lower => letter,
            Case::Folded if letter == 'ſ' => 's',
            _ => letter.to_ascii_lowercase(),
        })
    };
    match (next(1)?, next(2)) {
        ('s' | 't' | 'm' | 'd', _) => Some(at + 2),
        ('r' | 'v', Some('e')) | ('l', Some('l')) => Some(at + 3),
        _ => None,
    }
}

fn prefixed_letters(
    piece: &Piece<'_>,
    at: usize,
    is_letter: impl Fn(usize) -> bool,
) -> Option<usize> {
    if piece.is_line_end(at) || piece.class(at).is(Class::NUMBER) {
        return None;
    }
    (is_letter(at) || is_letter(at + 1)).then(|| piece.skip(at + 1, &is_letter))
}

fn digits(piece: &Piece<'_>, at: usize, most: usize) -> Option<usize> {
    let end = piece.skip(at, |next| next - at < most && piece.class(next).is(Class::NUMBER));
    (end > at).then_some(end)
}

/// ` ?` and then everything that is in none of `others`.
fn symbols(piece: &Piece<'_>, at: usize, others: Class) -> Option<usize> {
    let start = at + usize::from(piece.is(at, ' '));
    let end = piece.skip(start, |at| !piece.class(at).is(others));
    (end > start).then_some(end)
}

fn line_ends(piece: &Piece<'_>, at: usize) -> usize {
    piece.skip(at, |at| piece.is_line_end(at))
}

/// White space up to its last line end.
fn lines(piece: &Piece<'_>, at: usize) -> Option<usize> {
    let end = space_end(piece, at);
    (at..end).rev().find(|&at| piece.is_line_end(at)).map(|last| last + 1)
}

/// White space; its last character is left for the word that follows.
fn spaces(piece: &Piece<'_>, at: usize) -> Option<usize> {
    let end = space_end(piece, at);
    match end - at {
        0 => None,
        2.. if end < piece.end => Some(end - 1),
        _ => Some(end),
    }
}

fn space_end(piece: &Piece<'_>, at: usize) -> usize {
    piece.skip(at, |at| piece.class(at).is(Class::SPACE))
}

fn han(piece: &Piece<'_>, at: usize) -> Option<usize> {
    let end = piece.skip(at, |at| piece.point(at).is_some_and(is_han));
    (end > at).then_some(end)
}

fn letters_without_han(piece: &Piece<'_>, at: usize) -> Option<usize> {
    let is_letter =
        |at: usize| piece.class(at).is(Class::LETTER) && !piece.point(at).is_some_and(is_han);
    let blocks_prefix = Class::LETTER.or(Class::NUMBER);
    let takes_prefix = !piece.is_line_end(at) && !piece.class(at).is(blocks_prefix);
    let start = at + usize::from(takes_prefix);
    let end = piece.skip(start, is_letter);
    (end > start).then(|| contraction(piece, end, Case::Any).unwrap_or(end))
}

#[cfg(test)]
mod tests {
    use super::super::split::{Step, tests::show};
    use super::*;

    const LLAMA3: Step = Step::Words(Words { digits: 3, letters: Letters::Plain });
    const QWEN35: Step = Step::Words(Words { digits: 1, letters: Letters::Marked });
    const HORIZON: Step = Step::Words(Words { digits: 3, letters: Letters::Joined });

    #[test]
    fn words_of_gpt2() {
        let cases = [
            ("I'm he'll 'Tis", "I|'m| he|'ll| '|Tis"),
            ("a  b   ", "a| | b|   "),
            (" 12ab!?\n", " 12|ab|!?|\n"),
            ("x\n\n y", "x|\n\n| y"),
            ("é\u{301}l", "é|\u{301}|l"),
        ];
        for (text, expected) in cases {
            assert_eq!(show(&[Step::Gpt2], text), expected, "{text:?}");
        }
    }

    #[test]
    fn words_of_llama3_and_qwen() {
        let cases = [
            (LLAMA3, "I'LL 'Tis 12345", "I|'LL| '|Tis| |123|45"),
            (LLAMA3, "(ab) $$\n\n x", "(ab|)| $$\n\n| x"),
            (LLAMA3, " \n \n  a", " \n \n| | a"),
            (LLAMA3, "ki\u{301}t", "ki|\u{301}t"),
            (QWEN35, "ki\u{301}t 12", "ki\u{301}t| |1|2"),
            (QWEN35, "\u{301}a", "\u{301}a"),
            (QWEN35, "!!\u{301}a", "!!|\u{301}a"),
            (HORIZON, "a\u{200C}b\u{301} 1234", "a\u{200C}b\u{301}| |123|4"),
            (HORIZON, "'ſt'Sa", "'ſ|t|'S|a"),
            (LLAMA3, "'ſt'Sa", "'ſt|'S|a"),
            (HORIZON, "!\u{200D}x !!\u{301}\n", "!\u{200D}x| !!\u{301}\n"),
            (LLAMA3, "' ", "'| "),
        ];
        for (step, text, expected) in cases {
            assert_eq!(show(&[step], text), expected, "{text:?}");
        }
    }

    #[test]
    fn words_of_kimi() {
        let cases = [
            ("中文abc's 中x", "中文|abc's| |中|x"),
            ("1234!\n", "123|4|!\n"),
            ("-a'RE b", "-a'RE| b"),
        ];
        for (text, expected) in cases {
            assert_eq!(show(&[Step::Kimi], text), expected, "{text:?}");
        }
    }
}
