//! What must hold after every step.

use std::sync::Arc;

use super::{Host, Storm, holds, index, is_membership, position};
use raft_node::{
    Entry, EntryKind, Event, LogIndex, Membership, Message, NodeId, Output, Outputs, RoleKind, Term,
};

/// What a node was before a step.
pub(super) struct Before {
    role: RoleKind,
    term: Term,
    commit: LogIndex,
    membership: Arc<Membership>,
}

impl Before {
    pub(super) fn of(host: &Host) -> Self {
        let view = host.view();
        let membership = Arc::clone(view.membership);
        Self { role: view.role, term: view.term, commit: view.commit_index, membership }
    }
}

impl Storm {
    pub(super) fn judge(&mut self, node: usize, before: &Before, by_clock: bool, out: &Outputs) {
        let id = self.hosts[node].config.id;
        let view = self.hosts[node].view();
        let (term, commit) = (view.term, view.commit_index);
        if term < before.term {
            self.breaks(format!("monotonic_durable_term: {id} goes from term {} to {term}", before.term));
        }
        if commit < before.commit {
            self.breaks(format!("commit_monotonic: {id} goes from {} to {commit}", before.commit));
        }
        // A leader that appends changes what is in force only after it has counted.
        let mut membership = Arc::clone(&before.membership);
        for output in out {
            match output {
                Output::Send { to, message } => {
                    self.counts.handed_over += u32::from(matches!(message, Message::TimeoutNow { .. }));
                    if let Some(broken) = self.hosts[node].broken_promise(*to, message) {
                        self.breaks(broken);
                    }
                }
                Output::Event(Event::Role { role: RoleKind::Leader, term }) => {
                    let first = *self.leaders.entry(term.0).or_insert(id);
                    if first != id {
                        self.breaks(format!("election_safety: {first} and {id} lead term {term}"));
                    }
                    self.check_leader_completeness(node);
                }
                Output::Event(Event::Truncated { from }) => {
                    // Nor does one remove anything that begins to lead.
                    if self.hosts[node].view().role == RoleKind::Leader {
                        self.breaks(format!("leader_append_only: {id} removes {from}"));
                    }
                    if *from <= before.commit {
                        let commit = before.commit;
                        self.breaks(format!("no_truncation_below_commit: {id} removes {from} of {commit}"));
                    }
                }
                Output::Apply { index, entry } => self.check_applied(id, *index, entry),
                Output::Event(Event::Committed(index)) => {
                    self.check_commit(node, before, &membership, *index)
                }
                Output::Event(Event::Membership { membership: next, .. }) => membership = Arc::clone(next),
                Output::Event(Event::SnapshotTaken { .. }) => self.counts.taken += 1,
                Output::Event(Event::SnapshotInstalled { .. }) => self.counts.installed += 1,
                Output::ReadReady { id: read, index } => {
                    let began = self.reads.remove(read).expect("a read is answered once");
                    self.counts.reads += 1;
                    self.counts.lease_reads += u32::from(by_clock);
                    if index.0 < began {
                        let how = if by_clock { " by its lease" } else { "" };
                        self.breaks(format!(
                            "linearizable: {id} reads at {index}{how}, {began} was committed"
                        ));
                    }
                }
                Output::ReadRefused { id: read, .. } => {
                    self.reads.remove(read).expect("a read is answered once");
                }
                Output::Event(event) => assert!(!is_membership(event), "seen to above"),
                Output::Persist { .. }
                | Output::SetTimer { .. }
                | Output::RearmTimer(_)
                | Output::CancelTimer(_)
                | Output::Accepted { .. }
                | Output::Refused { .. }
                | Output::Forwarded { .. }
                | Output::Install { .. } => {}
            }
        }
    }

