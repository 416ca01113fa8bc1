//! The hands of a process: the only way in which it touches the world.

use crate::disk::Kind;
use crate::world::{Watcher, World};
use crate::{DiskError, FileId, Latency, LocalTime, Process, ProcessId, Span, TimerId, VirtualTime, WriteId};

/// What a process can do while it handles something. What it does takes effect at once, in order.
///
/// Once the process has stopped, by itself ([`Self::stop`]) or at a crash point ([`crate::Fault::CrashAt`]), nothing
/// that it still does in this step has any effect.
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

    /// The time now, as nobody in the world can know it. It is for those that stamp what they tell; a protocol lives by
    /// its timers and its [clock](Self::clock).
    #[must_use]
    pub fn now(&self) -> VirtualTime {
        self.world.now
    }

    /// What the process's own clock shows. It is right until a [`crate::Fault::SetClock`] says otherwise.
    #[inline]
    #[must_use]
    pub fn clock(&self) -> LocalTime {
        self.world.clocks.shown(self.process, self.world.now)
    }

    /// Sends a message. Whether and when it arrives is the network's affair.
    ///
    /// # Panics
    ///
    /// If `to` is the process itself or does not exist.
    #[inline(always)]
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

    /// What a file holds, with everything that was done to it, durable or not.
    ///
    /// # Panics
    ///
    /// If there is no such file.
    #[inline]
    #[must_use]
    pub fn read(&self, file: FileId) -> &[u8] {
        &self.world.disks[self.process.index()].files()[file.index()]
    }

    /// Writes `bytes` at the end of a file. They can be read at once, and are durable when a later [`Self::sync`] is.
    ///
    /// # Errors
    ///
    /// When the disk is full or fails. The file is as before.
    ///
    /// # Panics
    ///
    /// If there is no such file.
    #[inline]
    pub fn append(&mut self, file: FileId, bytes: &[u8]) -> Result<(), DiskError> {
        self.world.operate(self.watcher, self.process, Kind::Append, file, bytes)
    }

    /// Puts `bytes` in the place of all that a file holds, as by writing a new file and renaming it: a crash leaves
    /// either the old contents or the new. Otherwise as [`Self::append`]. The disk must have room for both.
    ///
    /// # Errors
    ///
    /// When the disk is full or fails. The file is as before.
    ///
    /// # Panics
    ///
    /// If there is no such file.
    #[inline]
    pub fn replace(&mut self, file: FileId, bytes: &[u8]) -> Result<(), DiskError> {
        self.world.operate(self.watcher, self.process, Kind::Replace, file, bytes)
    }

    /// Makes everything durable that the process has done to its files so far, in this order.
    /// [`Process::on_durable`] is told when it is, or [`Process::on_write_failed`] when it will not be. A crash before
    /// that loses what its disk's [`crate::CrashMode`] says. `epoch` is the protocol's phase, within which syncs are
    /// numbered for their keyed draws.
    #[inline]
    pub fn sync(&mut self, epoch: u64) -> WriteId {
        self.world.sync(self.watcher, self.process, epoch)
    }

    /// What the next [`Self::sync`] will be called: for those who tell what they are about to write before they do, since
    /// a crash may come in the midst of it.
    #[inline]
    #[must_use]
    pub fn coming_sync(&self) -> WriteId {
        self.world.disks[self.process.index()].coming_id()
    }

    /// Stops the process, as a crash would: for when it cannot go on. It stays down until it is restarted.
    pub fn stop(&mut self) {
        self.world.halt(None, false);
    }

    /// Draws a delay from `min` to `max`, both included, and arms the timer with it. `epoch` as in [`Self::sync`]. The
    /// delay is one of the process's own clock.
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

    /// Tells whoever watches. Where the sort of note is known, so is most of what there is to do: this is small then, and
    /// compiled into the place that tells.
    #[inline(always)]
    pub fn note(&mut self, note: P::Note) {
        if self.world.halted.is_none() {
            self.world.emit_noted(self.watcher, self.process, note);
        }
    }

    /// A number below `bound` for the process's own use: a function of the seed, the process, `purpose` and `which`.
    #[must_use]
    pub fn draw(&self, purpose: u32, which: u64, bound: u64) -> u64 {
        self.world.draw(self.process, purpose, which, bound)
    }

    /// A span of this distribution for the process's own use: a function of the same as [`Self::draw`]. For the same
    /// `purpose` and `which` both look at the same bits.
    #[must_use]
    pub fn sample(&self, purpose: u32, which: u64, latency: Latency) -> Span {
        latency.sample(self.world.chance.process(self.process, purpose, which))
    }
}
