//! Every task once, whatever threads do: sleep, panic, call from within a task, come late.

use std::sync::Barrier;
use std::sync::atomic::AtomicU32;
use std::time::Duration;

use super::*;

fn pool(threads: usize) -> ThreadPool {
    ThreadPool::new(NonZeroUsize::new(threads).unwrap())
}

/// Runs so many tasks and makes sure that each has run once.
#[track_caller]
fn check(pool: &ThreadPool, tasks: usize) {
    let counts: Vec<AtomicU32> = (0..tasks).map(|_| AtomicU32::new(0)).collect();
    pool.run(tasks, |task| {
        counts[task].fetch_add(1, Ordering::Relaxed);
    });
    let wrong = counts.iter().position(|count| count.load(Ordering::Relaxed) != 1);
    assert_eq!(wrong, None, "a task of {tasks} on {} threads", pool.threads());
}

#[test]
fn every_task_runs_once() {
    for threads in 1..5 {
        let pool = pool(threads);
        assert_eq!(pool.threads(), threads);
        for tasks in (0..50).chain([1000, 10_000]) {
            check(&pool, tasks);
        }
    }
}

#[test]
fn what_tasks_write_is_there_when_they_are_done() {
    let pool = pool(3);
    let mut numbers = vec![0_u64; 257];
    for round in 1..2000 {
        let parts = crate::ops::Parts::new(&mut numbers);
        pool.run(257, |task| {
            // SAFETY: each task has its own number.
            let number = unsafe { parts.part(task, 1) };
            number[0] += task as u64;
        });
        let expected = (0..257).map(|task| task * round);
        assert!(numbers.iter().copied().eq(expected), "round {round}");
    }
}

#[test]
fn sleeping_threads_wake_up_when_they_are_needed() {
    for threads in 2..5 {
        let pool = pool(threads);
        for round in 0..60 {
            // Long enough to fall asleep, long enough to be about to, and not at all.
            thread::sleep(Duration::from_micros([0, 30, 300, 2000][round % 4]));
            // Nobody gets past the barrier before all threads have come.
            let barrier = Barrier::new(threads);
            pool.run(threads, |_| {
                barrier.wait();
            });
        }
    }
}

#[test]
fn a_caller_that_waits_for_a_slow_task_is_woken() {
    let pool = pool(2);
    for _ in 0..5 {
        let barrier = Barrier::new(2);
        let caller = thread::current().id();
        pool.run(2, |_| {
            barrier.wait();
            if thread::current().id() != caller {
                thread::sleep(Duration::from_millis(20));
            }
        });
    }
}

#[test]
fn a_slow_task_holds_up_nobody_else() {
    let pool = pool(2);
    let (done, slow) = (AtomicU32::new(0), AtomicU32::new(0));
    pool.run(100, |task| {
        if task == 0 {
            // The other thread does all the rest meanwhile.
            while done.load(Ordering::SeqCst) < 99 {
                thread::yield_now();
            }
            slow.fetch_add(1, Ordering::SeqCst);
        } else {
            done.fetch_add(1, Ordering::SeqCst);
        }
    });
    assert_eq!((done.into_inner(), slow.into_inner()), (99, 1));
}

#[test]
fn a_panic_reaches_the_caller_after_all_tasks_and_the_pool_goes_on() {
    for threads in [2, 4] {
        let pool = pool(threads);
        for bad in [0, 7, 19] {
            let finished = AtomicU32::new(0);
            let result = catch_unwind(AssertUnwindSafe(|| {
                pool.run(20, |task| {
                    assert_ne!(task, bad, "task {task} fails");
                    finished.fetch_add(1, Ordering::SeqCst);
                });
            }));
            let payload = result.unwrap_err();
            let text = payload.downcast_ref::<String>().unwrap();
            assert!(text.contains(&format!("task {bad} fails")), "{text}");
            assert_eq!(finished.into_inner(), 19);
            check(&pool, 100);
        }
    }
}

#[test]
fn when_every_task_panics_one_panic_is_reported() {
    let pool = pool(3);
    let everything = || pool.run(50, |task| panic!("{task}"));
    assert!(catch_unwind(AssertUnwindSafe(everything)).is_err());
    check(&pool, 50);
}

#[test]
fn a_call_from_within_a_task_runs_where_it_is() {
    let pool = pool(3);
    let count = AtomicU32::new(0);
    pool.run(10, |_| {
        let outer = thread::current().id();
        pool.run(10, |_| {
            assert_eq!(thread::current().id(), outer);
            count.fetch_add(1, Ordering::Relaxed);
        });
    });
    assert_eq!(count.into_inner(), 100);
}

#[test]
fn callers_take_turns() {
    let pool = pool(3);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..200).for_each(|_| check(&pool, 20)));
        }
    });
}

#[test]
fn dropping_ends_threads_that_sleep_spin_or_have_never_worked() {
    for round in 0..200 {
        let pool = pool(3);
        if round % 3 > 0 {
            check(&pool, 5);
        }
        if round % 20 == 19 {
            thread::sleep(Duration::from_millis(2));
        }
        let shared = Arc::downgrade(&pool.shared);
        drop(pool);
        assert_eq!(shared.strong_count(), 0, "all threads have ended");
    }
}
