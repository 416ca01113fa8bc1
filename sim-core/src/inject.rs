//! Doing things to the world: cuts, crashes, pauses, and their opposites.

use crate::queue::Key;
use crate::simulation::Simulation;
use crate::world::{Pending, SLAB, Stage, TAG, TIMER};
use crate::{DropReason, Fault, InFlight, MessageId, Observer, Process, ProcessId, Record, VirtualTime};
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
            Self::NothingHeld { from, to } => {
                write!(f, "no such message is held on the link from {from} to {to}")
            }
        }
    }
}

impl core::error::Error for FaultError {}

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
                self.world.network.open_all();
                for (from, to) in self.world.network.held() {
                    self.release(from, to);
                }
            }
            Fault::Hold { from, to, capture } => self.hold(*from, *to, *capture),
            Fault::Release { from, to } => self.release(*from, *to),
            Fault::DeliverOne { from, to, kind } => self.deliver_one(*from, *to, *kind),
            Fault::DropPending { from, to, kind } => {
                self.drop_pending(DropReason::Ordered, &[Stage::InFlight, Stage::Held], |id| {
                    from.is_none_or(|from| from == id.from)
                        && to.is_none_or(|to| to == id.to)
                        && kind.is_none_or(|kind| kind == id.kind)
                });
            }
            Fault::Clog { from, to, span } => {
                let until = self.world.now.after(*span);
                let link = self.world.network.link_mut(*from, *to);
                link.clogged_until = link.clogged_until.max(until);
            }
            Fault::SetQuality { from, to, quality } => {
                let link = self.world.network.link_mut(*from, *to);
                link.quality = *quality;
                // A new stream: it does not wait for what the old one still carries.
                link.last_due = VirtualTime::ZERO;
            }
            Fault::Crash { process } => {
                if self.is_up(*process) {
                    let writes_lost = self.stop(*process);
                    self.world.emit(&mut self.observer, Record::Crashed { process: *process, writes_lost });
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
        }
        Ok(())
    }

    fn check(&self, fault: &Fault) -> Result<(), FaultError> {
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
                match self.held_place(*from, *to, *kind) {
                    Some(_) => Ok(()),
                    None => Err(FaultError::NothingHeld { from: *from, to: *to }),
                }
            }
            Fault::DropPending { from, to, kind } => {
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
            | Fault::Crash { process }
            | Fault::Restart { process }
            | Fault::Pause { process }
            | Fault::Resume { process } => known(*process),
        }
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

    /// Takes messages that match out of the world.
    fn drop_pending(&mut self, reason: DropReason, stages: &[Stage], matches: impl Fn(&MessageId) -> bool) {
        for (id, place) in self.pending(stages, matches) {
            let link = self.world.network.link_mut(id.from, id.to);
            match link.waiting.iter().position(|waiting| *waiting == place) {
                Some(position) => {
                    link.waiting.remove(position);
                    self.world.take(place);
                }
                // The queue still refers to it.
                None => self.world.slab[place as usize] = Pending::Cancelled,
            }
            self.world.lose(&mut self.observer, id, reason);
        }
    }

    /// The messages that match and where they are, in order of their names: a slab's order means nothing.
    fn pending(&self, stages: &[Stage], matches: impl Fn(&MessageId) -> bool) -> Vec<(MessageId, u32)> {
        let mut found: Vec<(MessageId, u32)> = (0..)
            .zip(&self.world.slab)
            .filter_map(|(place, pending)| match pending {
                Pending::Message { id, stage, .. } if stages.contains(stage) && matches(id) => {
                    Some((*id, place))
                }
                _ => None,
            })
            .collect();
        found.sort_unstable();
        found
    }

    fn hold(&mut self, from: ProcessId, to: ProcessId, capture: bool) {
        self.world.network.link_mut(from, to).held = true;
        if !capture {
            return;
        }
        let mut captured = Vec::new();
        for (_, place) in self.pending(&[Stage::InFlight], |id| id.from == from && id.to == to) {
            let taken = core::mem::replace(&mut self.world.slab[place as usize], Pending::Cancelled);
            let Pending::Message { id, message, since, .. } = taken else {
                unreachable!("only messages were asked for")
            };
            captured.push((since, id, message));
        }
        captured.sort_by_key(|(since, id, _)| (*since, *id));
        for (since, id, message) in captured {
            self.world.emit(&mut self.observer, Record::Held { id });
            let stage = Stage::Held;
            let place = self.world.store(Pending::Message { id, message, stage, since, decided: true });
            self.world.network.link_mut(from, to).waiting.push_back(place);
        }
    }

    fn release(&mut self, from: ProcessId, to: ProcessId) {
        let link = self.world.network.link_mut(from, to);
        link.held = false;
        for place in core::mem::take(&mut link.waiting) {
            let Pending::Message { id, message, decided, .. } = self.world.take(place) else {
                unreachable!("only messages wait on a link")
            };
            self.world.emit(&mut self.observer, Record::Released { id });
            if decided {
                self.world.post_again(&mut self.observer, id, message);
            } else {
                self.world.hand_over(&mut self.observer, id, message);
            }
        }
    }

    fn held_place(&self, from: ProcessId, to: ProcessId, kind: Option<u8>) -> Option<usize> {
        self.world.network.link(from, to).waiting.iter().position(|place| {
            matches!(&self.world.slab[*place as usize],
                Pending::Message { id, .. } if kind.is_none_or(|kind| kind == id.kind))
        })
    }

    fn deliver_one(&mut self, from: ProcessId, to: ProcessId, kind: Option<u8>) {
        let position = self.held_place(from, to, kind).expect("that something is held was checked");
        let place = self.world.network.link_mut(from, to).waiting.remove(position);
        let place = place.expect("the position was just found");
        let Pending::Message { id, message, .. } = self.world.take(place) else {
            unreachable!("only messages wait on a link")
        };
        self.world.emit(&mut self.observer, Record::Released { id });
        self.world.post_now(id, message);
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
                    let timer = &mut self.world.timers[(what & !TAG) as usize];
                    timer.armed = true;
                    timer.deadline = now;
                    timer.queued = Some(key);
                }
                _ => debug_assert_eq!(what & TAG, SLAB, "only messages, news and timers wait"),
            }
            self.world.queue.push(key);
        }
    }
}
