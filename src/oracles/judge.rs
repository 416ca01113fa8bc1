//! All oracles at once.

use super::{
    Applied, Canon, CommitLegality, CommitMonotonic, ConfigSafety, Durability, DurableVote, ElectionSafety,
    ExactlyOnce, Found, LeaderAppendOnly, LeaderCompleteness, Linearizability, LogMatching, MessageSanity,
    MonotonicDurableTerm, NoPanic, NoTruncationBelowCommit, Oracle, ReadSafety, Seen, SnapshotConsistency,
    StateMachineSafety, StateOrder,
};
use crate::mirror::{DurableMirror, Finding, Mirror};
use crate::record::{Note, Record};
use crate::violation::{Property, Violation};
use sim_core::{Interest, ProcessId, Stamp};
use std::collections::BTreeMap;

/// Judges a run by every safety property, while it happens.
#[derive(Clone, Debug)]
pub struct Judge {
    mirror: Mirror,
    canon: Canon,
    found: Found,
    election_safety: ElectionSafety,
    durable_vote: DurableVote,
    leader_append_only: LeaderAppendOnly,
    log_matching: LogMatching,
    leader_completeness: LeaderCompleteness,
    state_machine_safety: StateMachineSafety,
    commit_legality: CommitLegality,
    monotonic_durable_term: MonotonicDurableTerm,
    commit_monotonic: CommitMonotonic,
    no_truncation_below_commit: NoTruncationBelowCommit,
    message_sanity: MessageSanity,
    config_safety: ConfigSafety,
    snapshot_consistency: SnapshotConsistency,
    state_order: StateOrder,
    exactly_once: ExactlyOnce,
    read_safety: ReadSafety,
    durability: Durability,
    linearizability: Linearizability,
    no_panic: NoPanic,
    /// The nodes of which nobody may be able to tell what they have lost.
    doubted: BTreeMap<ProcessId, Doubt>,
    /// Those of them that have lost something, since somebody asked.
    bereft: Vec<ProcessId>,
}

/// A node of which nobody may be able to tell what it has lost.
#[derive(Clone, Copy, Debug)]
struct Doubt {
    /// What rests on it.
    resting: &'static [Property],
    /// Whether it is over when the node has told what it found.
    is_last: bool,
}

/// Shows a record to oracles, in the order in which they are named.
macro_rules! show {
    ($judge:ident, $stamp:ident, $record:ident: $($oracle:ident),+) => {{
        let seen = Seen { mirror: &$judge.mirror, canon: &$judge.canon };
        $($judge.$oracle.observe($stamp, $record, seen, &mut $judge.found);)+
    }};
}

mod observe;

impl Judge {
    /// The kinds of record that it wants.
    pub const INTEREST: Interest = Mirror::INTEREST
        .and(ElectionSafety::INTEREST)
        .and(DurableVote::INTEREST)
        .and(LeaderAppendOnly::INTEREST)
        .and(LogMatching::INTEREST)
        .and(LeaderCompleteness::INTEREST)
        .and(StateMachineSafety::INTEREST)
        .and(CommitLegality::INTEREST)
        .and(MonotonicDurableTerm::INTEREST)
        .and(CommitMonotonic::INTEREST)
        .and(NoTruncationBelowCommit::INTEREST)
        .and(MessageSanity::INTEREST)
        .and(ConfigSafety::INTEREST)
        .and(SnapshotConsistency::INTEREST)
        .and(StateOrder::INTEREST)
        .and(ExactlyOnce::INTEREST)
        .and(ReadSafety::INTEREST)
        .and(Durability::INTEREST)
        .and(NoPanic::INTEREST);

    /// A judge of a cluster of `nodes` nodes that has not begun.
    #[must_use]
    pub fn new(nodes: u16) -> Self {
        Self {
            mirror: Mirror::new(nodes),
            canon: Canon::new(nodes),
            found: Found::default(),
            election_safety: ElectionSafety::default(),
            durable_vote: DurableVote::new(nodes),
            leader_append_only: LeaderAppendOnly,
            log_matching: LogMatching::default(),
            leader_completeness: LeaderCompleteness,
            state_machine_safety: StateMachineSafety,
            commit_legality: CommitLegality,
            monotonic_durable_term: MonotonicDurableTerm::new(nodes),
            commit_monotonic: CommitMonotonic,
            no_truncation_below_commit: NoTruncationBelowCommit,
            message_sanity: MessageSanity::new(nodes),
            config_safety: ConfigSafety::new(nodes),
            snapshot_consistency: SnapshotConsistency,
            state_order: StateOrder,
            exactly_once: ExactlyOnce::default(),
            read_safety: ReadSafety::new(nodes),
            durability: Durability::default(),
            linearizability: Linearizability::default(),
            no_panic: NoPanic,
            doubted: BTreeMap::new(),
            bereft: Vec::new(),
        }
    }

