//! Finding stop sequences in text that comes piece by piece.

/// Passes text on until a stop sequence appears.
///
/// Text that may become part of a stop sequence is held back until it is certain. The sequence that
/// starts first wins, and of those that start at the same place the longest; however the text is
/// cut into pieces, the result is the same.
///
/// ```
/// use tenfold_tokenizer::StopMatcher;
///
/// let mut matcher = StopMatcher::new(["\nUser:"]);
/// assert_eq!(matcher.push("Hi!\nUs").text, "Hi!");
/// let found = matcher.push("er: and");
/// assert_eq!((found.text, found.stop), ("", Some("\nUser:")));
/// ```
#[derive(Clone, Debug, Default)]
pub struct StopMatcher {
    stops: Vec<String>,
    held: String,
    passed: String,
    matched: Option<usize>,
}

/// What is certain so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StopProgress<'a> {
    /// Text that is no part of a stop sequence.
    pub text: &'a str,
    /// The stop sequence that was found; all text after it is dropped.
    pub stop: Option<&'a str>,
}

/// What starts at one place of the text.
enum Start {
    Nothing,
    /// More text decides.
    Undecided,
    Stop(usize),
}

impl StopMatcher {
    /// A matcher for these sequences; empty ones are left out.
    pub fn new(stops: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let stops = stops.into_iter().map(Into::into).filter(|stop| !stop.is_empty()).collect();
        Self { stops, ..Self::default() }
    }

    /// Adds text; says what is certain now.
    pub fn push(&mut self, text: &str) -> StopProgress<'_> {
        self.advance(text, false)
    }

    /// Says what remains when no more text comes.
    pub fn finish(&mut self) -> StopProgress<'_> {
        self.advance("", true)
    }

    fn advance(&mut self, text: &str, is_last: bool) -> StopProgress<'_> {
        self.passed.clear();
        if self.matched.is_none() {
            self.held.push_str(text);
            let (certain, matched) = self.scan(is_last);
            self.passed.push_str(&self.held[..certain]);
            self.held.drain(..certain);
            self.matched = matched;
        }
        let stop = self.matched.and_then(|index| self.stops.get(index)).map(String::as_str);
        StopProgress { text: &self.passed, stop }
    }

    /// How many bytes are certain to be text, and the sequence that follows them.
    fn scan(&self, is_last: bool) -> (usize, Option<usize>) {
        for (at, _) in self.held.char_indices() {
            match self.start_at(&self.held.as_bytes()[at..], is_last) {
                Start::Nothing => {}
                Start::Undecided => return (at, None),
                Start::Stop(index) => return (at, Some(index)),
            }
        }
        (self.held.len(), None)
    }

    fn start_at(&self, text: &[u8], is_last: bool) -> Start {
        let mut longest: Option<usize> = None;
        for (index, stop) in self.stops.iter().map(String::as_bytes).enumerate() {
            if !is_last && stop.len() > text.len() && stop.starts_with(text) {
                return Start::Undecided;
            }
            let is_longer = longest.is_none_or(|best| stop.len() > self.stops[best].len());
            if is_longer && text.starts_with(stop) {
                longest = Some(index);
            }
        }
        longest.map_or(Start::Nothing, Start::Stop)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Stop sequences, pieces, the text that passes, and the sequence that is found.
    type Case =
        (&'static [&'static str], &'static [&'static str], &'static str, Option<&'static str>);

    fn run(stops: &[&str], pieces: &[&str]) -> (String, Option<String>) {
        let mut matcher = StopMatcher::new(stops.iter().copied());
        let mut text = String::new();
        for piece in pieces {
            text += matcher.push(piece).text;
        }
        let last = matcher.finish();
        (text + last.text, last.stop.map(str::to_owned))
    }

    #[test]
    fn the_first_and_then_the_longest_wins() {
        let cases: [Case; 9] = [
            (&["END"], &["a E", "N", "D b"], "a ", Some("END")),
            (&["END"], &["a EN"], "a EN", None),
            (&["ab", "abcd"], &["xab", "cd"], "x", Some("abcd")),
            (&["ab", "abcd"], &["xab", "ce"], "x", Some("ab")),
            (&["bc", "abcd"], &["abc", "x"], "a", Some("bc")),
            (&["bc", "abcd"], &["abc", "d"], "", Some("abcd")),
            (&["aab"], &["aa", "ab"], "a", Some("aab")),
            (&["é"], &["e\u{301}é!"], "e\u{301}", Some("é")),
            (&[""], &["x"], "x", None),
        ];
        for (stops, pieces, text, stop) in cases {
            let expected = (text.to_owned(), stop.map(str::to_owned));
            assert_eq!(run(stops, pieces), expected, "{stops:?} {pieces:?}");
        }
    }

    #[test]
    fn nothing_comes_after_a_stop() {
        let mut matcher = StopMatcher::new(["x"]);
        assert_eq!(matcher.push("axb"), StopProgress { text: "a", stop: Some("x") });
        assert_eq!(matcher.push("c"), StopProgress { text: "", stop: Some("x") });
        assert_eq!(matcher.finish(), StopProgress { text: "", stop: Some("x") });
    }

    #[test]
    fn text_is_held_no_longer_than_needed() {
        let mut matcher = StopMatcher::new(["stop"]);
        for (piece, text) in [("st", ""), ("ay st", "stay "), ("op", "")] {
            assert_eq!(matcher.push(piece).text, text, "{piece:?}");
        }
    }

    /// Looks at the whole text at once.
    fn plain<'a>(stops: &'a [String], text: &'a str) -> (&'a str, Option<&'a str>) {
        let places = text.char_indices().map(|(at, _)| at);
        let found = places.filter_map(|at| {
            let starts = stops.iter().filter(|stop| text[at..].starts_with(stop.as_str()));
            starts.max_by_key(|stop| stop.len()).map(|stop| (at, stop.as_str()))
        });
        let first = found.min_by_key(|&(at, _)| at);
        first.map_or((text, None), |(at, stop)| (&text[..at], Some(stop)))
    }

    proptest! {
        #[test]
        fn any_pieces_give_what_the_whole_gives(
            stops in prop::collection::vec("[abé]{1,4}", 0..4),
            pieces in prop::collection::vec("[abé]{0,5}", 0..8),
        ) {
            let whole = pieces.concat();
            let stops_str: Vec<&str> = stops.iter().map(String::as_str).collect();
            let pieces: Vec<&str> = pieces.iter().map(String::as_str).collect();
            let (text, stop) = run(&stops_str, &pieces);
            prop_assert_eq!((text.as_str(), stop.as_deref()), plain(&stops, &whole));
        }
    }
}
