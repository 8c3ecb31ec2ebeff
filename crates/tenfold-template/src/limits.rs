//! Templates come from strangers: what one may cost.
//!
//! The engine counts instructions and bytes as fuel, and stops a template that runs out of it. Three
//! things escape its count, and are stopped here: values that refer to one part many times, which
//! are small to keep and endless to write or compare; values nested so deep that dropping them
//! overflows the stack; and the stack that parsing takes on a thread of the caller.

use std::thread;

use minijinja::value::ObjectRepr;
use minijinja::{Error, ErrorKind, State, Value};

/// Longest source in bytes; the longest templates in use have 20,000.
pub(crate) const SOURCE: usize = 256 << 10;

/// Fuel of every rendering: one unit pays for an instruction or 64 bytes. Of 105 templates in use, none
/// takes 6,000 for six messages with two tools.
const FUEL: u64 = 500_000;

/// Fuel for each part of the input.
const FUEL_OF_PART: u64 = 1000;

/// How much of the whole fuel stands behind each part that a value may have: 2,000 parts, and 4 more
/// for each part of the input.
const FUEL_BEHIND_PART: u64 = 250;

/// Bytes that one unit of fuel pays for when a value is written.
const BYTES_OF_FUEL: u64 = 4;

/// Nesting of values; that of JSON which is read is at most half of it.
const DEPTH: usize = 256;

/// Stack of the thread on which templates are compiled and run.
const STACK: usize = 32 << 20;

/// Bytes of every prompt.
const OUTPUT: usize = 16 << 20;

/// Bytes of the prompt for each part of the input.
const OUTPUT_OF_PART: usize = 1024;

/// What one rendering may use.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// One unit pays for an instruction or 64 bytes.
    pub(crate) fuel: u64,
    /// Bytes of the prompt.
    pub(crate) output: usize,
}

impl Limits {
    /// Limits for input with this many parts: values, and every 64 bytes of text.
    pub(crate) fn for_input(parts: usize) -> Self {
        Self {
            fuel: FUEL.saturating_add(FUEL_OF_PART.saturating_mul(parts as u64)),
            output: OUTPUT.saturating_add(OUTPUT_OF_PART.saturating_mul(parts)),
        }
    }
}

/// Runs `work` on a thread with enough stack for every template that the limits allow.
///
/// # Errors
/// When the system gives no thread, or the work panics.
pub(crate) fn with_stack<T: Send>(work: impl FnOnce() -> T + Send) -> Result<T, String> {
    thread::scope(|scope| {
        let thread = thread::Builder::new()
            .name("tenfold-template".to_owned())
            .stack_size(STACK)
            .spawn_scoped(scope, work)
            .map_err(|error| format!("there is no thread to run the template on: {error}"))?;
        thread.join().map_err(|_| "the template engine failed".to_owned())
    })
}

/// Bytes that may still be written, paid for with the fuel of a rendering.
#[derive(Debug)]
pub(crate) struct Budget {
    left: usize,
    spent: usize,
}

impl Budget {
    /// What the fuel left pays for; walking a value takes more of it than copying text.
    pub(crate) fn of(state: &State<'_, '_>) -> Self {
        let fuel = state.fuel_levels().map_or(0, |(_, left)| left);
        let left = usize::try_from(fuel.saturating_mul(BYTES_OF_FUEL)).unwrap_or(usize::MAX);
        Self { left, spent: 0 }
    }

    /// Spends some bytes, and a little for the value that they stand for.
    pub(crate) fn spend(&mut self, bytes: usize) -> Result<(), Error> {
        self.spent = self.spent.saturating_add(bytes + 8);
        if self.spent > self.left { Err(ErrorKind::OutOfFuel.into()) } else { Ok(()) }
    }

    /// Takes what was spent from the fuel.
    pub(crate) fn pay(&self, state: &State<'_, '_>) -> Result<(), Error> {
        state.consume_fuel(self.spent as u64 / BYTES_OF_FUEL)
    }
}

