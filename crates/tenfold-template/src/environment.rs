//! The template engine, set up as `transformers` sets up jinja2.

use minijinja::syntax::SyntaxConfig;
use minijinja::{
    AutoEscape, Environment, Error, ErrorKind, Output, State, UndefinedBehavior, Value,
};

use crate::error::{TemplateError, TemplateErrorKind};
use crate::limits::{self, Limits};
use crate::python::{filters, methods, repr};
use crate::source::{MEASURED, MEMBER, prepare};

/// Name under which the template is compiled.
const NAME: &str = "chat_template";

/// A compiled template.
#[derive(Debug)]
pub(crate) struct Compiled {
    environment: Environment<'static>,
    origin: String,
}

impl Compiled {
    /// Compiles a template; `origin` is named in errors.
    pub(crate) fn new(origin: &str, source: &str) -> Result<Self, TemplateError> {
        let source = prepare(source).map_err(|refused| {
            TemplateError::new(TemplateErrorKind::Limit, origin, refused.what)
                .in_line(Some(refused.line))
        })?;
        let compiled = || {
            let mut environment = environment()?;
            environment.add_template_owned(NAME, source)?;
            Ok(environment)
        };
        match limits::with_stack(compiled) {
            Ok(Ok(environment)) => Ok(Self { environment, origin: origin.to_owned() }),
            Ok(Err(error)) => Err(report(origin, &error)),
            Err(what) => Err(TemplateError::new(TemplateErrorKind::Failed, origin, what)),
        }
    }

    /// Renders with these variables, within limits.
    pub(crate) fn render(
        &self,
        variables: impl FnOnce() -> Value + Send,
    ) -> Result<String, TemplateError> {
        let rendered = limits::with_stack(|| self.render_here(variables()));
        rendered.unwrap_or_else(|what| Err(self.fail(TemplateErrorKind::Failed, what)))
    }

    fn render_here(&self, variables: Value) -> Result<String, TemplateError> {
        let limits = Limits::for_input(limits::parts(&variables));
        let mut environment = self.environment.clone();
        environment.set_fuel(Some(limits.fuel));
        let prompt = environment
            .get_template(NAME)
            .and_then(|template| template.render(variables))
            .map_err(|error| report(&self.origin, &error))?;
        if prompt.len() > limits.output {
            let what = format!("the prompt is longer than {} bytes", limits.output);
            return Err(self.fail(TemplateErrorKind::Limit, what));
        }
        Ok(prompt)
    }

    /// Where the template comes from.
    pub(crate) fn origin(&self) -> &str {
        &self.origin
    }

    pub(crate) fn fail(&self, kind: TemplateErrorKind, what: impl Into<String>) -> TemplateError {
        TemplateError::new(kind, &self.origin, what)
    }
}

pub(crate) fn environment() -> Result<Environment<'static>, Error> {
    let mut environment = Environment::new();
    environment.set_syntax(SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build()?);
    // Errors then say which variable is undefined.
    environment.set_debug(true);
    environment.set_auto_escape_callback(|_| AutoEscape::None);
    environment.set_undefined_behavior(UndefinedBehavior::Lenient);
    environment.set_unknown_method_callback(methods::call);
    environment.set_formatter(format);
    environment.add_function("raise_exception", raise_exception);
    environment.add_filter(MEASURED, limits::measured);
    environment.add_filter(MEMBER, limits::measured_member);
    filters::register(&mut environment);
    Ok(environment)
}

/// Writes a value as Python's `str` would.
fn format(output: &mut Output<'_>, state: &mut State<'_, '_>, value: &Value) -> Result<(), Error> {
    let written = match value.as_str() {
        Some(text) => output.write_str(text),
        None => output.write_str(&repr::text(state, value)?),
    };
    written.map_err(|error| Error::new(ErrorKind::WriteFailure, error.to_string()))
}

/// What a template says when it refuses messages.
#[derive(Debug)]
struct Refusal(String);

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Refusal {}

fn raise_exception(state: &State<'_, '_>, message: &Value) -> Result<Value, Error> {
    let message = repr::text(state, message)?;
    let error = Error::new(ErrorKind::InvalidOperation, "the template refuses the messages");
    Err(error.with_source(Refusal(message)))
}

/// The engine's error in our words.
fn report(origin: &str, error: &Error) -> TemplateError {
    let line = error.line();
    let mut cause = std::error::Error::source(error);
    while let Some(source) = cause {
        if let Some(Refusal(message)) = source.downcast_ref() {
            return TemplateError::new(TemplateErrorKind::Refused, origin, message).in_line(line);
        }
        cause = source.source();
    }
    let kind = match error.kind() {
        ErrorKind::SyntaxError | ErrorKind::BadEscape => TemplateErrorKind::Syntax,
        ErrorKind::OutOfFuel => TemplateErrorKind::Limit,
        _ => TemplateErrorKind::Failed,
    };
    let what = match (error.detail(), kind) {
        (Some(detail), TemplateErrorKind::Limit) => detail.to_owned(),
        (Some(detail), _) if error.kind() == ErrorKind::UndefinedError => detail.to_owned(),
        (None, TemplateErrorKind::Limit) => "the template takes too much work".to_owned(),
        (Some(detail), _) => format!("{}: {detail}", error.kind()),
        (None, _) => error.kind().to_string(),
    };
    TemplateError::new(kind, origin, what).in_line(line)
}