    /// A node has this on its disk when the run begins, from another life. What its snapshot covers is committed.
    ///
    /// # Panics
    ///
    /// If there is no such node.
    pub fn begin_with(&mut self, node: ProcessId, disk: DurableMirror) {
        if let Some(facts) = &disk.snapshot {
            self.canon.begin_behind(facts, node);
        }
        self.mirror.begin_with(node, disk);
    }

    /// The cluster as it is now.
    #[inline]
    #[must_use]
    pub fn mirror(&self) -> &Mirror {
        &self.mirror
    }

    /// What was committed until now.
    #[must_use]
    pub fn canon(&self) -> &Canon {
        &self.canon
    }

    /// What was found until now: of each property at most one violation, the first, in the order of the
    /// records.
    #[inline]
    #[must_use]
    pub fn violations(&self) -> &[Violation] {
        self.found.violations()
    }

    /// How often each property that it judges was judged until now, in the order of [`Property::ALL`]. One that never was
    /// proves nothing about a run.
    pub fn counts(&self) -> impl Iterator<Item = (Property, u64)> {
        Self::SAFETY.into_iter().map(|property| (property, self.found.count(property)))
    }

    /// The properties that it judges.
    pub const SAFETY: [Property; 18] = [
        Property::ElectionSafety,
        Property::DurableVote,
        Property::LeaderAppendOnly,
        Property::LogMatching,
        Property::LeaderCompleteness,
        Property::StateMachineSafety,
        Property::CommitLegality,
        Property::MonotonicDurableTerm,
        Property::CommitMonotonic,
        Property::NoTruncationBelowCommit,
        Property::MessageSanity,
        Property::ConfigSafety,
        Property::SnapshotConsistency,
        Property::StateOrder,
        Property::ExactlyOnce,
        Property::ReadSafety,
        Property::Durability,
        Property::NoPanic,
    ];

    /// What clients saw.
    #[must_use]
    pub const fn clients(&self) -> &Linearizability {
        &self.linearizability
    }

    /// Judges what can be judged only when all is over: what clients saw.
    pub fn conclude(&mut self, stamp: Stamp) {
        self.linearizability.conclude(stamp, &mut self.found);
    }

    /// Judges `property` no longer: for what lies outside the fault model and voids it.
    pub fn disable(&mut self, property: Property) {
        self.found.disable(property);
    }

    /// What stands on the disk of `node` may be other than what it wrote: it may refuse to start from it.
    pub fn damaged(&mut self, node: ProcessId) {
        self.durability.damaged(node);
    }

    /// On the disk of `node` stands what it wrote, again.
    pub fn undamaged(&mut self, node: ProcessId) {
        self.durability.undamaged(node);
    }

    /// Judges these properties no longer once `node` finds an older state on its disk than was durable there: for damage
    /// that it may not be able to tell from what a crash leaves.
    pub fn doubt(&mut self, node: ProcessId, resting: &'static [Property]) {
        self.doubted.insert(node, Doubt { resting, is_last: false });
    }

    /// That damage is gone. What was made of it by a life that has not told what it found is told by the next one.
    ///
    /// # Panics
    ///
    /// If there is no such node.
    pub fn trust(&mut self, node: ProcessId) {
        if self.mirror.nodes[node.index()].has_recovered {
            self.doubted.remove(&node);
        } else if let Some(doubt) = self.doubted.get_mut(&node) {
            doubt.is_last = true;
        }
    }

    /// The nodes that were doubted and have found less than was durable, since this was last asked.
    pub fn take_bereft(&mut self) -> Vec<ProcessId> {
        core::mem::take(&mut self.bereft)
    }

    /// What is noted all the time is asked for one after the other: a table is a jump that nobody can guess.
    #[inline(always)]
    fn note(&mut self, stamp: Stamp, record: &Record, (process, note): (ProcessId, &Note)) {
        if let Note::Append { index, .. } = note {
            if self.mirror.node(process).is_some_and(|node| *index > node.log.last_index()) {
                // Nothing is removed, so there is nothing to look for.
                self.found.judged(Property::LeaderAppendOnly);
                self.found.judged(Property::NoTruncationBelowCommit);
            } else {
                show!(self, stamp, record: leader_append_only, no_truncation_below_commit);
            }
            self.mirror.noted(process, note);
            self.log_matching.appended(stamp, process, *index, &self.mirror, &mut self.found);
        } else if let Note::Apply { index, state, effect, .. } = note {
            show!(self, stamp, record: state_machine_safety, exactly_once);
            self.linearizability.observe(stamp, record);
            self.mirror.noted(process, note);
            if self.mirror.node(process).is_some() {
                self.canon.apply(*index, Applied { state: *state, effect: *effect, by: process });
            }
        } else if let Note::Persist { .. } = note {
            self.mirror.noted(process, note);
        } else if let Note::Commit { .. } = note {
            self.commit(stamp, record, (process, note));
        } else {
            self.note_rare(stamp, record, (process, note));
        }
    }