/// The value again, if it has not too many parts when every reference is followed.
///
/// # Errors
/// When it has, or is nested too deep, or contains a namespace, which could contain itself.
pub(crate) fn measured(state: &State<'_, '_>, value: Value) -> Result<Value, Error> {
    if value.as_object().is_some() {
        let (spent, left) = state.fuel_levels().unwrap_or_default();
        let most = usize::try_from((spent + left) / FUEL_BEHIND_PART).unwrap_or(usize::MAX);
        let mut free = most;
        count_inside(&value, DEPTH, &mut free)?;
        state.consume_fuel((most - free) as u64 / 8)?;
    }
    Ok(value)
}

/// The same for a value that becomes part of a namespace.
pub(crate) fn measured_member(state: &State<'_, '_>, value: Value) -> Result<Value, Error> {
    if is_namespace(&value) { Err(holds_namespace()) } else { measured(state, value) }
}

/// How many parts a value has: itself, its items and keys, and every 64 bytes of text.
pub(crate) fn parts(value: &Value) -> usize {
    let mut free = usize::MAX;
    // Input neither exceeds that nor has namespaces; of what is nested too deep a part counts.
    let _ = count(value, DEPTH, &mut free);
    usize::MAX - free
}

fn count(value: &Value, depth: usize, free: &mut usize) -> Result<(), Error> {
    let text = value.as_str().map_or(0, str::len);
    *free = free.checked_sub(1 + text / 64).ok_or_else(too_large)?;
    if is_namespace(value) {
        return Err(holds_namespace());
    }
    count_inside(value, depth, free)
}

fn count_inside(value: &Value, depth: usize, free: &mut usize) -> Result<(), Error> {
    let Some(object) = value.as_object() else { return Ok(()) };
    let depth = depth.checked_sub(1).ok_or_else(too_large)?;
    match object.repr() {
        ObjectRepr::Map => value.try_iter()?.checked().try_for_each(|key| {
            let key = key?;
            count(&key, depth, free)?;
            count(&value.get_item(&key)?, depth, free)
        }),
        ObjectRepr::Seq | ObjectRepr::Iterable => {
            value.try_iter()?.checked().try_for_each(|item| count(&item?, depth, free))
        }
        _ => Ok(()),
    }
}

fn too_large() -> Error {
    Error::new(ErrorKind::OutOfFuel, "a value is too large or nested too deep")
}

fn holds_namespace() -> Error {
    Error::new(ErrorKind::InvalidOperation, "a namespace cannot be stored in another value")
}

/// The engine keeps the type of its namespaces to itself.
fn is_namespace(value: &Value) -> bool {
    value.as_object().is_some_and(|object| object.type_name().ends_with("::Namespace"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(items: impl IntoIterator<Item = Value>) -> Value {
        items.into_iter().collect()
    }

    #[test]
    fn parts_are_values_keys_and_stretches_of_text() {
        let text = Value::from("x".repeat(640));
        let map = Value::from_pairs([("a", list([1.into(), 2.into()])), ("b", text.clone())]);
        let cases =
            [(Value::from(()), 1), (text.clone(), 11), (list([]), 1), (map, 1 + 2 + 3 + 11)];
        for (value, expect) in cases {
            assert_eq!(parts(&value), expect, "{value:?}");
        }
        let shared = list([list([text.clone(), text.clone()]), list([text.clone(), text])]);
        assert_eq!(parts(&shared), 1 + 2 + 44);
    }

    #[test]
    fn nesting_and_size_are_bounded() {
        let nest = |depth| (0..depth).fold(list([]), |inner, _| list([inner]));
        assert!(count(&nest(DEPTH - 1), DEPTH, &mut 1000).is_ok());
        assert!(count(&nest(DEPTH), DEPTH, &mut 1000).is_err());
        assert!(count(&list((0..10).map(Value::from)), DEPTH, &mut 10).is_err());
    }

    #[test]
    fn limits_grow_with_the_input() {
        let (small, large) = (Limits::for_input(10), Limits::for_input(100_000));
        assert!(large.fuel > 10 * small.fuel && large.output > small.output);
        assert_eq!(Limits::for_input(usize::MAX).fuel, u64::MAX);
    }

    #[test]
    fn a_panic_becomes_an_error() {
        assert_eq!(with_stack(|| 7), Ok(7));
        let failed = with_stack(|| std::hint::black_box(Vec::<u8>::new())[0]);
        assert_eq!(failed, Err("the template engine failed".to_owned()));
    }
}
