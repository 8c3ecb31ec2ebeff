//! Text that may not be UTF-8, read the way llama.cpp reads it.
//!
//! Two rules differ from the standard library's, and token ids depend on them: surrogates and
//! overlong forms are let through, and every byte that starts no character becomes one U+FFFD.

use std::borrow::Cow;

/// U+FFFD, which stands for a byte that belongs to no character.
pub(crate) const REPLACEMENT: u32 = 0xFFFD;

/// Bytes of the character that starts with `lead`, judged by its upper half alone.
pub(crate) const fn char_len(lead: u8) -> usize {
    match lead >> 4 {
        0x0..=0xB => 1,
        0xC | 0xD => 2,
        0xE => 3,
        _ => 4,
    }
}

/// The code point that a text starts with, and how many bytes it takes, by the shape of the bytes
/// alone; `None` if they are no character.
fn first_shape(bytes: &[u8]) -> Option<(u32, usize)> {
    let (&lead, rest) = bytes.split_first()?;
    let (mut point, continuations) = match lead {
        0x00..=0x7F => (u32::from(lead), 0),
        0xC0..=0xDF => (u32::from(lead & 0x1F), 1),
        0xE0..=0xEF => (u32::from(lead & 0x0F), 2),
        0xF0..=0xF7 => (u32::from(lead & 0x07), 3),
        _ => return None,
    };
    for &byte in rest.get(..continuations)? {
        if byte & 0xC0 != 0x80 {
            return None;
        }
        point = point << 6 | u32::from(byte & 0x3F);
    }
    Some((point, continuations + 1))
}

/// How many bytes the first character takes; `None` if the text starts with none.
pub(crate) fn first_len(bytes: &[u8]) -> Option<usize> {
    first_shape(bytes).map(|(_, len)| len)
}

/// All code points of a text.
pub(crate) fn code_points(mut bytes: &[u8]) -> Vec<u32> {
    let mut points = Vec::with_capacity(bytes.len());
    while !bytes.is_empty() {
        let shape = first_shape(bytes).filter(|&(point, _)| point <= 0x10_FFFF);
        let (point, len) = shape.unwrap_or((REPLACEMENT, 1));
        points.push(point);
        bytes = &bytes[len..];
    }
    points
}

/// Bytes that a code point takes when written.
pub(crate) const fn encoded_len(point: u32) -> usize {
    match point {
        0..=0x7F => 1,
        0x80..=0x7FF => 2,
        0x800..=0xFFFF => 3,
        _ => 4,
    }
}

/// Writes a code point, surrogates included.
pub(crate) fn push_point(text: &mut Vec<u8>, point: u32) {
    let tail = |shift: u32| 0x80 | (point >> shift & 0x3F) as u8;
    match encoded_len(point) {
        1 => text.push(point as u8),
        2 => text.extend([0xC0 | (point >> 6) as u8, tail(0)]),
        3 => text.extend([0xE0 | (point >> 12) as u8, tail(6), tail(0)]),
        _ => text.extend([0xF0 | (point >> 18 & 7) as u8, tail(12), tail(6), tail(0)]),
    }
}

/// The bytes that `points` stand for: `text` itself where nothing had to be replaced.
pub(crate) fn rewrite<'a>(text: &'a [u8], points: &[u32]) -> Cow<'a, [u8]> {
    if std::str::from_utf8(text).is_ok() { text.into() } else { write(points).into() }
}

/// The same as text, for which surrogates are no characters either.
pub(crate) fn to_text(bytes: &[u8]) -> Cow<'_, str> {
    let character = |point| char::from_u32(point).unwrap_or(char::REPLACEMENT_CHARACTER);
    let replaced = || code_points(bytes).into_iter().map(character).collect::<String>().into();
    std::str::from_utf8(bytes).map_or_else(|_| replaced(), Cow::Borrowed)
}

/// Writes code points.
pub(crate) fn write(points: &[u32]) -> Vec<u8> {
    let mut written = Vec::with_capacity(points.len());
    for &point in points {
        push_point(&mut written, point);
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn valid_text_is_read_as_it_is() {
        let text = "a\u{7F}é€\u{10FFFF}\u{0}";
        let points = code_points(text.as_bytes());
        assert_eq!(points, text.chars().map(u32::from).collect::<Vec<_>>());
        assert!(matches!(rewrite(text.as_bytes(), &points), Cow::Borrowed(_)));
    }

    #[test]
    fn what_is_not_utf8() {
        let cases: [(&[u8], &[u32], &[u8]); 7] = [
            (b"\x80", &[0xFFFD], b"\xEF\xBF\xBD"),
            (b"\xC3", &[0xFFFD], b"\xEF\xBF\xBD"),
            (b"\xE2\x82x", &[0xFFFD, 0xFFFD, 0x78], b"\xEF\xBF\xBD\xEF\xBF\xBDx"),
            (b"\xC1\x81", &[0x41], b"A"),
            (b"\xED\xA0\x80", &[0xD800], b"\xED\xA0\x80"),
            (
                b"\xF7\xBF\xBF\xBF",
                &[0xFFFD; 4],
                b"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD",
            ),
            (b"\xFF", &[0xFFFD], b"\xEF\xBF\xBD"),
        ];
        for (bytes, points, written) in cases {
            assert_eq!(code_points(bytes), points, "{bytes:x?}");
            assert_eq!(&*rewrite(bytes, points), written, "{bytes:x?}");
            let text = std::str::from_utf8(written).unwrap_or("\u{FFFD}");
            assert_eq!(to_text(bytes), text, "{bytes:x?}");
        }
    }

    #[test]
    fn every_code_point_is_written_as_it_is_read() {
        for point in (0..0x11_0000).step_by(7) {
            let mut text = Vec::new();
            push_point(&mut text, point);
            assert_eq!(text.len(), encoded_len(point));
            assert_eq!(text.len(), char_len(text[0]).max(1));
            assert_eq!(code_points(&text), [point]);
        }
    }
}
