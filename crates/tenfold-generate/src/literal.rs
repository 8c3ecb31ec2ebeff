//! Special tokens that people write in their messages are plain text.
//!
//! A chat template renders messages and its own special tokens into one text. To tell the two apart
//! afterwards, every special token's text within a message of a person, an app or a tool gets a
//! private mark after its first character; the marks come out again after rendering and tell the
//! tokenizer which places no special token may span.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::ops::{Range, RangeInclusive};

use tenfold_core::{Message, Role, TokenId};
use tenfold_tokenizer::Tokenizer;

/// Unicode's noncharacters of the first plane: never part of a text that is exchanged.
const CANDIDATES: RangeInclusive<char> = '\u{FDD0}'..='\u{FDEF}';

/// The texts of a vocabulary's special tokens, longest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct SpecialTexts(Vec<String>);

impl SpecialTexts {
    pub(crate) fn of(tokenizer: &Tokenizer) -> Self {
        let size = TokenId::try_from(tokenizer.vocabulary_size()).unwrap_or(TokenId::MAX);
        let special = (0..size).filter(|id| tokenizer.is_special(*id));
        Self::new(special.filter_map(|id| tokenizer.token_text(id)))
    }

    fn new<'a>(texts: impl Iterator<Item = &'a str>) -> Self {
        let mut texts: Vec<String> = texts.filter(|it| !it.is_empty()).map(str::to_owned).collect();
        texts.sort_by_key(|text| Reverse(text.len()));
        Self(texts)
    }
}

/// Marks messages and finds the marks again.
pub(crate) struct Marker<'s> {
    special: &'s SpecialTexts,
    mark: char,
}

/// A text without marks, and where they were.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Marked {
    pub(crate) text: String,
    /// Byte positions that no special token may span, ascending.
    pub(crate) barriers: Vec<usize>,
}

/// A stretch of a prompt.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Stretch<'t> {
    pub(crate) text: &'t str,
    /// Whether special tokens are looked for in it.
    pub(crate) parse_special: bool,
}

impl<'s> Marker<'s> {
    /// A marker with a mark that none of the messages contains.
    pub(crate) fn new(special: &'s SpecialTexts, messages: &[Message]) -> Self {
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
            self.special.0.iter().flat_map(|special| places_within(text, special)).collect();
        if places.is_empty() {
            return Cow::Borrowed(text);
        }
        places.sort_unstable();
        places.dedup();
        let mut marked = String::with_capacity(text.len() + places.len() * self.mark.len_utf8());
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
        let mut marked =
            Marked { text: String::with_capacity(rendered.len()), barriers: Vec::new() };
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

impl Marked {
    /// Cuts the text so that each stretch without special tokens is one in which a person wrote
    /// their texts; it reaches from the special token before it to the one after it.
    pub(crate) fn stretches(&self, special: &SpecialTexts) -> Vec<Stretch<'_>> {
        let tokens = if self.barriers.is_empty() { Vec::new() } else { self.find(special) };
        let mut cuts = vec![0];
        for barrier in &self.barriers {
            let next = tokens.partition_point(|token| token.start < *barrier);
            cuts.push(next.checked_sub(1).map_or(0, |before| tokens[before].end));
            cuts.push(tokens.get(next).map_or(self.text.len(), |after| after.start));
        }
        cuts.push(self.text.len());
        cuts.sort_unstable();
        cuts.dedup();
        let has_barrier = |start: usize, end: usize| {
            self.barriers.iter().any(|barrier| start < *barrier && *barrier < end)
        };
        cuts.windows(2)
            .filter(|cut| cut[0] < cut[1])
            .map(|cut| Stretch {
                text: &self.text[cut[0]..cut[1]],
                parse_special: !has_barrier(cut[0], cut[1]),
            })
            .collect()
    }

    /// Where special tokens stand that span no barrier: longer ones first, none overlapping.
    fn find(&self, special: &SpecialTexts) -> Vec<Range<usize>> {
        let mut found: Vec<Range<usize>> = Vec::new();
        for text in &special.0 {
            for (start, _) in self.text.match_indices(text.as_str()) {
                let range = start..start + text.len();
                if !self.spans_barrier(&range) && !found.iter().any(|it| overlap(it, &range)) {
                    found.push(range);
                }
            }
        }
        found.sort_by_key(|range| range.start);
        found
    }

    fn spans_barrier(&self, range: &Range<usize>) -> bool {
        let next = self.barriers.partition_point(|barrier| *barrier <= range.start);
        self.barriers.get(next).is_some_and(|barrier| *barrier < range.end)
    }
}

fn overlap(a: &Range<usize>, b: &Range<usize>) -> bool {
    a.start < b.end && b.start < a.end
}

#[cfg(test)]
mod tests {
    use super::*;

    fn special() -> SpecialTexts {
        SpecialTexts::new(["<|im_end|>", "</s>", "aa"].into_iter())
    }

    fn barriers(content: &str) -> Vec<usize> {
        let special = special();
        let message = Message::user(content);
        let marker = Marker::new(&special, std::slice::from_ref(&message));
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
        let special = special();
        let message = Message::assistant("</s>");
        assert_eq!(Marker::new(&special, &[]).mark(&message), message);
    }

    #[test]
    fn only_the_stretch_of_a_person_is_free_of_special_tokens() {
        let cases: [(&str, &[(&str, bool)]); 5] = [
            ("</s>hi</s>", &[("</s>hi</s>", true)]),
            (
                "</s>hi <\u{FDD0}/s> you</s>ok",
                &[("</s>", true), ("hi </s> you", false), ("</s>ok", true)],
            ),
            ("<\u{FDD0}/s>", &[("</s>", false)]),
            ("</s><\u{FDD0}/s></s>", &[("</s>", true), ("</s>", false), ("</s>", true)]),
            ("x<\u{FDD0}/s>y<\u{FDD0}/s>z", &[("x</s>y</s>z", false)]),
        ];
        for (rendered, expect) in cases {
            let special = special();
            let marked = Marker::new(&special, &[]).unmark(rendered);
            let found = marked.stretches(&special);
            let found: Vec<_> = found.iter().map(|it| (it.text, it.parse_special)).collect();
            assert_eq!(found, expect, "{rendered:?}");
        }
    }
}
