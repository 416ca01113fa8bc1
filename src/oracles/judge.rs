//! All oracles at once.

use super::{
    Canon, CommitLegality, CommitMonotonic, DurableVote, ElectionSafety, Found, LeaderAppendOnly,
    LeaderCompleteness, LogMatching, MessageSanity, MonotonicDurableTerm, NoPanic, NoTruncationBelowCommit,
    Oracle, Seen, StateMachineSafety,
};
use crate::mirror::Mirror;
use crate::record::{MessageFacts, Note, Record};
use crate::violation::{Property, Violation};
use sim_core::{Interest, Observer, Stamp};

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
    no_panic: NoPanic,
}

/// Shows a record to oracles, in the order in which they are named.
macro_rules! show {
    ($judge:ident, $stamp:ident, $record:ident: $($oracle:ident),+) => {{
        let seen = Seen { mirror: &$judge.mirror, canon: &$judge.canon };
        $($judge.$oracle.observe($stamp, $record, seen, &mut $judge.found);)+
    }};
}

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
        .and(NoPanic::INTEREST);

    /// A judge of a cluster of `nodes` nodes that has not begun.
    #[must_use]
    pub fn new(nodes: u16) -> Self {
        Self {
            mirror: Mirror::new(nodes),
            canon: Canon::default(),
            found: Found::default(),
            election_safety: ElectionSafety::default(),
            durable_vote: DurableVote::new(nodes),
            leader_append_only: LeaderAppendOnly,
            log_matching: LogMatching::default(),
            leader_completeness: LeaderCompleteness,
            state_machine_safety: StateMachineSafety::default(),
            commit_legality: CommitLegality,
            monotonic_durable_term: MonotonicDurableTerm::new(nodes),
            commit_monotonic: CommitMonotonic,
            no_truncation_below_commit: NoTruncationBelowCommit,
            message_sanity: MessageSanity::new(nodes),
            no_panic: NoPanic,
        }
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

    /// Judges `property` no longer: for what lies outside the fault model and voids it.
    pub fn disable(&mut self, property: Property) {
        self.found.disable(property);
    }

    #[inline]
    fn note(&mut self, stamp: Stamp, record: &Record, note: &Note) {
        match note {
            Note::Append { .. } => {
                show!(self, stamp, record: leader_append_only, no_truncation_below_commit);
                self.mirror.apply(stamp, record);
                show!(self, stamp, record: log_matching);
            }
            Note::Persist { .. } | Note::Term { .. } => self.mirror.apply(stamp, record),
            Note::Commit { .. } => self.commit(stamp, record),
            Note::Apply { .. } => {
                show!(self, stamp, record: state_machine_safety);
                self.mirror.apply(stamp, record);
            }
            Note::Role { .. } => {
                show!(self, stamp, record: election_safety, leader_completeness, message_sanity);
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
            Note::Recovered { .. } => {
                self.mirror.apply(stamp, record);
                show!(self, stamp, record: log_matching);
            }
            Note::Proposed { .. } | Note::Accepted { .. } | Note::Refused { .. } => {}
        }
    }

    fn commit(&mut self, stamp: Stamp, record: &Record) {
        show!(self, stamp, record: commit_monotonic, commit_legality);
        self.mirror.apply(stamp, record);
        if let Some(node) = record.process().and_then(|process| self.mirror.node(process)) {
            self.canon.extend(node);
        }
    }
}

impl Observer<MessageFacts, Note> for Judge {
    fn interest(&self) -> Interest {
        Self::INTEREST
    }

    #[inline]
    fn observe(&mut self, stamp: Stamp, record: &Record) {
        match record {
            Record::Sent { .. } => show!(self, stamp, record: message_sanity, durable_vote),
            Record::Noted { note, .. } => self.note(stamp, record, note),
            Record::WriteDurable { .. } => {
                self.mirror.apply(stamp, record);
                show!(self, stamp, record: monotonic_durable_term, durable_vote);
            }
            Record::Panicked { .. } => {
                show!(self, stamp, record: no_panic);
                self.mirror.apply(stamp, record);
            }
            Record::Booted { .. }
            | Record::Crashed { .. }
            | Record::Paused { .. }
            | Record::Resumed { .. } => {
                self.mirror.apply(stamp, record);
            }
            Record::Delivered { .. }
            | Record::Dropped { .. }
            | Record::Duplicated { .. }
            | Record::Held { .. }
            | Record::Released { .. }
            | Record::TimerSet { .. }
            | Record::TimerFired { .. }
            | Record::WriteIssued { .. }
            | Record::Injected { .. }
            | Record::Marked { .. } => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracles::testing::{SAFETY, Story, story};
    use crate::record::Role;
    use sim_core::RecordKind;

    /// Breaks commit monotonic, then no panic, each twice.
    fn misdeeds() -> Story {
        let story =
            story(3).boot_all().elect(0, 1, &[1]).lead(0, "a").lead(0, "b").replicate(0, 1, 2).commit(0, 2);
        story.commit(0, 1).commit(0, 0).panic(1).panic(2)
    }

    #[test]
    fn the_first_violation_of_each_property_is_kept_in_the_order_of_the_records() {
        let judge = misdeeds().judge();
        let found: Vec<Property> = judge.violations().iter().map(|violation| violation.property).collect();
        assert_eq!(found, [Property::CommitMonotonic, Property::NoPanic]);
        assert_eq!(judge.violations()[0].what, "0 took its commit index back from 2 to 1");
        assert_eq!(judge.violations()[1].node, Some(sim_core::ProcessId(1)));
    }

    #[test]
    fn a_disabled_property_is_not_judged_and_the_others_are() {
        for disabled in SAFETY {
            let mut judge = Judge::new(3);
            judge.disable(disabled);
            misdeeds().history.iter().for_each(|(stamp, record)| judge.observe(*stamp, record));
            let kept = [Property::CommitMonotonic, Property::NoPanic].into_iter().filter(|p| *p != disabled);
            assert!(
                judge.violations().iter().map(|violation| violation.property).eq(kept),
                "without {disabled}"
            );
        }
    }

    #[test]
    fn a_clone_goes_its_own_way() {
        let before = story(3).boot_all().elect(0, 1, &[1]).judge();
        let mut after = before.clone();
        let story = story(3).boot_all().elect(0, 1, &[1]).role(1, Role::Leader, 1);
        let (stamp, record) = story.history.last().expect("a story that was told");
        after.observe(*stamp, record);
        assert_eq!((before.violations().len(), after.violations().len()), (0, 1));
    }

    #[test]
    fn it_does_not_ask_for_deliveries_and_timers() {
        let wanted = [RecordKind::Sent, RecordKind::Noted, RecordKind::WriteDurable, RecordKind::Panicked];
        assert!(wanted.into_iter().all(|kind| Judge::INTEREST.has(kind)));
        let unwanted =
            [RecordKind::Delivered, RecordKind::Dropped, RecordKind::TimerSet, RecordKind::WriteIssued];
        assert!(!unwanted.into_iter().any(|kind| Judge::INTEREST.has(kind)));
    }

    #[test]
    fn the_canon_is_what_was_committed_by_anyone() {
        let story = story(3).boot_all().elect(0, 1, &[1]).lead(0, "a").lead(0, "b").replicate(0, 1, 2);
        assert_eq!(story.judge().canon().last_index(), 0);
        let judge = story.commit(0, 1).crash(0).judge();
        assert_eq!(judge.canon().last_index(), 1);
        assert_eq!(judge.canon().get(1).map(|entry| (entry.term, entry.committed_in)), Some((1, 1)));
    }
}
