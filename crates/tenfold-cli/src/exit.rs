//! How a command ends: its exit code, and what is said about a failure.

use std::io;
use std::process::ExitCode;

use serde_json::json;

use crate::printer::Printer;

/// How a command ended that did not fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// Everything was done.
    Done,
    /// What was asked was looked at, and it is not as it should be (`verify`, `doctor`).
    Problems,
    /// The user pressed Ctrl-C.
    Interrupted,
}

/// The exit code of a shell for a program that Ctrl-C ended.
pub(crate) const INTERRUPTED: u8 = 130;

/// The command was typed wrongly in a way that only shows later; exit code 2.
#[derive(Debug)]
pub(crate) struct UsageError(pub(crate) String);

impl std::fmt::Display for UsageError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for UsageError {}

/// Reports what happened and gives the exit code.
pub(crate) fn conclude(result: anyhow::Result<Ending>, printer: &Printer) -> ExitCode {
    match result {
        Ok(Ending::Done) => ExitCode::SUCCESS,
        Ok(Ending::Problems) => ExitCode::FAILURE,
        Ok(Ending::Interrupted) => ExitCode::from(INTERRUPTED),
        // The reader of our output has seen enough.
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => fail(&error, printer),
    }
}

fn fail(error: &anyhow::Error, printer: &Printer) -> ExitCode {
    if is_cancelled(error) {
        return ExitCode::from(INTERRUPTED);
    }
    let message = error.to_string();
    let remedy = remedy(error);
    // A cause that only repeats what stands above it helps nobody.
    let causes: Vec<String> = error.chain().skip(1).map(ToString::to_string).collect();
    let causes: Vec<String> =
        causes.into_iter().filter(|cause| !message.contains(cause.as_str())).collect();
    if printer.is_json() {
        let value = json!({ "error": { "message": message, "causes": causes, "remedy": remedy } });
        drop(printer.json(&value));
    }
    printer.error(&message, &causes, remedy.as_deref());
    ExitCode::from(if error.is::<UsageError>() { 2 } else { 1 })
}

/// What to do, out of the first error in the chain that knows.
fn remedy(error: &anyhow::Error) -> Option<String> {
    error.chain().find_map(|cause| {
        if let Some(error) = cause.downcast_ref::<tenfold::Error>() {
            error.remedy()
        } else if let Some(error) = cause.downcast_ref::<tenfold::HubError>() {
            error.remedy()
        } else if let Some(error) = cause.downcast_ref::<tenfold::LoadError>() {
            error.remedy().map(str::to_owned)
        } else {
            cause.downcast_ref::<tenfold::GenerateError>()?.remedy().map(str::to_owned)
        }
    })
}

fn is_cancelled(error: &anyhow::Error) -> bool {
    error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<tenfold::HubError>())
        .any(|error| error.kind() == tenfold::HubErrorKind::Cancelled)
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let errors = error.chain().filter_map(|cause| cause.downcast_ref::<io::Error>());
    errors.into_iter().any(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_remedy_of_the_first_error_that_knows_is_taken() {
        let load = tenfold::LoadError::new(tenfold::LoadErrorKind::InvalidFile, "cut short")
            .with_remedy("pull again");
        let error = anyhow::Error::new(load).context("could not load");
        assert_eq!(remedy(&error).as_deref(), Some("pull again"));
        assert_eq!(remedy(&anyhow::anyhow!("plain")), None);
    }

    #[test]
    fn a_closed_pipe_is_no_failure() {
        let error = anyhow::Error::from(io::Error::from(io::ErrorKind::BrokenPipe));
        assert!(is_broken_pipe(&error.context("writing")));
    }
}
