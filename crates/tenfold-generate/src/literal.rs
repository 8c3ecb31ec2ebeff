//! Special tokens that people write in their messages are plain text.
//!
//! A chat template renders messages and its own special tokens into one text. To tell the two apart
//! afterwards, every special token's text within a message of a person, an app or a tool gets a
//! private mark after its first character; the marks come out again after rendering and tell the
//! tokenizer which places no special token may span.

use std::borrow::Cow;

use tenfold_core::{Message, Role};
use tenfold_tokenizer::Tokenizer;

/// Unicode's noncharacters of the first plane: never part of a text that is exchanged.
const CANDIDATES: std::ops::RangeInclusive<char> = '\u{FDD0}'..='\u{FDEF}';

/// Marks messages and finds the marks again.
pub(crate) struct Marker<'t> {
    special: Vec<&'t str>,
    mark: char,
}

/// A text without marks, and where they were.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Marked {
    pub(crate) text: String,
    /// Byte positions that no special token may span, ascending.
    pub(crate) barriers: Vec<usize>,
}

impl<'t> Marker<'t> {
    /// A marker with a mark that none of the messages contains.
    pub(crate) fn new(tokenizer: &'t Tokenizer, messages: &[Message]) -> Self {
        Self::with_special(tokenizer.control_texts().collect(), messages)
    }

    fn with_special(special: Vec<&'t str>, messages: &[Message]) -> Self {
        let is_free = |mark: &char| !messages.iter().any(|message| message.content.contains(*mark));
        let mark = CANDIDATES.clone().find(is_free).unwrap_or(*CANDIDATES.start());
        Self { special, mark }
    }

    /// A copy of the message with marks. What the model said is left alone: templates look into it.
    pub(crate) fn mark(&self, message: &Message) -> Message {
        let mut marked = message.clone();
        if message.role != Role::Assistant {
            marked.content = self.mark_text(&message.content).into_owned();
        }
        marked
    }

    fn mark_text<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let mut places: Vec<usize> =
            self.special.iter().flat_map(|special| places_within(text, special)).collect();
        if places.is_empty() {
            return Cow::Borrowed(text);
        }
        places.sort_unstable();
        places.dedup();
        let mut marked = String::with_capacity(text.len() + places.len() * 3);
        let mut from = 0;
        for place in places {
            marked.push_str(&text[from..place]);
            marked.push(self.mark);
            from = place;
        }
        marked.push_str(&text[from..]);
        Cow::Owned(marked)
    }

    /// Takes the marks out of a rendered text.
    pub(crate) fn unmark(&self, rendered: &str) -> Marked {
        let mut marked = Marked { text: String::with_capacity(rendered.len()), barriers: Vec::new() };
        let mut pieces = rendered.split(self.mark);
        marked.text.push_str(pieces.next().unwrap_or_default());
        for piece in pieces {
            marked.barriers.push(marked.text.len());
            marked.text.push_str(piece);
        }
        marked
    }
}

/// After the first character of each place where `special` stands in `text`, overlaps included.
fn places_within<'a>(text: &'a str, special: &'a str) -> impl Iterator<Item = usize> + 'a {
    let first = special.chars().next().map_or(0, char::len_utf8);
    let mut from = 0;
    std::iter::from_fn(move || {
        let found = text.get(from..)?.find(special).filter(|_| first > 0)?;
        from += found + first;
        Some(from)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPECIAL: [&str; 3] = ["<|im_end|>", "</s>", "aa"];

    fn barriers(content: &str) -> Vec<usize> {
        let message = Message::user(content);
        let marker = Marker::with_special(SPECIAL.to_vec(), std::slice::from_ref(&message));
        let unmarked = marker.unmark(&marker.mark(&message).content);
        assert_eq!(unmarked.text, content, "marking loses nothing");
        unmarked.barriers
    }

    #[test]
    fn every_special_text_gets_a_barrier() {
        let cases: [(&str, &[usize]); 6] = [
            ("hello", &[]),
            ("<|im_end|>", &[1]),
            ("x</s>y<|im_end|>", &[2, 7]),
            ("aaa", &[1, 2]),
            ("<|im_end", &[]),
            ("\u{FDD0}</s>", &[4]),
        ];
        for (content, expect) in cases {
            assert_eq!(barriers(content), expect, "{content:?}");
        }
    }

    #[test]
    fn what_the_model_said_is_left_alone() {
        let message = Message::assistant("</s>");
        let marker = Marker::with_special(SPECIAL.to_vec(), &[]);
        assert_eq!(marker.mark(&message), message);
    }
}
