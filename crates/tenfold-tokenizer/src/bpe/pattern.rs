//! Pre-tokenizers given by a regular expression.
//!
//! The expression runs over one byte for each character: ASCII as it is, and one byte for each class
//! beyond. That is what the reference does, so a class means the same in both; and the engine is a
//! finite automaton, so that no text makes it slow.

use std::sync::LazyLock;

use regex_automata::meta::Regex;
use regex_automata::util::syntax;
use regex_automata::{Input, MatchKind};

use super::split::{Piece, push_end};
use crate::unicode::Class;

/// An expression as a list of alternatives, tried in order. A run of white space may be the last.
pub(super) struct Pattern {
    regex: Option<Regex>,
    /// The alternative that is white space.
    spaces: usize,
    tail: Tail,
}

/// How much of a run of white space makes one word.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Tail {
    /// White space is no word.
    Untouched,
    /// `\s+(?!\S)|\s+`: all but the last, unless nothing follows.
    AllButLast,
    /// `\s{512}(?!\S)|\s{256}(?!\S)|…|\s{4}(?!\S)|\s{1,2}(?!\S)|\s{1}`
    PowersOfTwo,
}

/// What classes look like in patterns, and what stands for them; later rows expand earlier ones.
const CLASSES: [(&str, &str); 10] = [
    (r"\p{Contraction}", r"(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])"),
    // The reference tells the case of ASCII letters only; all others are both.
    (r"\p{Upper}", r"[\p{L}&&[^a-z]]"),
    (r"\p{Lower}", r"[\p{L}&&[^A-Z]]"),
    (r"\p{UpperOrMark}", r"[[\p{L}\p{M}]&&[^a-z]]"),
    (r"\p{LowerOrMark}", r"[[\p{L}\p{M}]&&[^A-Z]]"),
    (r"\p{N}", r"[\xD10-9]"),
    (r"\p{L}", r"[\xD2A-Za-z]"),
    (r"\p{P}", r"[\xD3!-#%-*,-/:-;?-@\[-\]_\{\}]"),
    (r"\p{M}", r"[\xD4]"),
    (r"\p{S}", r"[\xD5\$\+<->\^`\|~]"),
];

/// One byte for each character.
pub(super) fn collapse(points: &[u32], classes: &[Class]) -> Vec<u8> {
    points.iter().zip(classes).map(|(&point, &class)| collapsed(point, class)).collect()
}

fn collapsed(point: u32, class: Class) -> u8 {
    let of_class = [
        // White space beyond ASCII becomes a vertical tab.
        (Class::SPACE, 0x0B),
        (Class::NUMBER, 0xD1),
        (Class::LETTER, 0xD2),
        (Class::PUNCTUATION, 0xD3),
        (Class::MARK, 0xD4),
        (Class::SYMBOL, 0xD5),
    ];
    if point < 0x80 {
        return point as u8;
    }
    of_class.iter().find(|(wanted, _)| class.is(*wanted)).map_or(0xD0, |&(_, byte)| byte)
}

impl Pattern {
    fn new(alternatives: &[&str], tail: Tail) -> Self {
        let spaces = Some(&r"\s+").filter(|_| tail != Tail::Untouched);
        let patterns: Vec<String> =
            alternatives.iter().chain(spaces).map(|pattern| expand(pattern)).collect();
        let regex = Regex::builder()
            .configure(Regex::config().match_kind(MatchKind::LeftmostFirst).utf8_empty(false))
            .syntax(syntax::Config::new().unicode(false).utf8(false))
            .build_many(&patterns);
        // A test compiles all of them.
        Self { regex: regex.ok(), spaces: alternatives.len(), tail }
    }

    pub(super) fn cut(&self, piece: Piece<'_>, ends: &mut Vec<usize>) {
        let Some(regex) = &self.regex else { return push_end(piece, piece.end, ends) };
        let text = piece.collapsed();
        let mut at = 0;
        while let Some(found) = regex.search(&Input::new(text).range(at..)) {
            push_end(piece, piece.start + found.start(), ends);
            let is_space = found.pattern().as_usize() == self.spaces;
            at = if is_space { found.start() } else { found.end() };
            while at < found.end() {
                // The last one of several may belong to the word that follows: look again there.
                let len = found.end() - at;
                if len == 1 && at > found.start() && found.end() < text.len() {
                    break;
                }
                at += self.tail.kept(len, found.end() == text.len());
                push_end(piece, piece.start + at, ends);
            }
            push_end(piece, piece.start + at, ends);
        }
        push_end(piece, piece.end, ends);
    }
}

