//! The timers of processes: how long they take, when they are due, and what in the queue stands for them.

use crate::latency::between;
use crate::ordinals::Ordinals;
use crate::queue::Key;
use crate::world::{TIMER, Watcher, World};
use crate::{Process, ProcessId, Record, Span, TimerId, VirtualTime};
use std::collections::VecDeque;

#[derive(Clone, Debug, Default)]
pub(crate) struct Timer {
    pub(crate) armed: bool,
    /// Whether it fires only when it is told to.
    pub(crate) held: bool,
    pub(crate) deadline: VirtualTime,
    /// The key in the queue that stands for it. It may be earlier than the deadline: re-arming a timer leaves the
    /// queue alone, and the key is moved when its time comes. A timer re-armed by every heartbeat so costs nothing.
    pub(crate) queued: Option<Key>,
    pub(crate) delay: Span,
    /// Out of which its delay was drawn.
    pub(crate) range: (Span, Span),
    ordinals: Ordinals,
    pub(crate) pins: VecDeque<Span>,
}

impl<P: Process> World<P> {
    #[inline]
    pub(crate) fn timer_index(process: ProcessId, timer: TimerId) -> usize {
        assert!(usize::from(timer.0) < P::TIMERS.len(), "timer {} has no name", timer.0);
        process.index() * P::TIMERS.len() + usize::from(timer.0)
    }

    /// The inverse of [`Self::timer_index`].
    #[inline]
    pub(crate) fn timer_at(index: usize) -> (ProcessId, TimerId) {
        let timers = P::TIMERS.len();
        let process = u16::try_from(index / timers).expect("timers belong to processes");
        let timer = u8::try_from(index % timers).expect("a process has at most 256 timers");
        (ProcessId(process), TimerId(timer))
    }

    /// All timers of a process.
    pub(crate) fn timers_of(&mut self, process: ProcessId) -> &mut [Timer] {
        let timers = P::TIMERS.len();
        &mut self.timers[process.index() * timers..][..timers]
    }

    /// Draws a timer's delay, or takes the next one that is pinned, and arms it.
    pub(crate) fn draw_timer(
        &mut self,
        watcher: Watcher<'_, P>,
        process: ProcessId,
        timer: TimerId,
        (min, max): (Span, Span),
        epoch: u64,
    ) {
        let index = Self::timer_index(process, timer);
        if self.halted.is_some() {
            return;
        }
        let slot = &mut self.timers[index];
        let ordinal = slot.ordinals.take(epoch);
        (slot.range, slot.delay) = match slot.pins.pop_front() {
            // Nothing else could have been drawn.
            Some(pinned) => ((pinned, pinned), pinned),
            None if min >= max => ((min, min), min),
            None => ((min, max), between(min, max, self.chance.timer(process, timer, epoch, ordinal).0)),
        };
        let due = self.clocks.arm(process, timer.0, self.now, slot.delay);
        self.emit(watcher, Record::TimerSet { process, timer, due });
        self.arm(process, timer, due);
    }

    /// Arms a timer with the delay that it was last given.
    #[inline]
    pub(crate) fn rearm_timer(&mut self, process: ProcessId, timer: TimerId) {
        let delay = self.timers[Self::timer_index(process, timer)].delay;
        let due = self.clocks.arm(process, timer.0, self.now, delay);
        self.arm(process, timer, due);
    }

    #[inline]
    pub(crate) fn arm(&mut self, process: ProcessId, timer: TimerId, deadline: VirtualTime) {
        let index = Self::timer_index(process, timer);
        let slot = &mut self.timers[index];
        slot.armed = true;
        slot.deadline = deadline;
        if slot.queued.is_none_or(|key| key.due() > deadline) {
            self.enqueue_timer(index);
        }
    }

    pub(crate) fn is_armed(&self, process: ProcessId, timer: TimerId) -> bool {
        self.timers[Self::timer_index(process, timer)].armed
    }

    /// Puts the key of an armed timer into the queue.
    pub(crate) fn enqueue_timer(&mut self, index: usize) {
        let (process, _) = Self::timer_at(index);
        let what = TIMER | u32::try_from(index).expect("processes times timers fit in 30 bits");
        let due = self.timers[index].deadline;
        let key = Key::new(due, self.chance.tie(process, what, due), what);
        self.timers[index].queued = Some(key);
        self.queue.push(key);
    }
}
