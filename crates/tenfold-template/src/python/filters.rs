//! Filters, tests and functions that differ from the engine's.

// The engine hands named arguments over by value.
#![allow(clippy::needless_pass_by_value)]

use minijinja::value::{Kwargs, ObjectRepr, ValueKind};
use minijinja::{Environment, Error, State, Value, filters};

use super::strings::{self, Ends};
use super::{json, methods, repr};
use crate::limits;

/// Widest indentation.
const WIDEST: i64 = 1 << 12;

pub(crate) fn register(environment: &mut Environment<'_>) {
    environment.add_filter("tojson", json::tojson);
    environment.add_filter("string", repr::text);
    environment.add_filter("trim", trim);
    environment.add_filter("default", default);
    environment.add_filter("d", default);
    environment.add_filter("indent", indent);
    environment.add_filter("int", int);
    environment.add_filter("float", float);
    environment.add_filter("escape", escape);
    environment.add_filter("e", escape);
    environment.add_filter("center", center);
    environment.add_filter("batch", batch);
    environment.add_filter("slice", slice);
    environment.add_filter("groupby", groupby);
    // What jinja2 does not have, and what would make large values out of small ones.
    environment.remove_filter("chain");
    environment.remove_filter("zip");
    environment.add_function("dict", dict);
    environment.add_test("iterable", is_iterable);
    environment.add_test("sequence", is_sequence);
    environment.add_test("callable", is_callable);
}

fn trim(state: &State<'_, '_>, value: &Value, characters: Option<&str>) -> Result<String, Error> {
    let text = repr::text(state, value)?;
    Ok(strings::strip(&text, characters, Ends::Both).to_owned())
}

fn default(
    value: Value,
    other: Option<Value>,
    boolean: Option<bool>,
    named: Kwargs,
) -> Result<Value, Error> {
    let other = other.or(named.get("default_value")?).unwrap_or_else(|| "".into());
    let boolean = boolean.or(named.get("boolean")?).unwrap_or(false);
    named.assert_all_used()?;
    let is_missing = value.is_undefined() || (boolean && !value.is_true());
    Ok(if is_missing { other } else { value })
}

/// `indent(width=4, first=false, blank=false)`; the width may be a text to begin lines with.
fn indent(
    state: &State<'_, '_>,
    value: &Value,
    width: Option<Value>,
    first: Option<bool>,
    named: Kwargs,
) -> Result<String, Error> {
    let text = repr::text(state, value)?;
    let width = width.or(named.get("width")?).unwrap_or_else(|| 4.into());
    let prefix = match width.as_str() {
        Some(prefix) => prefix.to_owned(),
        None => " ".repeat(usize::try_from(i64::try_from(width)?.min(WIDEST)).unwrap_or(0)),
    };
    let first = first.or(named.get("first")?).unwrap_or(false);
    let blank = named.get::<Option<bool>>("blank")?.unwrap_or(false);
    named.assert_all_used()?;
    state.consume_fuel((prefix.len() * (1 + text.matches('\n').count()) / 64) as u64)?;
    // With its end, the last line counts even when it is empty.
    let text = format!("{text}\n");
    let begun = |(index, line): (usize, &str)| {
        let goes = if index == 0 { first } else { blank || !line.is_empty() };
        if goes { format!("{prefix}{line}") } else { line.to_owned() }
    };
    let lines = strings::lines(&text, false).into_iter().enumerate();
    Ok(lines.map(begun).collect::<Vec<_>>().join("\n"))
}

/// A number out of whatever there is; the default if there is none in it.
fn int(value: &Value, default: Option<Value>, base: Option<u32>) -> Value {
    let digits = |text: &str, base: u32| {
        let text = text.trim().replace('_', "");
        let prefixes: &[&str] = match base {
            2 => &["0b", "0B"],
            8 => &["0o", "0O"],
            16 => &["0x", "0X"],
            _ => &[],
        };
        let bare = prefixes.iter().find_map(|prefix| text.strip_prefix(prefix)).unwrap_or(&text);
        i64::from_str_radix(bare, base).ok()
    };
    let base = base.filter(|base| (2..=36).contains(base)).unwrap_or(10);
    let number = match value.as_str() {
        Some(text) => digits(text, base).or_else(|| truncated(text.trim().parse().ok()?)),
        None => i64::try_from(value.clone()).ok().or_else(|| truncated(number(value)?)),
    };
    number.map(Value::from).or(default).unwrap_or_else(|| 0.into())
}

fn float(value: &Value, default: Option<Value>) -> Value {
    let number = match value.as_str() {
        Some(text) => text.trim().parse::<f64>().ok(),
        None => number(value),
    };
    number.map(Value::from).or(default).unwrap_or_else(|| 0.0.into())
}

fn number(value: &Value) -> Option<f64> {
    f64::try_from(value.clone()).ok()
}

#[allow(clippy::cast_possible_truncation)]
fn truncated(number: f64) -> Option<i64> {
    (number.abs() < 9e18).then_some(number as i64)
}

fn escape(state: &State<'_, '_>, value: &Value) -> Result<String, Error> {
    let text = repr::text(state, value)?;
    state.consume_fuel(text.len() as u64 / 16)?;
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&#34;"),
            '\'' => escaped.push_str("&#39;"),
            it => escaped.push(it),
        }
    }
    Ok(escaped)
}

fn center(state: &mut State<'_, '_>, value: &Value, width: Option<i64>) -> Result<Value, Error> {
    let text = Value::from(repr::text(state, value)?);
    methods::call(state, &text, "center", &[Value::from(width.unwrap_or(80))])
}

fn batch(
    state: &State<'_, '_>,
    value: Value,
    count: usize,
    fill: Option<Value>,
) -> Result<Value, Error> {
    limits::measured(state, filters::batch(state, value, count, fill)?)
}

fn slice(
    state: &State<'_, '_>,
    value: Value,
    count: usize,
    fill: Option<Value>,
) -> Result<Value, Error> {
    limits::measured(state, filters::slice(state, value, count, fill)?)
}

fn groupby(
    state: &State<'_, '_>,
    value: Value,
    attribute: Option<&str>,
    named: Kwargs,
) -> Result<Value, Error> {
    limits::measured(state, filters::groupby(value, attribute, named)?)
}

/// `dict(map or pairs, key=value, …)`.
fn dict(state: &State<'_, '_>, value: Option<Value>, named: Kwargs) -> Result<Value, Error> {
    let mut pairs = Vec::new();
    if let Some(value) = value {
        let is_map = value.kind() == ValueKind::Map;
        for item in value.try_iter()?.checked() {
            let item = item?;
            pairs.push(match is_map {
                true => (item.clone(), value.get_item(&item)?),
                false => (item.get_item_by_index(0)?, item.get_item_by_index(1)?),
            });
        }
    }
    for name in named.args() {
        pairs.push((name.into(), named.get(name)?));
    }
    limits::measured(state, Value::from_pairs(pairs))
}

/// What `iter()` takes; an undefined value is empty.
fn is_iterable(value: &Value) -> bool {
    !value.is_none() && value.try_iter().is_ok()
}

/// What has a length and takes an index: texts and maps, too.
fn is_sequence(value: &Value) -> bool {
    let is_seq = matches!(value.kind(), ValueKind::Seq | ValueKind::Iterable);
    is_seq || matches!(value.kind(), ValueKind::Map | ValueKind::String | ValueKind::Undefined)
}

/// Functions and macros are the only values without a shape.
fn is_callable(value: &Value) -> bool {
    value.as_object().is_some_and(|object| object.repr() == ObjectRepr::Plain)
}
