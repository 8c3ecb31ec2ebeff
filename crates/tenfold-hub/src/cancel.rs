//! Stopping work from another thread.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::HubError;

/// A flag that stops a pull or a verification soon after it is set; what arrived is kept.
#[derive(Clone, Debug, Default)]
pub struct CancelFlag(Arc<AtomicBool>);

impl CancelFlag {
    /// Asks the work that holds this flag to stop.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Release);
    }

    /// Makes the flag usable for the next work.
    pub fn reset(&self) {
        self.0.store(false, Ordering::Release);
    }

    /// Whether somebody asked to stop.
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }

    pub(crate) fn check(&self) -> Result<(), HubError> {
        if self.is_cancelled() { Err(HubError::Cancelled) } else { Ok(()) }
    }

    /// Sleeps, and wakes early when cancelled.
    pub(crate) fn sleep(&self, time: std::time::Duration) -> Result<(), HubError> {
        let end = std::time::Instant::now() + time;
        loop {
            self.check()?;
            let left = end.saturating_duration_since(std::time::Instant::now());
            if left.is_zero() {
                return Ok(());
            }
            std::thread::sleep(left.min(std::time::Duration::from_millis(50)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, Instant};

    #[test]
    fn a_cancelled_sleep_ends_early_and_a_reset_flag_sleeps_again() {
        let flag = CancelFlag::default();
        let other = flag.clone();
        let start = Instant::now();
        let waker = std::thread::spawn(move || other.cancel());
        assert!(matches!(flag.sleep(Duration::from_secs(60)), Err(HubError::Cancelled)));
        assert!(start.elapsed() < Duration::from_secs(10));
        waker.join().unwrap();
        flag.reset();
        assert!(flag.sleep(Duration::from_millis(1)).is_ok());
    }
}
