//! **State machine safety**: nodes apply the same commands in the same order, to the same effect.
//!
//! - A node applies index after index, in each life from behind the snapshot that it starts from, or from 1, and
//!   none beyond its commit index. To install a snapshot is to have applied everything up to it.
//! - What it applies at an index is what was committed there.
//! - The state after an index is the same for whoever applied it: this catches a state machine that is not
//!   deterministic.
//!
//! Source: Raft §5.4.3 and Figure 3, "State Machine Safety"; TigerBeetle's state checker; openraft "monotonic
//! applied".
//!
//! Not asserted: that a node never applies an index again. In a new life it does, as the state machine lives in
//! memory. What a snapshot holds is judged by snapshot consistency.
//!
//! Cost: a few loads and comparisons per applied entry. The states are the canon's, which forgets what lies below
//! the floor.

use super::{Applied, Found, Oracle, Seen};
use crate::record::{Note, Record};
use crate::violation::Property;
use sim_core::{Interest, RecordKind, Stamp};

/// See the head of this file.
#[derive(Clone, Debug)]
pub struct StateMachineSafety;

impl Oracle for StateMachineSafety {
    const PROPERTY: Property = Property::StateMachineSafety;
    const INTEREST: Interest = Interest::of(&[RecordKind::Noted]);

    #[inline]
    fn observe(&mut self, stamp: Stamp, record: &Record, seen: Seen<'_>, found: &mut Found) {
        let Record::Noted { process, note: Note::Apply { index, term, command, state, .. } } = record else {
            return;
        };
        let Some(node) = seen.mirror.node(*process) else { return };
        let (index, due) = (*index, node.applied.saturating_add(1));
        found.judged(Self::PROPERTY);
        let mut report = |what: &dyn Fn() -> String| found.report(Self::PROPERTY, stamp, *process, what);
        if index != due {
            report(&|| format!("{process} applied {index}, where {due} was next"));
            return;
        }
        if index > node.commit {
            report(&|| format!("{process} applied {index}, but knows only {} to be committed", node.commit));
            return;
        }
        if let Some(entry) =
            seen.canon.get(index).filter(|entry| (entry.term, entry.command) != (*term, *command))
        {
            report(&|| {
                format!(
                    "{process} applied {command} of term {term} at {index}, where {} of term {} is committed",
                    entry.command, entry.term
                )
            });
            return;
        }
        if let Some(Applied { state: first, by, .. }) =
            seen.canon.applied(index).filter(|first| first.state != *state)
        {
            report(&|| {
                format!("after {index} the state of {process} is {state}, but that of {by} was {first}")
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::oracles::testing::{Story, compacted, story};
    use crate::violation::Property::StateMachineSafety;

    /// 0 and 1 know two entries to be committed.
    fn two_committed() -> Story {
        let story =
            story(3).boot_all().elect(0, 1, &[1]).lead(0, "a").lead(0, "b").replicate(0, 1, 2).commit(0, 2);
        story.receive(0, 1, 2).commit(1, 2).holds()
    }

    #[test]
    fn nodes_apply_the_same_each_at_its_own_pace() {
        two_committed().apply(0).apply(0).apply(1).restart(1).receive(0, 1, 2).commit(1, 2).apply(1).holds();
    }

    #[test]
    fn a_skipped_or_repeated_entry_breaks_it() {
        let violation = two_committed().apply_with(0, 2, 1, "b", 2).breaks_only(StateMachineSafety);
        assert_eq!(violation.what, "0 applied 2, where 1 was next");
        let violation = two_committed().apply(0).apply_with(0, 1, 1, "a", 1).breaks_only(StateMachineSafety);
        assert_eq!(violation.what, "0 applied 1, where 2 was next");
    }

    #[test]
    fn to_apply_what_is_not_known_to_be_committed_breaks_it() {
        let violation =
            two_committed().lead(0, "c").apply(0).apply(0).apply(0).breaks_only(StateMachineSafety);
        assert_eq!(violation.what, "0 applied 3, but knows only 2 to be committed");
    }

    #[test]
    fn to_apply_another_command_than_was_committed_breaks_it_though_nobody_applied_it_before() {
        let violation = two_committed().apply_with(0, 1, 1, "x", 1).breaks_only(StateMachineSafety);
        assert!(violation.what.contains("of term 1 at 1, where"), "{}", violation.what);
        two_committed().apply_with(0, 1, 2, "a", 1).breaks_only(StateMachineSafety);
    }

    #[test]
    fn another_state_after_the_same_commands_breaks_it() {
        let violation = two_committed().apply_with(0, 1, 1, "a", 1).apply_with(1, 1, 1, "a", 2);
        assert_eq!(
            violation.breaks_only(StateMachineSafety).what,
            "after 1 the state of 1 is 0000000000000002, but that of 0 was 0000000000000001"
        );
    }

    #[test]
    fn a_node_that_restarts_into_another_state_breaks_it() {
        let story = two_committed().apply_with(1, 1, 1, "a", 1).restart(1).receive(0, 1, 2).commit(1, 2);
        story.clone().apply_with(1, 1, 1, "a", 1).holds();
        story.apply_with(1, 1, 1, "a", 9).breaks_only(StateMachineSafety);
    }

    #[test]
    fn where_the_others_begin_only_the_state_is_compared() {
        let state = compacted(2).node(0).state;
        let story = compacted(2).commit(2, 2).apply_with(2, 1, 1, "x", 7).keeps(StateMachineSafety);
        story.clone().apply_with(2, 2, 1, "y", state.0).keeps(StateMachineSafety);
        let violation = story.apply_with(2, 2, 2, "b", 7).breaks(StateMachineSafety);
        assert_eq!(
            violation.what,
            format!("after 2 the state of 2 is 0000000000000007, but that of 0 was {state}")
        );
    }
}
