//! The conversations of the goldens.

use serde_json::Value;
use sha2::{Digest, Sha256};
use tenfold_core::{Message, Role, ToolCall};
use tenfold_template::{LocalTime, RenderOptions, TemplateTokens};

/// Something to render.
pub(crate) struct Conversation {
    pub(crate) id: String,
    pub(crate) messages: Vec<Message>,
    pub(crate) options: RenderOptions,
}

/// All conversations, in the order of the goldens.
pub(crate) fn conversations() -> Vec<Conversation> {
    let json = include_str!("../goldens/conversations.json");
    let entries: Vec<Value> = serde_json::from_str(json).unwrap();
    entries.iter().map(conversation).collect()
}

fn conversation(entry: &Value) -> Conversation {
    Conversation {
        id: entry["id"].as_str().unwrap().to_owned(),
        messages: entry["messages"].as_array().unwrap().iter().map(message).collect(),
        options: RenderOptions {
            add_generation_prompt: entry["start"].as_bool().unwrap(),
            tools: entry["tools"].as_array().unwrap().clone(),
            extra: entry["extra"].as_object().unwrap().clone(),
            now: LocalTime::new(2024, 7, 6, 9, 5, 3),
        },
    }
}

fn message(entry: &Value) -> Message {
    let role = match entry["role"].as_str().unwrap() {
        "system" => Role::System,
        "user" => Role::User,
        "assistant" => Role::Assistant,
        _ => Role::Tool,
    };
    Message {
        role,
        content: entry["content"].as_str().unwrap().to_owned(),
        reasoning: entry["reasoning_content"].as_str().map(str::to_owned),
        tool_calls: entry["tool_calls"].as_array().into_iter().flatten().map(tool_call).collect(),
        tool_call_id: entry["tool_call_id"].as_str().map(str::to_owned),
    }
}

fn tool_call(entry: &Value) -> ToolCall {
    ToolCall {
        id: entry["id"].as_str().unwrap().to_owned(),
        name: entry["function"]["name"].as_str().unwrap().to_owned(),
        arguments: entry["function"]["arguments"].clone(),
    }
}

/// Tokens as `tokenizer_config.json` names them.
pub(crate) fn tokens(entry: &Value) -> TemplateTokens {
    let text = |name: &str| entry[name].as_str().map(str::to_owned);
    TemplateTokens {
        bos: text("bos_token"),
        eos: text("eos_token"),
        unk: text("unk_token"),
        pad: text("pad_token"),
    }
}

/// The hash of a prompt, in hexadecimal digits.
pub(crate) fn sha256(text: &str) -> String {
    Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}
