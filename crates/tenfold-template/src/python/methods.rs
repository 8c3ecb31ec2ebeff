//! Methods of strings, lists and maps.

use minijinja::value::{Kwargs, Tuple, ValueKind, from_args};
use minijinja::{Error, ErrorKind, State, Value};
use minijinja_contrib::pycompat::unknown_method_callback;

use super::repr;
use super::strings::{self, Ends};

/// Widest text that padding makes.
const WIDEST: usize = 1 << 16;

/// Calls a method that the value itself does not have.
pub(crate) fn call(
    state: &mut State<'_, '_>,
    value: &Value,
    method: &str,
    args: &[Value],
) -> Result<Value, Error> {
    if let (Some(text), "format") = (value.as_str(), method) {
        pay_for_format(state, text, args)?;
    }
    let own = match (value.as_str(), value.kind()) {
        (Some(text), _) => of_string(text, method, args)?,
        (None, ValueKind::Seq | ValueKind::Iterable) => of_list(value, method, args)?,
        _ => None,
    };
    match own {
        Some(result) => Ok(result),
        None => unknown_method_callback(state, value, method, args),
    }
}

/// The engine pads to whatever width a format asks for, before it counts the bytes.
fn pay_for_format(state: &State<'_, '_>, format: &str, args: &[Value]) -> Result<(), Error> {
    let mut widest = numbers(format).max().unwrap_or(0);
    for arg in args {
        widest = widest.max(repr::text(state, arg)?.len());
        if format.contains(":{") {
            widest = widest.max(arg.as_usize().unwrap_or(0));
        }
    }
    let bytes = format.matches('{').count().saturating_mul(widest);
    state.consume_fuel(bytes as u64 / 64)
}

/// All whole numbers in a text; what does not fit is the largest there is.
fn numbers(text: &str) -> impl Iterator<Item = usize> {
    let runs = text.split(|it: char| !it.is_ascii_digit()).filter(|run| !run.is_empty());
    runs.map(|run| run.parse().unwrap_or(usize::MAX))
}

/// Methods that the engine's helpers lack, or do otherwise than Python.
fn of_string(text: &str, method: &str, args: &[Value]) -> Result<Option<Value>, Error> {
    let result = match method {
        "strip" => strip(text, args, Ends::Both)?,
        "lstrip" => strip(text, args, Ends::Left)?,
        "rstrip" => strip(text, args, Ends::Right)?,
        "split" => split(text, args)?,
        "rsplit" => rsplit(text, args)?,
        "splitlines" => splitlines(text, args)?,
        "capitalize" => none(args, strings::capitalize(text))?,
        "swapcase" => none(args, strings::swapcase(text))?,
        "partition" => partition(text, args, text_of(args, 0).and_then(|it| text.split_once(it)))?,
        "rpartition" => {
            partition(text, args, text_of(args, 0).and_then(|it| text.rsplit_once(it)))?
        }
        "removeprefix" => changed(text, args, |it| text.strip_prefix(it))?,
        "removesuffix" => changed(text, args, |it| text.strip_suffix(it))?,
        "index" => found(text, args, |it| text.find(it))?,
        "rindex" => found(text, args, |it| text.rfind(it))?,
        "ljust" => pad(text, args, |_| 0)?,
        "rjust" => pad(text, args, |missing| missing)?,
        // Python puts the odd one left only if the width is odd, too.
        "center" => {
            let width = args.first().and_then(Value::as_usize).unwrap_or(0);
            pad(text, args, |missing| missing / 2 + (missing & width & 1))?
        }
        "zfill" => zfill(text, args)?,
        "expandtabs" => expand_tabs(text, args)?,
        _ => return Ok(None),
    };
    Ok(Some(result))
}

fn of_list(list: &Value, method: &str, args: &[Value]) -> Result<Option<Value>, Error> {
    if method != "index" {
        return Ok(None);
    }
    let (item,): (&Value,) = from_args(args)?;
    for (index, candidate) in list.try_iter()?.checked().enumerate() {
        if candidate? == *item {
            return Ok(Some(Value::from(index)));
        }
    }
    Err(Error::new(ErrorKind::InvalidOperation, "the item is not in the list"))
}

fn none(args: &[Value], result: String) -> Result<Value, Error> {
    let () = from_args(args)?;
    Ok(result.into())
}

fn text_of(args: &[Value], index: usize) -> Option<&str> {
    args.get(index)?.as_str().filter(|text| !text.is_empty())
}

fn strip(text: &str, args: &[Value], ends: Ends) -> Result<Value, Error> {
    let (characters,): (Option<&str>,) = from_args(args)?;
    Ok(strings::strip(text, characters, ends).into())
}

