//! Running: one event after another, and the lives of processes.

use crate::disk::Losses;
use crate::panics::{PanicReport, catch};
use crate::queue::Key;
use crate::simulation::{Simulation, Step};
use crate::world::{Halt, Lot, Pending, SLAB, Stage, Status, TAG, TIMER, WRITE, World};
use crate::{
    DiskView, DropReason, Effects, MessageId, Observer, Process, ProcessId, Record, TimerId, VirtualTime,
};

impl<P: Process, O: Observer<P::Facts, P::Note>> Simulation<P, O> {
    /// Executes exactly one event: the next one due.
    pub fn step(&mut self) -> Step {
        if self.run(VirtualTime::MAX, |_| true) { Step::Ran } else { Step::Idle }
    }

    /// Executes every event due until `until`, included, and moves the clock there.
    pub fn run_until(&mut self, until: VirtualTime) {
        self.run(until, |_| false);
    }

    /// Executes events due until `until`, included, and after each one asks `stop` whether to stop there. Says
    /// whether it did; if not, the clock stands at `until`.
    pub fn run(&mut self, until: VirtualTime, mut stop: impl FnMut(&Self) -> bool) -> bool {
        loop {
            let outcome = catch(|| {
                while let Some(key) = self.world.queue.peek().filter(|key| key.due() <= until) {
                    self.world.queue.pop();
                    if self.execute(key) && stop(self) {
                        return true;
                    }
                }
                false
            });
            match outcome {
                Ok(true) => return true,
                Ok(false) => {
                    if until < VirtualTime::MAX {
                        self.world.now = self.world.now.max(until);
                    }
                    return false;
                }
                Err(report) => {
                    self.panicked(report);
                    if stop(self) {
                        return true;
                    }
                }
            }
        }
    }

    /// Lets an armed timer of a process fire now, whenever it is due. A paused process will hear of it when it is resumed.
    /// Says whether the timer was armed; nothing has happened if not.
    ///
    /// # Panics
    ///
    /// If there is no such process or timer.
    pub fn fire_timer(&mut self, process: ProcessId, timer: TimerId) -> bool {
        let index = World::<P>::timer_index(process, timer);
        if !core::mem::replace(&mut self.world.timers[index].armed, false) {
            return false;
        }
        if self.is_paused(process) {
            let index = u32::try_from(index).expect("processes times timers fit in 30 bits");
            self.world.wait(process, TIMER | index);
        } else if let Err(report) = catch(|| self.fire(process, timer)) {
            self.panicked(report);
        }
        true
    }

    pub(crate) fn panicked(&mut self, report: PanicReport) {
        let Some(process) = self.world.acting.take() else {
            // No process was acting: the fault is the simulator's or the observer's, and must not pass for a finding.
            panic!("{} (at {})", report.message, report.place);
        };
        if let Some(halt) = self.world.halted.take() {
            // It had stopped before, so this did not happen.
            return self.fall(process, halt);
        }
        let Losses { synced: synced_lost, .. } = self.world.crash_disk(process, None);
        let report = Box::new(report);
        self.world.emit(&mut self.observer, Record::Panicked { process, report, synced_lost });
        self.stop(process);
    }

