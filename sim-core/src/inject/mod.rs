//! Doing things to the world: cuts, crashes, pauses, and their opposites.

mod check;
mod disk;
mod messages;

pub use check::FaultError;
pub(crate) use messages::{age, matching};

use crate::disk::Disk;
use crate::queue::Key;
use crate::simulation::Simulation;
use crate::world::{Halt, SLAB, Stage, TAG, TIMER, World};
use crate::{DropReason, Fault, InFlight, Observer, Process, ProcessId, Record, Span};

impl<P: Process, O: Observer<P::Facts, P::Note>> Simulation<P, O> {
    /// Does something to the world, now. What has no effect (healing what is whole, crashing what is down) is lawful.
    ///
    /// # Errors
    ///
    /// When it cannot be done; nothing has happened then.
    pub fn inject(&mut self, fault: &Fault) -> Result<(), FaultError> {
        self.check(fault)?;
        self.world.emit(&mut self.observer, Record::Injected { fault: fault.clone() });
        match fault {
            Fault::Cut { from, to, in_flight } => {
                self.cutting(*in_flight, |simulation| simulation.world.network.set_cut(*from, *to, true));
            }
            Fault::Restore { from, to } => self.world.network.set_cut(*from, *to, false),
            Fault::Isolate { process, in_flight } => {
                self.cutting(*in_flight, |simulation| simulation.world.network.set_isolated(*process, true));
            }
            Fault::Reconnect { process } => self.world.network.reconnect(*process),
            Fault::Partition { groups, in_flight } => {
                self.cutting(*in_flight, |simulation| simulation.world.network.partition(groups));
            }
            Fault::Heal => {
                self.world.network.open_all(self.world.records);
                for (from, to) in self.world.network.held() {
                    self.release(from, to);
                }
            }
            Fault::Hold { from, to, capture } => self.hold(*from, *to, *capture),
            Fault::Release { from, to } => self.release(*from, *to),
            Fault::DeliverOne { from, to, kind } => self.deliver_one(*from, *to, *kind),
            Fault::DeliverThis { id, copy } => self.deliver_this(*id, *copy),
            Fault::DropPending { from, to, kind } => {
                let stages = [Stage::InFlight, Stage::Held];
                self.drop_pending(DropReason::Ordered, &stages, matching(*from, *to, *kind));
            }
            Fault::DeliverAll { from, to, kind } => self.deliver_all(matching(*from, *to, *kind)),
            Fault::DuplicatePending { from, to, kind } => {
                self.duplicate_pending(matching(*from, *to, *kind));
            }
            Fault::Shuffle { from, to, kind } => self.shuffle(matching(*from, *to, *kind)),
            Fault::DropAfter { process, count } => self.world.network.allow(*process, Some(*count)),
            Fault::StopDropping { process } => self.world.network.allow(*process, None),
            Fault::Clog { from, to, span } => {
                let until = self.world.now.after(*span);
                let link = self.world.network.link_mut(*from, *to);
                link.clogged_until = link.clogged_until.max(until);
            }
            Fault::SetQuality { from, to, quality } => {
                let records = self.world.records;
                let link = self.world.network.link_mut(*from, *to);
                link.quality = *quality;
                link.begin_stream(records);
            }
            Fault::Crash { process } => {
                if self.is_up(*process) {
                    self.fall(*process, Halt { operation: None, is_torn: false });
                }
            }
            Fault::Restart { process } => {
                if !self.is_up(*process) {
                    self.boot(*process);
                }
            }
            Fault::Pause { process } => {
                let status = &mut self.world.status[process.index()];
                if status.up && !status.paused {
                    status.paused = true;
                    self.world.emit(&mut self.observer, Record::Paused { process: *process });
                }
            }
            Fault::Resume { process } => self.resume(*process),
            Fault::SetDisk { process, quality } => self.disk(*process).quality = **quality,
            Fault::StallDisk { process } => self.disk(*process).stalled = true,
            Fault::UnstallDisk { process } => self.unstall(*process),
            Fault::CompleteSync { process } => self.complete_sync(*process),
            Fault::FailOperation { process, nth } => {
                self.disk(*process).order(|orders| orders.fail_in = *nth);
            }
            Fault::FailSync { process, nth, unsynced } => {
                let order = (*nth > 0).then_some((*nth, *unsynced));
                self.disk(*process).order(|orders| orders.fail_sync = order);
            }
            Fault::LimitDisk { process, bytes } => {
                self.disk(*process).order(|orders| orders.capacity = *bytes);
            }
            Fault::FlipBits { process, file, offset, bits } => self.flip(*process, (*file, *offset), *bits),
            Fault::Misdirect { process, file, offset } => self.misdirect(*process, *file, *offset),
            Fault::SetHonesty { process, honesty } => self.disk(*process).honesty = *honesty,
            Fault::WipeDisk { process } => self.disk(*process).wipe(),
            Fault::SetCrashMode { process, mode } => self.disk(*process).mode = *mode,
            Fault::CrashAt { process, operation, when } => {
                self.arm_crash(*process, Some((*operation, *when)));
            }
            Fault::CrashAtComing { process, coming, when } => {
                let operation = self.storage_operations(*process).saturating_add(*coming);
                self.arm_crash(*process, Some((operation, *when)));
            }
            Fault::DisarmCrash { process } => self.arm_crash(*process, None),
            Fault::HealDisk { process } => {
                self.disk(*process).heal();
                self.unstall(*process);
            }
            Fault::SetClock { process, clock } => self.set_clock(*process, *clock),
        }
        Ok(())
    }

    fn disk(&mut self, process: ProcessId) -> &mut Disk {
        &mut self.world.disks[process.index()]
    }

    /// Cuts links, and loses what is on those that were open before if it is to be lost.
    fn cutting(&mut self, in_flight: InFlight, cut: impl FnOnce(&mut Self)) {
        if in_flight == InFlight::Keep {
            return cut(self);
        }
        let before = self.world.network.open_links();
        cut(self);
        let after = self.world.network.open_links();
        let count = usize::from(self.world.count);
        self.drop_pending(DropReason::CutInFlight, &[Stage::InFlight], |id| {
            let link = id.from.index() * count + id.to.index();
            before[link] && !after[link]
        });
    }

    /// What waited is due now, in its order and before anything else that is due now.
    fn resume(&mut self, process: ProcessId) {
        let status = &mut self.world.status[process.index()];
        if !status.paused {
            return;
        }
        status.paused = false;
        let backlog = core::mem::take(&mut status.backlog);
        self.world.emit(&mut self.observer, Record::Resumed { process });
        let now = self.world.now;
        for (tie, what) in (0..).zip(backlog) {
            let key = Key::new(now, tie, what);
            match what & TAG {
                TIMER => {
                    let index = (what & !TAG) as usize;
                    let (process, id) = World::<P>::timer_at(index);
                    // Its clock may have long to go to where the timer was due, if it was fired by order.
                    let deadline = self.world.clocks.arm(process, id.0, now, Span::ZERO);
                    let timer = &mut self.world.timers[index];
                    timer.armed = true;
                    timer.deadline = deadline;
                    timer.queued = Some(key);
                }
                _ => debug_assert_eq!(what & TAG, SLAB, "only messages, news and timers wait"),
            }
            self.world.queue.push(key);
        }
    }
}
