//! What a template is told besides the messages.

use serde_json::{Map, Value};

use crate::LocalTime;

/// The texts of the special tokens that templates may write.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TemplateTokens {
    /// Beginning of text.
    pub bos: Option<String>,
    /// End of text.
    pub eos: Option<String>,
    /// Unknown.
    pub unk: Option<String>,
    /// Padding.
    pub pad: Option<String>,
}

/// What a template is told besides the messages.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RenderOptions {
    /// End with the beginning of the model's answer.
    pub add_generation_prompt: bool,
    /// Tools that the model may call, as OpenAI describes them: `type` and `function`.
    pub tools: Vec<Value>,
    /// Further variables of the template, such as `enable_thinking`.
    pub extra: Map<String, Value>,
    /// The time that the template is told; the clock of this machine if `None`.
    pub now: Option<LocalTime>,
}
