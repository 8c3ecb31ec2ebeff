//! Templates that want to hang, to fill the memory or to overflow the stack get an error instead.

use std::time::{Duration, Instant};

use tenfold_core::Message;
use tenfold_template::{
    ChatTemplate, RenderOptions, TemplateError, TemplateErrorKind, TemplateTokens,
};

/// Far more than a refused template takes, even in a debug build on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

fn render(source: &str) -> Result<String, TemplateError> {
    let started = Instant::now();
    let rendered = ChatTemplate::new("test", source, &TemplateTokens::default())
        .and_then(|it| it.render_unchanged(&[Message::user("Hi")], &RenderOptions::default()));
    let took = started.elapsed();
    println!("{took:?} {:?} {:.60}", rendered.as_ref().map(String::len), source);
    assert!(took < PATIENCE, "{took:?} for {source:.60}");
    rendered
}

/// `BODY` repeated 60 times with a namespace `n` that starts with a list of one.
fn grown(body: &str, end: &str) -> String {
    let start = "{% set n = namespace(a=[1], b=[1], s='xy') %}{% for i in range(60) %}";
    format!("{start}{body}{{% endfor %}}{end}")
}

#[test]
fn endless_work_is_refused() {
    let loops = "{% for i in range(99999) %}{% for j in range(99999) %}";
    let ends = "{% endfor %}{% endfor %}";
    let list = "{% set n.a = [n.a, n.a] %}";
    let both = "{% set n.a = [n.a, n.a] %}{% set n.b = [n.b, n.b] %}";
    let cases = [
        format!("{loops}{ends}"),
        format!("{loops}x{ends}"),
        format!("{loops}{{% if i == j %}}{{% endif %}}{ends}"),
        "{% macro m() %}{{ m() }}{{ m() }}{% endmacro %}{{ m() }}".to_owned(),
        "{% macro m(a, b) %}{{ m(b, a) ~ m(a, b) }}{% endmacro %}{{ m(1, 2) }}".to_owned(),
        "{% for i in [[[]]] recursive %}{{ loop([[[]], [[]]]) }}{{ loop([[[]]]) }}{% endfor %}".to_owned(),
        grown("{% set n.s = n.s ~ n.s %}", "{{ n.s }}"),
        grown("{% set n.s = n.s + n.s %}", "{{ n.s }}"),
        grown("{% set n.s = n.s * 99 %}", "{{ n.s }}"),
        grown("{% set n.s = n.s | replace('x', 'xxxxxxxx') %}", ""),
        grown("{% set n.s = n.s.replace('x', 'xxxxxxxx') %}", ""),
        grown("{% set n.s = n.s.join(n.s) %}", ""),
        grown("{% set n.s = n.s | join(n.s) %}", ""),
        grown("{% set n.s = '%s%s' | format(n.s, n.s) %}", ""),
        grown("{% set n.s = '{0}{0}'.format(n.s) %}", ""),
        grown("{% set n.s = n.s | tojson | tojson | tojson %}", ""),
        grown("{% set n.s %}{{ n.s }}{{ n.s }}{% endset %}", ""),
        grown("{% set n.s = n.s ~ '\n' ~ n.s | indent(4000, true) %}", ""),
        grown(list, "{{ n.a }}"),
        grown(list, "{{ n.a ~ '' }}"),
        grown(list, "{{ n.a | string }}"),
        grown(list, "{{ n.a | tojson }}"),
        grown(list, "{{ n.a | upper }}"),
        grown(list, "{{ n.a in [n.a] }}"),
        grown(both, "{{ n.a == n.b }}"),
        grown(both, "{{ n.a < n.b }}"),
        grown("{% set n.a = {'a': n.a, 'b': n.a} %}", "{{ n.a }}"),
        grown("{% set n.a = (n.a, n.a) %}", "{{ n.a }}"),
        grown("{% set n.a = n.a, n.a %}", "{{ n.a }}"),
        grown("{% set n.a = dict(a=n.a, b=n.a) %}", "{{ n.a }}"),
        grown("{% set n.a = dict({'a': n.a}, b=n.a) %}", "{{ n.a }}"),
        grown("{% set n.a = [1] | batch(3, n.a) | list %}", "{{ n.a }}"),
        grown("{% set n.a = [1] | slice(3, n.a) | list %}", "{{ n.a }}"),
        grown("{% set n.a = [{'k': n.a}] | groupby('k') %}", "{{ n.a }}"),
        grown("{% set n.a = n.a + n.a %}", "{{ n.a | length }}"),
        grown("{% set n.a = n.a * 2 %}", "{{ n.a }}"),
        grown("{% set n.a = namespace(a=n.a, b=n.a) %}", "{{ n.a }}"),
        "{% set a = range(1999) | map('string') | list %}{% set b = a | map('batch', 2, a) | list %}\
         {% set c = a | map('batch', 2, a) | list %}{{ b == c }}".to_owned(),
        "{% macro m(x) %}{{ m(x + x) }}{% endmacro %}{{ m([1, 2, 3]) }}".to_owned(),
        "{% macro m(x) %}{{ m([x, x]) }}{% endmacro %}{{ m(1) }}".to_owned(),
        "{% macro m(x) %}{{ m((x, x)) }}{% endmacro %}{{ m(1) }}".to_owned(),
        "{% macro m(x) %}{{ caller(x + x) }}{% endmacro %}{% call(y) m(range(9999) | list) %}\
         {% call(z) m(y) %}{% call(w) m(z) %}{{ w == w + w }}{{ w }}{% endcall %}{% endcall %}{% endcall %}".to_owned(),
        format!(
            "{}{{{{ z == y }}}}",
            "{% set z = namespace(a=z, b=z) %}{% set y = namespace(a=y, b=y) %}".repeat(60)
        ),
        "{{ range(99999) | list | tojson(indent=256) }}".to_owned(),
        "{{ ([1] * 99999999) ~ '' }}".to_owned(),
        "{{ [1] * 99999999 ~ '' }}".to_owned(),
        "{{ [1] * 99999999 }}".to_owned(),
        "{{ [[1] * 99999999] }}".to_owned(),
        "{{ ([1] * 99999999) | upper }}".to_owned(),
        "{{ {([1] * 9999999): 1} }}".to_owned(),
        "{{ 'x' * 99999999 }}".to_owned(),
        "{{ 'x'.ljust(9223372036854775807) * 999999 }}".to_owned(),
        "{{ 2 ** 999999999 }}".to_owned(),
        "{{ '%999999999d' | format(1) }}".to_owned(),
        "{{ '{:999999999}'.format(1) }}".to_owned(),
        "{{ '{:{}}'.format(1, 999999999) }}".to_owned(),
        "{{ ('x' * 9999) * 9999 }}".to_owned(),
        "{{ 'a' ~ ('x' * 99999999) }}".to_owned(),
        "{{ '1' | center(999999999) * 99999 }}".to_owned(),
    ];
    for case in cases {
        let error = render(&case).expect_err(&case);
        assert_ne!(error.kind(), TemplateErrorKind::Syntax, "{case}: {error}");
        assert!(error.what() != "the template engine failed", "{case}: a panic");
    }
}

