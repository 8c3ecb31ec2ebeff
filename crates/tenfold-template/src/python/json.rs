//! `json.dumps`, which `tojson` is in `transformers`.

use minijinja::value::{DynObject, Kwargs, ObjectRepr, ValueKind};
use minijinja::{Error, ErrorKind, State, Value};

use super::repr;
use crate::limits::Budget;

/// Nesting beyond this is refused.
const DEEPEST: usize = 256;

/// The filter `tojson(ensure_ascii=false, indent=none, separators=none, sort_keys=false)`.
#[allow(clippy::needless_pass_by_value)]
pub(crate) fn tojson(
    state: &State<'_, '_>,
    value: &Value,
    ensure_ascii: Option<Value>,
    indent: Option<Value>,
    named: Kwargs,
) -> Result<String, Error> {
    let flag =
        |name| Ok::<_, Error>(named.get::<Option<Value>>(name)?.is_some_and(|it| it.is_true()));
    let ensure_ascii = flag("ensure_ascii")? || ensure_ascii.is_some_and(|it| it.is_true());
    let indent = indent.or(named.get("indent")?).filter(|it| !it.is_none());
    let separators = named.get::<Option<Value>>("separators")?.filter(|it| !it.is_none());
    let (item, key) = match &separators {
        Some(pair) => (part(pair, 0)?, part(pair, 1)?),
        None => (if indent.is_some() { "," } else { ", " }.to_owned(), ": ".to_owned()),
    };
    let style = Style {
        ensure_ascii,
        sort_keys: flag("sort_keys")?,
        indent: indent.as_ref().map(indentation).transpose()?,
        item,
        key,
    };
    named.assert_all_used()?;
    let mut writer = Writer { text: String::new(), style, budget: Budget::of(state) };
    writer.write(value, 0)?;
    writer.budget.pay(state)?;
    Ok(writer.text)
}

struct Style {
    ensure_ascii: bool,
    sort_keys: bool,
    /// What one level is indented by; `None` for everything on one line.
    indent: Option<String>,
    /// Between items.
    item: String,
    /// Between key and value.
    key: String,
}

fn part(separators: &Value, index: usize) -> Result<String, Error> {
    let part = separators.get_item_by_index(index)?;
    let wrong = || Error::new(ErrorKind::InvalidOperation, "separators must be two strings");
    part.as_str().map(str::to_owned).ok_or_else(wrong)
}

/// Spaces, as many as the number says, or the text itself.
fn indentation(indent: &Value) -> Result<String, Error> {
    const MOST: i64 = 256;
    match (indent.as_str(), i64::try_from(indent.clone())) {
        (Some(text), _) => Ok(text.to_owned()),
        (None, Ok(width)) => Ok(" ".repeat(usize::try_from(width.min(MOST)).unwrap_or(0))),
        _ => Err(Error::new(ErrorKind::InvalidOperation, "indent must be a number or a string")),
    }
}

struct Writer {
    text: String,
    style: Style,
    budget: Budget,
}

impl Writer {
    fn write(&mut self, value: &Value, depth: usize) -> Result<(), Error> {
        if depth > DEEPEST {
            return Err(unserializable("a value nested too deep"));
        }
        let before = self.text.len();
        match value.kind() {
            ValueKind::None => self.text.push_str("null"),
            ValueKind::Bool => self.text.push_str(if value.is_true() { "true" } else { "false" }),
            ValueKind::Number => self.text.push_str(&number(value)),
            ValueKind::String => self.quote(value.as_str().unwrap_or_default()),
            _ => return self.write_object(value, depth),
        }
        self.budget.spend(self.text.len() - before)
    }

    fn write_object(&mut self, value: &Value, depth: usize) -> Result<(), Error> {
        self.budget.spend(0)?;
        match value.as_object().map(DynObject::repr) {
            Some(ObjectRepr::Map) => self.write_map(value, depth),
            Some(ObjectRepr::Seq | ObjectRepr::Iterable) => self.write_items(value, depth),
            _ => Err(unserializable(&format!("a value of type {}", value.kind()))),
        }
    }

