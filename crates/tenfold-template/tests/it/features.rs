//! Constructs of the template language, compared with jinja2 as `transformers` sets it up.

use serde_json::Value;
use tenfold_template::{ChatTemplate, LocalTime, RenderOptions, TemplateTokens};

#[test]
fn constructs_render_as_jinja2_renders_them() {
    let goldens: Value = serde_json::from_str(include_str!("../goldens/features.json")).unwrap();
    let options = RenderOptions {
        extra: goldens["context"].as_object().unwrap().clone(),
        now: LocalTime::new(2024, 7, 6, 9, 5, 3),
        ..RenderOptions::default()
    };
    let mut failures = Vec::new();
    for feature in goldens["features"].as_array().unwrap() {
        let (template, expect) = (feature[0].as_str().unwrap(), feature[1].as_str());
        let rendered = ChatTemplate::new("test", template, &TemplateTokens::default())
            .and_then(|template| template.render_unchanged(&[], &options));
        if rendered.as_ref().ok().map(String::as_str) != expect {
            failures.push(format!("{template:?}\n  expect {expect:?}\n  found  {rendered:?}"));
        }
    }
    assert!(failures.is_empty(), "{}\n{} failures", failures.join("\n"), failures.len());
}
