//! Errors say what happened, in which line, and what to do.

use tenfold_core::Message;
use tenfold_template::{
    ChatTemplate, RenderOptions, TemplateError, TemplateErrorKind, TemplateTokens,
};

fn error(source: &str) -> TemplateError {
    ChatTemplate::new("chat_template.jinja", source, &TemplateTokens::default())
        .and_then(|it| it.render(&[Message::user("Hi")], &RenderOptions::default()))
        .expect_err(source)
}

#[test]
fn errors_name_kind_and_line() {
    use TemplateErrorKind::{Failed, Limit, Refused, Syntax};
    let cases = [
        ("a\n{{ x", Syntax, "line 2: syntax error: unexpected end of input"),
        ("{% if x %}\n\n{% endfor %}", Syntax, "line 3: syntax error: unknown statement endfor"),
        ("{% include 'x' %}", Syntax, "line 1: syntax error: unknown statement include"),
        ("a\nb\n{{ x.y.z }}", Failed, "line 3: `x` is undefined"),
        ("{{ messages[0].names.first }}", Failed, "line 1: `messages[0].names` is undefined"),
        ("\n{{ messages | nope }}", Failed, "line 2: unknown filter: filter nope is unknown"),
        ("{{ 'a' + 1 }}", Failed, "line 1: invalid operation: tried to use + operator"),
        (
            "{{ messages.nope() }}",
            Failed,
            "line 1: unknown method: sequence has no method named nope",
        ),
        ("\n\n{{ raise_exception('Only ' ~ 1) }}", Refused, "line 3: Only 1"),
        (
            "{% macro m() %}{{ raise_exception('No') }}{% endmacro %}\n{{ m() }}",
            Refused,
            "line 1: No",
        ),
        (
            "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}",
            Limit,
            "line 1: the template takes too much work",
        ),
        ("{{ 'x' * 99999 * 99999 }}", Limit, "line 1: the template takes too much work"),
    ];
    for (source, kind, expect) in cases {
        let error = error(source);
        assert_eq!(error.kind(), kind, "{source}: {error}");
        let expect = format!("chat_template.jinja, {expect}");
        assert!(error.to_string().starts_with(&expect), "{source}: {error}");
        assert_eq!(error.origin(), "chat_template.jinja");
        assert!(!error.remedy().is_empty());
    }
}

#[test]
fn a_prompt_beyond_reason_is_refused() {
    let source = "{% set x = 'x' * 1000000 %}{% for i in range(30) %}{{ x }}{% endfor %}";
    let error = error(source);
    assert_eq!((error.kind(), error.line()), (TemplateErrorKind::Limit, None));
    assert!(error.what().starts_with("the prompt is longer than"), "{error}");
}
