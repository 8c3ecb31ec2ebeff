//! Taking off the spaces that some vocabularies leave before punctuation.

/// Applies the three rules one after the other.
pub(crate) fn clean_spaces(text: &[u8]) -> Vec<u8> {
    contractions(&lone_apostrophes(&punctuation(text)))
}

/// ` ?`, ` !`, ` .` and ` ,` lose their space.
fn punctuation(text: &[u8]) -> Vec<u8> {
    let mut clean = Vec::with_capacity(text.len());
    let mut previous = 0;
    for &byte in text {
        if previous == b' ' && matches!(byte, b'?' | b'!' | b'.' | b',') {
            clean.pop();
        }
        clean.push(byte);
        previous = byte;
    }
    clean
}

/// ` ' ` loses both spaces.
fn lone_apostrophes(text: &[u8]) -> Vec<u8> {
    let mut clean = Vec::with_capacity(text.len());
    let mut rest = text;
    let mut previous = 0;
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        if let ([b' ', after @ ..], b'\'', b' ') = (tail, byte, previous) {
            clean.pop();
            rest = after;
            previous = 0;
        } else {
            previous = byte;
        }
        clean.push(byte);
    }
    clean
}

/// ` 's`, ` 'm`, ` 're` and ` 've` lose their space.
fn contractions(text: &[u8]) -> Vec<u8> {
    let mut clean = Vec::with_capacity(text.len());
    let mut previous = 0;
    for (at, &byte) in text.iter().enumerate() {
        let joins =
            matches!(&text[at..], [b'\'', b's' | b'm', ..] | [b'\'', b'r' | b'v', b'e', ..]);
        if previous == b' ' && joins {
            clean.pop();
        }
        clean.push(byte);
        previous = byte;
    }
    clean
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spaces_before_punctuation() {
        let cases = [
            ("Hello , world !", "Hello, world!"),
            ("it 's we 're I 'm they 've", "it's we're I'm they've"),
            ("can 't he 'd you 'll", "can 't he 'd you 'll"),
            ("a ' b", "a'b"),
            (" . ", ". "),
            ("", ""),
            ("x  .", "x ."),
            ("don ' 't", "don''t"),
        ];
        for (text, expected) in cases {
            assert_eq!(
                String::from_utf8(clean_spaces(text.as_bytes())).unwrap(),
                expected,
                "{text:?}"
            );
        }
    }
}
