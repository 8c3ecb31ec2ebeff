//! Texts for tests: a page of prose and a table of odd strings.

/// A page of English prose, written for this project: for perplexity and for training the tiny
/// vocabularies. Changing it changes every golden that depends on a tiny vocabulary.
pub fn page() -> &'static str {
    include_str!("text/page.txt")
}
