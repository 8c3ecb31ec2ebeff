//! The one decode loop: a thread that owns the sequences of a model.
//!
//! Each turn takes every run whose caller has room for events, calls `forward` once for all of
//! them, picks tokens and sends events. A run in decode adds one token to a turn; runs in prefill
//! share what is left of the model's batch size, so that a long prompt does not hold up the others.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use tenfold_core::{GenerateError, LoadError, LoadErrorKind};

use crate::TokenModel;
use crate::events::EventSender;
use crate::run::{Request, Run, Slot};

/// Which session a slot belongs to.
pub(crate) type SlotId = u64;

enum Command<M: TokenModel> {
    Open(SlotId, Box<Slot<M>>),
    Start(SlotId, Box<Request>),
    Close(SlotId),
    /// A blocked run has room again, or a caller went away.
    Wake,
}

/// The handle of the thread. Dropping it ends the thread and waits for it, so that the model's
/// memory is free afterwards.
pub(crate) struct Scheduler<M: TokenModel> {
    commands: Option<Sender<Command<M>>>,
    thread: Option<JoinHandle<()>>,
}

impl<M: TokenModel> Scheduler<M> {
    /// Starts the thread.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub(crate) fn start(model: Arc<M>) -> Result<Self, LoadError> {
        let (commands, receiver) = channel();
        let thread = thread::Builder::new()
            .name("tenfold-scheduler".to_owned())
            .spawn(move || Loop::new(model, receiver).serve())
            .map_err(|error| {
                LoadError::new(LoadErrorKind::Io, "the system gave no thread for the decode loop")
                    .with_source(error)
            })?;
        Ok(Self { commands: Some(commands), thread: Some(thread) })
    }

    pub(crate) fn open(&self, id: SlotId, slot: Slot<M>) {
        self.command(Command::Open(id, Box::new(slot)));
    }

    pub(crate) fn run(&self, id: SlotId, request: Request) {
        self.command(Command::Start(id, Box::new(request)));
    }

    pub(crate) fn close(&self, id: SlotId) {
        self.command(Command::Close(id));
    }

    /// A function that wakes the thread up.
    pub(crate) fn waker(&self) -> Box<dyn Fn() + Send> {
        match self.commands.clone() {
            Some(commands) => Box::new(move || drop(commands.send(Command::Wake))),
            None => Box::new(|| {}),
        }
    }

    /// If the thread is gone, the run's channel closes without an ending, and its stream reports
    /// that; there is nothing to do here.
    fn command(&self, command: Command<M>) {
        if let Some(commands) = &self.commands {
            drop(commands.send(command));
        }
    }
}

