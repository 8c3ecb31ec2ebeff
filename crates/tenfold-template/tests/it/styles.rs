//! The templates of this project, compared with `transformers`, and what they are found to be able to.

use std::path::Path;

use crate::common::{Conversation, conversations, sha256};
use serde_json::Value;
use tenfold_core::{Message, ToolCall};
use tenfold_template::{ChatTemplate, RenderOptions, TemplateErrorKind, TemplateTokens};

fn load(path: &str) -> ChatTemplate {
    let source = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap();
    let tokens = TemplateTokens {
        bos: Some("<s>".to_owned()),
        eos: Some("</s>".to_owned()),
        ..TemplateTokens::default()
    };
    ChatTemplate::new(path, source, &tokens).unwrap()
}

fn style(name: &str) -> ChatTemplate {
    load(&format!("tests/templates/{name}.jinja"))
}

#[test]
fn every_conversation_renders_as_transformers_renders_it() {
    let conversations = conversations();
    let goldens: Vec<Value> = serde_json::from_str(include_str!("../goldens/styles.json")).unwrap();
    for golden in &goldens {
        let template = load(golden["template"].as_str().unwrap());
        let prompts = golden["prompts"].as_array().unwrap();
        assert_eq!(prompts.len(), conversations.len());
        for (conversation, expect) in conversations.iter().zip(prompts) {
            compare(&template, conversation, expect.as_str().unwrap());
        }
    }
}

fn compare(template: &ChatTemplate, conversation: &Conversation, expect: &str) {
    let rendered = template.render_unchanged(&conversation.messages, &conversation.options);
    let found = match &rendered {
        Ok(prompt) => sha256(prompt)[..16].to_owned(),
        Err(error) if error.kind() == TemplateErrorKind::Refused => "refused".to_owned(),
        Err(error) => error.to_string(),
    };
    assert_eq!(found, expect, "{}, {}: {rendered:?}", template.origin(), conversation.id);
}

#[test]
fn the_examples_read_as_the_formats_are_known() {
    let conversations = conversations();
    let goldens: Vec<Value> = serde_json::from_str(include_str!("../goldens/styles.json")).unwrap();
    for golden in &goldens {
        let template = load(golden["template"].as_str().unwrap());
        let example = ["system and turns", "turns"].iter().find_map(|id| {
            let found = conversations.iter().find(|conversation| conversation.id == *id)?;
            template.render_unchanged(&found.messages, &found.options).ok()
        });
        assert_eq!(example.as_deref(), golden["example"].as_str(), "{}", template.origin());
    }
}

#[test]
fn what_a_template_can_do_is_found_out() {
    let cases = [
        ("deepseek_r1", true, false),
        ("gemma2", false, false),
        ("gemma3", true, false),
        ("llama2", true, false),
        ("llama3_tools", true, true),
        ("marked", true, false),
        ("mistral_tools", true, true),
        ("phi3", true, false),
        ("qwen2", true, true),
        ("qwen3", true, false),
        ("smollm2", true, false),
        ("typescript", true, false),
        ("zephyr", true, false),
    ];
    for (name, system, tools) in cases {
        let template = style(name);
        assert_eq!(template.supports_system_role(), system, "{name}");
        assert_eq!(template.supports_tools(), tools, "{name}");
    }
}

fn ask(template: &ChatTemplate, messages: &[Message]) -> String {
    let options = RenderOptions { add_generation_prompt: true, ..RenderOptions::default() };
    template.render(messages, &options).unwrap()
}

#[test]
fn instructions_are_never_lost() {
    let messages = [
        Message::system("Be brief."),
        Message::user("Hi"),
        Message::assistant("Hello"),
        Message::system("Rhyme."),
        Message::user("Bye"),
        Message::user("Really"),
    ];
    let gemma = "<s><start_of_turn>user\nBe brief.\n\nHi<end_of_turn>\n<start_of_turn>model\nHello\
                 <end_of_turn>\n<start_of_turn>user\nRhyme.\n\nBye\n\nReally<end_of_turn>\n\
                 <start_of_turn>model\n";
    assert_eq!(ask(&style("gemma2"), &messages), gemma);
    assert_eq!(ask(&style("gemma3"), &messages), gemma);
    let llama = "<s>[INST] <<SYS>>\nBe brief.\n<</SYS>>\n\nHi [/INST] Hello </s><s>[INST] Rhyme.\n\n\
                 Bye\n\nReally [/INST]";
    assert_eq!(ask(&style("llama2"), &messages), llama);
    let chatml = "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n\
                  <|im_start|>assistant\nHello<|im_end|>\n<|im_start|>system\nRhyme.<|im_end|>\n\
                  <|im_start|>user\nBye<|im_end|>\n<|im_start|>user\nReally<|im_end|>\n\
                  <|im_start|>assistant\n";
    assert_eq!(ask(&style("smollm2"), &messages), chatml);
}

#[test]
fn tools_that_a_template_does_not_know_are_an_error() {
    let conversation = conversations().into_iter().find(|it| it.id == "tools").unwrap();
    let error = style("phi3").render(&conversation.messages, &conversation.options).unwrap_err();
    assert_eq!(error.kind(), TemplateErrorKind::Unsupported);
    assert!(error.to_string().contains("knows no tools"), "{error}");
    let both = style("phi3").with_tool_use(style("qwen2"));
    assert!(both.supports_tools());
    let with_tools = both.render(&conversation.messages, &conversation.options).unwrap();
    assert!(with_tools.contains("# Tools"), "{with_tools}");
    let without = both.render(&conversation.messages, &RenderOptions::default()).unwrap();
    assert!(without.starts_with("<|user|>"), "{without}");
}

#[test]
fn content_in_parts_is_given_to_templates_that_want_it() {
    let source = "{% for message in messages %}{{ message.role }}:{% for part in message.content %}\
                  {% if part.type == 'text' %}{{ part.text }}{% endif %}{% endfor %};{% endfor %}";
    let template = ChatTemplate::new("parts", source, &TemplateTokens::default()).unwrap();
    assert!(template.supports_system_role());
    let messages = [Message::system("s"), Message::user("u")];
    assert_eq!(ask(&template, &messages), "system:s;user:u;");
}

#[test]
fn messages_show_only_what_is_set() {
    let source = "{{ messages | tojson }}";
    let template = ChatTemplate::new("all", source, &TemplateTokens::default()).unwrap();
    let call = ToolCall {
        id: "1".to_owned(),
        name: "f".to_owned(),
        arguments: serde_json::json!({"z": 1, "a": [null]}),
    };
    let messages = [
        Message::user("u"),
        Message { tool_calls: vec![call], reasoning: Some("r".into()), ..Message::assistant("") },
        Message { tool_call_id: Some("1".into()), ..Message::new(tenfold_core::Role::Tool, "t") },
    ];
    assert_eq!(
        ask(&template, &messages),
        "[{\"role\": \"user\", \"content\": \"u\"}, \
         {\"thinking\": \"r\", \"role\": \"assistant\", \"content\": \"\", \"reasoning_content\": \"r\", \
         \"tool_calls\": [{\"id\": \"1\", \"type\": \"function\", \"function\": {\"name\": \"f\", \
         \"arguments\": {\"z\": 1, \"a\": [null]}}}]}, \
         {\"role\": \"tool\", \"content\": \"t\", \"tool_call_id\": \"1\"}]"
    );
}
