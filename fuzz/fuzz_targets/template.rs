//! A chat template by a stranger, and a conversation: a prompt or an error, within limits.
#![no_main]

use std::time::{Duration, Instant};

use libfuzzer_sys::fuzz_target;
use serde_json::json;
use tenfold_core::Message;
use tenfold_template::{ChatTemplate, RenderOptions, TemplateTokens};

/// Longest prompt that the limits allow for a short conversation.
const LONGEST_PROMPT: usize = 17 << 20;

fuzz_target!(|input: (&str, &str)| {
    let (source, content) = input;
    let started = Instant::now();
    let Ok(template) = ChatTemplate::new("fuzz", source, &TemplateTokens::default()) else {
        return;
    };
    let messages =
        [Message::system(content), Message::user(content), Message::assistant("<think>x</think>y")];
    let mut options = RenderOptions { add_generation_prompt: true, ..RenderOptions::default() };
    for _ in 0..2 {
        for rendered in
            [template.render(&messages, &options), template.render_unchanged(&messages, &options)]
        {
            if let Ok(prompt) = rendered {
                assert!(prompt.len() <= LONGEST_PROMPT + 64 * content.len());
            }
        }
        options.tools = vec![json!({"type": "function", "function": {"name": content}})];
    }
    assert!(started.elapsed() < Duration::from_secs(60));
});
