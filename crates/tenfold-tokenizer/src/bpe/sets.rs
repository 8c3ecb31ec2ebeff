//! Sets of characters that pre-tokenizers name.

use crate::unicode::Class;

/// Tells whether a character belongs to a set, by its code point and class.
pub(super) type Set = fn(u32, Class) -> bool;

type Ranges = &'static [(u32, u32)];

/// White space is in none of the listed sets, even where it lies in a range.
fn lists(ranges: Ranges, point: u32, class: Class) -> bool {
    !class.is(Class::SPACE) && ranges.iter().any(|&(first, last)| (first..=last).contains(&point))
}

macro_rules! listed {
    ($($(#[$doc:meta])* $name:ident = $ranges:ident;)*) => {
        $($(#[$doc])* pub(super) fn $name(point: u32, class: Class) -> bool {
            lists($ranges, point, class)
        })*
    };
}

listed! {
    /// Cased letters of DeepSeek LLM.
    deepseek_letter = LETTERS;
    /// Punctuation of DeepSeek LLM.
    deepseek_punctuation = PUNCTUATION;
    /// Chinese and Korean of DeepSeek LLM and Coder.
    wide_cjk = WIDE_CJK;
    /// Chinese and kana.
    cjk = CJK;
    /// Korean.
    hangul = HANGUL;
    /// Punctuation of Chinese text.
    chinese_punctuation = CHINESE_PUNCTUATION;
    /// Bopomofo.
    bopomofo = BOPOMOFO;
    /// Scripts that AFMoE keeps apart.
    asian = ASIAN;
}

/// `\p{N}`
pub(super) fn number(_: u32, class: Class) -> bool {
    class.is(Class::NUMBER)
}

/// `\p{L}`
pub(super) fn letter(_: u32, class: Class) -> bool {
    class.is(Class::LETTER)
}

/// `\p{P}`
pub(super) fn punctuation(_: u32, class: Class) -> bool {
    class.is(Class::PUNCTUATION)
}

/// `[0-9]`
pub(super) fn ascii_digit(point: u32, _: Class) -> bool {
    is_one_of("0123456789", point)
}

/// `\n`
pub(super) fn newline(point: u32, _: Class) -> bool {
    is_one_of("\n", point)
}

/// `[\r\n]`
pub(super) fn line_end(point: u32, _: Class) -> bool {
    is_one_of("\r\n", point)
}

/// `\S`
pub(super) fn not_space(_: u32, class: Class) -> bool {
    !class.is(Class::SPACE)
}

/// Punctuation and the ASCII symbols but for the backtick.
pub(super) fn symbol(point: u32, class: Class) -> bool {
    class.is(Class::PUNCTUATION) || is_one_of("$+<=>^~|", point)
}

/// Punctuation and the ASCII symbols.
pub(super) fn falcon_symbol(point: u32, class: Class) -> bool {
    symbol(point, class) || is_one_of("`", point)
}

/// What words consist of in BLOOM's pre-tokenizer: all but white space and marks of a sentence.
pub(super) fn bloom_word(point: u32, class: Class) -> bool {
    let marks = "(|.,!?\u{2026}\u{3002}\u{FF0C}\u{3001}\u{964}\u{6D4}\u{60C})";
    !class.is(Class::SPACE) && !is_one_of(marks, point)
}

fn is_one_of(characters: &str, point: u32) -> bool {
    characters.chars().any(|character| character as u32 == point)
}

/// Cased letters as DeepSeek LLM lists them.
pub(super) const LETTERS: Ranges = &[
    (0x41, 0x5A),
    (0x61, 0x7A),
    (0xB5, 0xB5),
    (0xC0, 0xD6),
    (0xD8, 0xF6),
    (0xF8, 0x1BA),
    (0x1BC, 0x1BF),
    (0x1C4, 0x293),
    (0x295, 0x2AF),
    (0x370, 0x373),
    (0x376, 0x376),
    (0x377, 0x377),
    (0x37B, 0x37D),
    (0x37F, 0x37F),
    (0x386, 0x386),
    (0x388, 0x38A),
    (0x38C, 0x38C),
    (0x38E, 0x3A1),
    (0x3A3, 0x3F5),
    (0x3F7, 0x481),
    (0x48A, 0x52F),
    (0x531, 0x556),
    (0x10A0, 0x10C5),
    (0x13A0, 0x13F5),
    (0x13F8, 0x13FD),
    (0x1C90, 0x1CBA),
    (0x1CBD, 0x1CBF),
    (0x1D00, 0x1D2B),
    (0x1D6B, 0x1D77),
    (0x1D79, 0x1D9A),
    (0x1E00, 0x1F15),
    (0x1F18, 0x1F1D),
    (0x1F20, 0x1F45),
    (0x1F48, 0x1F4D),
    (0x1F50, 0x1F57),
    (0x1F59, 0x1F59),
    (0x1F5B, 0x1F5B),
    (0x1F5D, 0x1F5D),
    (0x1F5F, 0x1F7D),
    (0x1F80, 0x1FB4),
    (0x1FB6, 0x1FBC),
    (0x1FBE, 0x1FBE),
    (0x1FC2, 0x1FC4),
    (0x1FC6, 0x1FCC),
    (0x1FD0, 0x1FD3),
    (0x1FD6, 0x1FDB),
    (0x1FE0, 0x1FEC),
    (0x1FF2, 0x1FF4),
    (0x1FF6, 0x1FFC),
    (0x2102, 0x2102),
    (0x2107, 0x2107),
    (0x210A, 0x2113),
    (0x2115, 0x2115),
    (0x2119, 0x211D),
    (0x2124, 0x2124),
    (0x2126, 0x2126),
    (0x2128, 0x2128),
    (0x212A, 0x212D),
    (0x212F, 0x2134),
    (0x2139, 0x2139),
    (0x213C, 0x213F),
    (0x2145, 0x2149),
    (0x214E, 0x214E),
    (0x2183, 0x2183),
    (0x2184, 0x2184),
    (0x2C00, 0x2C7B),
    (0x2C7E, 0x2CE4),
    (0x2CEB, 0x2CEE),
    (0x2CF2, 0x2CF2),
    (0x2CF3, 0x2CF3),
    (0xA640, 0xA66D),
    (0xA680, 0xA69B),
    (0xA722, 0xA76F),
    (0xA771, 0xA787),
    (0xA78B, 0xA78E),
    (0xAB70, 0xABBF),
    (0xFB00, 0xFB06),
    (0xFB13, 0xFB17),
    (0xFF21, 0xFF3A),
    (0xFF41, 0xFF5A),
    (0x10400, 0x1044F),
    (0x104B0, 0x104D3),
    (0x104D8, 0x104FB),
    (0x10C80, 0x10CB2),
    (0x10CC0, 0x10CF2),
    (0x118A0, 0x118DF),
    (0x1E900, 0x1E943),
];

/// Punctuation as DeepSeek LLM lists it.
pub(super) const PUNCTUATION: Ranges = &[
    (0x21, 0x2F),
    (0x3A, 0x7E),
    (0xFF01, 0xFF0F),
    (0xFF1A, 0xFF5E),
    (0x2018, 0x201F),
    (0x3000, 0x3002),
];

/// What DeepSeek LLM and Coder take for Chinese and Korean: nearly all between U+0800 and U+4E00 too.
pub(super) const WIDE_CJK: Ranges = &[(0x4E00, 0x9FA5), (0x800, 0x4E00), (0xAC00, 0xD7FF)];

/// Chinese characters and both kana.
pub(super) const CJK: Ranges = &[(0x4E00, 0x9FA5), (0x3040, 0x309F), (0x30A0, 0x30FF)];

/// Korean syllables and letters.
pub(super) const HANGUL: Ranges = &[(0xAC00, 0xD7A3), (0x3131, 0x318E)];

/// Punctuation of Chinese text.
pub(super) const CHINESE_PUNCTUATION: Ranges = &[
    (0xFF01, 0xFF01),
    (0x2026, 0x2026),
    (0x201C, 0x201C),
    (0x201D, 0x201D),
    (0x2018, 0x2018),
    (0x2019, 0x2019),
    (0x2014, 0x2014),
    (0xFF1A, 0xFF1A),
    (0xFF1B, 0xFF1B),
    (0xFF0C, 0xFF0C),
    (0x3001, 0x303F),
    (0xFE30, 0xFE4F),
];

/// Bopomofo.
pub(super) const BOPOMOFO: Ranges = &[(0x3105, 0x312F)];

/// Scripts that AFMoE keeps apart. The range from U+8C48 on is the vocabulary's own.
pub(super) const ASIAN: Ranges = &[
    (0x4E00, 0x9FFF),
    (0x3400, 0x4DBF),
    (0x8C48, 0xFAFF),
    (0x3040, 0x309F),
    (0x30A0, 0x30FF),
    (0xFF65, 0xFF9F),
    (0x2F00, 0x2FDF),
    (0xE40, 0xE7F),
    (0xE80, 0xEFF),
    (0x1780, 0x17FF),
    (0x1000, 0x109F),
    (0xAA60, 0xAA7F),
    (0xA9E0, 0xA9FF),
    (0xAC00, 0xD7AF),
    (0x1100, 0x11FF),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::unicode::class_of;

    #[test]
    fn members_and_others() {
        let cases: [(&str, Set, &str, &str); 12] = [
            ("number", number, "0٣½", "a "),
            ("letter", letter, "aé中", "1_\u{301}"),
            ("ascii digit", ascii_digit, "09", "٣a"),
            ("symbol", symbol, "!$|", "`a€"),
            ("falcon symbol", falcon_symbol, "!$`", "a€"),
            ("bloom word", bloom_word, "a1-\"", ".,( \u{3000}\u{3002}"),
            ("letters", deepseek_letter, "aZµж", "中1"),
            ("punctuation", deepseek_punctuation, "!~\u{3002}", "\u{3000}0é"),
            ("wide", wide_cjk, "中한क", "a\u{2003}\u{9FFF}"),
            ("cjk", cjk, "中あカ", "한a"),
            ("asian", asian, "中ไក\u{F000}", "aй"),
            ("line end", line_end, "\r\n", "\t\u{85}"),
        ];
        for (name, set, members, others) in cases {
            let has = |c: char| set(c as u32, class_of(c as u32));
            assert!(members.chars().all(has), "{name}");
            assert!(!others.chars().any(has), "{name}");
        }
    }
}
