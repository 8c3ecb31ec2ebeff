//! The chat templates of real models, compared with `transformers`.
//!
//! The templates are not part of this project: `goldens/make_models.py` fetches them into a folder,
//! and `TENFOLD_TEMPLATES_DIR` names it.

use std::path::{Path, PathBuf};

use crate::common::{Conversation, conversations, sha256, tokens};
use serde_json::Value;
use tenfold_core::Role;
use tenfold_template::{ChatTemplate, TemplateErrorKind};

/// A template whose prompts differ, and why.
///
/// It marks texts as safe HTML and adds others to them, which jinja2 escapes: quotes in the tools
/// become `&#34;`. Nobody wants that, so it is not copied.
const DIFFERS: (&str, usize) = ("meetkai-functionary-medium-v3.1", 6);

#[derive(Debug, Default, PartialEq, Eq)]
struct Counts {
    /// The prompt is the same.
    equal: usize,
    /// Both refuse the conversation.
    refused: usize,
    /// jinja2 fails, for example because `none` cannot be iterated over: nothing to compare.
    failed: usize,
    differs: usize,
}

#[test]
#[ignore = "needs the templates of real models; see goldens/make_models.py"]
fn templates_of_real_models_render_as_transformers_renders_them() {
    let folder = std::env::var_os("TENFOLD_TEMPLATES_DIR").expect("TENFOLD_TEMPLATES_DIR is set");
    let folder = PathBuf::from(folder);
    let conversations = conversations();
    let goldens: Vec<Value> = serde_json::from_str(include_str!("../goldens/models.json")).unwrap();
    let mut counts = Counts::default();
    for golden in &goldens {
        let template = load(&folder, golden);
        let expectations = golden["prompts"].as_array().unwrap();
        for (conversation, expect) in conversations.iter().zip(expectations) {
            compare(&template, conversation, expect.as_str(), &mut counts);
        }
    }
    println!("{} templates, {} conversations: {counts:?}", goldens.len(), conversations.len());
    assert_eq!(counts.differs, DIFFERS.1);
    assert!(counts.equal > 2500 && counts.refused > 100, "{counts:?}");
}

#[test]
#[ignore = "needs the templates of real models; see goldens/make_models.py"]
fn no_template_of_a_real_model_loses_instructions() {
    let folder = std::env::var_os("TENFOLD_TEMPLATES_DIR").expect("TENFOLD_TEMPLATES_DIR is set");
    let folder = PathBuf::from(folder);
    let goldens: Vec<Value> = serde_json::from_str(include_str!("../goldens/models.json")).unwrap();
    let conversations = conversations();
    let (mut folds, mut failures) = (0, 0);
    for golden in &goldens {
        let template = load(&folder, golden);
        folds += usize::from(!template.supports_system_role());
        for conversation in &conversations {
            match template.render(&conversation.messages, &conversation.options) {
                Ok(prompt) => assert_instructed(&template, conversation, &prompt),
                Err(error) => {
                    println!("{}: {error}", conversation.id);
                    failures += 1;
                }
            }
        }
    }
    println!("{folds} of {} have no place for a system message", goldens.len());
    println!("{failures} of {} conversations refused", goldens.len() * conversations.len());
}

/// Some write instructions beside the newest message of the user, if that comes last.
fn assert_instructed(template: &ChatTemplate, conversation: &Conversation, prompt: &str) {
    if conversation.messages.last().is_none_or(|last| last.role != Role::User) {
        return;
    }
    for message in &conversation.messages {
        let is_kept = message.role != Role::System || prompt.contains(message.content.trim());
        assert!(is_kept, "{}, {}: {prompt}", template.origin(), conversation.id);
    }
}

fn load(folder: &Path, golden: &Value) -> ChatTemplate {
    let file = folder.join(format!("{}.jinja", golden["sha256"].as_str().unwrap()));
    let source = std::fs::read_to_string(file).unwrap();
    let name = golden["name"].as_str().unwrap();
    ChatTemplate::new(name, source, &tokens(&golden["tokens"])).unwrap()
}

fn compare(
    template: &ChatTemplate,
    conversation: &Conversation,
    expect: Option<&str>,
    counts: &mut Counts,
) {
    let rendered = template.render_unchanged(&conversation.messages, &conversation.options);
    match (expect, &rendered) {
        (None, _) => counts.failed += 1,
        (Some("refused"), Err(error)) if error.kind() == TemplateErrorKind::Refused => {
            counts.refused += 1;
        }
        (Some(hash), Ok(prompt)) if sha256(prompt).starts_with(hash) => counts.equal += 1,
        _ if template.origin() == DIFFERS.0 => counts.differs += 1,
        _ => panic!("{}, {}: {rendered:?}", template.origin(), conversation.id),
    }
}
