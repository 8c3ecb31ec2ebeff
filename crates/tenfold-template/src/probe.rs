//! What a template can do, found out by trying it once.

use serde_json::{Value, json};
use tenfold_core::Message;

use crate::messages::ContentForm;
use crate::{RenderOptions, TemplateError, TemplateErrorKind};

/// Words that no template writes by itself.
const SYSTEM: &str = "tenfoldsystemprobe";
const USER: &str = "tenfolduserprobe";
const LATER: &str = "tenfoldlaterprobe";
const TOOL: &str = "tenfoldtoolprobe";

/// What a template can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Abilities {
    /// How it wants the content of messages.
    pub(crate) content: ContentForm,
    /// It writes a system message that comes first.
    pub(crate) system: bool,
    /// It writes a system message that comes later.
    pub(crate) late_system: bool,
    /// It takes two messages of the user in a row.
    pub(crate) same_role_twice: bool,
    /// It writes the tools that it is told.
    pub(crate) tools: bool,
}

/// Renders messages unchanged, in a form of content.
pub(crate) type Render<'r> =
    &'r dyn Fn(&[Message], &RenderOptions, ContentForm) -> Result<String, TemplateError>;

/// Tries a template.
///
/// # Errors
/// When it takes too much work even for one short message.
pub(crate) fn probe(render: Render<'_>) -> Result<Abilities, TemplateError> {
    let Some(content) = content_form(render)? else {
        // It fails on the simplest conversation, so trying says nothing; it will say itself what it
        // needs.
        return Ok(Abilities {
            content: ContentForm::Text,
            system: true,
            late_system: true,
            same_role_twice: true,
            tools: true,
        });
    };
    let writes = |messages: &[Message], tools: &[Value], words: &[&str]| {
        let prompt = render(messages, &options(tools), content);
        prompt.is_ok_and(|prompt| words.iter().all(|word| prompt.contains(word)))
    };
    let (system, user, later) =
        (Message::system(SYSTEM), Message::user(USER), Message::user(LATER));
    let answer = Message::assistant("answer");
    Ok(Abilities {
        content,
        system: writes(&[system.clone(), user.clone()], &[], &[SYSTEM, USER]),
        late_system: writes(&[user.clone(), answer, system, later.clone()], &[], &[SYSTEM, LATER]),
        same_role_twice: writes(&[user.clone(), later], &[], &[USER, LATER]),
        tools: writes(&[user], &[tool()], &[TOOL]),
    })
}

/// The form of content with which a message arrives in the prompt, if one does.
fn content_form(render: Render<'_>) -> Result<Option<ContentForm>, TemplateError> {
    for form in [ContentForm::Text, ContentForm::Parts] {
        match render(&[Message::user(USER)], &options(&[]), form) {
            Ok(prompt) if prompt.contains(USER) => return Ok(Some(form)),
            Err(error) if error.kind() == TemplateErrorKind::Limit => return Err(error),
            _ => {}
        }
    }
    Ok(None)
}

fn options(tools: &[Value]) -> RenderOptions {
    RenderOptions { add_generation_prompt: true, tools: tools.to_vec(), ..RenderOptions::default() }
}

fn tool() -> Value {
    json!({
        "type": "function",
        "function": {
            "name": TOOL,
            "description": "Does something.",
            "parameters": {
                "type": "object",
                "properties": { "text": { "type": "string", "description": "A text." } },
                "required": ["text"],
            },
        },
    })
}
