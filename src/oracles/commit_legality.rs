//! **Commit legality**: a leader commits only up to an entry of its own term, and only what is durable on a
//! quorum; everybody commits one and the same log.
//!
//! - When a *leader's* commit index advances, the entry there is of its own term (Figure 8: to count replicas
//!   of entries of earlier terms is not safe; they are committed along with one of the leader's own).
//! - What no one has committed before is, at that moment, on the disks of a quorum of the configuration in
//!   force for that leader: in a joint one of both halves (Raft §6). Learners do not count, nor does a leader
//!   that is about to remove itself.
//! - Whoever is no leader commits only what a leader has committed first.
//! - Nobody commits beyond the end of its log, or other than the canonical log.
//!
//! Source: Raft §5.4.2; openraft "committed on quorum, only for entries of the leader's own term"; etcd's
//! TLA+ `QuorumLogInv`, `CommittedIsDurableInv`.
//!
//! Not asserted: that the leader's own disk is in the quorum, or that what is committed *stays* on the same
//! quorum's disks as seen entry by entry (durability says what does); nor that a restarted node commits step by
//! step.
//!
//! Cost: two comparisons of hashes per `Commit`, and one per node when the canonical log grows.

use super::share::Share;
use super::{Found, Oracle, Seen};
use crate::mirror::NodeMirror;
use crate::record::{Hash64, Note, Record};
use crate::violation::Property;
use sim_core::{Interest, ProcessId, RecordKind, Stamp};

/// See the head of this file.
#[derive(Clone, Debug)]
pub struct CommitLegality;

impl Oracle for CommitLegality {
    const PROPERTY: Property = Property::CommitLegality;
    const INTEREST: Interest = Interest::of(&[RecordKind::Noted]);

    #[inline]
    fn observe(&mut self, stamp: Stamp, record: &Record, seen: Seen<'_>, found: &mut Found) {
        let Record::Noted { process, note: Note::Commit { index } } = record else { return };
        let Some(node) = seen.mirror.node(*process) else { return };
        // A commit index that goes back is commit monotonic's concern.
        if *index <= node.commit {
            return;
        }
        found.judged(Self::PROPERTY);
        if let Err(breach) = judge(node, *index, seen) {
            found.report(Self::PROPERTY, stamp, *process, || breach.say(*process, *index, node, seen));
        }
    }
}

/// What is wrong with a commit.
enum Breach {
    BeyondLog,
    OtherLog,
    OtherTerm { term: u64 },
    NoQuorum,
    NotByLeader,
}

#[inline]
fn judge(node: &NodeMirror, index: u64, Seen { mirror, canon }: Seen<'_>) -> Result<(), Breach> {
    if index > node.log.last_index() {
        return Err(Breach::BeyondLog);
    }
    let shared = index.min(canon.last_index());
    if !canon.agrees(&node.log, shared) {
        return Err(Breach::OtherLog);
    }
    // What lies below its base it had applied before, so it cannot be new to it. Snapshot consistency judges it.
    let Some(term) = node.log.term_at(index) else { return Ok(()) };
    if node.leads() && term != node.term {
        return Err(Breach::OtherTerm { term });
    }
    if index > canon.last_index() {
        if !node.leads() {
            return Err(Breach::NotByLeader);
        }
        let prefix = node.log.prefix_at(index);
        let holds = |process| mirror.node(process).is_some_and(|node| holds(node, index, prefix));
        if !node.members.is_quorum(holds) {
            return Err(Breach::NoQuorum);
        }
    }
    Ok(())
}

/// Whether the log up to `index` that has the hash `prefix` is on the node's disk. Equal hashes there mean equal logs
/// up to there.
#[inline]
fn holds(node: &NodeMirror, index: u64, prefix: Option<Hash64>) -> bool {
    node.durable.log.prefix_at(index) == prefix
}