    /// Lets a process act.
    #[inline]
    pub(crate) fn act(&mut self, process: ProcessId, body: impl FnOnce(&mut P, &mut Effects<'_, P>)) {
        let Some(state) = &mut self.processes[process.index()] else { return };
        self.world.acting = Some(process);
        let mut fx = Effects { world: &mut self.world, watcher: &mut self.observer, process };
        body(state, &mut fx);
        self.world.acting = None;
        if let Some(halt) = self.world.halted {
            self.world.halted = None;
            self.fall(process, halt);
        }
    }

    /// The same with a message, which would have to be copied into a closure.
    #[inline(always)]
    fn hear(&mut self, id: MessageId, message: P::Message) {
        let Some(state) = &mut self.processes[id.to.index()] else { return };
        self.world.acting = Some(id.to);
        let mut fx = Effects { world: &mut self.world, watcher: &mut self.observer, process: id.to };
        state.on_message(id.from, message, &mut fx);
        self.world.acting = None;
        if let Some(halt) = self.world.halted {
            self.world.halted = None;
            self.fall(id.to, halt);
        }
    }

    pub(crate) fn boot(&mut self, process: ProcessId) {
        let status = &mut self.world.status[process.index()];
        status.up = true;
        status.paused = false;
        status.life += 1;
        let life = status.life;
        self.world.emit(&mut self.observer, Record::Booted { process, life });
        let Self { world, processes, configs, observer } = self;
        world.acting = Some(process);
        // The process may write while it boots, so it reads a copy.
        let files = world.disks[process.index()].files().to_vec();
        let disk = DiskView { files: &files };
        let mut fx = Effects { world: &mut *world, watcher: observer, process };
        match catch(|| P::boot(process, life, &configs[process.index()], &disk, &mut fx)) {
            Ok(state) => {
                processes[process.index()] = Some(state);
                world.acting = None;
                if let Some(halt) = world.halted.take() {
                    self.fall(process, halt);
                }
            }
            Err(report) => self.panicked(report),
        }
    }

    /// A process crashes, by itself or at a storage operation.
    pub(crate) fn fall(&mut self, process: ProcessId, halt: Halt) {
        let Losses { writes, synced, .. } = self.world.crash_disk(process, Some(halt));
        self.stop(process);
        let operation = halt.operation;
        self.world.emit(
            &mut self.observer,
            Record::Crashed { process, writes_lost: writes, synced_lost: synced, operation },
        );
    }

    /// Takes a process down: its memory, timers and backlog are lost. Its disk has gone through the crash before.
    fn stop(&mut self, process: ProcessId) {
        let world = &mut self.world;
        self.processes[process.index()] = None;
        let status = &mut world.status[process.index()];
        status.up = false;
        status.paused = false;
        let backlog = core::mem::take(&mut status.backlog);
        for timer in world.timers_of(process) {
            timer.armed = false;
        }
        for what in backlog {
            if what & TAG == SLAB
                && let Pending::Message { id, .. } = world.take(what)
            {
                world.lose(&mut self.observer, id, DropReason::Down);
            }
        }
    }

    /// Executes what `key` stands for. Says whether it was an event at all: a key may be out of date.
    #[inline]
    fn execute(&mut self, key: Key) -> bool {
        let what = key.what();
        let ran = match what & TAG {
            TIMER => self.timer_due(key, (what & !TAG) as usize),
            WRITE => self.write_due(key, ProcessId((what & 0xffff) as u16)),
            _ => self.pending_due(key, what),
        };
        self.world.stats.events += u64::from(ran);
        ran
    }

    #[inline]
    fn timer_due(&mut self, key: Key, index: usize) -> bool {
        let slot = &mut self.world.timers[index];
        if slot.queued != Some(key) {
            return false;
        }
        slot.queued = None;
        if !slot.armed {
            return false;
        }
        if slot.deadline > key.due() {
            self.world.enqueue_timer(index);
            return false;
        }
        if slot.held {
            return false;
        }
        slot.armed = false;
        self.world.now = key.due();
        let (process, timer) = World::<P>::timer_at(index);
        if self.world.status[process.index()].paused {
            self.world.wait(process, key.what());
            return true;
        }
        self.fire(process, timer);
        true
    }

    #[inline]
    fn fire(&mut self, process: ProcessId, timer: TimerId) {
        self.world.emit(&mut self.observer, Record::TimerFired { process, timer });
        self.act(process, |p, fx| p.on_timer(timer, fx));
    }

    /// A damaged message arrives: a paused process loses it at once too, for the checksum is no affair of its.
    #[cold]
    fn damaged_due(&mut self, key: Key, place: u32) -> bool {
        self.world.now = key.due();
        let (id, ..) = self.world.take_message(place);
        let reason = if self.is_up(id.to) { DropReason::Corrupt } else { DropReason::Down };
        self.world.lose(&mut self.observer, id, reason);
        true
    }

    #[inline]
    fn pending_due(&mut self, key: Key, place: u32) -> bool {
        let world = &mut self.world;
        // Most events are messages that arrive. Whatever else it is, is asked of a table.
        if let Pending::Message { id, lot: Lot::Open | Lot::Sound, .. } = &world.slab[place as usize] {
            let to = id.to;
            let Status { up, paused, .. } = world.status[to.index()];
            if up && !paused {
                world.now = key.due();
                let Pending::Message { id, message, .. } = world.take(place) else {
                    unreachable!("a message was just seen there")
                };
                world.stats.delivered += 1;
                // What is told of a message is the receiver's code.
                world.acting = Some(to);
                world.emit_delivered(&mut self.observer, id, &message);
                self.hear(id, message);
                return true;
            }
        }
        self.other_due(key, place)
    }

    /// Something other than a message to a process that runs.
    fn other_due(&mut self, key: Key, place: u32) -> bool {
        let world = &mut self.world;
        let (process, room) = match &world.slab[place as usize] {
            Pending::Vacant => unreachable!("the queue refers to a free place"),
            Pending::Cancelled => {
                world.take(place);
                return false;
            }
            Pending::Message { lot: Lot::Damaged, .. } => return self.damaged_due(key, place),
            Pending::Message { id, .. } => (id.to, world.has_room(id.to)),
            Pending::Synced { process, .. } | Pending::Request { process, .. } => (*process, true),
        };
        world.now = key.due();
        let Status { up, paused, life, .. } = world.status[process.index()];
        if paused && room {
            if let Pending::Message { stage, .. } = &mut world.slab[place as usize] {
                *stage = Stage::Waiting;
            }
            world.wait(process, SLAB | place);
            return true;
        }
        match world.take(place) {
            Pending::Message { id, .. } => {
                let reason = if paused { DropReason::Overflow } else { DropReason::Down };
                world.lose(&mut self.observer, id, reason);
            }
            // News of an earlier life means nothing to this one.
            Pending::Synced { life: issued_in, write, outcome, .. } if up && issued_in == life => {
                self.synced(process, write, outcome);
            }
            Pending::Request { request, .. } if up => self.act(process, |p, fx| p.on_request(request, fx)),
            Pending::Synced { .. } | Pending::Request { .. } => {}
            Pending::Vacant | Pending::Cancelled => unreachable!("both were dealt with above"),
        }
        true
    }
}
