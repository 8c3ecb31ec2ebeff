//! What messages look like to a template.

use minijinja::Value;
use serde_json::Value as Json;
use tenfold_core::{Message, ToolCall};

/// How a template wants the content of messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum ContentForm {
    /// A string.
    #[default]
    Text,
    /// A list of parts, each with a type.
    Parts,
}

/// The messages as a list of maps. What is not set is not there.
pub(crate) fn messages(messages: &[Message], form: ContentForm) -> Value {
    messages.iter().map(|message| self::message(message, form)).collect()
}

fn message(message: &Message, form: ContentForm) -> Value {
    let mut fields = Vec::with_capacity(6);
    if let Some(reasoning) = &message.reasoning {
        // Some templates know it by the name that one vendor gave it first.
        fields.push(("thinking", Value::from(reasoning.as_str())));
    }
    fields.push(("role", Value::from(message.role.name())));
    fields.push(("content", content(&message.content, form)));
    if let Some(reasoning) = &message.reasoning {
        fields.push(("reasoning_content", Value::from(reasoning.as_str())));
    }
    if !message.tool_calls.is_empty() {
        fields.push(("tool_calls", message.tool_calls.iter().map(tool_call).collect()));
    }
    if let Some(id) = &message.tool_call_id {
        fields.push(("tool_call_id", Value::from(id.as_str())));
    }
    Value::from_pairs(fields)
}

fn content(text: &str, form: ContentForm) -> Value {
    match form {
        ContentForm::Text => Value::from(text),
        ContentForm::Parts => {
            let part = [("type", Value::from("text")), ("text", Value::from(text))];
            [Value::from_pairs(part)].into_iter().collect()
        }
    }
}

fn tool_call(call: &ToolCall) -> Value {
    let function = [("name", call.name.as_str().into()), ("arguments", json(&call.arguments))];
    Value::from_pairs([
        ("id", Value::from(call.id.as_str())),
        ("type", Value::from("function")),
        ("function", Value::from_pairs(function)),
    ])
}

/// A JSON value, in the order of its keys.
pub(crate) fn json(value: &Json) -> Value {
    match value {
        Json::Null => Value::from(()),
        Json::Bool(truth) => Value::from(*truth),
        Json::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(number), _) => Value::from(number),
            (None, Some(number)) => Value::from(number),
            (None, None) => Value::from(number.as_f64().unwrap_or(f64::NAN)),
        },
        Json::String(text) => Value::from(text.as_str()),
        Json::Array(items) => items.iter().map(json).collect(),
        Json::Object(map) => {
            Value::from_pairs(map.iter().map(|(key, value)| (key.as_str(), json(value))))
        }
    }
}
