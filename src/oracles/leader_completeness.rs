//! **Leader completeness**: a leader's log holds every entry that was committed in an earlier term.
//!
//! Source: Raft §5.4 and Figure 3, "Leader Completeness"; etcd's TLA+ `LeaderCompletenessInv`.
//!
//! The log of a new leader is compared with the canonical log up to the last index that was first committed
//! in a lower term. An entry is committed in the term of the node that commits it first, which may be above
//! its own.
//!
//! Not asserted: anything about what was committed in the leader's own term or above. A leader of a lower
//! term may be elected, by the votes of old, after one of a higher term has committed.
//!
//! Cost: one comparison of hashes per election.

use super::{Found, Oracle, Seen};
use crate::record::{Note, Record, Role};
use crate::violation::Property;
use sim_core::{Interest, RecordKind, Stamp};

/// See the head of this file.
#[derive(Clone, Debug)]
pub struct LeaderCompleteness;

impl Oracle for LeaderCompleteness {
    const PROPERTY: Property = Property::LeaderCompleteness;
    const INTEREST: Interest = Interest::of(&[RecordKind::Noted]);

    fn observe(&mut self, stamp: Stamp, record: &Record, seen: Seen<'_>, found: &mut Found) {
        let Record::Noted { process, note: Note::Role { role: Role::Leader, term } } = record else { return };
        let Some(node) = seen.mirror.node(*process) else { return };
        found.judged(Self::PROPERTY);
        let due = seen.canon.last_index_committed_below(*term);
        if !seen.canon.agrees(&node.log, due) {
            found.report(Self::PROPERTY, stamp, *process, || {
                let lacks = seen.canon.first_difference(&node.log, due).unwrap_or(due);
                let committed_in = seen.canon.committed_in(lacks).unwrap_or(0);
                format!(
                    "{process} leads term {term} without the entry at {lacks}, which was committed in term {committed_in}"
                )
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::oracles::testing::{Story, compacted, story};
    use crate::record::Role::Leader;
    use crate::violation::Property::LeaderCompleteness;

    /// 0 has committed an entry in term 1 that 1 has as well, and one more that only it has is not committed.
    fn one_committed() -> Story {
        let story = story(3).boot_all().elect(0, 1, &[1]).lead(0, "a").replicate(0, 1, 1).commit(0, 1);
        story.lead(0, "b").holds()
    }

    #[test]
    fn a_leader_needs_what_was_committed_and_no_more() {
        one_committed().elect(1, 2, &[2]).holds();
    }

    #[test]
    fn a_leader_without_a_committed_entry_breaks_it() {
        let violation = one_committed().elect(2, 2, &[1]).breaks_only(LeaderCompleteness);
        assert_eq!(violation.what, "2 leads term 2 without the entry at 1, which was committed in term 1");
    }

    #[test]
    fn a_leader_with_another_entry_in_its_place_breaks_it() {
        let story = story(3).boot_all().elect(2, 1, &[1]).lead(2, "x");
        let story = story.elect(0, 2, &[1]).lead(0, "a").replicate(0, 1, 1).commit(0, 1).holds();
        story.elect(2, 3, &[1]).breaks_only(LeaderCompleteness);
    }

    #[test]
    fn a_leader_of_a_lower_term_may_lack_what_was_committed_in_a_higher() {
        // 2 has the votes of term 1, and learns of it only after term 2 has committed.
        let story = story(3).boot_all().candidate(2, 1).votes(1, 1, 2);
        let story = story.elect(0, 2, &[1]).lead(0, "a").replicate(0, 1, 1).commit(0, 1);
        story.clone().role(2, Leader, 1).holds();
        story.candidate(2, 3).votes(1, 3, 2).role(2, Leader, 3).breaks_only(LeaderCompleteness);
    }

    #[test]
    fn a_commit_belongs_to_the_term_of_whoever_commits() {
        // The entry is of term 1, but is committed along with one of term 3. A leader of term 2 may lack it.
        let story = story(5).boot_all().elect(0, 1, &[1, 2]).lead(0, "a").replicate(0, 1, 1);
        let story = story.candidate(4, 2).votes(2, 2, 4).votes(3, 2, 4);
        let story =
            story.elect(0, 3, &[1, 2]).lead(0, "b").replicate(0, 1, 2).replicate(0, 2, 2).commit(0, 2);
        story.clone().role(4, Leader, 2).holds();
        story.elect(4, 4, &[2, 3]).breaks_only(LeaderCompleteness);
    }

    #[test]
    fn a_leader_needs_what_all_others_have_compacted() {
        let story = compacted(2).candidate(2, 1);
        story.clone().role(2, Leader, 1).keeps(LeaderCompleteness);
        story.role(2, Leader, 2).keeps(LeaderCompleteness);
        let violation = compacted(2).elect(2, 3, &[1]).breaks_only(LeaderCompleteness);
        let what = "2 leads term 3 without the entry at 2, which was committed in term 2";
        assert_eq!(violation.what, what);
    }
}
