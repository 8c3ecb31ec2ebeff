//! Templates for models that have none.

/// A template for a model that has none of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Fallback {
    /// `<|im_start|>user … <|im_end|>`.
    ChatMl,
    /// `User: …`, for a model whose vocabulary says nothing about turns.
    Plain,
}

impl Fallback {
    /// The template that fits the vocabulary best.
    pub fn choose(has_token: &dyn Fn(&str) -> bool) -> Self {
        if has_token("<|im_start|>") && has_token("<|im_end|>") {
            Self::ChatMl
        } else {
            Self::Plain
        }
    }

    /// What users know it by.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ChatMl => "ChatML",
            Self::Plain => "plain turns",
        }
    }

    /// The source of the template.
    pub const fn source(self) -> &'static str {
        match self {
            Self::ChatMl => include_str!("fallback/chatml.jinja"),
            Self::Plain => include_str!("fallback/plain.jinja"),
        }
    }
}
