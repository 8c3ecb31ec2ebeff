//! Which chat template a model gets.

use tenfold_core::{LoadErrorKind, Message};
use tenfold_files::OpenTemplate;
use tenfold_template::RenderOptions;

use crate::folder::Folder;

const KEY: &str = "tokenizer.chat_template";
const CONFIG: &str = "tokenizer_config.json";
const FILE: &str = "chat_template.jinja";

fn open(folder: &Folder) -> OpenTemplate {
    let model = folder.open();
    let opened = model.template(&model.tokenizer().unwrap()).unwrap();
    assert_eq!(model.info().has_chat_template, opened.notices.is_empty());
    opened
}

#[test]
fn a_template_beside_the_weights_comes_first_then_the_header_then_the_configuration() {
    let config = r#"{"chat_template": "config"}"#;
    let named = r#"{"chat_template": [{"name": "tool_use", "template": "tools"},
                                      {"name": "default", "template": "named"}]}"#;
    let new = || Folder::new(&[]);
    let cases = [
        (new().set(KEY, "header").beside(CONFIG, config).beside(FILE, "file"), FILE, "file"),
        (new().set(KEY, "header").beside(CONFIG, config), KEY, "header"),
        (new().set(&format!("{KEY}.x"), "x").set(&format!("{KEY}.default"), "d"), KEY, "d"),
        (new().set(&format!("{KEY}.x"), "x"), KEY, "x"),
        (new().beside(CONFIG, config), CONFIG, "config"),
        (new().beside(CONFIG, named), CONFIG, "named"),
    ];
    for (folder, origin, source) in cases {
        let opened = open(&folder);
        assert_eq!((opened.template.origin(), opened.template.source()), (origin, source));
        assert!(opened.notices.is_empty());
    }
}

#[test]
fn the_template_for_tools_is_used_with_tools() {
    let tools = "{{ tools[0].function.name }}{{ messages[0].content }}";
    let folders = [
        Folder::new(&[]).set(KEY, "plain").set(&format!("{KEY}.tool_use"), tools),
        Folder::new(&[]).beside(
            CONFIG,
            &serde_json::json!({"chat_template": [{"name": "default", "template": "plain"},
                                                  {"name": "tool_use", "template": tools}]})
            .to_string(),
        ),
    ];
    for folder in folders {
        let template = open(&folder).template;
        assert!(template.supports_tools());
        let mut options = RenderOptions::default();
        assert_eq!(template.render(&[Message::user("hi")], &options).unwrap(), "plain");
        options.tools = vec![serde_json::json!({"type": "function", "function": {"name": "f"}})];
        assert_eq!(template.render(&[Message::user("hi")], &options).unwrap(), "fhi");
    }
}

#[test]
fn a_model_without_a_template_gets_one_and_the_user_hears_it() {
    let cases: [(Folder, &str, &str); 3] = [
        (Folder::new(&["<|im_start|>", "<|im_end|>"]), "ChatML", "<|im_start|>user\na<|im_end|>\n"),
        (Folder::new(&[]).set("general.name", "Llama-2-7b-chat"), "Llama 2", "[INST] a [/INST]"),
        (Folder::new(&[]), "plain text", "a"),
    ];
    for (folder, word, expect) in cases {
        let opened = open(&folder);
        let prompt = opened.template.render(&[Message::user("a")], &RenderOptions::default());
        assert_eq!(prompt.unwrap(), expect);
        assert!(opened.notices[0].contains(word), "{:?}", opened.notices);
        assert!(opened.notices[0].contains("no chat template"), "{:?}", opened.notices);
    }
}

#[test]
fn special_tokens_come_from_the_configuration_and_else_from_the_vocabulary() {
    let source =
        "{{ bos_token }}{{ eos_token }}{{ unk_token is defined }}{{ pad_token is defined }}";
    let folder = Folder::new(&[]).set(KEY, source).beside(CONFIG, r#"{"eos_token": "<end>"}"#);
    let prompt = open(&folder).template.render(&[Message::user("a")], &RenderOptions::default());
    assert_eq!(prompt.unwrap(), "<s><end>TrueFalse");
}

#[test]
fn a_broken_template_is_an_error_with_file_line_and_remedy() {
    let folder = Folder::new(&[]).beside(FILE, "fine\n{% if %}");
    let model = folder.open();
    let error = model.template(&model.tokenizer().unwrap()).unwrap_err();
    assert_eq!(error.kind(), LoadErrorKind::InvalidFile);
    assert!(error.location().unwrap().ends_with(FILE), "{error}");
    assert!(error.to_string().contains("line 2: syntax error"), "{error}");
    assert!(error.remedy().unwrap().contains(FILE));
}