    /// A leader decides only on entries of its own term that a quorum has stored. Only those: what it
    /// inherited may be committed under a membership of before.
    fn check_commit(&mut self, node: usize, before: &Before, membership: &Membership, at: LogIndex) {
        self.committed = self.committed.max(at.0);
        let view = self.hosts[node].view();
        if before.role != RoleKind::Leader || before.term != view.term {
            return;
        }
        let (id, term) = (view.id, view.term);
        let entry = match at.0.checked_sub(view.base.0.0 + 1) {
            Some(offset) => view.log[usize::try_from(offset).expect("an index fits")].clone(),
            None => return,
        };
        if entry.term != term {
            return self.breaks(format!("commit_legality: {id} commits {at} of an earlier term in {term}"));
        }
        let stored = |id: NodeId| holds(&self.hosts[usize::from(id.0)].disk, at, &entry);
        if !membership.is_quorum(stored) {
            self.breaks(format!(
                "commit_legality: {id} commits {at} in {term} without a quorum of {membership}"
            ));
        }
    }

    fn check_applied(&mut self, id: NodeId, at: LogIndex, entry: &Entry) {
        let place = position(at).expect("what is applied has an index");
        match self.applied.get(place) {
            Some(first) if first == entry => {}
            Some(first) => {
                let (ours, theirs) = (entry.term, first.term);
                self.breaks(format!("state_machine_safety: {id} applies {at}/{ours}, not {at}/{theirs}"));
            }
            None => self.first_applied(at, entry),
        }
    }

    /// Somebody is the first to apply an entry.
    fn first_applied(&mut self, at: LogIndex, entry: &Entry) {
        assert_eq!(index(self.applied.len()).next(), at, "nobody skips an entry");
        // Who must have stored it where the membership changes, `check_commit` asks.
        let stored = self.hosts.iter().filter(|host| holds(&host.disk, at, entry)).count();
        if stored == 0 || (self.membership_is_fixed && stored <= self.hosts.len() / 2) {
            self.breaks(format!("commit_legality: {at}/{} is on {stored} disks", entry.term));
        }
        if let EntryKind::Change(next) = &entry.kind {
            self.counts.changes += 1;
            self.counts.joint += u32::from(next.is_joint());
            if !follows(&self.membership, next) {
                let before = &self.membership;
                self.breaks(format!("membership: {next} does not follow {before}"));
            }
            self.membership = Arc::clone(next);
        }
        let machine = self.machine_after.last().copied().unwrap_or_default().after(at, entry);
        self.machine_after.push(machine);
        self.applied.push(entry.clone());
    }

    /// The state machine is the one that everybody has at that index.
    pub(super) fn check_machine(&mut self, node: usize) {
        let machine = self.machines[node];
        if let Some(place) = position(machine.index)
            && self.machine_after.get(place) != Some(&machine)
        {
            self.breaks(format!("state_machine_safety: the machine of {node} differs at {}", machine.index));
        }
    }

    fn check_leader_completeness(&mut self, node: usize) {
        let view = self.hosts[node].view();
        let (id, term) = (view.id, view.term);
        let base = usize::try_from(view.base.0.0).expect("an index fits");
        let earlier = self.applied.iter().take_while(|entry| entry.term < term);
        let missing = earlier.skip(base).zip(view.log).filter(|(applied, ours)| applied != ours).count();
        let known = self.applied.iter().filter(|entry| entry.term < term).count();
        if missing > 0 || known > base + view.log.len() {
            self.breaks(format!("leader_completeness: {id} leads term {term} without what is committed"));
        }
    }

    /// After a restart: what the new life remembers is what the old one promised.
    pub(super) fn check_memory(&mut self, node: usize) {
        let host = &self.hosts[node];
        let (id, term) = (host.config.id, host.term());
        if host.disk.hard != (raft_node::HardState { term: host.view().term, vote: host.view().vote }) {
            self.breaks(format!("monotonic_durable_term: {id} wakes in term {term}"));
        }
    }
}

/// Whether one membership may come after another: quorums of the two meet (thesis §4.1, §4.3).
fn follows(before: &Membership, next: &Membership) -> bool {
    if before.is_joint() {
        return !next.is_joint() && next.voters() == before.voters();
    }
    if next.is_joint() {
        return next.outgoing() == before.voters();
    }
    let differ = |one: &Membership, other: &Membership| {
        one.voters().iter().filter(|id| !other.voters().contains(id)).count()
    };
    differ(before, next) + differ(next, before) <= 1
}
