//! What each token puts out, from the description of a decoder.
//!
//! The library decodes whole sequences into text and replaces half characters. Text that comes token
//! by token needs the bytes of each, so the rules are applied here, one token at a time.

use serde_json::Value;
use tokenizers::decoders::wordpiece::cleanup;

use crate::byte_level;
use crate::tokens::byte_of_text;

/// One rule of a decoder.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Rule {
    /// Characters of the byte-level alphabet stand for bytes.
    ByteLevel,
    /// `<0x0A>` stands for a byte.
    ByteFallback,
    Replace {
        pattern: String,
        content: String,
    },
    /// Tokens with this prefix go on with a word; others start one after a space, unless they are
    /// punctuation and the text is cleaned.
    Continuation {
        prefix: String,
        cleans: bool,
    },
    /// A suffix ends a word.
    WordEnd {
        suffix: String,
    },
}

/// All rules, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct PieceRule {
    rules: Vec<Rule>,
    strips_first_space: bool,
}

impl PieceRule {
    /// Reads the description of a decoder.
    pub(super) fn new(decoder: &Value) -> Self {
        let mut rule = Self::default();
        rule.add(decoder);
        rule
    }

    fn add(&mut self, decoder: &Value) {
        let text = |key: &str| decoder[key].as_str().unwrap_or_default().to_owned();
        match decoder["type"].as_str().unwrap_or_default() {
            "Sequence" => {
                for part in decoder["decoders"].as_array().into_iter().flatten() {
                    self.add(part);
                }
            }
            "ByteLevel" => self.rules.push(Rule::ByteLevel),
            "ByteFallback" => self.rules.push(Rule::ByteFallback),
            "Replace" => {
                let pattern = decoder["pattern"]["String"].as_str().unwrap_or_default().to_owned();
                self.rules.push(Rule::Replace { pattern, content: text("content") });
            }
            "Metaspace" => {
                self.rules
                    .push(Rule::Replace { pattern: text("replacement"), content: " ".into() });
                self.strips_first_space |= text("prepend_scheme") != "never";
            }
            "WordPiece" => {
                let cleans = decoder["cleanup"].as_bool().unwrap_or(true);
                self.rules.push(Rule::Continuation { prefix: text("prefix"), cleans });
                self.strips_first_space = true;
            }
            "BPEDecoder" => self.rules.push(Rule::WordEnd { suffix: text("suffix") }),
            "Strip" => {
                let takes_start = decoder["start"].as_u64().unwrap_or(0) > 0;
                self.strips_first_space |= takes_start && text("content") == " ";
            }
            // The others change nothing within a token.
            _ => {}
        }
    }

    /// Whether the first text of a sequence loses a space.
    pub(super) fn strips_first_space(&self) -> bool {
        self.strips_first_space
    }

    /// The bytes of one token.
    pub(super) fn piece(&self, text: &str) -> Vec<u8> {
        let mut text = text.to_owned();
        for rule in &self.rules {
            match rule {
                Rule::ByteLevel => return byte_level::decode(&text).unwrap_or(text.into_bytes()),
                Rule::ByteFallback => {
                    if let Some(byte) = byte_of_text(&text) {
                        return vec![byte];
                    }
                }
                Rule::Replace { pattern, .. } if pattern.is_empty() => {}
                Rule::Replace { pattern, content } => text = text.replace(pattern, content),
                Rule::Continuation { prefix, cleans } => {
                    text =
                        text.strip_prefix(prefix).map_or_else(|| format!(" {text}"), str::to_owned);
                    if *cleans {
                        text = cleanup(&text);
                    }
                }
                Rule::WordEnd { suffix } => {
                    text = text
                        .strip_suffix(suffix)
                        .map_or_else(|| text.clone(), |word| format!("{word} "));
                }
            }
        }
        text.into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn tokens_by_decoder() {
        let llama = json!({ "type": "Sequence", "decoders": [
            { "type": "Replace", "pattern": { "String": "▁" }, "content": " " },
            { "type": "ByteFallback" }, { "type": "Fuse" },
            { "type": "Strip", "content": " ", "start": 1, "stop": 0 },
        ] });
        let metaspace =
            json!({ "type": "Metaspace", "replacement": "▁", "prepend_scheme": "never" });
        let cases = [
            (json!({ "type": "ByteLevel" }), "Ġa", &b" a"[..], false),
            (json!({ "type": "ByteLevel" }), "Ã", b"\xC3", false),
            (json!({ "type": "ByteLevel" }), "a b", b"a b", false),
            (llama.clone(), "▁▁a", b"  a", true),
            (llama, "<0xE2>", b"\xE2", true),
            (metaspace, "▁a", b" a", false),
            (json!({ "type": "WordPiece", "prefix": "##" }), "##ing", b"ing", true),
            (json!({ "type": "WordPiece", "prefix": "##" }), "go", b" go", true),
            (json!({ "type": "WordPiece", "prefix": "##" }), ",", b",", true),
            (json!({ "type": "WordPiece", "prefix": "##", "cleanup": false }), ",", b" ,", true),
            (json!({ "type": "BPEDecoder", "suffix": "</w>" }), "go</w>", b"go ", false),
            (Value::Null, "<0x41>", b"<0x41>", false),
        ];
        for (decoder, token, piece, strips) in cases {
            let rule = PieceRule::new(&decoder);
            assert_eq!(rule.piece(token), piece, "{decoder} {token}");
            assert_eq!(rule.strips_first_space(), strips, "{decoder}");
        }
    }
}
