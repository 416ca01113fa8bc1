//! What faults of disks came to, counted from records: an order that nothing came under has shown nothing.
//!
//! Owns what each fault must have done to count. Must not know who ordered it.

use crate::record::Record;
use sim_core::{
    CrashMode, CrashPoint, DiskError, DiskQuality, Fault, Honesty, Interest, ProcessId, RecordKind,
    VirtualTime, WriteId,
};
use std::collections::VecDeque;

/// The faults of disks that are counted, by the verbs that order them.
pub const DISK_FAULTS: [&str; 11] = [
    "slow_disk",
    "hold_writes",
    "fail_write append",
    "fail_write fsync",
    "fill_disk",
    "rot",
    "misdirect_write",
    "crash_at",
    "set_crash_mode",
    "lie_about_fsync",
    "wipe",
];

/// What counts of each, in the order of [`DISK_FAULTS`].
#[derive(Clone, Copy)]
enum Sort {
    /// A sync that was issued while the disk was not as fast as it began.
    Slow,
    /// A sync that was under way while the disk was stalled.
    Held,
    /// An append or a replacement that failed.
    FailedAppend,
    /// A sync that failed.
    FailedSync,
    /// An append or a replacement for which there was no room, be it that the disk was small from the beginning.
    Full,
    /// A byte that was turned over. It was durable, or the world would have refused.
    Rot,
    /// An append whose bytes reached the disk in a wrong place. No record tells.
    Misdirected,
    /// A crash at a storage operation.
    CrashAt,
    /// A crash with a sync under way while the disk did not keep what it began by keeping, unless it tore an operation:
    /// what that keeps does not depend on the disk.
    CrashMode,
    /// A sync that was called durable and was not.
    Lie,
    /// A disk that was emptied after something had become durable on it.
    Wipe,
}

/// What is known of a disk.
#[derive(Clone, Debug, Default)]
struct Disk {
    /// What it began as.
    usual: (DiskQuality, CrashMode),
    is_slow: bool,
    keeps_other: bool,
    is_stalled: bool,
    lies: bool,
    /// Whether the crash point that was ordered last tears its operation.
    tears: bool,
    /// Whether anything has become durable on it.
    holds: bool,
    /// The syncs under way, and which of them are lies.
    syncs: VecDeque<(WriteId, bool)>,
}

/// Counts while a run goes on.
#[derive(Clone, Debug, Default)]
pub(super) struct Disks {
    disks: Vec<Disk>,
    counts: [u64; DISK_FAULTS.len()],
}

impl Disks {
    pub(super) const INTEREST: Interest = Interest::of(&[
        RecordKind::Injected,
        RecordKind::Crashed,
        RecordKind::Panicked,
        RecordKind::WriteIssued,
        RecordKind::WriteDurable,
        RecordKind::WriteFailed,
        RecordKind::OperationFailed,
    ]);

    /// Disks that begin like this.
    pub(super) fn new(usual: impl Iterator<Item = (DiskQuality, CrashMode)>) -> Self {
        Self {
            disks: usual.map(|usual| Disk { usual, ..Disk::default() }).collect(),
            counts: [0; DISK_FAULTS.len()],
        }
    }

    /// How often each of [`DISK_FAULTS`] did something, if so many appends were misdirected.
    pub(super) fn counts(mut self, misdirected: u64) -> [u64; DISK_FAULTS.len()] {
        self.add(Sort::Misdirected, misdirected);
        self.counts
    }

    fn add(&mut self, sort: Sort, count: u64) {
        self.counts[sort as usize] += count;
    }

    #[inline]
    pub(super) fn observe(&mut self, at: VirtualTime, record: &Record) {
        match record {
            Record::WriteIssued { process, write } => {
                let Some(disk) = self.disks.get_mut(process.index()) else { return };
                disk.syncs.push_back((*write, disk.lies));
                let (is_slow, is_stalled) = (disk.is_slow, disk.is_stalled);
                self.add(Sort::Slow, u64::from(is_slow));
                self.add(Sort::Held, u64::from(is_stalled));
            }
            Record::WriteDurable { process, write } => {
                let is_lie = self.take(*process, *write);
                if let Some(disk) = self.disks.get_mut(process.index()) {
                    disk.holds |= !is_lie;
                }
                self.add(Sort::Lie, u64::from(is_lie));
            }
            Record::WriteFailed { process, write, .. } => {
                self.take(*process, *write);
                self.add(Sort::FailedSync, 1);
            }
            Record::OperationFailed { error: DiskError::Device, .. } => self.add(Sort::FailedAppend, 1),
            Record::OperationFailed { error: DiskError::NoSpace, .. } => self.add(Sort::Full, 1),
            Record::Crashed { process, operation, .. } => self.crash(*process, operation.is_some()),
            Record::Panicked { process, .. } => self.crash(*process, false),
            // What is ordered before anything has happened says what disks are like from the beginning.
            Record::Injected { fault } if at > VirtualTime::ZERO => self.order(fault),
            _ => {}
        }
    }

