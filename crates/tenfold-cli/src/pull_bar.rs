//! The bar of a pull: what, how much, how fast, how long. Where no terminal is, a few lines.

use indicatif::ProgressBar;
use tenfold::PullProgress;
use tenfold::hub::Transfer;

use crate::app::styled;
use crate::printer::Printer;
use crate::size;

const SPINNER: &str = "{spinner} {msg}";
const BAR: &str = "{msg:.bold} {wide_bar} {prefix}";

/// Shows one pull.
pub(crate) struct PullBar {
    printer: Printer,
    bar: Option<(ProgressBar, &'static str)>,
    said: String,
}

impl PullBar {
    pub(crate) fn new(printer: Printer) -> Self {
        Self { printer, bar: None, said: String::new() }
    }

    /// Shows what happens.
    pub(crate) fn show(&mut self, progress: &PullProgress<'_>) {
        match progress {
            PullProgress::Waiting => self.step("another process pulls this model; waiting for it"),
            PullProgress::Source { source } => self.step(&format!("from {source}")),
            PullProgress::SourceFailed { source, error } => {
                self.say(&format!("{source} did not work: {error}"));
            }
            PullProgress::Step { what } => self.step(what),
            PullProgress::Transfer(transfer) => self.transfer(transfer),
            PullProgress::Retrying { error, wait } => {
                self.say(&format!("{error}; trying again in {}", size::duration(*wait)));
            }
            PullProgress::Hashing { file, done, total } => {
                self.measure(&format!("checking {file}"), *done, *total, &fraction(*done, *total));
            }
            _ => {}
        }
    }

    /// Takes the bar away.
    pub(crate) fn clear(&mut self) {
        if let Some((bar, _)) = self.bar.take() {
            bar.finish_and_clear();
        }
    }

    fn transfer(&mut self, transfer: &Transfer<'_>) {
        let total = transfer.total.unwrap_or(transfer.done);
        let mut numbers = fraction(transfer.done, total);
        if let Some(speed) = transfer.bytes_per_second {
            numbers.push_str(&format!("  {}/s", size::bytes(speed as u64)));
        }
        if let Some(left) = transfer.remaining {
            numbers.push_str(&format!("  {} left", size::duration(left)));
        }
        self.measure(transfer.file, transfer.done, total, &numbers);
    }

    fn measure(&mut self, what: &str, done: u64, total: u64, numbers: &str) {
        match self.bar(BAR) {
            Some(bar) => {
                bar.set_length(total);
                bar.set_position(done);
                bar.set_prefix(numbers.to_owned());
                bar.set_message(what.to_owned());
            }
            None => self.say(what),
        }
    }

    fn step(&mut self, what: &str) {
        match self.bar(SPINNER) {
            Some(bar) => bar.set_message(what.to_owned()),
            None => self.say(what),
        }
    }

    /// One line that stays; what was just said is not said again.
    fn say(&mut self, what: &str) {
        if self.said != what {
            self.said = what.to_owned();
            match &self.bar {
                Some((bar, _)) => bar.suspend(|| self.printer.note(what)),
                None => self.printer.note(what),
            }
        }
    }

    fn bar(&mut self, template: &'static str) -> Option<&ProgressBar> {
        if !self.printer.shows_progress() {
            return None;
        }
        if self.bar.as_ref().is_none_or(|(_, shown)| *shown != template) {
            self.clear();
        }
        Some(&self.bar.get_or_insert_with(|| (styled(template), template)).0)
    }
}

fn fraction(done: u64, total: u64) -> String {
    format!("{}/{}", size::bytes(done), size::bytes(total))
}
