//! `str()` and `repr()`.

use minijinja::value::{DynObject, ObjectRepr, ValueKind};
use minijinja::{Error, ErrorKind, State, Value};

use crate::limits::Budget;

/// Nesting beyond this is refused.
const DEEPEST: usize = 256;

/// The text of a value, as `str` gives it.
pub(crate) fn text(state: &State<'_, '_>, value: &Value) -> Result<String, Error> {
    if let Some(text) = value.as_str() {
        return Ok(text.to_owned());
    }
    let mut writer = Writer { text: String::new(), budget: Budget::of(state) };
    if !value.is_undefined() {
        writer.write(value, 0)?;
    }
    writer.budget.pay(state)?;
    Ok(writer.text)
}

struct Writer {
    text: String,
    budget: Budget,
}

impl Writer {
    fn write(&mut self, value: &Value, depth: usize) -> Result<(), Error> {
        if depth > DEEPEST {
            return Err(Error::new(ErrorKind::InvalidOperation, "a value is nested too deep"));
        }
        let before = self.text.len();
        match value.kind() {
            ValueKind::Undefined => self.text.push_str("Undefined"),
            ValueKind::None => self.text.push_str("None"),
            ValueKind::Bool => self.text.push_str(if value.is_true() { "True" } else { "False" }),
            ValueKind::Number => self.text.push_str(&number(value)),
            ValueKind::String => quote(value.as_str().unwrap_or_default(), &mut self.text),
            _ => return self.write_object(value, depth),
        }
        self.budget.spend(self.text.len() - before)
    }

    fn write_object(&mut self, value: &Value, depth: usize) -> Result<(), Error> {
        self.budget.spend(0)?;
        match value.as_object().map(DynObject::repr) {
            Some(ObjectRepr::Map) => self.write_map(value, depth),
            Some(ObjectRepr::Seq | ObjectRepr::Iterable) => self.write_items(value, depth),
            _ => {
                self.text.push_str(&value.to_string());
                Ok(())
            }
        }
    }

    fn write_items(&mut self, value: &Value, depth: usize) -> Result<(), Error> {
        let (open, close) = if value.is_tuple() { ("(", ")") } else { ("[", "]") };
        self.text.push_str(open);
        let mut count = 0;
        for item in value.try_iter()?.checked() {
            if count > 0 {
                self.text.push_str(", ");
            }
            self.write(&item?, depth + 1)?;
            count += 1;
        }
        if value.is_tuple() && count == 1 {
            self.text.push(',');
        }
        self.text.push_str(close);
        Ok(())
    }

    fn write_map(&mut self, value: &Value, depth: usize) -> Result<(), Error> {
        self.text.push('{');
        for (index, key) in value.try_iter()?.checked().enumerate() {
            let key = key?;
            if index > 0 {
                self.text.push_str(", ");
            }
            self.write(&key, depth + 1)?;
            self.text.push_str(": ");
            self.write(&value.get_item(&key)?, depth + 1)?;
        }
        self.text.push('}');
        Ok(())
    }
}

/// A number as Python writes it.
pub(crate) fn number(value: &Value) -> String {
    match f64::try_from(value.clone()) {
        Ok(number) if !value.is_integer() => float(number),
        _ => value.to_string(),
    }
}

/// A float as `repr` writes it: the shortest digits that give it back, with an exponent where it is
/// below -4 or from 16 on.
pub(crate) fn float(number: f64) -> String {
    if number.is_nan() {
        return "nan".to_owned();
    }
    if number.is_infinite() {
        return if number > 0.0 { "inf" } else { "-inf" }.to_owned();
    }
    let scientific = format!("{number:e}");
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..16).contains(&exponent) {
        return format!("{number:?}");
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{digits}e{sign}{:02}", exponent.abs())
}

/// A text in quotes.
pub(crate) fn quote(text: &str, output: &mut String) {
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    output.push(quote);
    for character in text.chars() {
        match character {
            '\\' => output.push_str("\\\\"),
            '\n' => output.push_str("\\n"),
            '\r' => output.push_str("\\r"),
            '\t' => output.push_str("\\t"),
            it if it == quote => output.extend(['\\', quote]),
            it if is_printable(it) => output.push(it),
            it => output.push_str(&escape(it.into())),
        }
    }
    output.push(quote);
}

fn escape(point: u32) -> String {
    match point {
        0..=0xff => format!("\\x{point:02x}"),
        0x100..=0xffff => format!("\\u{point:04x}"),
        _ => format!("\\U{point:08x}"),
    }
}

/// Rust and Python leave out the same categories of characters. The letter before it keeps combining
/// marks from being escaped.
fn is_printable(character: char) -> bool {
    if character.is_ascii() {
        return !character.is_ascii_control();
    }
    let mut buffer = [b'a', 0, 0, 0, 0];
    let length = character.encode_utf8(&mut buffer[1..]).len();
    let text = std::str::from_utf8(&buffer[..=length]).unwrap_or_default();
    text.escape_debug().nth(1) == Some(character)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn texts_are_quoted_as_python_quotes_them() {
        let cases = [
            ("it's", "\"it's\""),
            ("it's \"q\"", "'it\\'s \"q\"'"),
            ("\0\t\u{7f}\u{a0}\u{ad}", "'\\x00\\t\\x7f\\xa0\\xad'"),
            ("\u{2028}\u{200b}\u{e000}", "'\\u2028\\u200b\\ue000'"),
            ("\u{e0001}", "'\\U000e0001'"),
            ("e\u{301} é 漢 🙂", "'e\u{301} é 漢 🙂'"),
        ];
        for (text, expect) in cases {
            let mut quoted = String::new();
            quote(text, &mut quoted);
            assert_eq!(quoted, expect);
        }
    }

    #[test]
    fn floats_have_an_exponent_where_python_gives_them_one() {
        let cases = [
            (0.0, "0.0"),
            (-0.0, "-0.0"),
            (1e15, "1000000000000000.0"),
            (1e16, "1e+16"),
            (1.5e300, "1.5e+300"),
            (0.0001, "0.0001"),
            (0.00001, "1e-05"),
            (-5e-324, "-5e-324"),
            (f64::INFINITY, "inf"),
            (f64::NEG_INFINITY, "-inf"),
            (f64::NAN, "nan"),
        ];
        for (number, expect) in cases {
            assert_eq!(float(number), expect);
        }
    }

    proptest! {
        #[test]
        fn a_float_comes_back_from_its_text(number: f64) {
            let back: f64 = float(number).parse().unwrap();
            prop_assert!(back.to_bits() == number.to_bits() || number.is_nan());
        }
    }
}
