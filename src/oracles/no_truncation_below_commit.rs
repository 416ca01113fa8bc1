//! **No truncation below commit**: no node removes an entry that it knows to be committed.
//!
//! Source: Raft §5.3 with §5.4.3: a follower removes only what conflicts with a leader's log, and no leader's
//! log conflicts with a committed entry. virtraft2 "committed entry never popped", CCF
//! `CommittedLogAppendOnlyProp`.
//!
//! To append in the middle of a log removes what stood there, and counts. To install a snapshot removes nothing, as it
//! covers what it replaces, unless it ends below the commit index: then it takes the state machine back (etcd and
//! openraft ignore such a snapshot).
//!
//! Not asserted: that entries which *others* know to be committed are never removed. A follower that holds a
//! stale, different entry at a committed index must remove it. Nor anything about what was known in an
//! earlier life: the commit index is volatile.
//!
//! Cost: one comparison per `Truncate` and `Append`.

use super::{Found, Oracle, Seen};
use crate::record::{Note, Record};
use crate::violation::Property;
use sim_core::{Interest, RecordKind, Stamp};

/// See the head of this file.
#[derive(Clone, Debug)]
pub struct NoTruncationBelowCommit;

impl Oracle for NoTruncationBelowCommit {
    const PROPERTY: Property = Property::NoTruncationBelowCommit;
    const INTEREST: Interest = Interest::of(&[RecordKind::Noted]);

    #[inline]
    fn observe(&mut self, stamp: Stamp, record: &Record, seen: Seen<'_>, found: &mut Found) {
        let Record::Noted { process, note } = record else { return };
        let Some(node) = seen.mirror.node(*process) else { return };
        let commit = node.commit;
        match note {
            // Index 0 stands before the first entry: to remove from there on is to remove everything.
            Note::Truncate { from: index } | Note::Append { index, .. } => {
                found.judged(Self::PROPERTY);
                let index = (*index).max(1);
                // Where the log ends before the commit index (commit legality tells of that) there is nothing to
                // remove.
                if index <= commit && index <= node.log.last_index() {
                    found.report(Self::PROPERTY, stamp, *process, || {
                        format!("{process} removed its log from {index} on, though it knew {commit} to be committed")
                    });
                }
            }
            Note::Installed(facts) => {
                found.judged(Self::PROPERTY);
                if facts.index < commit {
                    found.report(Self::PROPERTY, stamp, *process, || {
                        let index = facts.index;
                        format!("{process} installed a snapshot up to {index}, though it knew {commit} to be committed")
                    });
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::oracles::testing::{Story, story};
    use crate::violation::Property::NoTruncationBelowCommit;

    /// 1 has three entries of 0's, and knows one of them to be committed.
    fn one_of_three() -> Story {
        let story = story(3).boot_all().elect(0, 1, &[1]).lead(0, "a").replicate(0, 1, 1).commit(0, 1);
        story.lead(0, "b").lead(0, "c").replicate(0, 1, 3).commit(1, 1).holds()
    }

    #[test]
    fn what_is_not_committed_may_be_removed() {
        one_of_three().truncate(1, 2).holds();
        one_of_three().append_at(1, 2, 1, "b").holds();
    }

    #[test]
    fn to_remove_a_committed_entry_breaks_it() {
        let violation = one_of_three().truncate(1, 1).breaks_only(NoTruncationBelowCommit);
        assert_eq!(violation.what, "1 removed its log from 1 on, though it knew 1 to be committed");
        one_of_three().append_at(1, 1, 1, "a").breaks_only(NoTruncationBelowCommit);
        one_of_three().truncate(1, 0).breaks_only(NoTruncationBelowCommit);
    }

    #[test]
    fn a_new_life_does_not_know_yet_what_was_committed() {
        one_of_three().restart(1).truncate(1, 1).keeps(NoTruncationBelowCommit);
    }

    #[test]
    fn a_snapshot_that_ends_below_the_commit_index_breaks_it() {
        let story = one_of_three().replicate(0, 1, 3).commit(0, 3).commit(1, 2).apply(0).snapshot(0);
        let old = story.facts(0);
        let violation = story.clone().installs(1, old).breaks(NoTruncationBelowCommit);
        assert_eq!(violation.what, "1 installed a snapshot up to 1, though it knew 2 to be committed");
        let story = story.apply(0).snapshot(0);
        let new = story.facts(0);
        story.install(1, new).holds();
    }

    #[test]
    fn what_others_know_is_no_matter() {
        // 2 has a stale entry where 0 has committed another.
        let story = story(3).boot_all().elect(2, 1, &[1]).lead(2, "x");
        let story = story.elect(0, 2, &[1]).lead(0, "a").replicate(0, 1, 1).commit(0, 1);
        story.replicate(0, 2, 1).holds();
    }
}
