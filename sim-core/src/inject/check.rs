//! Whether a fault can be injected, and why not.

use crate::simulation::Simulation;
use crate::{ClockChange, Fault, FileId, Observer, Process, ProcessId};
use core::fmt;

/// Why a fault cannot be injected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FaultError {
    /// There is no such process.
    UnknownProcess(ProcessId),
    /// A link has two different ends.
    SameEnds(ProcessId),
    /// No process may be in two groups.
    InTwoGroups(ProcessId),
    /// There are more groups than processes.
    TooManyGroups(usize),
    /// There is no such kind of message.
    UnknownKind(u8),
    /// There is no such file.
    UnknownFile(FileId),
    /// The byte to be damaged is not durable, or no byte is.
    NothingThere(ProcessId),
    /// No bits to be turned over.
    NoBits,
    /// The disk is not stalled, or no sync is under way that was not told to complete before.
    NothingStalled(ProcessId),
    /// The process must be down for that.
    StillUp(ProcessId),
    /// There is no such storage operation any more.
    OperationPast {
        /// The process.
        process: ProcessId,
        /// How many operations there were.
        operations: u64,
    },
    /// No clock runs so.
    ImpossibleClock(ClockChange),
    /// No message (of that kind) is held on the link.
    NothingHeld {
        /// Where the link begins.
        from: ProcessId,
        /// Where it ends.
        to: ProcessId,
    },
}

impl fmt::Display for FaultError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownProcess(process) => write!(f, "there is no process {process}"),
            Self::SameEnds(process) => write!(f, "there is no link from process {process} to itself"),
            Self::InTwoGroups(process) => write!(f, "process {process} stands in two groups of a partition"),
            Self::TooManyGroups(groups) => {
                write!(f, "a partition into {groups} groups has more groups than processes")
            }
            Self::UnknownKind(kind) => write!(f, "there is no kind {kind} of messages"),
            Self::UnknownFile(file) => write!(f, "there is no file {}", file.0),
            Self::NothingThere(process) => {
                write!(f, "process {process} has no durable byte there")
            }
            Self::NoBits => write!(f, "no bits are to be turned over"),
            Self::NothingStalled(process) => {
                write!(f, "no sync of process {process} waits on a stalled disk")
            }
            Self::StillUp(process) => write!(f, "process {process} is up"),
            Self::OperationPast { process, operations } => {
                write!(f, "process {process} is at storage operation {operations} already")
            }
            Self::ImpossibleClock(ClockChange::Wander { period, .. }) if period.nanos() < 2 => {
                write!(f, "a clock cannot change its rate every {period}")
            }
            Self::ImpossibleClock(_) => {
                write!(f, "a clock is too fast or too slow by at most {} ppm", ClockChange::PPM_MAX)
            }
            Self::NothingHeld { from, to } => {
                write!(f, "no such message is held on the link from {from} to {to}")
            }
        }
    }
}

impl core::error::Error for FaultError {}