impl Tail {
    /// How many of `len` white-space characters make one word.
    fn kept(self, len: usize, at_end: bool) -> usize {
        let fits = |wanted: usize| len > wanted || len == wanted && at_end;
        match self {
            Self::Untouched => len,
            Self::AllButLast if at_end => len,
            Self::AllButLast => (len - 1).max(1),
            Self::PowersOfTwo => {
                let sizes = [512, 256, 128, 64, 32, 16, 8, 4, 2];
                sizes.into_iter().find(|&size| fits(size)).unwrap_or(1)
            }
        }
    }
}

fn expand(pattern: &str) -> String {
    CLASSES.iter().fold(pattern.to_owned(), |text, (class, bytes)| text.replace(class, bytes))
}

macro_rules! patterns {
    ($($(#[$doc:meta])* $name:ident: $tail:ident [$($alternative:expr),* $(,)?];)*) => {
        $($(#[$doc])* pub(super) static $name: LazyLock<Pattern> =
            LazyLock::new(|| Pattern::new(&[$($alternative),*], Tail::$tail));)*

        #[cfg(test)]
        fn all() -> Vec<(&'static str, &'static Pattern)> {
            vec![$((stringify!($name), &*$name)),*]
        }
    };
}

const CONTRACTIONS: &str = r"\p{Contraction}";
const LETTERS: &str = r"[^\r\n\p{L}\p{N}]?\p{L}+";
const SYMBOLS: &str = r" ?[^\s\p{L}\p{N}]+[\r\n]*";
const SYMBOLS_AND_SLASHES: &str = r" ?[^\s\p{L}\p{N}]+[\r\n/]*";
const LINES: &str = r"\s*[\r\n]+";
const ASCII_WORD: &str = r##"[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+"##;
const LETTERS_AND_MARKS: &str = r"[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+";
/// Upper and lower case in any order: the reference takes classes of case for any letter.
const ANY_CASE: &str = r"[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+\p{Contraction}?";

patterns! {
    /// Jais 2.
    JAIS2: PowersOfTwo [CONTRACTIONS, LETTERS, r"\p{N}{1,3}", SYMBOLS, LINES];
    /// DeepSeek V3 after its digits and Chinese.
    DEEPSEEK3: AllButLast [ASCII_WORD, LETTERS_AND_MARKS, r" ?[\p{P}\p{S}]+[\r\n]*", LINES];
    /// Spark 2.5 after its digits and Chinese.
    SPARK: AllButLast [ASCII_WORD, LETTERS_AND_MARKS, r" ?[\p{P}\p{S}]+", r"[\r\n]"];
    /// Youtu after its scripts.
    YOUTU: AllButLast [ANY_CASE, r"\p{N}", SYMBOLS_AND_SLASHES, LINES];
    /// Tekken.
    TEKKEN: AllButLast [
        r"[^\r\n\p{L}\p{N}]?\p{Upper}*\p{Lower}+",
        r"[^\r\n\p{L}\p{N}]?\p{Upper}+\p{Lower}*",
        r"\p{N}",
        SYMBOLS_AND_SLASHES,
        LINES,
    ];
    /// GPT-4o.
    GPT4O: AllButLast [
        r"[^\r\n\p{L}\p{N}]?\p{Upper}*\p{Lower}+\p{Contraction}?",
        r"[^\r\n\p{L}\p{N}]?\p{Upper}+\p{Lower}*\p{Contraction}?",
        r"\p{N}{1,3}",
        SYMBOLS_AND_SLASHES,
        LINES,
    ];
    /// Granite's multilingual embeddings.
    GRANITE_EMBEDDING: AllButLast [
        r"[^\r\n\p{L}\p{N}]?\p{UpperOrMark}*\p{LowerOrMark}+\p{Contraction}?",
        r"[^\r\n\p{L}\p{N}]?\p{UpperOrMark}+\p{LowerOrMark}*\p{Contraction}?",
        r"\p{N}{1,3}",
        SYMBOLS_AND_SLASHES,
        LINES,
    ];
    /// Tiny Aya after its digits.
    TINY_AYA: AllButLast [ANY_CASE, r"\p{N}{1,3}", SYMBOLS_AND_SLASHES, LINES];
    /// Bailing MoE.
    BAILING: AllButLast [CONTRACTIONS, LETTERS, r"\p{N}", SYMBOLS, r"\s*[\r\n]"];
    /// Seed Coder.
    SEED_CODER: AllButLast [CONTRACTIONS, LETTERS, r"\p{N}", r" ?[^\s\p{L}\p{N}\r\n]+", LINES];
    /// Ufakzeka.
    UFAKZEKA: AllButLast [LETTERS, r"\p{N}", SYMBOLS, LINES];
    /// EXAONE MoE.
    EXAONE_MOE: AllButLast [
        CONTRACTIONS,
        r"[^\r\n\p{L}\p{N}]?(?:\p{L}\p{M}*(?: \p{L}\p{M}*)*)+",
        r"\p{N}",
        r" ?[^\s\p{L}\p{N}]+[\r\n/]?",
        r"\s*[\r\n]",
    ];
    /// MiniCPM 5 after its digits.
    MINICPM5: AllButLast [CONTRACTIONS, LETTERS, r"\p{N}+", SYMBOLS, LINES];
    /// Sentinels of Chameleon.
    SENTINELS: Untouched [r"<sentinel:[0-9]+>"];
    /// Image tokens of Chameleon.
    IMAGES: Untouched [r"IMGIMG[A-I]{1,4}Z"];
    /// Indentation of Chameleon.
    INDENTS: Untouched [r"[\t\n]|    |  "];
    /// Punctuation of Chameleon.
    MARKS: Untouched [r"[\p{P}!-/:-@\[-`{-~]"];
}

#[cfg(test)]
mod tests {
    use super::super::split::{Step, tests::show};
    use super::*;

    #[test]
    fn every_pattern_compiles() {
        for (name, pattern) in all() {
            assert!(pattern.regex.is_some(), "{name}");
        }
    }

    #[test]
    fn white_space_at_the_end_of_a_pattern() {
        let cases = [
            (Tail::AllButLast, 5, true, 5),
            (Tail::AllButLast, 5, false, 4),
            (Tail::AllButLast, 1, false, 1),
            (Tail::PowersOfTwo, 5, false, 4),
            (Tail::PowersOfTwo, 4, false, 2),
            (Tail::PowersOfTwo, 4, true, 4),
            (Tail::PowersOfTwo, 2, false, 1),
            (Tail::PowersOfTwo, 1000, true, 512),
        ];
        for (tail, len, at_end, kept) in cases {
            assert_eq!(tail.kept(len, at_end), kept, "{len} {at_end}");
        }
    }

    #[test]
    fn words_of_patterns() {
        let cases = [
            (&DEEPSEEK3, "Hi, .net a\u{301}b!\n x", "Hi|,| .|net| a\u{301}b|!\n| x"),
            (&TEKKEN, "HelloWorld's ABc", "Hello|World|'s| ABc"),
            (&GPT4O, "HelloWorld's 12345/", "Hello|World's| |123|45|/"),
            (&EXAONE_MOE, "a b c  d", "a b c| | d"),
            (&SPARK, "a \n\n b", "a| \n\n| b"),
            (&BAILING, "x \n\n y", "x| \n\n| y"),
            (&UFAKZEKA, "Ali'nin", "Ali|'nin"),
        ];
        for (pattern, text, expected) in cases {
            assert_eq!(show(&[Step::Pattern(pattern)], text), expected, "{text:?}");
        }
    }

    #[test]
    fn a_megabyte_of_anything_is_fast() {
        for text in
            [" ", "a", "\n", "a ", "'", "1", "  a"].map(|unit| unit.repeat((1 << 20) / unit.len()))
        {
            for pattern in [&EXAONE_MOE, &GPT4O, &DEEPSEEK3, &JAIS2] {
                show(&[Step::Pattern(pattern)], &text);
            }
        }
    }
}
