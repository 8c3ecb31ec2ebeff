//! Templates for models that have none.

/// A template for a model that has none of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Fallback {
    /// `<|im_start|>user … <|im_end|>`.
    ChatMl,
    /// `<|start_header_id|>user<|end_header_id|> … <|eot_id|>`.
    Llama3,
    /// `<start_of_turn>user … <end_of_turn>`.
    Gemma,
    /// `<|user|> … <|end|>`.
    Phi3,
    /// `<｜User｜> … <｜Assistant｜>`.
    DeepSeek,
    /// `[INST] … [/INST]`, where these are tokens.
    Mistral,
    /// `<|user|> … </s>`, in plain text.
    Zephyr,
    /// `[INST] <<SYS>> … <</SYS>> … [/INST]`, in plain text.
    Llama2,
    /// `USER: … ASSISTANT:`.
    Vicuna,
    /// A single message as it is, several as `User: …` and `Assistant: …`.
    Plain,
}

/// One fallback with what tells that it fits.
struct Row {
    fallback: Fallback,
    name: &'static str,
    source: &'static str,
    /// Tokens that the vocabulary must have.
    tokens: &'static [&'static str],
    /// Words that the model's name must have, in small letters.
    words: &'static [&'static str],
    /// Texts with which the model would begin the user's next turn itself.
    stops: &'static [&'static str],
}

/// The first one that fits is taken.
const ROWS: [Row; 11] = [
    Row {
        fallback: Fallback::ChatMl,
        name: "ChatML",
        source: include_str!("fallback/chatml.jinja"),
        tokens: &["<|im_start|>", "<|im_end|>"],
        words: &[],
        stops: &[],
    },
    Row {
        fallback: Fallback::Llama3,
        name: "Llama 3's",
        source: include_str!("fallback/llama3.jinja"),
        tokens: &["<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"],
        words: &[],
        stops: &[],
    },
    Row {
        fallback: Fallback::Gemma,
        name: "Gemma's",
        source: include_str!("fallback/gemma.jinja"),
        tokens: &["<start_of_turn>", "<end_of_turn>"],
        words: &[],
        stops: &[],
    },
    Row {
        fallback: Fallback::Phi3,
        name: "Phi 3's",
        source: include_str!("fallback/phi3.jinja"),
        tokens: &["<|user|>", "<|assistant|>", "<|end|>"],
        words: &[],
        stops: &[],
    },
    Row {
        fallback: Fallback::DeepSeek,
        name: "DeepSeek's",
        source: include_str!("fallback/deepseek.jinja"),
        tokens: &["<｜User｜>", "<｜Assistant｜>"],
        words: &[],
        stops: &[],
    },
    Row {
        fallback: Fallback::Mistral,
        name: "Mistral's",
        source: include_str!("fallback/mistral.jinja"),
        tokens: &["[INST]", "[/INST]"],
        words: &[],
        stops: &[],
    },
    Row {
        fallback: Fallback::Zephyr,
        name: "Zephyr's",
        source: include_str!("fallback/zephyr.jinja"),
        tokens: &[],
        words: &["zephyr"],
        stops: &["<|user|>"],
    },
    Row {
        fallback: Fallback::Zephyr,
        name: "Zephyr's",
        source: include_str!("fallback/zephyr.jinja"),
        tokens: &[],
        words: &["tinyllama", "chat"],
        stops: &["<|user|>"],
    },
    Row {
        fallback: Fallback::Llama2,
        name: "Llama 2's",
        source: include_str!("fallback/llama2.jinja"),
        tokens: &[],
        words: &["llama", "2", "chat"],
        stops: &["[INST]"],
    },
    Row {
        fallback: Fallback::Vicuna,
        name: "Vicuna's",
        source: include_str!("fallback/vicuna.jinja"),
        tokens: &[],
        words: &["vicuna"],
        stops: &["\nUSER:"],
    },
    Row {
        fallback: Fallback::Plain,
        name: "plain",
        source: include_str!("fallback/plain.jinja"),
        tokens: &[],
        words: &[],
        stops: &["\nUser:"],
    },
];

impl Fallback {
    /// The template that fits best what the vocabulary has, and what the model calls itself.
    pub fn choose(has_token: &dyn Fn(&str) -> bool, name: &str) -> Self {
        let name = name.to_lowercase();
        let fits = |row: &&Row| {
            row.tokens.iter().all(|token| has_token(token))
                && row.words.iter().all(|word| name.contains(word))
        };
        ROWS.iter().find(fits).map_or(Self::Plain, |row| row.fallback)
    }

    fn row(self) -> &'static Row {
        ROWS.iter().find(|row| row.fallback == self).unwrap_or(&ROWS[ROWS.len() - 1])
    }

    /// What users know it by.
    pub fn name(self) -> &'static str {
        self.row().name
    }

    /// The source of the template.
    pub fn source(self) -> &'static str {
        self.row().source
    }

    /// Texts that end an answer: the model would go on with the user's next turn.
    pub fn stop_sequences(self) -> &'static [&'static str] {
        self.row().stops
    }

    /// What the user should hear.
    pub fn notice(self) -> String {
        const MISSING: &str = "This model has no chat template of its own";
        match self {
            Self::Plain => format!(
                "{MISSING}, and its vocabulary tells nothing about turns: a single message is continued \
                 as plain text, and a conversation is written as \"User:\" and \"Assistant:\" lines."
            ),
            _ => format!(
                "{MISSING}; {} format of turns fits its vocabulary or its name and is used instead, so \
                 answers may be worse than the model can do.",
                self.name()
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choose(tokens: &[&str], name: &str) -> Fallback {
        Fallback::choose(&|token| tokens.contains(&token), name)
    }

    #[test]
    fn the_vocabulary_decides_before_the_name() {
        let cases: [(&[&str], &str, Fallback); 12] = [
            (&["<|im_start|>", "<|im_end|>"], "x", Fallback::ChatMl),
            (&["<|im_start|>"], "x", Fallback::Plain),
            (&["<|im_end|>", "<|im_start|>"], "Vicuna", Fallback::ChatMl),
            (&["<start_of_turn>", "<end_of_turn>"], "gemma", Fallback::Gemma),
            (&["<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"], "", Fallback::Llama3),
            (&["<|user|>", "<|assistant|>", "<|end|>"], "", Fallback::Phi3),
            (&["<｜User｜>", "<｜Assistant｜>"], "", Fallback::DeepSeek),
            (&["[INST]", "[/INST]"], "", Fallback::Mistral),
            (&[], "TinyLlama-1.1B-Chat-v1.0", Fallback::Zephyr),
            (&[], "Llama-2-7b-chat-hf", Fallback::Llama2),
            (&[], "vicuna-13b-v1.5", Fallback::Vicuna),
            (&["<s>", "</s>"], "stories15M", Fallback::Plain),
        ];
        for (tokens, name, expect) in cases {
            assert_eq!(choose(tokens, name), expect, "{tokens:?} {name}");
        }
    }

    #[test]
    fn every_notice_says_that_the_template_is_missing() {
        for row in &ROWS {
            let notice = row.fallback.notice();
            assert!(notice.contains("no chat template") && notice.ends_with('.'), "{notice}");
        }
    }
}
