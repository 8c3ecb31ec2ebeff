//! When a request is repeated, and after how long.

use std::time::Duration;

use crate::{HubConfig, HubError};

/// A server that asks for more than this is not waited for.
const LONGEST_WAIT: Duration = Duration::from_secs(300);
/// Doublings of the first wait.
const DOUBLINGS: u32 = 5;

/// Counts failures in a row.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    failures: u32,
    limit: u32,
    first: Duration,
}

impl Patience {
    /// Tries again `limit` times.
    pub(crate) fn new(settings: &HubConfig, limit: u32) -> Self {
        Self { failures: 0, limit, first: settings.timeouts.retry }
    }

    /// Something arrived: what failed before does not count any more.
    pub(crate) fn renew(&mut self) {
        self.failures = 0;
    }

    /// How long to wait before the next try; `None` to give up.
    ///
    /// `reached` says whether the server answered before: then a connection that fails is an
    /// interruption, and else it is a server that is not there.
    pub(crate) fn wait(&mut self, error: &HubError, reached: bool) -> Option<Duration> {
        let HubError::Network { transient, retry_after, source, .. } = error else { return None };
        let interrupted = source.is_some() && (reached || self.failures > 0);
        if self.failures >= self.limit || !(*transient || interrupted) {
            return None;
        }
        let own = self.first.saturating_mul(1 << self.failures.min(DOUBLINGS));
        let wait = own.max(retry_after.unwrap_or_default());
        self.failures += 1;
        (wait <= LONGEST_WAIT).then_some(wait)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(transient: bool, retry_after: Option<u64>, from_transport: bool) -> HubError {
        HubError::Network {
            url: "https://h".into(),
            problem: "p".into(),
            transient,
            retry_after: retry_after.map(Duration::from_secs),
            source: from_transport.then(|| "io".into()),
        }
    }

    fn patience() -> Patience {
        let mut settings = HubConfig::with_home("x");
        settings.timeouts.retry = Duration::from_secs(1);
        Patience::new(&settings, 3)
    }

    #[test]
    fn waits_double_and_end() {
        let mut patience = patience();
        let mut next =
            || patience.wait(&error(true, None, false), false).map(|wait| wait.as_secs());
        assert_eq!([next(), next(), next(), next()], [Some(1), Some(2), Some(4), None]);
        patience.renew();
        assert_eq!(patience.wait(&error(true, None, false), false), Some(Duration::from_secs(1)));
    }

    #[test]
    fn the_server_may_ask_for_more_but_not_for_ever() {
        for (asked, wait) in [(0, Some(1)), (20, Some(20)), (300, Some(300)), (301, None)] {
            let wait = wait.map(Duration::from_secs);
            assert_eq!(patience().wait(&error(true, Some(asked), false), false), wait, "{asked}");
        }
    }

    #[test]
    fn a_server_that_was_never_there_and_a_refusal_are_not_repeated() {
        for (transient, from_transport, reached, repeated) in [
            (true, true, false, true),
            (false, true, false, false),
            (false, true, true, true),
            (false, false, true, false),
        ] {
            let wait = patience().wait(&error(transient, None, from_transport), reached);
            assert_eq!(wait.is_some(), repeated, "{transient} {from_transport} {reached}");
        }
        assert_eq!(patience().wait(&HubError::Cancelled, true), None);
    }
}