/// Separator and how many cuts to make, by place or by name.
fn cuts(args: &[Value]) -> Result<(Option<String>, Option<usize>), Error> {
    let (separator, most, named): (Option<Value>, Option<i64>, Kwargs) = from_args(args)?;
    let separator = separator.or(named.get("sep")?).filter(|it| !it.is_none());
    let most = most.or(named.get("maxsplit")?).and_then(|most| usize::try_from(most).ok());
    named.assert_all_used()?;
    let wrong =
        || Error::new(ErrorKind::InvalidOperation, "a separator must be a text with content");
    let separator = separator
        .map(|it| it.as_str().filter(|text| !text.is_empty()).map(str::to_owned).ok_or_else(wrong));
    Ok((separator.transpose()?, most))
}

fn split(text: &str, args: &[Value]) -> Result<Value, Error> {
    Ok(match cuts(args)? {
        (None, most) => list(strings::words(text, most)),
        (Some(separator), None) => list(text.split(separator.as_str()).collect()),
        (Some(separator), Some(most)) => {
            list(text.splitn(most.saturating_add(1), separator.as_str()).collect())
        }
    })
}

fn rsplit(text: &str, args: &[Value]) -> Result<Value, Error> {
    let (separator, most) = cuts(args)?;
    let Some(separator) = separator else {
        return Ok(list(strings::words_from_end(text, most.unwrap_or(usize::MAX))));
    };
    let pieces = most.map_or(usize::MAX, |most| most.saturating_add(1));
    let mut pieces: Vec<&str> = text.rsplitn(pieces, separator.as_str()).collect();
    pieces.reverse();
    Ok(list(pieces))
}

fn splitlines(text: &str, args: &[Value]) -> Result<Value, Error> {
    let (keep_ends, named): (Option<bool>, Kwargs) = from_args(args)?;
    let keep_ends = keep_ends.or(named.get("keepends")?).unwrap_or(false);
    named.assert_all_used()?;
    Ok(list(strings::lines(text, keep_ends)))
}

fn list(pieces: Vec<&str>) -> Value {
    pieces.into_iter().map(Value::from).collect()
}

fn partition(text: &str, args: &[Value], cut: Option<(&str, &str)>) -> Result<Value, Error> {
    let (separator,): (&str,) = from_args(args)?;
    let parts = cut.map_or([text, "", ""], |(before, after)| [before, separator, after]);
    Ok(Value::from(Tuple::from(parts.map(Value::from))))
}

fn changed<'a>(
    text: &'a str,
    args: &'a [Value],
    change: impl FnOnce(&'a str) -> Option<&'a str>,
) -> Result<Value, Error> {
    let (affix,): (&str,) = from_args(args)?;
    Ok(change(affix).unwrap_or(text).into())
}

fn found<'a>(
    text: &str,
    args: &'a [Value],
    find: impl FnOnce(&'a str) -> Option<usize>,
) -> Result<Value, Error> {
    let (part,): (&str,) = from_args(args)?;
    let missing = || Error::new(ErrorKind::InvalidOperation, "the text does not contain this part");
    find(part).map(|at| text[..at].chars().count().into()).ok_or_else(missing)
}

/// Pads a text to a width; `left` says how much of what is missing goes before it.
fn pad(text: &str, args: &[Value], left: impl FnOnce(usize) -> usize) -> Result<Value, Error> {
    let (width, fill): (i64, Option<&str>) = from_args(args)?;
    let width = usize::try_from(width).unwrap_or(0).min(WIDEST);
    let missing = width.saturating_sub(text.chars().count());
    let fill = fill.and_then(|fill| fill.chars().next()).unwrap_or(' ');
    let before = left(missing);
    let filled = |count| std::iter::repeat_n(fill, count);
    Ok(filled(before)
        .chain(text.chars())
        .chain(filled(missing - before))
        .collect::<String>()
        .into())
}

/// Zeros between the sign and the digits.
fn zfill(text: &str, args: &[Value]) -> Result<Value, Error> {
    let (width,): (i64,) = from_args(args)?;
    let width = usize::try_from(width).unwrap_or(0).min(WIDEST);
    let missing = width.saturating_sub(text.chars().count());
    let sign = usize::from(text.starts_with(['+', '-']));
    Ok(format!("{}{}{}", &text[..sign], "0".repeat(missing), &text[sign..]).into())
}

fn expand_tabs(text: &str, args: &[Value]) -> Result<Value, Error> {
    let (size,): (Option<i64>,) = from_args(args)?;
    let size = usize::try_from(size.unwrap_or(8)).unwrap_or(0).min(256);
    let mut expanded = String::with_capacity(text.len());
    let mut column = 0_usize;
    for character in text.chars() {
        match character {
            '\t' => {
                let spaces = size - column.checked_rem(size).unwrap_or(0);
                expanded.extend(std::iter::repeat_n(' ', spaces));
                column += spaces;
            }
            it => {
                expanded.push(it);
                column = if matches!(it, '\n' | '\r') { 0 } else { column + 1 };
            }
        }
    }
    Ok(expanded.into())
}
