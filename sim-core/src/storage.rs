//! What a process does to its disk, and what becomes of it.

use crate::disk::{Crash, Kind, Losses, Sync, Verdict};
use crate::latency::multiply_high;
use crate::queue::Key;
use crate::simulation::Simulation;
use crate::world::{Halt, Pending, SLAB, Status, TAG, WRITE, Watcher, World};
use crate::{
    CrashPoint, DiskError, FileId, Honesty, Latency, Observer, Process, ProcessId, Record, Span, VirtualTime,
    WriteId,
};

/// Sorts of damage, for their draws.
pub(crate) const FLIP: u32 = 0;
const MISDIRECTION: u32 = 1;

impl<P: Process> World<P> {
    /// The acting process stops here.
    pub(crate) fn halt(&mut self, operation: Option<u64>, is_torn: bool) {
        self.halted.get_or_insert(Halt { operation, is_torn });
    }

    /// A process appends to a file or replaces it.
    #[inline]
    pub(crate) fn operate(
        &mut self,
        watcher: Watcher<'_, P>,
        process: ProcessId,
        kind: Kind,
        file: FileId,
        bytes: &[u8],
    ) -> Result<(), DiskError> {
        assert!(file.index() < P::FILES.len(), "file {} has no name", file.0);
        if self.halted.is_some() {
            return Ok(());
        }
        let disk = &mut self.disks[process.index()];
        disk.operations += 1;
        if disk.is_ordered {
            return self.operate_under_orders(watcher, process, kind, file, bytes);
        }
        match kind {
            Kind::Append => disk.append(file, bytes),
            Kind::Replace => disk.replace(file, bytes),
        }
        Ok(())
    }

    /// The same where something may have been ordered to go wrong.
    #[cold]
    fn operate_under_orders(
        &mut self,
        watcher: Watcher<'_, P>,
        process: ProcessId,
        kind: Kind,
        file: FileId,
        bytes: &[u8],
    ) -> Result<(), DiskError> {
        let disk = &mut self.disks[process.index()];
        let operation = disk.operations;
        let point = disk.crash_point(operation);
        if point == Some(CrashPoint::Before) {
            self.halt(Some(operation), false);
            return Ok(());
        }
        let device_fails = disk.orders.fail_in == 1;
        disk.order(|orders| orders.fail_in = orders.fail_in.saturating_sub(1));
        let room = disk.orders.capacity.map_or(u64::MAX, |capacity| capacity.saturating_sub(disk.used()));
        let outcome = if device_fails {
            Err(DiskError::Device)
        } else if bytes.len() as u64 > room {
            Err(DiskError::NoSpace)
        } else {
            Ok(())
        };
        match (outcome, kind) {
            (Err(error), _) => {
                self.emit(watcher, Record::OperationFailed { process, file, operation, error });
            }
            (Ok(()), Kind::Replace) => disk.replace(file, bytes),
            (Ok(()), Kind::Append) => {
                disk.append(file, bytes);
                if let Some(place) = disk.orders.misdirect.iter().position(|(other, _)| *other == file) {
                    let mut landed = None;
                    disk.order(|orders| landed = orders.misdirect.remove(place).1);
                    let draw = self.chance.damage(process, MISDIRECTION, operation).0;
                    disk.misdirect(|older| {
                        let landed = landed.unwrap_or_else(|| multiply_high(draw, older as u64));
                        usize::try_from(landed).unwrap_or(usize::MAX)
                    });
                }
            }
        }
        if let Some(point) = point {
            self.halt(Some(operation), point == CrashPoint::Torn && outcome.is_ok());
        }
        outcome
    }

    /// A process makes durable what it has done.
    #[inline]
    pub(crate) fn sync(&mut self, watcher: Watcher<'_, P>, process: ProcessId, epoch: u64) -> WriteId {
        let now = self.now;
        let disk = &mut self.disks[process.index()];
        let id = disk.next_id();
        if self.halted.is_some() {
            return id;
        }
        disk.operations += 1;
        let number = disk.operations;
        let (mut verdict, mut point) = (Verdict::Honest, None);
        if disk.is_ordered || disk.honesty != Honesty::Honest {
            point = disk.crash_point(number);
            if point.is_some_and(|point| point != CrashPoint::After) {
                self.halt(Some(number), point == Some(CrashPoint::Torn));
                return id;
            }
            verdict = disk.verdict();
        }
        let ordinal = disk.ordinals.take(epoch);
        let latency = match (&disk.quality.write, &disk.quality.sync) {
            (Latency::Constant(write), Latency::Constant(sync)) => write.plus(*sync),
            (write, sync) => {
                let block = self.chance.write(process, epoch, ordinal);
                write.sample(block.0).plus(sync.sample(block.1))
            }
        };
        let latency =
            if verdict == Verdict::Lie && disk.honesty == Honesty::LiesAtOnce { Span::ZERO } else { latency };
        let notice = match &disk.quality.notice {
            Latency::Constant(span) => *span,
            drawn => drawn.sample(self.chance.notice(process, epoch, ordinal).0),
        };
        // In order: never at the same time as an earlier write, or the tie-break could turn them round.
        let mut due = now.after(latency);
        if disk.last_due > VirtualTime::ZERO {
            due = due.max(disk.last_due.after(Span::from_nanos(1)));
        }
        disk.last_due = due;
        let key = Key::new(due, self.chance.tie(process, WRITE, due), WRITE | u32::from(process.0));
        disk.syncs.push_back(Sync { id, key, number, verdict, notice });
        self.queue.push(key);
        self.stats.writes += 1;
        self.emit(watcher, Record::WriteIssued { process, write: id });
        if point.is_some() {
            self.halt(Some(number), false);
        }
        id
    }

