//! Random templates render the same before and after the source is prepared.

use minijinja::Value;
use proptest::prelude::*;
use proptest::sample::select;

use crate::environment::{Compiled, environment};

const LEAVES: [&str; 26] = [
    "s",
    "t",
    "e",
    "u",
    "n",
    "list",
    "map",
    "map.k",
    "map['k']",
    "list[0]",
    "map.set[1:]",
    "'x'",
    "\"}}\"",
    "'~'",
    "1",
    "2.5",
    "none",
    "true",
    "map.k[0]",
    "list[-1]",
    "s.upper()",
    "s|length",
    "map.k|upper",
    "list|first",
    "n is odd",
    "e is not none",
];

const FORMS: [&str; 33] = [
    "A ~ B",
    "A~B",
    "A + B",
    "(A)",
    "(A, B)",
    "[A, B]",
    "[A][0]",
    "{'k': A, 'l': B}.k",
    "A if B else C",
    "A == B",
    "A >= B",
    "A and B",
    "A or B",
    "not A",
    "(A)|string",
    "A|default(B)",
    "A * 2",
    "2 * A",
    "A is defined",
    "A is in [B, C]",
    "A in [B]",
    "f(A, k=B)",
    "f(k=A)",
    "-A",
    "(A)[:2]",
    "A - B",
    "A ~ B if C",
    "g(A ~ B, C)",
    "A is string ~ B",
    "dict(a=A, b=B)['a']",
    "(A ~ B)|upper",
    "A % 3",
    "[A]|length ~ B",
];

const STATEMENTS: [&str; 11] = [
    "{{ A }}",
    "{{- A -}} x",
    "{% set x = A %}{{ x }}",
    "{% set x, y = A, B %}{{ x }}{{ y }}",
    "{% with x = A, y = B %}{{ x }}{{ y }}{% endwith %}",
    "{% set z.x = A %}{{ z.x }}",
    "{% for x in [A, B] %}{{ x }}{{ loop.last }}{% endfor %}",
    "{% for x, y in [(A, B)] %}{{ x }}{{ y }}{% endfor %}",
    "{% if A %}y{% elif B %}z{% endif %}",
    "{% filter upper %}{{ A }}{% endfilter %}",
    "{% call(p, q) h(A, B) %}{{ p }}{{ q }}{% endcall %}",
];

const PREFIX: &str = "{% set z = namespace(x=1) %}{% macro f(a=1, k=2) %}{{ a }}{{ k }}{% endmacro %}\
    {% macro g(a, b) %}{{ a }}{% endmacro %}{% macro h(a, b) %}{{ caller(a, b) }}{% endmacro %}";

fn variables() -> Value {
    let list: Value = [1, 2, 3].into_iter().map(Value::from).collect();
    let texts = [("s", "text"), ("t", "}}"), ("e", ""), ("u", "é")];
    let texts = texts.map(|(name, text)| (name, Value::from(text)));
    let map = Value::from_pairs([("k", Value::from("v")), ("set", list.clone())]);
    Value::from_pairs(texts.into_iter().chain([("list", list), ("map", map), ("n", 7.into())]))
}

/// The template as it is.
fn render_raw(source: &str) -> Option<String> {
    let mut environment = environment().unwrap();
    environment.set_fuel(Some(1_000_000));
    environment.render_str(source, variables()).ok()
}

/// The form with its letters replaced.
fn filled(form: &str, parts: [&str; 3]) -> String {
    let fill = |it: char| match it {
        'A' => parts[0].to_owned(),
        'B' => parts[1].to_owned(),
        'C' => parts[2].to_owned(),
        it => it.to_string(),
    };
    form.chars().map(fill).collect()
}

fn expression() -> impl Strategy<Value = String> {
    let leaf = select(&LEAVES[..]).prop_map(str::to_owned);
    leaf.prop_recursive(4, 24, 3, |inner| {
        (select(&FORMS[..]), inner.clone(), inner.clone(), inner)
            .prop_map(|(form, a, b, c)| filled(form, [&a, &b, &c]))
    })
}

fn template() -> impl Strategy<Value = String> {
    (select(&STATEMENTS[..]), expression(), expression())
        .prop_map(|(form, a, b)| format!("{PREFIX}{}", filled(form, [&a, &b, ""])))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn preparing_a_source_changes_nothing_that_it_renders(source in template()) {
        if let Some(raw) = render_raw(&source) {
            let prepared = Compiled::new("test", &source).and_then(|it| it.render(variables));
            prop_assert_eq!(prepared.as_ref().ok(), Some(&raw), "{:?}", prepared);
        }
    }
}
