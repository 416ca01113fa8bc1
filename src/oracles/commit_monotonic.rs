//! **Commit monotonic**: a node's commit index never goes back within a life.
//!
//! Source: Raft Figure 2, "commitIndex … increases monotonically"; CCF's TLA+ `CommittedLogAppendOnlyProp`,
//! openraft's "monotonic commit".
//!
//! Not asserted: anything across a crash. The commit index is volatile and lawfully begins at 0 in every
//! life.
//!
//! Cost: one comparison per `Commit`.

use super::{Found, Oracle, Seen};
use crate::record::{Note, Record};
use crate::violation::Property;
use sim_core::{Interest, RecordKind, Stamp};

/// See the head of this file.
#[derive(Clone, Debug)]
pub struct CommitMonotonic;

impl Oracle for CommitMonotonic {
    const PROPERTY: Property = Property::CommitMonotonic;
    const INTEREST: Interest = Interest::of(&[RecordKind::Noted]);

    #[inline]
    fn observe(&mut self, stamp: Stamp, record: &Record, seen: Seen<'_>, found: &mut Found) {
        let Record::Noted { process, note: Note::Commit { index } } = record else { return };
        let Some(node) = seen.mirror.node(*process) else { return };
        found.judged(Self::PROPERTY);
        if *index < node.commit {
            found.report(Self::PROPERTY, stamp, *process, || {
                format!("{process} took its commit index back from {} to {index}", node.commit)
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::oracles::testing::{Story, story};
    use crate::violation::Property::CommitMonotonic;

    fn two_committed() -> Story {
        let story = story(3).boot_all().elect(0, 1, &[1]).lead(0, "a").lead(0, "b").replicate(0, 1, 2);
        story.commit(0, 2).receive(0, 1, 2).commit(1, 2).holds()
    }

    #[test]
    fn the_same_commit_index_again_is_no_step_back() {
        two_committed().commit(0, 2).commit(1, 2).holds();
    }

    #[test]
    fn a_new_life_begins_again() {
        two_committed().restart(1).commit(1, 1).holds();
    }

    #[test]
    fn a_commit_index_that_goes_back_breaks_it() {
        let violation = two_committed().commit(1, 1).breaks_only(CommitMonotonic);
        assert_eq!(violation.what, "1 took its commit index back from 2 to 1");
    }
}