    #[inline(never)]
    fn note_rare(&mut self, stamp: Stamp, record: &Record, (process, note): (ProcessId, &Note)) {
        match note {
            Note::StorageCorrupt { .. } => show!(self, stamp, record: durability),
            Note::Term { .. }
            | Note::Mending { .. }
            | Note::PersistSnapshot { .. }
            | Note::PersistCompacted { .. } => self.mirror.apply(stamp, record),
            Note::Role { .. } => {
                show!(self, stamp, record: election_safety, leader_completeness, message_sanity, config_safety);
                self.mirror.apply(stamp, record);
                show!(self, stamp, record: log_matching);
            }
            Note::Vote { .. } => {
                show!(self, stamp, record: election_safety);
                self.mirror.apply(stamp, record);
                show!(self, stamp, record: durable_vote);
            }
            Note::Truncate { .. } => {
                show!(self, stamp, record: leader_append_only, no_truncation_below_commit);
                self.mirror.apply(stamp, record);
            }
            Note::Recovered { .. } => self.recover(stamp, record, process),
            Note::Members { .. } => {
                show!(self, stamp, record: config_safety);
                self.mirror.apply(stamp, record);
                if let Some(node) = self.mirror.node(process) {
                    self.canon.learn(node);
                }
            }
            Note::Snapshot(_) | Note::Installed(_) | Note::Compacted { .. } => self.cover(stamp, record),
            Note::ReadAsked { .. } | Note::ReadReady { .. } | Note::ReadRefused { .. } => {
                show!(self, stamp, record: read_safety);
            }
            Note::Proposed { .. }
            | Note::Accepted { .. }
            | Note::Refused { .. }
            | Note::Forwarded { .. }
            | Note::StorageFailed { .. } => {}
            Note::Append { .. } | Note::Apply { .. } | Note::Persist { .. } | Note::Commit { .. } => {
                unreachable!("it is not rare")
            }
            Note::Submitted { .. } | Note::Call(_) | Note::Return(_) => {
                self.linearizability.observe(stamp, record);
            }
        }
    }

    #[cold]
    fn recover(&mut self, stamp: Stamp, record: &Record, process: ProcessId) {
        self.mirror.apply(stamp, record);
        if let Some(doubt) = self.doubted.get(&process).copied()
            && let Some(node) = self.mirror.node(process)
        {
            if node.found == Finding::Older {
                doubt.resting.iter().for_each(|property| self.found.disable(*property));
                self.bereft.push(process);
            }
            if doubt.is_last {
                self.doubted.remove(&process);
            }
        }
        show!(self, stamp, record: election_safety, log_matching, monotonic_durable_term, durable_vote);
        show!(self, stamp, record: config_safety, state_order, durability);
        self.sink();
    }

    /// A snapshot or a compaction.
    #[cold]
    fn cover(&mut self, stamp: Stamp, record: &Record) {
        show!(self, stamp, record: leader_append_only, no_truncation_below_commit);
        show!(self, stamp, record: snapshot_consistency, config_safety);
        self.mirror.apply(stamp, record);
        show!(self, stamp, record: log_matching, state_order);
        self.sink();
    }

    /// How many things it remembers of the log and of reads. What it remembers of terms and commands is bounded.
    #[cfg(test)]
    fn size(&self) -> usize {
        self.canon.size() + self.log_matching.size() + self.read_safety.size()
    }

    /// Forgets what nobody can go back to.
    #[cold]
    fn sink(&mut self) {
        let floor = self.mirror.floor();
        if floor > self.canon.base() {
            self.canon.forget(floor);
            self.log_matching.forget(self.canon.base());
            self.exactly_once.forget(self.canon.base());
        }
    }

    #[inline]
    fn durable(&mut self, stamp: Stamp, record: &Record, process: ProcessId) {
        let base = |mirror: &Mirror| mirror.node(process).map(|node| node.durable.log.base());
        let before = base(&self.mirror);
        self.mirror.apply(stamp, record);
        show!(self, stamp, record: monotonic_durable_term, durable_vote);
        let after = base(&self.mirror);
        // Where nothing was ever dropped there is nothing to set in order.
        if after > Some(0) {
            show!(self, stamp, record: state_order);
            if after != before {
                self.sink();
            }
        }
    }

    fn commit(&mut self, stamp: Stamp, record: &Record, (process, note): (ProcessId, &Note)) {
        show!(self, stamp, record: commit_monotonic, commit_legality, config_safety);
        self.mirror.noted(process, note);
        if let Some(node) = self.mirror.node(process) {
            self.canon.extend(node);
        }
    }
}

#[cfg(test)]
mod tests;
