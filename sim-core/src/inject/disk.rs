//! Doing things to disks and clocks.

use crate::simulation::Simulation;
use crate::storage::FLIP;
use crate::{ClockChange, CrashPoint, FileId, Observer, Process, ProcessId, TimerId};

impl<P: Process, O: Observer<P::Facts, P::Note>> Simulation<P, O> {
    /// One more of the syncs that wait completes now.
    pub(super) fn complete_sync(&mut self, process: ProcessId) {
        let disk = &mut self.world.disks[process.index()];
        disk.released += 1;
        let last = disk.released;
        self.world.hurry(process, last - 1, last);
    }

    /// At most one order stands for each file.
    pub(super) fn misdirect(&mut self, process: ProcessId, file: FileId, offset: Option<u64>) {
        self.world.disks[process.index()].order(|orders| {
            orders.misdirect.retain(|(other, _)| *other != file);
            orders.misdirect.push((file, offset));
        });
    }

    pub(super) fn arm_crash(&mut self, process: ProcessId, crash: Option<(u64, CrashPoint)>) {
        self.world.disks[process.index()].order(|orders| orders.crash = crash);
    }

    /// What would have completed meanwhile completes now, in its order and before anything else that is due now.
    pub(super) fn unstall(&mut self, process: ProcessId) {
        let now = self.world.now;
        let disk = &mut self.world.disks[process.index()];
        if !core::mem::replace(&mut disk.stalled, false) {
            return;
        }
        disk.released = 0;
        let overdue = disk.syncs.iter().take_while(|sync| sync.key.due() <= now).count();
        self.world.hurry(process, 0, overdue);
    }

    pub(super) fn flip(
        &mut self,
        process: ProcessId,
        place: (Option<FileId>, Option<u64>),
        bits: Option<u8>,
    ) {
        let durable = self.world.durable_files(process);
        let disk = &mut self.world.disks[process.index()];
        disk.flips += 1;
        let block = self.world.chance.damage(process, FLIP, disk.flips);
        disk.flip(&durable, place, bits, (block.0, block.1));
        if !self.world.status[process.index()].up {
            disk.show_damage();
        }
    }

    pub(super) fn set_clock(&mut self, process: ProcessId, change: ClockChange) {
        let world = &mut self.world;
        let (now, timers) = (world.now, P::TIMERS.len());
        let deadlines = world.timers.iter().map(|timer| timer.deadline);
        world.clocks.change((process, world.count), change, now, timers, deadlines);
        let ids = (0..=u8::MAX).take(timers).map(TimerId);
        for timer in ids.filter(|timer| world.is_armed(process, *timer)).collect::<Vec<_>>() {
            let due = world.clocks.due(process, timer.0).max(now);
            world.arm(process, timer, due);
        }
    }
}