impl<M: TokenModel> Drop for Scheduler<M> {
    fn drop(&mut self) {
        self.commands = None;
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

struct Loop<M: TokenModel> {
    model: Arc<M>,
    commands: Receiver<Command<M>>,
    idle: HashMap<SlotId, Slot<M>>,
    /// In the order of arrival.
    running: Vec<(SlotId, Run<M>)>,
    /// Ended runs whose callers have not taken all events yet.
    draining: Vec<EventSender>,
}

impl<M: TokenModel> Loop<M> {
    fn new(model: Arc<M>, commands: Receiver<Command<M>>) -> Self {
        Self { model, commands, idle: HashMap::new(), running: Vec::new(), draining: Vec::new() }
    }

    fn serve(mut self) {
        while self.take_commands() {
            self.turn();
            self.retire();
        }
    }

    /// Takes what was asked; waits when there is nothing to run. False when nobody can ask any more.
    fn take_commands(&mut self) -> bool {
        let has_work = self.running.iter_mut().any(|(_, run)| run.is_runnable());
        if !has_work {
            match self.commands.recv() {
                Ok(command) => self.obey(command),
                Err(_) => return false,
            }
        }
        loop {
            match self.commands.try_recv() {
                Ok(command) => self.obey(command),
                Err(TryRecvError::Empty) => return true,
                Err(TryRecvError::Disconnected) => return false,
            }
        }
    }

    fn obey(&mut self, command: Command<M>) {
        match command {
            Command::Open(id, slot) => drop(self.idle.insert(id, *slot)),
            Command::Start(id, request) => self.start(id, *request),
            Command::Close(id) => self.close(id),
            Command::Wake => self.retire(),
        }
    }

    /// A session has one run at a time: an earlier one was cancelled by its caller.
    fn start(&mut self, id: SlotId, request: Request) {
        self.retire();
        if let Some(slot) = self.idle.remove(&id) {
            self.running.push((id, Run::start(slot, request)));
            self.retire();
        }
    }

    fn close(&mut self, id: SlotId) {
        self.idle.remove(&id);
        self.running.retain(|(running, _)| *running != id);
    }

    /// One `forward` for all runs that can go on.
    fn turn(&mut self) {
        let runs = self.running.iter_mut().map(|(_, run)| run);
        let runs: Vec<&mut Run<M>> =
            runs.filter_map(|run| run.is_runnable().then_some(run)).collect();
        let budgets = share(self.model.shape().max_batch, runs.iter().map(|run| run.pending()));
        let mut together: Vec<Shared<'_, M>> = runs.into_iter().zip(budgets).collect();
        if together.is_empty() {
            return;
        }
        match forward(&*self.model, &mut together) {
            Ok(spent) => together.iter_mut().for_each(|(run, _)| run.stepped(spent)),
            Err(error) => match together.as_mut_slice() {
                [(run, _)] => run.failed(error),
                several => forward_apart(&*self.model, several),
            },
        }
    }

    /// Ends the runs that are over, and gives their slots back to the sessions.
    fn retire(&mut self) {
        let ended = self.running.extract_if(.., |(_, run)| run.finish());
        for (id, run) in ended {
            let (slot, events) = run.into_parts();
            self.idle.insert(id, slot);
            self.draining.push(events);
        }
        self.draining.retain_mut(|events| !events.is_cancelled() && !events.flush());
    }
}

/// A run and how many tokens of a turn are its.
type Shared<'r, M> = (&'r mut Run<M>, usize);

fn forward<M: TokenModel>(
    model: &M,
    runs: &mut [Shared<'_, M>],
) -> Result<Duration, GenerateError> {
    let started = Instant::now();
    let mut steps: Vec<_> = runs.iter_mut().map(|(run, budget)| run.step(*budget)).collect();
    model.forward(&mut steps)?;
    Ok(started.elapsed())
}

/// One of several runs made the step fail: only that one shall end.
fn forward_apart<M: TokenModel>(model: &M, runs: &mut [Shared<'_, M>]) {
    for shared in runs {
        match forward(model, std::slice::from_mut(shared)) {
            Ok(spent) => shared.0.stepped(spent),
            Err(error) => shared.0.failed(error),
        }
    }
}

/// Shares out the tokens of one step: every run gets one, the rest goes to the first in line.
fn share(max_batch: usize, pending: impl ExactSizeIterator<Item = usize>) -> Vec<usize> {
    let mut spare = max_batch.max(pending.len()) - pending.len();
    pending
        .map(|pending| {
            let extra = pending.saturating_sub(1).min(spare);
            spare -= extra;
            pending.min(1) + extra
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::share;

    #[test]
    fn every_run_gets_a_token_and_the_first_in_line_the_rest() {
        let cases: [(usize, &[usize], &[usize]); 5] = [
            (512, &[1000], &[512]),
            (512, &[100], &[100]),
            (8, &[1, 100, 1, 100], &[1, 5, 1, 1]),
            (2, &[1, 1, 1], &[1, 1, 1]),
            (512, &[], &[]),
        ];
        for (max_batch, pending, expect) in cases {
            assert_eq!(share(max_batch, pending.iter().copied()), expect, "{pending:?}");
        }
    }
}
