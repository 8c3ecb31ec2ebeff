//! Character classes, lower case and base letters, as Unicode 15.1 has them.
//!
//! The version is fixed on purpose: token ids must not change when a library learns new characters.

mod ranges;

use std::sync::LazyLock;

use unicode_normalization::char::decompose_canonical;

use self::ranges::RANGES;

/// What a character is; a set of bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Class(u8);

impl Class {
    /// Not assigned.
    pub(crate) const UNDEFINED: Class = Class(1);
    /// `\p{N}`.
    pub(crate) const NUMBER: Class = Class(2);
    /// `\p{L}`.
    pub(crate) const LETTER: Class = Class(4);
    /// `\s`; contains all of `\p{Z}`.
    pub(crate) const SPACE: Class = Class(8);
    /// `\p{M}`.
    pub(crate) const MARK: Class = Class(16);
    /// `\p{P}`.
    pub(crate) const PUNCTUATION: Class = Class(32);
    /// `\p{S}`.
    pub(crate) const SYMBOL: Class = Class(64);
    /// `\p{C}` but for what is not assigned.
    pub(crate) const CONTROL: Class = Class(128);

    /// In the order of the numbers in [`RANGES`].
    const BY_NUMBER: [Class; 8] = [
        Self::UNDEFINED,
        Self::NUMBER,
        Self::LETTER,
        Self::SPACE,
        Self::MARK,
        Self::PUNCTUATION,
        Self::SYMBOL,
        Self::CONTROL,
    ];

    /// True if it is one of `other`.
    pub(crate) const fn is(self, other: Class) -> bool {
        self.0 & other.0 != 0
    }

    /// Either of both.
    pub(crate) const fn or(self, other: Class) -> Class {
        Class(self.0 | other.0)
    }
}

const PAGE: usize = 256;
const PAGES: usize = 0x11_0000 / PAGE;

/// Equal pages are stored once.
struct Table {
    page_of: [u8; PAGES],
    pages: Vec<[Class; PAGE]>,
}

static TABLE: LazyLock<Table> = LazyLock::new(build_table);

fn build_table() -> Table {
    let mut table = Table { page_of: [0; PAGES], pages: Vec::new() };
    let mut ranges = RANGES.iter().peekable();
    let mut current = Class::UNDEFINED;
    for page in 0..PAGES {
        let mut classes = [Class::UNDEFINED; PAGE];
        for (offset, class) in classes.iter_mut().enumerate() {
            let point = (page * PAGE + offset) as u32;
            if let Some(entry) = ranges.next_if(|&&entry| entry >> 3 == point) {
                current = Class::BY_NUMBER[(entry & 7) as usize];
            }
            *class = with_space(point, current);
        }
        table.page_of[page] = table.position(classes);
    }
    table
}

/// White space is a property of its own: some control characters have it too.
fn with_space(point: u32, class: Class) -> Class {
    let is_space = char::from_u32(point).is_some_and(char::is_whitespace);
    if is_space { class.or(Class::SPACE) } else { class }
}

impl Table {
    fn position(&mut self, page: [Class; PAGE]) -> u8 {
        let known = self.pages.iter().position(|other| *other == page);
        let index = known.unwrap_or_else(|| {
            self.pages.push(page);
            self.pages.len() - 1
        });
        index as u8
    }
}

/// The class of a code point; beyond Unicode nothing is assigned.
pub(crate) fn class_of(point: u32) -> Class {
    let table = &*TABLE;
    match table.page_of.get(point as usize / PAGE) {
        Some(&page) => table.pages[page as usize][point as usize % PAGE],
        None => Class::UNDEFINED,
    }
}

/// The first character of the lower-case form; unassigned characters stay as they are.
pub(crate) fn to_lower(point: u32) -> u32 {
    let lower = char::from_u32(point).and_then(|c| c.to_lowercase().next());
    match lower {
        Some(lower) if !class_of(point).is(Class::UNDEFINED) => lower as u32,
        _ => point,
    }
}

/// The first character of the canonical decomposition: the base letter of an accented one.
pub(crate) fn base_of(point: u32) -> u32 {
    let Some(character) = char::from_u32(point) else { return point };
    if class_of(point).is(Class::UNDEFINED) {
        return point;
    }
    let mut base = None;
    decompose_canonical(character, |part| {
        base.get_or_insert(part);
    });
    base.map_or(point, u32::from)
}

/// The Chinese characters that WordPiece makes words of their own.
pub(crate) fn is_chinese(point: u32) -> bool {
    matches!(point,
        0x4E00..=0x9FFF | 0x3400..=0x4DBF | 0x2_0000..=0x2_A6DF | 0x2_A700..=0x2_B73F
        | 0x2_B740..=0x2_B81F | 0x2_B920..=0x2_CEAF | 0xF900..=0xFAFF | 0x2_F800..=0x2_FA1F)
}

/// The Chinese characters of the Kimi K2 pre-tokenizer.
pub(crate) fn is_han(point: u32) -> bool {
    matches!(point,
        0x4E00..=0x9FFF | 0x3400..=0x4DBF | 0x2_0000..=0x2_A6DF | 0x2_A700..=0x2_EBEF
        | 0xF900..=0xFAFF | 0x2_F800..=0x2_FA1F)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_of_known_characters() {
        let cases = [
            ('a', Class::LETTER),
            ('٣', Class::NUMBER),
            ('½', Class::NUMBER),
            ('\u{301}', Class::MARK),
            ('_', Class::PUNCTUATION),
            ('€', Class::SYMBOL),
            ('\u{200D}', Class::CONTROL),
            ('\t', Class::CONTROL.or(Class::SPACE)),
            ('\u{3000}', Class::SPACE),
            ('\u{378}', Class::UNDEFINED),
            ('\u{10FFFF}', Class::UNDEFINED),
            ('\u{2EBF0}', Class::LETTER),
        ];
        for (character, class) in cases {
            assert_eq!(class_of(character as u32), class, "{character:?}");
        }
        assert_eq!(class_of(0x11_0000), Class::UNDEFINED);
        assert_eq!(class_of(0xD800), Class::CONTROL);
    }

    #[test]
    fn lower_case_and_base_letters() {
        assert_eq!(to_lower('Ä' as u32), 'ä' as u32);
        assert_eq!(to_lower('İ' as u32), 'i' as u32);
        assert_eq!(to_lower(0xA7CB), 0xA7CB, "assigned only in Unicode 16");
        assert_eq!(base_of('é' as u32), 'e' as u32);
        assert_eq!(base_of('ǖ' as u32), 'u' as u32);
        assert_eq!(base_of('한' as u32), 'ᄒ' as u32);
        assert_eq!(base_of('x' as u32), 'x' as u32);
    }

    #[test]
    fn the_table_is_small() {
        assert!(TABLE.pages.len() < 256, "page numbers must fit in a byte: {}", TABLE.pages.len());
    }
}