#[test]
fn deep_nesting_overflows_no_stack() {
    let cases = [
        format!("{{{{ {}1 }}}}", "(".repeat(100_000)),
        format!("{{{{ {}1 }}}}", "[".repeat(100_000)),
        format!("{{{{ {}x }}}}", "not ".repeat(50_000)),
        format!("{{{{ {}x }}}}", "not ".repeat(1_900)),
        format!("{{{{ {}1 }}}}", "-".repeat(8_000)),
        format!("{{{{ 1{} }}}}", "+1".repeat(100_000)),
        format!("{{{{ 1{} }}}}", "+1".repeat(3_900)),
        format!("{{{{ x{} }}}}", ".x".repeat(3_900)),
        format!("{{{{ x{} }}}}", "|d".repeat(3_900)),
        format!("{{{{ x{} }}}}", "()".repeat(3_900)),
        format!("{{{{ x{} }}}}", "[0]".repeat(2_600)),
        format!("{{{{ x{} }}}}", " if x".repeat(1_600)),
        format!("{{{{ {}x }}}}", "x if x else ".repeat(600)),
        format!("{{{{ 1{} }}}}", "~1".repeat(3_900)),
        format!("{{{{ 1{} }}}}", "**1".repeat(2_600)),
        format!("{{% if a %}}{}{{% endif %}}", "{% elif b %}".repeat(20_000)),
        format!("{{% if a %}}{}{{% endif %}}", "{% elif b %}".repeat(1_000)),
        format!("{}{}", "{% if a %}".repeat(9_000), "{% endif %}".repeat(9_000)),
        format!("{}{}", "{% for i in x %}".repeat(9_000), "{% endfor %}".repeat(5_000)),
        "{% set n = namespace(a=[1]) %}{% for i in range(90000) %}{% set n.a = [n.a] %}{% endfor %}".to_owned(),
        "{% set n = namespace(a=1) %}{% for i in range(90000) %}{% set n.a = {'a': n.a} %}{% endfor %}".to_owned(),
        "{% set n = namespace(a=1) %}{% for i in range(90000) %}{% set n.a = namespace(a=n.a) %}{% endfor %}".to_owned(),
        "{% set n = namespace() %}{% set n.n = n %}{{ n }}".to_owned(),
        "{% set n = namespace() %}{% set n.n = [n] %}{{ n }}".to_owned(),
        "{% set n = namespace() %}{% set m = namespace(n=n) %}{% set n.m = m %}{{ n == m }}".to_owned(),
        format!("{}x{}", "{% set a = [a] %}".repeat(10_000), "{{ a }}"),
    ];
    for case in cases {
        let _ = render(&case);
    }
}

#[test]
fn a_source_beyond_reason_is_refused() {
    let error = render(&"x".repeat(300_000)).unwrap_err();
    assert_eq!(error.kind(), TemplateErrorKind::Limit);
    assert_eq!(
        error.to_string(),
        "test, line 1: the template has 300000 bytes; 262144 are allowed"
    );
}
