//! The bounded channel between the scheduler and the caller of one run.
//!
//! Pulling gives back-pressure: when the caller does not pull, the channel fills up, the run is
//! blocked, and the scheduler leaves it out of its turns until the caller pulls again. Dropping the
//! receiving end cancels the run.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};

use tenfold_core::{Event, GenerateError};

/// Events that may wait for the caller before its run is blocked.
const CAPACITY: usize = 32;

pub(crate) type Item = Result<Event, GenerateError>;

#[derive(Debug, Default)]
struct Flags {
    blocked: AtomicBool,
    cancelled: AtomicBool,
}

/// What the scheduler holds.
#[derive(Debug)]
pub(crate) struct EventSender {
    channel: SyncSender<Item>,
    waiting: VecDeque<Item>,
    flags: Arc<Flags>,
}

/// What the caller holds.
pub(crate) struct EventReceiver {
    channel: Receiver<Item>,
    flags: Arc<Flags>,
    wake: Box<dyn Fn() + Send>,
}

/// A channel whose receiver calls `wake` when a blocked or cancelled run needs the scheduler.
pub(crate) fn channel(wake: Box<dyn Fn() + Send>) -> (EventSender, EventReceiver) {
    let (sender, receiver) = sync_channel(CAPACITY);
    let flags = Arc::new(Flags::default());
    (
        EventSender { channel: sender, waiting: VecDeque::new(), flags: Arc::clone(&flags) },
        EventReceiver { channel: receiver, flags, wake },
    )
}

impl EventSender {
    /// Hands over an event, or keeps it until there is room.
    pub(crate) fn send(&mut self, item: Item) {
        self.waiting.push_back(item);
        self.flush();
    }

    /// True if the caller is gone.
    pub(crate) fn is_cancelled(&self) -> bool {
        self.flags.cancelled.load(Ordering::Acquire)
    }

    /// Hands over what waits; true if everything went.
    pub(crate) fn flush(&mut self) -> bool {
        if self.push_waiting() {
            return true;
        }
        self.flags.blocked.store(true, Ordering::SeqCst);
        // The caller may have pulled between the failed push and the flag: nobody would wake us.
        let emptied = self.push_waiting();
        if emptied {
            self.flags.blocked.store(false, Ordering::SeqCst);
        }
        emptied
    }

    fn push_waiting(&mut self) -> bool {
        while let Some(item) = self.waiting.pop_front() {
            match self.channel.try_send(item) {
                Ok(()) => {}
                Err(TrySendError::Full(item)) => {
                    self.waiting.push_front(item);
                    return false;
                }
                Err(TrySendError::Disconnected(_)) => self.waiting.clear(),
            }
        }
        true
    }
}

impl EventReceiver {
    /// Waits for the next event; `None` when the run is over and everything was received.
    pub(crate) fn receive(&mut self) -> Option<Item> {
        let item = self.channel.recv().ok();
        if self.flags.blocked.swap(false, Ordering::SeqCst) {
            (self.wake)();
        }
        item
    }
}

impl Drop for EventReceiver {
    fn drop(&mut self) {
        self.flags.cancelled.store(true, Ordering::Release);
        (self.wake)();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use super::*;

    fn counted() -> (EventSender, EventReceiver, Arc<AtomicUsize>) {
        let wakes = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&wakes);
        let (sender, receiver) = channel(Box::new(move || {
            counter.fetch_add(1, Ordering::SeqCst);
        }));
        (sender, receiver, wakes)
    }

    fn text(number: usize) -> Item {
        Ok(Event::Text(number.to_string()))
    }

    #[test]
    fn events_arrive_in_order_beyond_the_capacity() {
        let (mut sender, mut receiver, wakes) = counted();
        for number in 0..CAPACITY * 2 {
            sender.send(text(number));
        }
        assert!(!sender.flush(), "the channel is full");
        for number in 0..CAPACITY {
            assert_eq!(receiver.receive().unwrap().unwrap(), text(number).unwrap());
        }
        assert_eq!(wakes.load(Ordering::SeqCst), 1, "one wake for one block");
        assert!(sender.flush());
        drop(sender);
        for number in CAPACITY..CAPACITY * 2 {
            assert_eq!(receiver.receive().unwrap().unwrap(), text(number).unwrap());
        }
        assert!(receiver.receive().is_none());
    }

    #[test]
    fn dropping_the_receiver_cancels_and_wakes() {
        let (mut sender, receiver, wakes) = counted();
        assert!(!sender.is_cancelled());
        drop(receiver);
        assert!(sender.is_cancelled());
        assert_eq!(wakes.load(Ordering::SeqCst), 1);
        sender.send(text(0));
        assert!(sender.flush(), "events for nobody do not block");
    }
}
