//! Times of one run.

use std::time::{Duration, Instant};

use tenfold_core::Metrics;

/// Measures one run. Time in which the run was blocked by its caller does not count.
#[derive(Debug)]
pub(crate) struct Clock {
    started: Instant,
    ttft: Option<Duration>,
    prefill: Duration,
    decode: Duration,
    prefilled_tokens: usize,
    output_tokens: usize,
}

impl Clock {
    /// Starts with the call of `generate`.
    pub(crate) fn new(started: Instant) -> Self {
        Self {
            started,
            ttft: None,
            prefill: Duration::ZERO,
            decode: Duration::ZERO,
            prefilled_tokens: 0,
            output_tokens: 0,
        }
    }

    /// A turn of the scheduler appended `tokens` to the run's sequence.
    pub(crate) fn turn(&mut self, spent: Duration, tokens: usize) {
        if self.output_tokens == 0 {
            self.prefill += spent;
            self.prefilled_tokens += tokens;
        } else {
            self.decode += spent;
        }
    }

    /// A token was picked.
    pub(crate) fn token(&mut self) {
        self.output_tokens += 1;
        self.ttft.get_or_insert_with(|| self.started.elapsed());
    }

    /// The figures so far.
    pub(crate) fn metrics(&self) -> Metrics {
        Metrics {
            ttft: self.ttft.unwrap_or_else(|| self.started.elapsed()),
            prefill: self.prefill,
            decode: self.decode,
            prefill_tps: rate(self.prefilled_tokens, self.prefill),
            decode_tps: rate(self.output_tokens.saturating_sub(1), self.decode),
            peak_memory_bytes: tenfold_device::peak_memory_bytes(),
        }
    }
}

/// Tokens a second; 0 where nothing was measured.
fn rate(tokens: usize, time: Duration) -> f64 {
    if tokens == 0 || time.is_zero() { 0.0 } else { tokens as f64 / time.as_secs_f64() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefill_and_decode_are_counted_apart() {
        let mut clock = Clock::new(Instant::now());
        clock.turn(Duration::from_millis(100), 50);
        clock.turn(Duration::from_millis(100), 10);
        clock.token();
        for _ in 0..4 {
            clock.turn(Duration::from_millis(20), 1);
            clock.token();
        }
        let metrics = clock.metrics();
        assert_eq!(metrics.prefill, Duration::from_millis(200));
        assert_eq!(metrics.decode, Duration::from_millis(80));
        assert!((metrics.prefill_tps - 300.0).abs() < 1e-9);
        assert!((metrics.decode_tps - 50.0).abs() < 1e-9);
    }

    #[test]
    fn a_run_without_tokens_has_no_rates() {
        let metrics = Clock::new(Instant::now()).metrics();
        assert_eq!((metrics.prefill_tps, metrics.decode_tps), (0.0, 0.0));
    }
}
