//! Whom a step is about.

use crate::scenario::{Ends, Held, MemberChange, Pin, Step, Target};

impl Step {
    /// Whether one of its targets is a list of nobody.
    pub(crate) fn is_about_nobody(&self) -> bool {
        let mut own = self.clone();
        let is_empty = |target: &mut Target| matches!(target, Target::List(items) if items.is_empty());
        own.targets_mut().into_iter().any(is_empty)
    }

    /// Every target that the step itself names; not those of steps inside it, nor those that its predicate asks after.
    pub fn targets_mut(&mut self) -> Vec<&mut Target> {
        match self {
            Self::Isolate(isolate) => vec![&mut isolate.nodes],
            Self::Reconnect(nodes)
            | Self::Restart(nodes)
            | Self::Pause(nodes)
            | Self::Resume(nodes)
            | Self::ForgetLeader(nodes)
            | Self::Snapshot(nodes)
            | Self::HoldWrites(nodes)
            | Self::CompleteWrite(nodes)
            | Self::ReleaseWrites(nodes)
            | Self::HoldApplies(nodes)
            | Self::CompleteApply(nodes)
            | Self::ReleaseApplies(nodes)
            | Self::HoldTimers(nodes)
            | Self::ReleaseTimers(nodes)
            | Self::FreeDisk(nodes)
            | Self::Disarm(nodes)
            | Self::Wipe(nodes)
            | Self::StopDropping(nodes)
            | Self::Shutdown(nodes) => vec![&mut nodes.nodes],
            Self::Bind(bind) => vec![&mut bind.to],
            Self::Pick(pick) => vec![&mut pick.from],
            Self::Crash(crash) => vec![&mut crash.nodes],
            Self::CrashAt(crash) => vec![&mut crash.node],
            Self::SetCrashMode(set) => vec![&mut set.nodes],
            Self::FailWrite(fail) => vec![&mut fail.nodes],
            Self::FillDisk(fill) => vec![&mut fill.nodes],
            Self::SlowDisk(slow) => vec![&mut slow.nodes],
            Self::Rot(rot) => vec![&mut rot.nodes],
            Self::MisdirectWrite(misdirect) => vec![&mut misdirect.nodes],
            Self::LieAboutFsync(lie) => vec![&mut lie.nodes],
            Self::SetClock(set) => vec![&mut set.nodes],
            Self::Tick(tick) => vec![&mut tick.nodes],
            Self::Campaign(target) => vec![target],
            Self::Propose(propose) => vec![&mut propose.to],
            Self::LeaveJoint(leave) => vec![&mut leave.to],
            Self::Read(read) => vec![&mut read.at],
            Self::Compact(compact) => vec![&mut compact.nodes],
            Self::DropAfter(drop) => vec![&mut drop.from],
            Self::SendSnapshot(send) => vec![&mut send.from, &mut send.to],
            Self::Transfer(transfer) => vec![&mut transfer.from, &mut transfer.to],
            Self::ReportUnreachable(report) => vec![&mut report.at, &mut report.of],
            Self::DeliverOne(one) => vec![&mut one.from, &mut one.to],
            Self::Clog(clog) => vec![&mut clog.from, &mut clog.to],
            Self::SetLink(rule) => vec![&mut rule.from, &mut rule.to],
            Self::Pin(Pin::Message(pin)) => vec![&mut pin.from, &mut pin.to],
            Self::Cut(cut) => cut.ends.targets_mut(),
            Self::Join(links) => links.ends.targets_mut(),
            Self::Hold(hold) => hold.links.targets_mut(),
            Self::Release(held) => held.links.targets_mut(),
            Self::Partition(partition) => partition.groups.iter_mut().collect(),
            Self::DropPending(pending) | Self::DuplicatePending(pending) | Self::Shuffle(pending) => {
                pending.from.iter_mut().chain(&mut pending.to).collect()
            }
            Self::Deliver(deliver) => deliver.from.iter_mut().chain(&mut deliver.to).collect(),
            Self::Unpin(unpin) => unpin.of.iter_mut().collect(),
            Self::Call(call) => call.to.iter_mut().collect(),
            Self::StartClients(set) | Self::StopClients(set) => set.clients.iter_mut().collect(),
            Self::AwaitClients(awaited) => awaited.clients.iter_mut().collect(),
            Self::Change(change) => {
                let changed = change.changes.0.iter_mut().map(MemberChange::nodes_mut);
                core::iter::once(&mut change.to).chain(changed).collect()
            }
            Self::Pin(Pin::ElectionTimeout(_))
            | Self::Sleep(_)
            | Self::Until(_)
            | Self::Assert(_)
            | Self::Always(_)
            | Self::Mark(_)
            | Self::Heal
            | Self::Note(_)
            | Self::Stop(_)
            | Self::Repeat(_)
            | Self::Choose(_)
            | Self::If(_) => Vec::new(),
        }
    }
}

impl Ends {
    fn targets_mut(&mut self) -> Vec<&mut Target> {
        match self {
            Self::Between(one, other) => vec![one, other],
            Self::OneWay { from, to } => vec![from, to],
        }
    }
}

impl Held {
    fn targets_mut(&mut self) -> Vec<&mut Target> {
        match self {
            Self::Of(nodes) => vec![nodes],
            Self::OneWay { from, to } => vec![from, to],
        }
    }
}

impl MemberChange {
    const fn nodes_mut(&mut self) -> &mut Target {
        match self {
            Self::AddVoter(nodes) | Self::AddLearner(nodes) | Self::Remove(nodes) => nodes,
        }
    }
}