    /// A sync is over. Says whether it was a lie.
    fn take(&mut self, process: ProcessId, write: WriteId) -> bool {
        let Some(disk) = self.disks.get_mut(process.index()) else { return false };
        let place = disk.syncs.iter().position(|(other, _)| *other == write);
        place.and_then(|place| disk.syncs.remove(place)).is_some_and(|(_, is_lie)| is_lie)
    }

    fn crash(&mut self, process: ProcessId, is_at_operation: bool) {
        let Some(disk) = self.disks.get_mut(process.index()) else { return };
        let had_syncs = !disk.syncs.is_empty();
        disk.syncs.clear();
        let by_mode = disk.keeps_other && had_syncs && !(is_at_operation && disk.tears);
        self.add(Sort::CrashAt, u64::from(is_at_operation));
        self.add(Sort::CrashMode, u64::from(by_mode));
    }

    fn order(&mut self, fault: &Fault) {
        let disk = |process: &ProcessId| process.index();
        match fault {
            Fault::SetDisk { process, quality } => {
                if let Some(disk) = self.disks.get_mut(disk(process)) {
                    disk.is_slow = **quality != disk.usual.0;
                }
            }
            Fault::SetCrashMode { process, mode } => {
                if let Some(disk) = self.disks.get_mut(disk(process)) {
                    disk.keeps_other = *mode != disk.usual.1;
                }
            }
            Fault::StallDisk { process } => {
                let Some(disk) = self.disks.get_mut(disk(process)) else { return };
                let held = if disk.is_stalled { 0 } else { disk.syncs.len() as u64 };
                disk.is_stalled = true;
                self.add(Sort::Held, held);
            }
            Fault::UnstallDisk { process } => {
                if let Some(disk) = self.disks.get_mut(disk(process)) {
                    disk.is_stalled = false;
                }
            }
            Fault::SetHonesty { process, honesty } => {
                if let Some(disk) = self.disks.get_mut(disk(process)) {
                    disk.lies = *honesty != Honesty::Honest;
                }
            }
            Fault::HealDisk { process } => {
                if let Some(disk) = self.disks.get_mut(disk(process)) {
                    (disk.is_stalled, disk.lies) = (false, false);
                }
            }
            Fault::WipeDisk { process } => {
                let Some(disk) = self.disks.get_mut(disk(process)) else { return };
                let held = core::mem::take(&mut disk.holds);
                self.add(Sort::Wipe, u64::from(held));
            }
            Fault::FlipBits { .. } => self.add(Sort::Rot, 1),
            Fault::CrashAt { process, when, .. } | Fault::CrashAtComing { process, when, .. } => {
                if let Some(disk) = self.disks.get_mut(disk(process)) {
                    disk.tears = *when == CrashPoint::Torn;
                }
            }
            // What becomes of these, other records tell.
            Fault::FailOperation { .. }
            | Fault::FailSync { .. }
            | Fault::LimitDisk { .. }
            | Fault::Misdirect { .. }
            | Fault::CompleteSync { .. }
            | Fault::DisarmCrash { .. }
            // These are none of disks.
            | Fault::Cut { .. }
            | Fault::Restore { .. }
            | Fault::Isolate { .. }
            | Fault::Reconnect { .. }
            | Fault::Partition { .. }
            | Fault::Heal
            | Fault::Hold { .. }
            | Fault::Release { .. }
            | Fault::DeliverOne { .. }
            | Fault::DeliverThis { .. }
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
            | Fault::Resume { .. }
            | Fault::SetClock { .. } => {}
        }
    }
}

#[cfg(test)]
mod tests;
