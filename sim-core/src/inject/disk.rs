//! Doing things to disks and clocks.

use crate::simulation::Simulation;
use crate::storage::FLIP;
use crate::{ClockChange, CrashPoint, Fault, FileId, Observer, Process, ProcessId, TimerId};

impl<P: Process, O: Observer<P::Facts, P::Note>> Simulation<P, O> {
    /// Does a fault of a disk or a clock; it was checked and recorded before.
    pub(super) fn inject_locally(&mut self, fault: &Fault) {
        match *fault {
            Fault::SetDisk { process, ref quality } => {
                self.world.disks[process.index()].quality = **quality;
            }
            Fault::StallDisk { process } => self.world.disks[process.index()].stalled = true,
            Fault::UnstallDisk { process } => self.unstall(process),
            Fault::CompleteSync { process } => {
                let disk = &mut self.world.disks[process.index()];
                disk.released += 1;
                let last = disk.released;
                self.world.hurry(process, last - 1, last);
            }
            Fault::FailOperation { process, nth } => {
                self.world.disks[process.index()].order(|orders| orders.fail_in = nth);
            }
            Fault::FailSync { process, nth, unsynced } => {
                let order = (nth > 0).then_some((nth, unsynced));
                self.world.disks[process.index()].order(|orders| orders.fail_sync = order);
            }
            Fault::LimitDisk { process, bytes } => {
                self.world.disks[process.index()].order(|orders| orders.capacity = bytes);
            }
            Fault::FlipBits { process, file, offset, bits } => self.flip(process, (file, offset), bits),
            Fault::Misdirect { process, file, offset } => {
                self.world.disks[process.index()].order(|orders| {
                    orders.misdirect.retain(|(other, _)| *other != file);
                    orders.misdirect.push((file, offset));
                });
            }
            Fault::SetHonesty { process, honesty } => self.world.disks[process.index()].honesty = honesty,
            Fault::WipeDisk { process } => self.world.disks[process.index()].wipe(),
            Fault::SetCrashMode { process, mode } => self.world.disks[process.index()].mode = mode,
            Fault::CrashAt { process, operation, when } => self.arm_crash(process, Some((operation, when))),
            Fault::CrashAtComing { process, coming, when } => {
                let operation = self.storage_operations(process).saturating_add(coming);
                self.arm_crash(process, Some((operation, when)));
            }
            Fault::DisarmCrash { process } => self.arm_crash(process, None),
            Fault::HealDisk { process } => {
                self.world.disks[process.index()].heal();
                self.unstall(process);
            }
            Fault::SetClock { process, clock } => self.set_clock(process, clock),
            Fault::Cut { .. }
            | Fault::Restore { .. }
            | Fault::Isolate { .. }
            | Fault::Reconnect { .. }
            | Fault::Partition { .. }
            | Fault::Heal
            | Fault::Hold { .. }
            | Fault::Release { .. }
            | Fault::DeliverOne { .. }
            | Fault::DropPending { .. }
            | Fault::DeliverAll { .. }
            | Fault::DuplicatePending { .. }
            | Fault::Shuffle { .. }
            | Fault::DropAfter { .. }
            | Fault::StopDropping { .. }
            | Fault::Clog { .. }
            | Fault::SetQuality { .. }
            | Fault::Crash { .. }
            | Fault::Restart { .. }
            | Fault::Pause { .. }
            | Fault::Resume { .. } => unreachable!("this is no fault of a disk or a clock: {fault:?}"),
        }
    }

    fn arm_crash(&mut self, process: ProcessId, crash: Option<(u64, CrashPoint)>) {
        self.world.disks[process.index()].order(|orders| orders.crash = crash);
    }

    /// What would have completed meanwhile completes now, in its order and before anything else that is due now.
    fn unstall(&mut self, process: ProcessId) {
        let now = self.world.now;
        let disk = &mut self.world.disks[process.index()];
        if !core::mem::replace(&mut disk.stalled, false) {
            return;
        }
        disk.released = 0;
        let overdue = disk.syncs.iter().take_while(|sync| sync.key.due() <= now).count();
        self.world.hurry(process, 0, overdue);
    }

    fn flip(&mut self, process: ProcessId, place: (Option<FileId>, Option<u64>), bits: Option<u8>) {
        let durable = self.world.durable_files(process);
        let disk = &mut self.world.disks[process.index()];
        disk.flips += 1;
        let block = self.world.chance.damage(process, FLIP, disk.flips);
        disk.flip(&durable, place, bits, (block.0, block.1));
        if !self.world.status[process.index()].up {
            disk.show_damage();
        }
    }

    fn set_clock(&mut self, process: ProcessId, change: ClockChange) {
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
