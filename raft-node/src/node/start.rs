//! Booting a node from what is durable.

use std::collections::VecDeque;
use std::sync::Arc;

use super::{RaftNode, TimerChanges};
use crate::config::Config;
use crate::durability::Durability;
use crate::entry::EntryKind;
use crate::log::Log;
use crate::memberships::Memberships;
use crate::role::{Follower, Role};
use crate::roster::Roster;
use crate::step::{Event, Output, Outputs};
use crate::storage::Durable;
use crate::types::{LocalTime, LogIndex};

impl RaftNode {
    /// Boots a node from what is durable, as a follower that knows no leader and nothing of what is committed
    /// but what its snapshot holds.
    ///
    /// # Panics
    ///
    /// If the options are impossible: an election timeout range that is empty or contains zero, a heartbeat
    /// interval of zero, messages of at most zero entries or snapshot parts of zero bytes, leases without
    /// `check_quorum`, a clock that may stand still.
    #[must_use]
    pub fn start(config: Config, durable: &Durable, now: LocalTime, out: &mut Outputs) -> Self {
        Self::boot(config, durable, Durability::new, now, out)
    }

    /// Boots a node from what a crash has left, while the host still makes that durable again: it may stand in one copy
    /// where others are needed, and a node that vouched for it now could forget it in the next crash. The node works, but
    /// nothing that rests on what was found is promised before the host says [`Persisted`](crate::Input::Persisted) of
    /// write 0.
    ///
    /// # Panics
    ///
    /// As [`RaftNode::start`].
    #[must_use]
    pub fn start_mending(config: Config, durable: &Durable, now: LocalTime, out: &mut Outputs) -> Self {
        Self::boot(config, durable, Durability::mending, now, out)
    }

    fn boot(
        config: Config,
        durable: &Durable,
        durability: impl FnOnce(LogIndex) -> Durability,
        now: LocalTime,
        out: &mut Outputs,
    ) -> Self {
        let Config { id, membership, options } = config;
        options.assert_possible();
        let mut log = Log::new(durable.base, durable.log.clone());
        let mut applied = log.base().0;
        let mut log_to_drop = None;
        if let Some(snapshot) = &durable.snapshot {
            if log.term_at(snapshot.index) != Some(snapshot.term) {
                log.reset(snapshot.index, snapshot.term);
                log_to_drop = Some(Arc::clone(snapshot));
            }
            applied = snapshot.index;
            out.push(Output::Install { snapshot: Arc::clone(snapshot) });
        }
        let memberships = memberships(durable, membership, &log);
        let roster = Roster::new(memberships.current());
        let mut node = Self {
            id,
            position: roster.position(id),
            heard: options.lease_reads.then_some(now),
            options,
            memberships,
            roster,
            hard: durable.hard,
            durability: durability(log.last_index()),
            log,
            role: Role::Follower(Follower::default()),
            commit: applied,
            applied,
            applied_by_host: applied,
            snapshot: durable.snapshot.clone(),
            compactions: VecDeque::new(),
            incoming: None,
            timers: TimerChanges::default(),
            now,
            asked_reads: Vec::new(),
        };
        if let Some(snapshot) = log_to_drop {
            // No host that does each write wholly leaves such a disk. Make it what memory is.
            node.durability.log_replaced(snapshot, LogIndex::ZERO);
        }
        node.tell_membership(out);
        node.timers.turned = true;
        node.finish_step(out);
        node
    }

    pub(super) fn tell_membership(&self, out: &mut Outputs) {
        let membership = Arc::clone(self.memberships.current());
        out.push(Output::Event(Event::Membership { index: self.memberships.index(), membership }));
    }
}

/// The membership of the snapshot, or else the one with which the cluster began, and those of the log behind
/// it.
fn memberships(durable: &Durable, bootstrap: crate::Membership, log: &Log) -> Memberships {
    let (from, oldest) = match &durable.snapshot {
        Some(snapshot) => (snapshot.index, Arc::clone(&snapshot.membership)),
        None => (LogIndex::ZERO, Arc::new(bootstrap)),
    };
    let mut memberships = Memberships::new(from, oldest);
    for (offset, entry) in log.entries().iter().enumerate() {
        let index = log.base().0.next().advanced_by(offset);
        if let EntryKind::Change(membership) = &entry.kind
            && index > from
        {
            memberships.push(index, Arc::clone(membership));
        }
    }
    memberships
}
