//! The template engine, set up as `transformers` sets up jinja2.

use minijinja::syntax::SyntaxConfig;
use minijinja::{AutoEscape, Environment, Error, ErrorKind};
use minijinja_contrib::pycompat::unknown_method_callback;

use crate::error::{TemplateError, TemplateErrorKind};

/// Name under which the template is compiled.
pub(crate) const NAME: &str = "chat_template";

/// Work and memory of one rendering: an instruction or 64 bytes take one unit.
const FUEL: u64 = 20_000_000;

/// An environment with one compiled template.
pub(crate) fn compile(origin: &str, source: &str) -> Result<Environment<'static>, TemplateError> {
    let mut environment = Environment::new();
    environment.set_syntax(
        SyntaxConfig::builder()
            .trim_blocks(true)
            .lstrip_blocks(true)
            .build()
            .map_err(|error| report(origin, &error))?,
    );
    environment.set_auto_escape_callback(|_| AutoEscape::None);
    environment.set_unknown_method_callback(unknown_method_callback);
    environment.set_fuel(Some(FUEL));
    environment.add_function("raise_exception", raise_exception);
    environment
        .add_template_owned(NAME, source.to_owned())
        .map_err(|error| report(origin, &error))?;
    Ok(environment)
}

fn raise_exception(message: String) -> Result<String, Error> {
    Err(Error::new(ErrorKind::InvalidOperation, message))
}

/// The engine's error in our words.
pub(crate) fn report(origin: &str, error: &Error) -> TemplateError {
    let kind = match error.kind() {
        ErrorKind::SyntaxError | ErrorKind::BadEscape => TemplateErrorKind::Syntax,
        ErrorKind::OutOfFuel => TemplateErrorKind::Limit,
        _ => TemplateErrorKind::Failed,
    };
    TemplateError { kind, what: error.to_string(), origin: origin.to_owned(), line: error.line() }
}
