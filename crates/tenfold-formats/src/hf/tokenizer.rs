//! `tokenizer_config.json`: special tokens and chat templates.

use serde::Deserialize;

use super::{parse_object, typed};
use crate::error::FormatError;

const FILE: &str = "tokenizer_config.json";

/// What `tokenizer_config.json` says; `None` where it is silent.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct TokenizerConfig {
    /// Name of the tokenizer's class.
    pub tokenizer_class: Option<String>,
    /// Put the beginning-of-text token first.
    pub add_bos_token: Option<bool>,
    /// Put the end-of-text token last.
    pub add_eos_token: Option<bool>,
    /// Put a space before the text.
    pub add_prefix_space: Option<bool>,
    /// Whether the authors kept an old fault of their SentencePiece tokenizer.
    pub legacy: Option<bool>,
    /// Remove spaces before punctuation when tokens become text.
    pub clean_up_tokenization_spaces: Option<bool>,
    bos_token: Option<Token>,
    eos_token: Option<Token>,
    unk_token: Option<Token>,
    pad_token: Option<Token>,
    chat_template: Option<Templates>,
}

/// A token is a text, or an object with one.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(untagged)]
enum Token {
    Text(String),
    Object { content: String },
}

impl Token {
    fn text(&self) -> &str {
        match self {
            Self::Text(text) | Self::Object { content: text } => text,
        }
    }
}

/// One template, or several with names.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(untagged)]
enum Templates {
    One(String),
    Named(Vec<ChatTemplate>),
}

/// A chat template with a name.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct ChatTemplate {
    /// What it is for, such as `default` or `tool_use`.
    pub name: String,
    /// Its source.
    pub template: String,
}

impl TokenizerConfig {
    /// Reads `tokenizer_config.json`.
    ///
    /// # Errors
    /// When the bytes are no JSON object, or a value has the wrong type.
    pub fn parse(json: &[u8]) -> Result<Self, FormatError> {
        typed(parse_object(json, FILE)?, FILE)
    }

    /// The text of the beginning-of-text token.
    pub fn bos_token(&self) -> Option<&str> {
        self.bos_token.as_ref().map(Token::text)
    }

    /// The text of the end-of-text token.
    pub fn eos_token(&self) -> Option<&str> {
        self.eos_token.as_ref().map(Token::text)
    }

    /// The text of the unknown token.
    pub fn unk_token(&self) -> Option<&str> {
        self.unk_token.as_ref().map(Token::text)
    }

    /// The text of the padding token.
    pub fn pad_token(&self) -> Option<&str> {
        self.pad_token.as_ref().map(Token::text)
    }

    /// The chat template to use when nothing special is asked: the only one, or the one named
    /// `default`.
    pub fn chat_template(&self) -> Option<&str> {
        match self.chat_template.as_ref()? {
            Templates::One(template) => Some(template),
            Templates::Named(_) => self.named_template("default"),
        }
    }

    /// The chat template with this name, of several.
    pub fn named_template(&self, name: &str) -> Option<&str> {
        let templates = self.named_templates();
        templates.iter().find(|named| named.name == name).map(|named| named.template.as_str())
    }

    /// All templates that have a name.
    pub fn named_templates(&self) -> &[ChatTemplate] {
        match &self.chat_template {
            Some(Templates::Named(templates)) => templates,
            _ => &[],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_texts_or_objects() {
        let json = br#"{"bos_token": {"content": "<s>", "lstrip": false}, "eos_token": "</s>",
                        "pad_token": null, "add_bos_token": true, "model_max_length": 1e30}"#;
        let config = TokenizerConfig::parse(json).unwrap();
        assert_eq!(config.bos_token(), Some("<s>"));
        assert_eq!(config.eos_token(), Some("</s>"));
        assert_eq!(config.pad_token(), None);
        assert_eq!(config.unk_token(), None);
        assert_eq!(config.add_bos_token, Some(true));
        assert_eq!(config.chat_template(), None);
    }

    #[test]
    fn the_default_template_is_the_only_one_or_the_one_of_that_name() {
        let one = TokenizerConfig::parse(br#"{"chat_template": "{{ x }}"}"#).unwrap();
        assert_eq!(one.chat_template(), Some("{{ x }}"));
        assert!(one.named_templates().is_empty());
        let several = TokenizerConfig::parse(
            br#"{"chat_template": [{"name": "tool_use", "template": "t"},
                                   {"name": "default", "template": "d"}]}"#,
        )
        .unwrap();
        assert_eq!(several.chat_template(), Some("d"));
        assert_eq!(several.named_template("tool_use"), Some("t"));
        assert_eq!(several.named_template("rag"), None);
    }
}
