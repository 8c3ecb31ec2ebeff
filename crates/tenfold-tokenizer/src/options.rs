//! What callers can ask for.

/// How to turn text into tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TokenizeOptions {
    /// Add what the vocabulary puts around a text: usually the beginning-of-text token.
    pub add_special: bool,
    /// Take `<|im_end|>` and the like for the special tokens they name. Text that a user typed is to
    /// be tokenized without this, so that it cannot forge a turn.
    pub parse_special: bool,
}

impl TokenizeOptions {
    /// Text as it stands: nothing added, nothing parsed.
    pub const fn plain() -> Self {
        Self { add_special: false, parse_special: false }
    }

    /// A prompt that a chat template rendered: special tokens are parsed, and the template has
    /// already written the first one.
    pub const fn rendered() -> Self {
        Self { add_special: false, parse_special: true }
    }
}

impl Default for TokenizeOptions {
    /// A text of its own: special tokens around it, none parsed in it.
    fn default() -> Self {
        Self { add_special: true, parse_special: false }
    }
}

/// How to turn tokens into text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DetokenizeOptions {
    /// Leave out control and unknown tokens.
    pub skip_special: bool,
    /// The tokens go on after other text. Otherwise the space that some vocabularies put before a
    /// text is taken off again.
    pub continues: bool,
    /// Take off spaces before punctuation where the vocabulary asks for it (`clean_spaces`). Never
    /// applied to text that comes piece by piece.
    pub clean_spaces: bool,
}