    /// The disk goes through a crash of its process.
    pub(crate) fn crash_disk(&mut self, process: ProcessId, halt: Option<Halt>) -> Losses {
        let torn = halt.filter(|halt| halt.is_torn).and_then(|halt| halt.operation);
        let life = self.status[process.index()].life;
        let losses = self.disks[process.index()].crash(&Crash { chance: &self.chance, process, life, torn });
        self.stats.unsynced_lost += u64::from(losses.unsynced);
        losses
    }

    /// What a crash that keeps nothing would leave of each file.
    pub(crate) fn durable_files(&self, process: ProcessId) -> Vec<Vec<u8>> {
        self.disks[process.index()].durable(&Crash { chance: &self.chance, process, life: 0, torn: None })
    }

    /// Lets the syncs complete, from the `first` to the `last`, now and in their order. What the queue holds for them is
    /// out of date from now on.
    pub(crate) fn hurry(&mut self, process: ProcessId, first: usize, last: usize) {
        let syncs = self.disks[process.index()].syncs.iter_mut();
        for (tie, sync) in (0..).zip(syncs).take(last).skip(first) {
            sync.key = Key::new(self.now, tie, sync.key.what());
            self.queue.push(sync.key);
        }
    }
}

impl<P: Process, O: Observer<P::Facts, P::Note>> Simulation<P, O> {
    /// A sync is due, unless the queue is out of date.
    #[inline]
    pub(crate) fn write_due(&mut self, key: Key, process: ProcessId) -> bool {
        let world = &mut self.world;
        let disk = &mut world.disks[process.index()];
        let Some(sync) = disk.complete(key) else { return false };
        world.now = key.due();
        disk.operations += 1;
        if disk.is_ordered || sync.verdict != Verdict::Honest {
            self.complete_under_orders(process, sync);
            return true;
        }
        disk.retire(sync.number);
        // The disk goes on while its process is paused; only the news waits.
        world.emit(&mut self.observer, Record::WriteDurable { process, write: sync.id });
        self.tell(process, &sync, Ok(()));
        true
    }

    /// The same where something was ordered to go wrong.
    #[cold]
    fn complete_under_orders(&mut self, process: ProcessId, sync: Sync) {
        let disk = &mut self.world.disks[process.index()];
        let operation = Some(disk.operations);
        let point = disk.crash_point(disk.operations);
        if point.is_some_and(|point| point != CrashPoint::After) {
            disk.syncs.push_front(sync);
            return self.fall(process, Halt { operation, is_torn: point == Some(CrashPoint::Torn) });
        }
        let (write, error) = (sync.id, DiskError::Device);
        let (outcome, record) = match sync.verdict {
            Verdict::Honest => {
                disk.retire(sync.number);
                (Ok(()), Record::WriteDurable { process, write })
            }
            Verdict::Lie => {
                disk.claim(sync.number);
                (Ok(()), Record::WriteDurable { process, write })
            }
            Verdict::Failure(unsynced) => {
                disk.fail(sync.number, unsynced);
                (Err(error), Record::WriteFailed { process, write, error })
            }
        };
        self.world.emit(&mut self.observer, record);
        if point.is_some() {
            return self.fall(process, Halt { operation, is_torn: false });
        }
        self.tell(process, &sync, outcome);
    }

    /// Tells a process of a sync, now or when it may hear of it.
    #[inline]
    fn tell(&mut self, process: ProcessId, sync: &Sync, outcome: Result<(), DiskError>) {
        let (world, write) = (&mut self.world, sync.id);
        let Status { paused, life, .. } = world.status[process.index()];
        if !paused && sync.notice == Span::ZERO {
            return self.synced(process, write, outcome);
        }
        let place = world.store(Pending::Synced { process, life, write, outcome });
        if sync.notice > Span::ZERO {
            let due = world.now.after(sync.notice);
            // Each piece of news has a tie-break of its own, or their places in memory would order them.
            let tie = world.chance.tie(process, TAG | crate::chance::lower(write.0), due);
            world.queue.push(Key::new(due, tie, SLAB | place));
        } else {
            world.wait(process, SLAB | place);
        }
    }

    /// A process hears of a sync.
    #[inline]
    pub(crate) fn synced(&mut self, process: ProcessId, write: WriteId, outcome: Result<(), DiskError>) {
        self.act(process, |p, fx| match outcome {
            Ok(()) => p.on_durable(write, fx),
            Err(error) => p.on_write_failed(write, error, fx),
        });
    }
}
