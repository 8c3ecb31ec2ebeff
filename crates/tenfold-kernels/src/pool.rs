//! The threads that all operations share.

#[cfg(test)]
mod tests;

use std::any::Any;
use std::cell::{Cell, UnsafeCell};
use std::fmt;
use std::hint::spin_loop;
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::{self, JoinHandle, Thread};

/// How often a waiting thread looks before it sleeps: some tens of microseconds, longer than the
/// pause between two operations of a model and much shorter than the one between two answers.
const SPINS: usize = 1500;

/// The most tasks that one round can have; the bits of [`Round`] that count tasks hold this many.
const MOST_TASKS: usize = (1 << 31) - 1;

/// A fixed set of threads that run the tasks of one caller at a time.
///
/// The caller takes part, so a pool of one thread starts none. Tasks are handed out one by one to
/// whoever is free, so a thread that the system holds up delays only the task that it is at.
/// Waiting threads spin briefly and then sleep.
pub struct ThreadPool {
    shared: Arc<Shared>,
    workers: Vec<JoinHandle<()>>,
    /// Held by the caller whose tasks are running.
    caller: Mutex<()>,
}

struct Shared {
    /// Tasks of this round and the next one to hand out; see [`Round`].
    round: AtomicU64,
    /// Tasks of this round that are not finished.
    unfinished: AtomicUsize,
    /// The function of this round; read only by whoever holds one of its tasks.
    job: UnsafeCell<Option<Job>>,
    /// The first panic of this round.
    panic: Mutex<Option<Box<dyn Any + Send>>>,
    /// The sleeping places of the workers.
    beds: Vec<Bed>,
    /// The caller, while it may sleep.
    waiting: Mutex<Option<Thread>>,
    closing: AtomicBool,
}

/// Where one worker sleeps.
#[derive(Default)]
struct Bed {
    asleep: AtomicBool,
    thread: OnceLock<Thread>,
}

/// A task function with its lifetime taken away.
#[derive(Clone, Copy)]
struct Job(*const (dyn Fn(usize) + Sync));

// SAFETY: `job` is written only by the caller that holds the `caller` lock while no task of the
// round is handed out, and read only by holders of an unfinished task; both are ordered by `round`
// and `unfinished`. The function it points to is `Sync`.
unsafe impl Sync for Shared {}
// SAFETY: as above; the pointer is used only while the caller keeps the function alive.
unsafe impl Send for Shared {}

/// The count of tasks (high half) and the next task (low half) of a round in one word, so that a
/// thread that comes late from an earlier round cannot mistake one for the other.
#[derive(Clone, Copy)]
struct Round(u64);

impl Round {
    fn new(tasks: usize) -> Self {
        Self((tasks as u64) << 32)
    }

    fn open(self) -> Option<usize> {
        let next = self.0 & u64::from(u32::MAX);
        (next < self.0 >> 32).then_some(next as usize)
    }
}

thread_local! {
    static IN_TASK: Cell<bool> = const { Cell::new(false) };
}

impl ThreadPool {
    /// A pool of this many threads, the caller's included.
    ///
    /// Where the system refuses to start that many, the pool has fewer.
    pub fn new(threads: NonZeroUsize) -> Self {
        let beds = (1..threads.get()).map(|_| Bed::default()).collect();
        let shared = Arc::new(Shared::new(beds));
        let start = |index| {
            let shared = Arc::clone(&shared);
            let builder = thread::Builder::new().name(format!("tenfold-{index}"));
            builder.spawn(move || shared.work(index)).ok()
        };
        let workers = (0..threads.get() - 1).map_while(start).collect();
        Self { shared, workers, caller: Mutex::new(()) }
    }

    /// Number of threads, the caller's included.
    pub fn threads(&self) -> usize {
        self.workers.len() + 1
    }

    /// Calls `task` once for each of `0..tasks`, on all threads, and returns when all are done.
    ///
    /// Calls from several threads take turns. A call from within a task runs on that task's thread
    /// alone.
    ///
    /// # Panics
    /// If a task panics, with the first panic's payload, once all other tasks have ended. The pool
    /// stays usable.
    pub fn run(&self, tasks: usize, task: impl Fn(usize) + Sync) {
        if tasks <= 1 || self.workers.is_empty() || IN_TASK.get() {
            (0..tasks).for_each(task);
            return;
        }
        let _turn = lock(&self.caller);
        for first in (0..tasks).step_by(MOST_TASKS) {
            let count = MOST_TASKS.min(tasks - first);
            self.shared.run_round(count, &|index| task(first + index));
        }
    }
}

impl fmt::Debug for ThreadPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ThreadPool").field("threads", &self.threads()).finish_non_exhaustive()
    }
}

