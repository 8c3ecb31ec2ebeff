//! What Python takes for white space and for lines.

/// Python strips and splits at four separators that Unicode does not call white space.
pub(crate) fn is_space(character: char) -> bool {
    character.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&character)
}

/// Which ends of a text to strip.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ends {
    Both,
    Left,
    Right,
}

/// The text without the characters at its ends: white space, or the ones given.
pub(crate) fn strip<'a>(text: &'a str, characters: Option<&str>, ends: Ends) -> &'a str {
    let goes = |it: char| characters.map_or_else(|| is_space(it), |set| set.contains(it));
    match ends {
        Ends::Both => text.trim_matches(goes),
        Ends::Left => text.trim_start_matches(goes),
        Ends::Right => text.trim_end_matches(goes),
    }
}

/// The words between white space; after `most` cuts the rest stays whole.
pub(crate) fn words(text: &str, most: Option<usize>) -> Vec<&str> {
    let mut words = Vec::new();
    let mut rest = strip(text, None, Ends::Left);
    while !rest.is_empty() {
        let cut = match most {
            Some(most) if words.len() >= most => None,
            _ => rest.find(is_space),
        };
        let Some(cut) = cut else {
            words.push(rest);
            break;
        };
        words.push(&rest[..cut]);
        rest = strip(&rest[cut..], None, Ends::Left);
    }
    words
}

/// The words between white space, cut from the end.
pub(crate) fn words_from_end(text: &str, most: usize) -> Vec<&str> {
    let mut words = Vec::new();
    let mut rest = strip(text, None, Ends::Right);
    while !rest.is_empty() {
        let cut = if words.len() >= most { None } else { rest.rfind(is_space) };
        let Some(cut) = cut else {
            words.push(rest);
            break;
        };
        let after = cut + rest[cut..].chars().next().map_or(0, char::len_utf8);
        words.push(&rest[after..]);
        rest = strip(&rest[..cut], None, Ends::Right);
    }
    words.reverse();
    words
}

fn is_line_end(character: char) -> bool {
    matches!(
        character,
        '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{1c}'..='\u{1e}' | '\u{85}' | '\u{2028}' | '\u{2029}'
    )
}

/// The lines of a text, with their ends or without.
pub(crate) fn lines(text: &str, keep_ends: bool) -> Vec<&str> {
    let mut lines = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find(is_line_end) {
        let length = if rest[at..].starts_with("\r\n") {
            2
        } else {
            rest[at..].chars().next().map_or(0, char::len_utf8)
        };
        lines.push(&rest[..if keep_ends { at + length } else { at }]);
        rest = &rest[at + length..];
    }
    if !rest.is_empty() {
        lines.push(rest);
    }
    lines
}

/// The first character in upper case, the others in lower case.
pub(crate) fn capitalize(text: &str) -> String {
    let mut characters = text.chars();
    let Some(first) = characters.next() else { return String::new() };
    // Rust lowers a final sigma only when it sees the whole word.
    let lower = text.to_lowercase();
    let skip = first.to_lowercase().count();
    first.to_uppercase().chain(lower.chars().skip(skip)).collect()
}

/// Upper case becomes lower case, and the other way round.
pub(crate) fn swapcase(text: &str) -> String {
    let swap = |it: char| -> String {
        if it.is_uppercase() { it.to_lowercase().collect() } else { it.to_uppercase().collect() }
    };
    text.chars().map(swap).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_cut_at_white_space_from_both_ends() {
        assert_eq!(words(" a\u{1f}b \n c ", None), ["a", "b", "c"]);
        assert_eq!(words(" a b  c ", Some(1)), ["a", "b  c "]);
        assert_eq!(words(" a b ", Some(0)), ["a b "]);
        assert_eq!(words_from_end(" a  b c ", 1), [" a  b", "c"]);
        assert_eq!(words_from_end(" é\u{3000}ü ", 9), ["é", "ü"]);
        assert!(words(" \t", None).is_empty() && words_from_end("", 3).is_empty());
    }

    #[test]
    fn lines_end_where_python_ends_them() {
        let text = "a\r\nb\rc\u{2028}d\n\n";
        assert_eq!(lines(text, false), ["a", "b", "c", "d", ""]);
        assert_eq!(lines(text, true).concat(), text);
        assert!(lines("", false).is_empty());
    }

    #[test]
    fn letters_change_case() {
        assert_eq!(capitalize("éCOLE ΑΣ"), "École ας");
        assert_eq!(capitalize(""), "");
        assert_eq!(swapcase("aBß"), "AbSS");
    }
}
