//! **Snapshot consistency**: a snapshot, taken or installed, is what was committed up to its index.
//!
//! - It covers nothing that was not committed.
//! - Its term, and the hash of the log up to it, are those of the committed log there.
//! - Its state machine is the one that somebody had who applied up to there.
//! - Its configuration is the one in force there.
//!
//! Source: Raft §7; CCF "snapshots are taken at committed indexes"; TigerBeetle's state checker. A snapshot that holds
//! another configuration than the log had brings removed nodes back to life (thesis §4.4).
//!
//! Not asserted: that two snapshots of one index are the same bytes, nor anything about a snapshot that nobody can
//! compare any more, because its index lies below the floor; nor of the configuration where nobody ever told of one.
//!
//! Cost: a few comparisons per snapshot.

use super::{Applied, Found, Oracle, Seen};
use crate::record::{Note, Record, SnapshotFacts};
use crate::violation::Property;
use sim_core::{Interest, RecordKind, Stamp};

/// See the head of this file.
#[derive(Clone, Debug)]
pub struct SnapshotConsistency;

fn judge(facts: &SnapshotFacts, Seen { canon, .. }: Seen<'_>) -> Result<(), String> {
    let SnapshotFacts { index, term, log, state, ref members } = *facts;
    if index > canon.last_index() {
        return Err(format!("though only {} is committed", canon.last_index()));
    }
    if let Some(other) = canon.term_at(index).filter(|other| *other != term) {
        return Err(format!("of term {term}, where an entry of term {other} is committed"));
    }
    if canon.prefix_at(index).is_some_and(|other| other != log) {
        return Err("of another log than was committed up to there".to_string());
    }
    if let Some(Applied { state: other, by, .. }) = canon.applied(index).filter(|other| other.state != state)
    {
        return Err(format!("with the state {state}, but that of {by} was {other} there"));
    }
    if canon.members_at(index).is_some_and(|other| other != members) {
        return Err("with another configuration than is in force there".to_string());
    }
    Ok(())
}

impl Oracle for SnapshotConsistency {
    const PROPERTY: Property = Property::SnapshotConsistency;
    const INTEREST: Interest = Interest::of(&[RecordKind::Noted]);

    fn observe(&mut self, stamp: Stamp, record: &Record, seen: Seen<'_>, found: &mut Found) {
        let Record::Noted { process, note } = record else { return };
        if seen.mirror.node(*process).is_none() {
            return;
        }
        let (verb, facts) = match note {
            Note::Snapshot(facts) => ("took", facts),
            Note::Installed(facts) => ("installed", facts),
            _ => return,
        };
        found.judged(Self::PROPERTY);
        if let Err(what) = judge(facts, seen) {
            let index = facts.index;
            found.report(Self::PROPERTY, stamp, *process, || {
                format!("{process} {verb} a snapshot up to {index} {what}")
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::oracles::testing::{Story, story, voters};
    use crate::record::{Hash64, Note, SnapshotFacts};
    use crate::violation::Property::SnapshotConsistency;

    /// 0 leads term 1 of three, has committed two entries, and applied and covered them by a snapshot.
    fn covered() -> Story {
        let story = story(4).boot_all().begin(&[0, 1, 2]).elect(0, 1, &[1]).lead(0, "a").replicate(0, 1, 1);
        let story = story.commit(0, 1).configure(0, voters(&[0, 1, 2, 3])).replicate(0, 1, 2);
        story.replicate(0, 3, 2).commit(0, 2).apply(0).apply(0).snapshot(0).holds()
    }

    fn with(change: impl FnOnce(&mut SnapshotFacts)) -> Story {
        let story = covered().follows(2, 1);
        let mut facts = story.facts(0);
        change(&mut facts);
        story.installs(2, facts)
    }

    #[test]
    fn what_was_committed_may_be_installed_and_taken_again() {
        with(|_| ()).tell_members(2).snapshot(2).holds();
    }

    #[test]
    fn a_snapshot_beyond_what_is_committed_breaks_it() {
        let story = covered().lead(0, "c").apply_with(0, 3, 1, "c", 7).snapshot(0);
        assert_eq!(
            story.breaks(SnapshotConsistency).what,
            "0 took a snapshot up to 3 though only 2 is committed"
        );
    }

    #[test]
    fn another_term_or_log_breaks_it() {
        let violation = with(|facts| facts.term = 2).breaks(SnapshotConsistency);
        assert_eq!(
            violation.what,
            "2 installed a snapshot up to 2 of term 2, where an entry of term 1 is committed"
        );
        let violation = with(|facts| facts.log = Hash64(7)).breaks(SnapshotConsistency);
        assert_eq!(
            violation.what,
            "2 installed a snapshot up to 2 of another log than was committed up to there"
        );
    }

    #[test]
    fn another_state_breaks_it() {
        let violation = with(|facts| facts.state = Hash64(7)).breaks(SnapshotConsistency);
        assert!(
            violation.what.contains("with the state 0000000000000007, but that of 0 was"),
            "{}",
            violation.what
        );
    }

    #[test]
    fn the_configuration_of_before_or_after_breaks_it() {
        for others in [voters(&[0, 1, 2]), voters(&[0, 1])] {
            let violation = with(|facts| facts.members = others).breaks(SnapshotConsistency);
            assert_eq!(
                violation.what,
                "2 installed a snapshot up to 2 with another configuration than is in force there"
            );
        }
    }

    #[test]
    fn what_nobody_can_go_back_to_is_not_compared() {
        let compacted = [1, 3].into_iter().fold(covered(), |story, node| {
            story.receive(0, node, 2).commit(node, 2).cover(node).compact(node, 2)
        });
        let story = compacted.save_snapshot(0).settle(0).compact(0, 2).holds().follows(2, 1);
        let facts = |index| SnapshotFacts { index, members: voters(&[2]), ..story.facts(0) };
        story.clone().installs(2, facts(1)).keeps(SnapshotConsistency);
        story.clone().installs(2, facts(2)).breaks(SnapshotConsistency);
    }

    fn told(index: u64, ids: &[u16]) -> Note {
        Note::Members { index, members: Box::new(voters(ids)) }
    }

    #[test]
    fn what_was_told_first_counts() {
        // Who joins later may begin with nothing, or with something else.
        let story = story(4).boot_all().note(3, told(0, &[]));
        let story = story.note(0, told(0, &[0, 1, 2])).note(1, told(0, &[0, 1, 2])).note(2, told(0, &[2]));
        let story = story.elect(0, 1, &[1]).lead(0, "a").replicate(0, 1, 1).commit(0, 1);
        story.apply(0).snapshot(0).holds();
        // So it is where another is told of in the same entry, though that is a breach itself.
        let story = covered().receive(0, 1, 2).note(1, told(2, &[0, 1])).note(2, told(0, &[0, 1, 2]));
        story.snapshot(0).keeps(SnapshotConsistency);
    }
}
