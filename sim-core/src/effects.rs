//! The hands of a process: the only way in which it touches the world.

use crate::world::{Watcher, World};
use crate::{Process, ProcessId, Record, Span, TimerId, VirtualTime, WriteId};

/// What a process can do while it handles something. What it does takes effect at once, in order.
pub struct Effects<'a, P: Process> {
    pub(crate) world: &'a mut World<P>,
    pub(crate) watcher: Watcher<'a, P>,
    pub(crate) process: ProcessId,
}

impl<P: Process> Effects<'_, P> {
    /// The process that acts.
    #[must_use]
    pub fn id(&self) -> ProcessId {
        self.process
    }

    /// How many processes there are.
    #[must_use]
    pub fn processes(&self) -> u16 {
        self.world.count
    }

    /// The time now. Protocols should live by timers; this is for those that stamp what they write.
    #[must_use]
    pub fn now(&self) -> VirtualTime {
        self.world.now
    }

    /// Sends a message. Whether and when it arrives is the network's affair.
    ///
    /// # Panics
    ///
    /// If `to` is the process itself or does not exist.
    #[inline]
    pub fn send(&mut self, to: ProcessId, message: P::Message) {
        self.world.send(self.watcher, self.process, to, message);
    }

    /// Sends a copy of a message to every other process, in order of their numbers.
    pub fn broadcast(&mut self, message: &P::Message) {
        for to in ProcessId::all(self.world.count) {
            if to != self.process {
                self.send(to, message.clone());
            }
        }
    }

    /// Issues a write. It is durable when [`Process::on_durable`] is told so, in order of issue; a crash before that
    /// loses it. `epoch` is the protocol's phase, within which writes are numbered for their keyed draws.
    #[inline]
    pub fn write(&mut self, write: P::Write, epoch: u64) -> WriteId {
        self.world.write(self.watcher, self.process, write, epoch)
    }

    /// Draws a delay from `min` to `max`, both included, and arms the timer with it. `epoch` as in [`Self::write`].
    pub fn draw_timer(&mut self, timer: TimerId, min: Span, max: Span, epoch: u64) {
        self.world.draw_timer(self.watcher, self.process, timer, (min, max), epoch);
    }

    /// Arms the timer with a delay that is not drawn.
    pub fn set_timer(&mut self, timer: TimerId, delay: Span) {
        self.draw_timer(timer, delay, delay, 0);
    }

    /// Arms the timer anew with the delay that it was last given.
    #[inline]
    pub fn rearm_timer(&mut self, timer: TimerId) {
        self.world.rearm_timer(self.process, timer);
    }

    /// Disarms the timer.
    #[inline]
    pub fn cancel_timer(&mut self, timer: TimerId) {
        let index = World::<P>::timer_index(self.process, timer);
        self.world.timers[index].armed = false;
    }

    /// Tells whoever watches.
    #[inline]
    pub fn note(&mut self, note: P::Note) {
        self.world.emit(self.watcher, Record::Noted { process: self.process, note });
    }

    /// A number below `bound` for the process's own use: a function of the seed, the process, `purpose` and `which`.
    #[must_use]
    pub fn draw(&self, purpose: u32, which: u64, bound: u64) -> u64 {
        self.world.draw(self.process, purpose, which, bound)
    }
}
