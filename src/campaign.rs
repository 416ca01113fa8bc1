//! Many runs at once, with results in order: the only place that knows threads.
//!
//! Which thread does a piece of work never shows in the results: they are handed over in the order of the work.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc;

/// Whether to go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// With the next result.
    Continue,
    /// No further: later results are not asked for.
    Stop,
}

/// Does `work` for each index from 0 below `count` on `jobs` threads and hands the results to `take` in order.
///
/// When `take` says stop, or when `work` gives `None` (its time is up), nothing more is begun; what `take` sees is
/// always a gapless beginning of the sequence.
pub fn in_order<R: Send>(
    count: u64,
    jobs: usize,
    work: impl Fn(u64) -> Option<R> + Sync,
    mut take: impl FnMut(u64, R) -> Flow,
) {
    if jobs <= 1 {
        for index in 0..count {
            let Some(result) = work(index) else { return };
            if take(index, result) == Flow::Stop {
                return;
            }
        }
        return;
    }
    let (next, taken, stop) = (AtomicU64::new(0), AtomicU64::new(0), AtomicBool::new(false));
    // Nobody runs further ahead than this, so that what waits for its turn stays small.
    let ahead_max = 64 * jobs as u64;
    let (sender, receiver) = mpsc::channel();
    std::thread::scope(|scope| {
        for _ in 0..jobs {
            let (sender, next, taken, stop, work) = (sender.clone(), &next, &taken, &stop, &work);
            scope.spawn(move || {
                let _stops = StopsOnPanic(stop);
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    if index >= count {
                        return;
                    }
                    while index >= taken.load(Ordering::Acquire) + ahead_max && !stop.load(Ordering::Relaxed)
                    {
                        std::thread::yield_now();
                    }
                    if stop.load(Ordering::Relaxed) || sender.send((index, work(index))).is_err() {
                        return;
                    }
                }
            });
        }
        drop(sender);
        let _stops = StopsOnPanic(&stop);
        let mut waiting = BTreeMap::new();
        let mut due = 0;
        for (index, result) in receiver {
            waiting.insert(index, result);
            while let Some(result) = waiting.remove(&due) {
                let flow = match result {
                    Some(result) => take(due, result),
                    None => Flow::Stop,
                };
                if flow == Flow::Stop {
                    stop.store(true, Ordering::Relaxed);
                    return;
                }
                due += 1;
                taken.store(due, Ordering::Release);
            }
        }
    });
}

/// Tells the other threads to stop when its own panics: they would wait for its result for ever.
struct StopsOnPanic<'a>(&'a AtomicBool);

impl Drop for StopsOnPanic<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.store(true, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn collect(count: u64, jobs: usize, stop_at: u64) -> Vec<(u64, u64)> {
        let mut taken = Vec::new();
        let work = |index: u64| {
            // Uneven work, so that threads overtake each other.
            let rounds = (index * 7_919) % 5_000;
            Some((0..rounds).fold(index, |sum, k| std::hint::black_box(sum.wrapping_mul(31).wrapping_add(k))))
        };
        in_order(count, jobs, work, |index, result| {
            taken.push((index, result));
            if index == stop_at { Flow::Stop } else { Flow::Continue }
        });
        taken
    }

    #[test]
    fn results_come_in_order_and_are_the_same_for_any_number_of_jobs() {
        let one = collect(2_000, 1, u64::MAX);
        assert_eq!(one.len(), 2_000);
        for jobs in [2, 3, 8] {
            assert_eq!(collect(2_000, jobs, u64::MAX), one);
        }
    }

    #[test]
    fn stopping_leaves_a_gapless_beginning() {
        for jobs in [1, 2, 5] {
            let taken = collect(1_000_000, jobs, 137);
            assert_eq!(taken.len(), 138);
            assert_eq!(taken, collect(138, 1, u64::MAX));
        }
    }

    #[test]
    fn a_panic_in_the_work_or_in_taking_ends_the_campaign() {
        for jobs in [1, 2, 4] {
            let in_work = std::panic::catch_unwind(|| {
                let work = |index: u64| {
                    assert!(index != 500, "a planted panic");
                    Some(index)
                };
                in_order(1_000_000, jobs, work, |_, _| Flow::Continue);
            });
            assert!(in_work.is_err());
            let in_taking = std::panic::catch_unwind(|| {
                in_order(1_000_000, jobs, Some, |index, _| {
                    assert!(index != 500, "a planted panic");
                    Flow::Continue
                });
            });
            assert!(in_taking.is_err());
        }
    }

    #[test]
    fn work_whose_time_is_up_ends_the_sequence() {
        for jobs in [1, 4] {
            let mut taken = Vec::new();
            in_order(
                1_000,
                jobs,
                |index| (index < 10).then_some(index),
                |_, index| {
                    taken.push(index);
                    Flow::Continue
                },
            );
            assert_eq!(taken, (0..10).collect::<Vec<_>>());
        }
    }
}