impl<P: Process, O: Observer<P::Facts, P::Note>> Simulation<P, O> {
    pub(super) fn check(&self, fault: &Fault) -> Result<(), FaultError> {
        let count = self.world.count;
        let known = |process: ProcessId| {
            if process.0 < count { Ok(()) } else { Err(FaultError::UnknownProcess(process)) }
        };
        let link = |from: ProcessId, to: ProcessId| {
            known(from)?;
            known(to)?;
            if from == to { Err(FaultError::SameEnds(from)) } else { Ok(()) }
        };
        let named = |kind: Option<u8>| match kind {
            Some(kind) if usize::from(kind) >= P::KINDS.len() => Err(FaultError::UnknownKind(kind)),
            _ => Ok(()),
        };
        let filed = |file: FileId| {
            if file.index() < P::FILES.len() { Ok(()) } else { Err(FaultError::UnknownFile(file)) }
        };
        let holds =
            |place: Option<usize>, from, to| place.map(|_| ()).ok_or(FaultError::NothingHeld { from, to });
        match fault {
            Fault::Cut { from, to, .. }
            | Fault::Restore { from, to }
            | Fault::Hold { from, to, .. }
            | Fault::Release { from, to }
            | Fault::Clog { from, to, .. }
            | Fault::SetQuality { from, to, .. } => link(*from, *to),
            Fault::DeliverOne { from, to, kind } => {
                link(*from, *to)?;
                named(*kind)?;
                holds(self.held_place(*from, *to, *kind), *from, *to)
            }
            Fault::DeliverThis { id, .. } => {
                link(id.from, id.to)?;
                named(Some(id.kind))?;
                holds(self.place_of(id), id.from, id.to)
            }
            Fault::DropPending { from, to, kind }
            | Fault::DeliverAll { from, to, kind }
            | Fault::DuplicatePending { from, to, kind }
            | Fault::Shuffle { from, to, kind } => {
                from.map_or(Ok(()), known)?;
                to.map_or(Ok(()), known)?;
                named(*kind)
            }
            Fault::Partition { groups, .. } => {
                if groups.len() > usize::from(count) {
                    return Err(FaultError::TooManyGroups(groups.len()));
                }
                let mut seen = vec![false; usize::from(count)];
                for process in groups.iter().flatten() {
                    known(*process)?;
                    if core::mem::replace(&mut seen[process.index()], true) {
                        return Err(FaultError::InTwoGroups(*process));
                    }
                }
                Ok(())
            }
            Fault::Heal => Ok(()),
            Fault::Isolate { process, .. }
            | Fault::Reconnect { process }
            | Fault::DropAfter { process, .. }
            | Fault::StopDropping { process }
            | Fault::Crash { process }
            | Fault::Restart { process }
            | Fault::Pause { process }
            | Fault::Resume { process }
            | Fault::SetDisk { process, .. }
            | Fault::StallDisk { process }
            | Fault::UnstallDisk { process }
            | Fault::FailOperation { process, .. }
            | Fault::FailSync { process, .. }
            | Fault::LimitDisk { process, .. }
            | Fault::SetHonesty { process, .. }
            | Fault::SetCrashMode { process, .. }
            | Fault::DisarmCrash { process }
            | Fault::HealDisk { process } => known(*process),
            Fault::CompleteSync { process } => {
                known(*process)?;
                let waits = self.syncs_stalled(*process) > 0;
                if waits { Ok(()) } else { Err(FaultError::NothingStalled(*process)) }
            }
            Fault::FlipBits { process, file, offset, bits } => {
                known(*process)?;
                file.map_or(Ok(()), filed)?;
                if *bits == Some(0) {
                    return Err(FaultError::NoBits);
                }
                let durable = self.world.durable_files(*process);
                let length = match file {
                    Some(file) => durable[file.index()].len() as u64,
                    None => durable.iter().map(|file| file.len() as u64).sum(),
                };
                // Without a file the offset means nothing.
                let offset = file.and(*offset).unwrap_or(0);
                if offset < length { Ok(()) } else { Err(FaultError::NothingThere(*process)) }
            }
            Fault::Misdirect { process, file, .. } => {
                known(*process)?;
                filed(*file)
            }
            Fault::WipeDisk { process } => {
                known(*process)?;
                if self.is_up(*process) { Err(FaultError::StillUp(*process)) } else { Ok(()) }
            }
            Fault::CrashAt { process, operation, .. } => {
                known(*process)?;
                let operations = self.storage_operations(*process);
                if *operation > operations {
                    return Ok(());
                }
                Err(FaultError::OperationPast { process: *process, operations })
            }
            Fault::CrashAtComing { process, coming, .. } => {
                known(*process)?;
                let operations = self.storage_operations(*process);
                if *coming > 0 {
                    return Ok(());
                }
                Err(FaultError::OperationPast { process: *process, operations })
            }
            Fault::SetClock { process, clock } => {
                known(*process)?;
                if clock.is_possible() { Ok(()) } else { Err(FaultError::ImpossibleClock(*clock)) }
            }
        }
    }
}
