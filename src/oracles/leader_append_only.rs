//! **Leader append-only**: a leader never removes or overwrites entries of its own log.
//!
//! Source: Raft §5.3 and Figure 3, "Leader Append-Only".
//!
//! To append in the middle of a log overwrites what stood there, and counts, and so does it to install a snapshot.
//! To compact removes nothing: a snapshot covers it. To truncate beyond the end
//! removes nothing, and does not.
//!
//! Not asserted: anything of a leader that has just noted a higher term. It no longer leads, though its note
//! of the new role may come after that of the truncation.
//!
//! Cost: two comparisons per `Truncate` and `Append`.

use super::{Found, Oracle, Seen};
use crate::record::{Note, Record};
use crate::violation::Property;
use sim_core::{Interest, RecordKind, Stamp};

/// See the head of this file.
#[derive(Clone, Debug)]
pub struct LeaderAppendOnly;

impl Oracle for LeaderAppendOnly {
    const PROPERTY: Property = Property::LeaderAppendOnly;
    const INTEREST: Interest = Interest::of(&[RecordKind::Noted]);

    #[inline]
    fn observe(&mut self, stamp: Stamp, record: &Record, seen: Seen<'_>, found: &mut Found) {
        let Record::Noted { process, note } = record else { return };
        let Some(node) = seen.mirror.node(*process) else { return };
        let last = node.log.last_index();
        let (verb, index) = match note {
            Note::Truncate { from } => ("removed", *from),
            Note::Append { index, .. } => ("overwrote", *index),
            Note::Installed(_) => ("replaced", last),
            _ => return,
        };
        found.judged(Self::PROPERTY);
        // Index 0 stands before the first entry: to remove from there on is to remove everything.
        let index = index.max(1);
        if index <= last && node.leads() {
            found.report(Self::PROPERTY, stamp, *process, || {
                format!("{process}, leader of term {}, {verb} its own log at {index} of {last}", node.term)
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::oracles::testing::{Story, story, voters};
    use crate::record::{Hash64, Role, SnapshotFacts};
    use crate::violation::Property::LeaderAppendOnly;

    fn leader_with_two_entries() -> Story {
        story(3).boot_all().elect(0, 1, &[1]).lead(0, "a").lead(0, "b").holds()
    }

    #[test]
    fn a_leader_may_append_and_truncate_beyond_its_end() {
        leader_with_two_entries().append(0, 1, "c").truncate(0, 4).holds();
    }

    #[test]
    fn a_leader_that_stepped_down_may_remove() {
        leader_with_two_entries().term(0, 2).role(0, Role::Follower, 2).truncate(0, 2).holds();
    }

    #[test]
    fn a_leader_that_has_noted_a_higher_term_may_remove_before_it_says_that_it_follows() {
        leader_with_two_entries().term(0, 2).truncate(0, 2).role(0, Role::Follower, 2).holds();
    }

    #[test]
    fn a_leader_that_removes_its_last_entry_breaks_it() {
        let violation = leader_with_two_entries().truncate(0, 2).breaks_only(LeaderAppendOnly);
        assert_eq!(violation.what, "0, leader of term 1, removed its own log at 2 of 2");
    }

    #[test]
    fn a_leader_that_appends_in_the_middle_breaks_it() {
        let violation = leader_with_two_entries().append_at(0, 2, 1, "b").breaks_only(LeaderAppendOnly);
        assert_eq!(violation.what, "0, leader of term 1, overwrote its own log at 2 of 2");
    }

    #[test]
    fn a_leader_may_compact_but_not_install_a_snapshot() {
        let story = story(3).boot_all().elect(0, 1, &[1]).lead(0, "a").lead(0, "b").replicate(0, 1, 2);
        let story = story.commit(0, 1).apply(0).snapshot(0).save_snapshot(0).durable(0);
        story.clone().compact(0, 1).holds();
        let facts = story.facts(0);
        let violation = story.installs(0, facts).breaks_only(LeaderAppendOnly);
        assert_eq!(violation.what, "0, leader of term 1, replaced its own log at 2 of 2");
    }

    #[test]
    fn a_leader_with_nothing_in_its_log_may_install_a_snapshot() {
        let (log, state) = (Hash64(7), Hash64(8));
        let facts = SnapshotFacts { index: 1, term: 1, log, state, members: voters(&[0, 1, 2]) };
        story(3).boot_all().elect(0, 1, &[1]).installs(0, facts).keeps(LeaderAppendOnly);
    }

    #[test]
    fn what_had_no_place_in_a_log_is_not_there_to_be_removed() {
        leader_with_two_entries().append_at(0, 4, 1, "d").truncate(0, 3).keeps(LeaderAppendOnly);
    }
}