impl Breach {
    #[cold]
    fn say(
        &self,
        process: ProcessId,
        index: u64,
        node: &NodeMirror,
        Seen { mirror, canon }: Seen<'_>,
    ) -> String {
        let members = &node.members;
        match self {
            Self::BeyondLog => {
                format!("{process} committed up to {index}, but its log ends at {}", node.log.last_index())
            }
            Self::OtherLog => {
                let shared = index.min(canon.last_index());
                let first = canon.first_difference(&node.log, shared).unwrap_or(shared);
                format!(
                    "{process} committed up to {index}, but its entry at {first} is not the one committed there"
                )
            }
            Self::OtherTerm { term } => format!(
                "{process}, leader of term {}, committed up to {index}, an entry of term {term}, by counting replicas",
                node.term
            ),
            Self::NoQuorum => {
                let prefix = node.log.prefix_at(index);
                let holds = |process| mirror.node(process).is_some_and(|node| holds(node, index, prefix));
                let Share { of, names } = Share::new(members, holds);
                format!("{process} committed up to {index} with the entry durable on {of} only ({names})")
            }
            Self::NotByLeader => format!(
                "{process}, not leading, committed up to {index}, where no leader has committed beyond {}",
                canon.last_index()
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::oracles::testing::{Story, compacted, joint, story, voters};
    use crate::record::Members;
    use crate::violation::Property::CommitLegality;
    use sim_core::ProcessId;

    /// 0 leads term 1 of five with one entry; 1 has it on its disk and 2 in its memory.
    fn one_short_of_a_quorum() -> Story {
        let story = story(5).boot_all().elect(0, 1, &[1, 2]).lead(0, "a").replicate(0, 1, 1);
        story.receive(0, 2, 1).holds()
    }

    #[test]
    fn a_quorum_of_disks_is_enough_even_without_the_leaders_own() {
        one_short_of_a_quorum().durable(2).commit(0, 1).holds();
        let story = story(3).boot_all().elect(0, 1, &[1, 2]).append(0, 1, "a").persist_log(0, 1);
        story.replicate(0, 1, 1).replicate(0, 2, 1).commit(0, 1).holds();
    }

    #[test]
    fn a_copy_that_is_not_yet_durable_does_not_count() {
        let violation = one_short_of_a_quorum().commit(0, 1).breaks_only(CommitLegality);
        assert_eq!(violation.what, "0 committed up to 1 with the entry durable on 2 of 5 voters only (0, 1)");
    }

    #[test]
    fn half_of_an_even_cluster_is_no_quorum() {
        let story = story(4).boot_all().elect(0, 1, &[1, 2]).lead(0, "a").replicate(0, 1, 1);
        story.clone().replicate(0, 2, 1).commit(0, 1).holds();
        story.commit(0, 1).breaks_only(CommitLegality);
    }

    #[test]
    fn a_leader_that_counts_replicas_of_an_earlier_term_breaks_it() {
        // Figure 8: the entry of term 1 is on a quorum by the doing of the leader of term 2.
        let story = story(3).boot_all().elect(0, 1, &[1]).lead(0, "a").elect(0, 2, &[1]).replicate(0, 1, 1);
        let along_with_its_own = story.clone().lead(0, "b").replicate(0, 1, 2).commit(0, 2);
        along_with_its_own.holds();
        let violation = story.commit(0, 1).breaks_only(CommitLegality);
        assert_eq!(
            violation.what,
            "0, leader of term 2, committed up to 1, an entry of term 1, by counting replicas"
        );
    }

    #[test]
    fn a_follower_that_commits_before_any_leader_breaks_it() {
        let story = one_short_of_a_quorum().durable(2);
        story.clone().commit(0, 1).commit(2, 1).holds();
        let violation = story.commit(2, 1).breaks_only(CommitLegality);
        assert_eq!(
            violation.what,
            "2, not leading, committed up to 1, where no leader has committed beyond 0"
        );
    }

    #[test]
    fn to_commit_beyond_the_end_of_the_log_breaks_it() {
        let story = one_short_of_a_quorum().durable(2).commit(0, 1);
        let violation = story.clone().commit(3, 1).breaks_only(CommitLegality);
        assert_eq!(violation.what, "3 committed up to 1, but its log ends at 0");
        story.commit(0, u64::MAX).breaks_only(CommitLegality);
    }

    #[test]
    fn to_commit_a_stale_entry_at_a_committed_index_breaks_it() {
        let story = story(3).boot_all().elect(2, 1, &[1]).lead(2, "x");
        let story =
            story.elect(0, 2, &[1]).lead(0, "a").replicate(0, 1, 1).commit(0, 1).follows(2, 2).holds();
        let violation = story.commit(2, 1).breaks_only(CommitLegality);
        assert_eq!(violation.what, "2 committed up to 1, but its entry at 1 is not the one committed there");
    }

    #[test]
    fn a_quorum_must_hold_the_same_log_and_not_only_the_same_length() {
        let story = story(3).boot_all().elect(1, 1, &[2]).lead(1, "x").replicate(1, 2, 1);
        let story = story.elect(0, 2, &[1]).lead(0, "a");
        story.commit(0, 1).breaks_only(CommitLegality);
    }

    /// 0 leads term 1 with the voters 0 to 2 turning into 2 to 4, and 5 as a learner.
    fn in_a_joint_configuration() -> Story {
        let story = story(6).boot_all().begin(&[0, 1, 2]).elect(0, 1, &[1]).lead(0, "a").replicate(0, 1, 1);
        let joint = Members { learners: vec![ProcessId(5)], ..joint(&[2, 3, 4], &[0, 1, 2]) };
        story.commit(0, 1).configure(0, joint).holds()
    }

    #[test]
    fn a_joint_configuration_needs_both_majorities() {
        let story = in_a_joint_configuration().replicate(0, 1, 2).replicate(0, 2, 2);
        story.clone().replicate(0, 3, 2).commit(0, 2).holds();
        let violation = story.commit(0, 2).breaks_only(CommitLegality);
        let what = "0 committed up to 2 with the entry durable on 3 of a joint configuration's 5 voters only (0, 1, 2)";
        assert_eq!(violation.what, what);
        let others = in_a_joint_configuration().replicate(0, 3, 2).replicate(0, 4, 2);
        others.clone().replicate(0, 2, 2).commit(0, 2).holds();
        others.commit(0, 2).breaks_only(CommitLegality);
    }

    #[test]
    fn a_learner_does_not_count() {
        let story = in_a_joint_configuration().replicate(0, 2, 2).replicate(0, 5, 2);
        story.clone().replicate(0, 4, 2).commit(0, 2).holds();
        story.commit(0, 2).breaks_only(CommitLegality);
    }

    #[test]
    fn a_leader_that_removes_itself_does_not_count() {
        let story = story(3).boot_all().begin(&[0, 1, 2]).elect(0, 1, &[1]).lead(0, "a").replicate(0, 1, 1);
        let story = story.commit(0, 1).configure(0, voters(&[1, 2])).replicate(0, 1, 2);
        story.clone().replicate(0, 2, 2).commit(0, 2).holds();
        story.commit(0, 2).breaks_only(CommitLegality);
    }

    #[test]
    fn a_restarted_leader_commits_what_was_committed_before() {
        let story = one_short_of_a_quorum().durable(2).commit(0, 1).restart(0).elect(0, 2, &[1, 2]);
        story.lead(0, "b").replicate(0, 1, 2).replicate(0, 2, 2).commit(0, 2).holds();
    }

    #[test]
    fn what_nobody_can_go_back_to_may_be_committed_and_its_end_is_compared() {
        let story = compacted(2).follows(2, 2).append(2, 2, "x").commit(2, 1).keeps(CommitLegality);
        let violation = story.append(2, 2, "b").commit(2, 2).breaks(CommitLegality);
        assert_eq!(violation.what, "2 committed up to 2, but its entry at 2 is not the one committed there");
    }
}
