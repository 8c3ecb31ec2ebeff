//! The only way to the terminal.
//!
//! Results go to standard output, everything about them (progress, notices, errors) to standard
//! error, so that a pipe carries the result alone.

use std::io::{self, IsTerminal, Write};

use anstream::{AutoStream, ColorChoice};
use serde::Serialize;

use crate::args::{Color, Global};

/// Writes for people or for programs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Printer {
    json: bool,
    quiet: bool,
    color: ColorChoice,
}

const DIM: &str = "\x1b[2m";
const BOLD: &str = "\x1b[1m";
const RED: &str = "\x1b[31m";
const YELLOW: &str = "\x1b[33m";
const RESET: &str = "\x1b[0m";

impl Printer {
    /// A printer for these options.
    pub(crate) fn new(global: &Global) -> Self {
        let color = match global.color {
            Color::Auto => ColorChoice::Auto,
            Color::Always => ColorChoice::Always,
            Color::Never => ColorChoice::Never,
        };
        Self { json: global.json, quiet: global.quiet, color }
    }

    /// True if the result is one JSON value.
    pub(crate) fn is_json(&self) -> bool {
        self.json
    }

    /// True if a person watches: progress makes sense.
    pub(crate) fn shows_progress(&self) -> bool {
        !self.quiet && io::stderr().is_terminal()
    }

    /// Writes a part of the result at once.
    pub(crate) fn write(&self, text: &str) -> io::Result<()> {
        self.write_bytes(text.as_bytes())
    }

    /// Writes a part of the result, whatever its bytes.
    pub(crate) fn write_bytes(&self, bytes: &[u8]) -> io::Result<()> {
        let mut out = io::stdout().lock();
        out.write_all(bytes)?;
        out.flush()
    }

    /// Writes a line of the result; styles are left out where nobody sees them.
    pub(crate) fn line(&self, text: &str) -> io::Result<()> {
        writeln!(AutoStream::new(io::stdout(), self.color), "{text}")
    }

    /// Writes the result as JSON.
    pub(crate) fn json(&self, value: &impl Serialize) -> io::Result<()> {
        let mut text = serde_json::to_string_pretty(value).map_err(io::Error::other)?;
        text.push('\n');
        self.write(&text)
    }

    /// Tells something that is not part of the result.
    pub(crate) fn note(&self, text: &str) {
        if !self.quiet {
            self.aside(&format!("{DIM}{text}{RESET}"));
        }
    }

    /// Tells something that the user should act upon.
    pub(crate) fn warn(&self, text: &str) {
        if !self.quiet {
            self.aside(&format!("{YELLOW}warning:{RESET} {text}"));
        }
    }

    /// Tells why the command failed, and what to do.
    pub(crate) fn error(&self, message: &str, causes: &[String], remedy: Option<&str>) {
        self.aside(&format!("{BOLD}{RED}error:{RESET} {message}"));
        for cause in causes {
            self.aside(&format!("  because: {cause}"));
        }
        if let Some(remedy) = remedy {
            self.aside(&format!("  {BOLD}try:{RESET} {remedy}"));
        }
    }

    /// Standard error may be closed; there is nowhere left to say so.
    fn aside(&self, text: &str) {
        let mut err = AutoStream::new(io::stderr(), self.color);
        drop(writeln!(err, "{text}"));
    }
}

/// Bold text for headings.
pub(crate) fn bold(text: &str) -> String {
    format!("{BOLD}{text}{RESET}")
}