impl Drop for ThreadPool {
    fn drop(&mut self) {
        self.shared.closing.store(true, Ordering::SeqCst);
        for worker in self.workers.drain(..) {
            worker.thread().unpark();
            // A worker catches the panics of its tasks and has none of its own.
            let _ = worker.join();
        }
    }
}

impl Shared {
    fn new(beds: Vec<Bed>) -> Self {
        Self {
            round: AtomicU64::new(0),
            unfinished: AtomicUsize::new(0),
            job: UnsafeCell::new(None),
            panic: Mutex::new(None),
            beds,
            waiting: Mutex::new(None),
            closing: AtomicBool::new(false),
        }
    }

    /// Runs one round; the caller holds the lock of the pool.
    fn run_round(&self, tasks: usize, task: &(dyn Fn(usize) + Sync)) {
        let task: *const (dyn Fn(usize) + Sync + '_) = task;
        // SAFETY: only the lifetime changes. The pointer is used only by holders of an unfinished
        // task, and this function returns after all of them have finished.
        let job =
            Job(unsafe { std::mem::transmute::<*const _, *const (dyn Fn(usize) + Sync)>(task) });
        // SAFETY: all tasks of the last round are finished and this one has not begun, so nobody
        // else looks at the job.
        unsafe { *self.job.get() = Some(job) };
        self.unfinished.store(tasks, Ordering::Relaxed);
        self.round.store(Round::new(tasks).0, Ordering::SeqCst);
        self.wake(tasks - 1);
        self.take_tasks();
        self.wait();
        let payload = lock(&self.panic).take();
        if let Some(payload) = payload {
            resume_unwind(payload);
        }
    }

    /// Wakes up to `count` sleeping workers; those that spin come by themselves.
    fn wake(&self, count: usize) {
        for bed in self.beds.iter().take(count) {
            if bed.asleep.load(Ordering::SeqCst)
                && let Some(thread) = bed.thread.get()
            {
                thread.unpark();
            }
        }
    }

    /// Runs tasks of the current round until none is left to hand out.
    fn take_tasks(&self) {
        while Round(self.round.load(Ordering::Relaxed)).open().is_some() {
            let claimed = Round(self.round.fetch_add(1, Ordering::AcqRel)).open();
            let Some(index) = claimed else { return };
            self.run_task(index);
        }
    }

    /// Runs one task that this thread has claimed.
    fn run_task(&self, index: usize) {
        // SAFETY: the claimed task is unfinished, so the caller of its round is still waiting and
        // nobody writes the job.
        let job = unsafe { *self.job.get() };
        IN_TASK.set(true);
        let result = catch_unwind(AssertUnwindSafe(|| {
            if let Some(Job(task)) = job {
                // SAFETY: the caller keeps the function alive until the task is finished.
                unsafe { (*task)(index) };
            }
        }));
        IN_TASK.set(false);
        if let Err(payload) = result {
            lock(&self.panic).get_or_insert(payload);
        }
        if self.unfinished.fetch_sub(1, Ordering::SeqCst) == 1 {
            self.wake_caller();
        }
    }

    fn wake_caller(&self) {
        // Left in its place: a thread that comes late from an earlier round may be the one that
        // calls the caller of this round, too early, and the right one must find it still.
        if let Some(caller) = &*lock(&self.waiting) {
            caller.unpark();
        }
    }

    /// Waits until all tasks are finished.
    fn wait(&self) {
        let finished = || self.unfinished.load(Ordering::SeqCst) == 0;
        if spin_until(finished) {
            return;
        }
        *lock(&self.waiting) = Some(thread::current());
        while !finished() {
            thread::park();
        }
        lock(&self.waiting).take();
    }

    /// What a worker does until the pool is dropped.
    fn work(&self, index: usize) {
        let Some(bed) = self.beds.get(index) else { return };
        bed.thread.get_or_init(thread::current);
        let called = || {
            self.closing.load(Ordering::SeqCst)
                || Round(self.round.load(Ordering::SeqCst)).open().is_some()
        };
        while !self.closing.load(Ordering::SeqCst) {
            if !spin_until(called) {
                bed.asleep.store(true, Ordering::SeqCst);
                while !called() {
                    thread::park();
                }
                bed.asleep.store(false, Ordering::SeqCst);
            }
            self.take_tasks();
        }
    }
}

/// Looks for a while; false if the condition did not come true.
fn spin_until(condition: impl Fn() -> bool) -> bool {
    (0..SPINS).any(|_| {
        let met = condition();
        if !met {
            spin_loop();
        }
        met
    })
}

/// A panic while a lock was held leaves nothing half done here.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