    fn write_items(&mut self, value: &Value, depth: usize) -> Result<(), Error> {
        self.text.push('[');
        let mut is_empty = true;
        for item in value.try_iter()?.checked() {
            self.begin_item(is_empty, depth + 1)?;
            is_empty = false;
            self.write(&item?, depth + 1)?;
        }
        self.end(is_empty, depth)?;
        self.text.push(']');
        Ok(())
    }

    fn write_map(&mut self, value: &Value, depth: usize) -> Result<(), Error> {
        let keys = value.try_iter()?.checked().collect::<Result<Vec<_>, _>>()?;
        let mut keys: Vec<(String, Value)> =
            keys.into_iter().map(|key| Ok((name(&key)?, key))).collect::<Result<_, Error>>()?;
        if self.style.sort_keys {
            keys.sort_by(|a, b| a.0.cmp(&b.0));
        }
        self.text.push('{');
        for (index, (name, key)) in keys.iter().enumerate() {
            self.begin_item(index == 0, depth + 1)?;
            self.budget.spend(name.len())?;
            self.quote(name);
            self.text.push_str(&self.style.key);
            self.write(&value.get_item(key)?, depth + 1)?;
        }
        self.end(keys.is_empty(), depth)?;
        self.text.push('}');
        Ok(())
    }

    fn begin_item(&mut self, is_first: bool, depth: usize) -> Result<(), Error> {
        if !is_first {
            self.text.push_str(&self.style.item);
        }
        self.new_line(depth)
    }

    fn end(&mut self, is_empty: bool, depth: usize) -> Result<(), Error> {
        if is_empty { Ok(()) } else { self.new_line(depth) }
    }

    fn new_line(&mut self, depth: usize) -> Result<(), Error> {
        if let Some(indent) = &self.style.indent {
            self.budget.spend(depth * indent.len())?;
            self.text.push('\n');
            self.text.push_str(&indent.repeat(depth));
        }
        Ok(())
    }

    fn quote(&mut self, text: &str) {
        self.text.push('"');
        for character in text.chars() {
            match character {
                '"' => self.text.push_str("\\\""),
                '\\' => self.text.push_str("\\\\"),
                '\n' => self.text.push_str("\\n"),
                '\r' => self.text.push_str("\\r"),
                '\t' => self.text.push_str("\\t"),
                '\u{8}' => self.text.push_str("\\b"),
                '\u{c}' => self.text.push_str("\\f"),
                it if it < ' ' => self.escape(it),
                it if self.style.ensure_ascii && it > '~' => self.escape(it),
                it => self.text.push(it),
            }
        }
        self.text.push('"');
    }

    fn escape(&mut self, character: char) {
        for unit in character.encode_utf16(&mut [0; 2]) {
            self.text.push_str(&format!("\\u{unit:04x}"));
        }
    }
}

/// A number as Python writes it in JSON.
fn number(value: &Value) -> String {
    match repr::number(value).as_str() {
        "nan" => "NaN".to_owned(),
        "inf" => "Infinity".to_owned(),
        "-inf" => "-Infinity".to_owned(),
        number => number.to_owned(),
    }
}

/// A key; what is no string becomes one.
fn name(key: &Value) -> Result<String, Error> {
    match key.kind() {
        ValueKind::String => Ok(key.as_str().unwrap_or_default().to_owned()),
        ValueKind::None => Ok("null".to_owned()),
        ValueKind::Bool => Ok(if key.is_true() { "true" } else { "false" }.to_owned()),
        ValueKind::Number => Ok(number(key)),
        kind => Err(unserializable(&format!("a key of type {kind}"))),
    }
}

fn unserializable(what: &str) -> Error {
    Error::new(ErrorKind::BadSerialization, format!("{what} cannot be written as JSON"))
}
