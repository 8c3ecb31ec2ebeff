//! Constructs of the template language, compared with jinja2 as `transformers` sets it up.

use proptest::prelude::*;
use serde_json::{Map, Value, json};
use tenfold_template::{ChatTemplate, LocalTime, RenderOptions, TemplateTokens};

fn goldens() -> Value {
    serde_json::from_str(include_str!("../goldens/features.json")).unwrap()
}

/// Renders a template that needs no messages.
fn render(template: &str, options: &RenderOptions) -> Option<String> {
    let template = ChatTemplate::new("test", template, &TemplateTokens::default()).ok()?;
    template.render_unchanged(&[], options).ok()
}

#[test]
fn constructs_render_as_jinja2_renders_them() {
    let goldens = goldens();
    let options = RenderOptions {
        extra: goldens["context"].as_object().unwrap().clone(),
        now: LocalTime::new(2024, 7, 6, 9, 5, 3),
        ..RenderOptions::default()
    };
    for feature in goldens["features"].as_array().unwrap() {
        let (template, expect) = (feature[0].as_str().unwrap(), feature[1].as_str());
        assert_eq!(render(template, &options).as_deref(), expect, "{template}");
    }
}

#[test]
fn times_are_formatted_as_python_formats_them() {
    let times = &goldens()["times"];
    let template = format!("{{{{ strftime_now({}) }}}}", times["format"]);
    for row in times["times"].as_array().unwrap() {
        let part = |index: usize| i8::try_from(row[0][index].as_i64().unwrap()).unwrap();
        let year = i16::try_from(row[0][0].as_i64().unwrap()).unwrap();
        let now = LocalTime::new(year, part(1), part(2), part(3), part(4), part(5));
        let options = RenderOptions { now, ..RenderOptions::default() };
        assert_eq!(render(&template, &options).as_deref(), row[1].as_str(), "{row}");
    }
}

#[test]
fn the_clock_of_the_machine_is_used_where_no_time_is_given() {
    let year = render("{{ strftime_now('%Y') }}", &RenderOptions::default()).unwrap();
    assert!(year.parse::<u16>().unwrap() >= 2024, "{year}");
    assert_eq!(LocalTime::new(2023, 2, 29, 0, 0, 0), None);
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        // Eighths, which the parser of the comparison reads without rounding.
        any::<i32>().prop_map(|it| json!(f64::from(it) / 8.0)),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::vec((any::<String>(), inner), 0..4)
                .prop_map(|entries| Value::Object(entries.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

proptest! {
    #[test]
    fn json_comes_back_from_every_style_of_tojson(value in any_json()) {
        let extra = [("value".to_owned(), value.clone())].into_iter().collect();
        let options = RenderOptions { extra, ..RenderOptions::default() };
        for arguments in ["", "indent=3", "ensure_ascii=true", "separators=(',', ':')", "sort_keys=true"] {
            let json = render(&format!("{{{{ value | tojson({arguments}) }}}}"), &options).unwrap();
            prop_assert_eq!(&serde_json::from_str::<Value>(&json).unwrap(), &value, "{}", json);
            prop_assert!(arguments != "ensure_ascii=true" || json.is_ascii(), "{}", json);
        }
    }

    #[test]
    fn no_source_makes_the_engine_panic(source in "(\\{\\{|\\}\\}|\\{%-?|-?%\\}|[-+~*|=.,:()\\[\\] ]|for|in|set|if|endif|endfor|messages|'a'|1|\\PC){0,40}") {
        if let Err(error) = ChatTemplate::new("test", source, &TemplateTokens::default()) {
            prop_assert_ne!(error.what(), "the template engine failed");
        }
    }
}
