//! **Durability**: a disk gives back what it promised to hold, and what was committed stays on a quorum's disks.
//!
//! - What a node finds when it takes up work (term, vote, log, snapshot) is what was durable, with some of the writes
//!   that were under way: a prefix of them, in the order in which they were issued.
//! - A node starts from a disk that nobody damaged, whatever a crash left half done there.
//! - At every crash and recovery the canonical log, up to its end, is on the disks of a quorum of the configuration
//!   that its end was committed under. A snapshot on disk holds what it covers.
//!
//! Why the second is true, also while the configuration changes: when the end was committed, in term t, a quorum of the
//! leader's configuration held the log up to it on disk, and had t there, having answered in it. None of them removes an
//! entry of it later: they follow only leaders of t or above, whose logs have it (leader completeness). Disks outlive
//! membership, so it does not matter who has been removed since. Of what was committed earlier nothing is asserted that
//! this does not say: a quorum of an *older* configuration may well have lost it, lawfully, to a leader of before t.
//!
//! Source: Raft §5.4.2, Figure 2 "persistent state"; TigerBeetle ("the head that was acknowledged never regresses");
//! etcd's TLA+ `QuorumLogInv`.
//!
//! Not asserted: that those who are members *now* hold it, each time a node crashes: a node that was just added may have
//! nothing yet. Disks that lie, or are wiped, are outside the model: whoever has such disks switches this off.
//!
//! Shown *after*: it judges what a recovery has made of the disk.
//!
//! Cost: one comparison per voter at each crash and recovery.

use super::share::Share;
use super::{Found, Oracle, Seen};
use crate::mirror::{Finding, NodeMirror};
use crate::record::{Note, Record};
use crate::violation::Property;
use sim_core::{Interest, ProcessId, RecordKind, Stamp};
use std::collections::BTreeSet;

/// See the head of this file.
#[derive(Clone, Debug, Default)]
pub struct Durability {
    /// The nodes on whose disks something may stand that they did not write.
    damaged: BTreeSet<ProcessId>,
}

impl Durability {
    pub(super) fn damaged(&mut self, node: ProcessId) {
        self.damaged.insert(node);
    }

    pub(super) fn undamaged(&mut self, node: ProcessId) {
        self.damaged.remove(&node);
    }
}

/// What a recovery found that no disk in the model could have given back.
#[cold]
fn say(process: ProcessId, node: &NodeMirror, note: &Note) -> String {
    let Note::Recovered { term, vote, last_index, last_hash, snapshot } = note else { return String::new() };
    let (durable, covered) = (&node.durable, snapshot.as_ref().map_or(0, |facts| facts.index));
    let names = |vote: Option<ProcessId>| vote.map_or_else(|| "nobody".to_string(), |vote| vote.to_string());
    let held = durable.snapshot.as_ref().map_or(0, |facts| facts.index);
    if *last_index != durable.log.last_index() {
        let last = durable.log.last_index();
        format!("{process} found a log up to {last_index} on its disk, which held one up to {last}")
    } else if *last_hash != durable.log.last_prefix() {
        format!("{process} found a log up to {last_index} on its disk, which held another")
    } else if *term != durable.term {
        format!("{process} found term {term} on its disk, which held {}", durable.term)
    } else if *vote != durable.vote {
        format!(
            "{process} found a vote for {} on its disk, which held one for {}",
            names(*vote),
            names(durable.vote)
        )
    } else {
        format!("{process} found a snapshot up to {covered} on its disk, which held one up to {held}")
    }
}

impl Oracle for Durability {
    const PROPERTY: Property = Property::Durability;
    const INTEREST: Interest = Interest::of(&[RecordKind::Noted, RecordKind::Crashed]);

    fn observe(
        &mut self,
        stamp: Stamp,
        record: &Record,
        Seen { mirror, canon }: Seen<'_>,
        found: &mut Found,
    ) {
        let process = match record {
            Record::Crashed { process, .. } | Record::Noted { process, note: Note::Recovered { .. } } => {
                *process
            }
            Record::Noted { process, note: Note::StorageCorrupt { what } } => {
                found.judged(Self::PROPERTY);
                if !self.damaged.contains(process) {
                    found.report(Self::PROPERTY, stamp, *process, || {
                        format!("{process} does not start from its disk, which nobody damaged: {what}")
                    });
                }
                return;
            }
            _ => return,
        };
        let Some(node) = mirror.node(process) else { return };
        found.judged(Self::PROPERTY);
        if let Record::Noted { note, .. } = record
            && node.found != Finding::Lawful
        {
            found.report(Self::PROPERTY, stamp, process, || say(process, node, note));
            return;
        }
        let (end, members) = (canon.last_index(), canon.committed_under());
        let holds = |process| mirror.node(process).is_some_and(|node| canon.agrees(&node.durable.log, end));
        if end > 0 && !members.is_quorum(holds) {
            found.report(Self::PROPERTY, stamp, process, || {
                let Share { names, .. } = Share::new(members, holds);
                format!("what was committed up to {end} is on the disks of {names} only")
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::oracles::Judge;
    use crate::oracles::testing::{Story, story, voters};
    use crate::record::{Hash64, Note, Record};
    use crate::violation::Property::Durability;
    use sim_core::{Observer as _, ProcessId};

    /// 0 leads term 1 with two entries that 1 has too, the first of which is committed.
    fn one_committed() -> Story {
        let story = story(3).boot_all().elect(0, 1, &[1]).lead(0, "a").lead(0, "b").replicate(0, 1, 2);
        story.commit(0, 1).holds()
    }

    #[test]
    fn a_disk_may_have_finished_any_prefix_of_what_was_under_way() {
        let story = one_committed().lead(0, "c").receive(0, 1, 3).truncate(1, 3).persist_log(1, 3);
        let story = story.receive(0, 1, 3).term(1, 2).persist_hard(1);
        for (kept, length) in [(0, 2), (1, 3), (2, 2), (3, 3), (4, 3)] {
            let story = story.clone().crash(1).boot_keeping(1, kept).holds();
            assert_eq!(story.node(1).log.last_index(), length);
            assert_eq!(story.node(1).term, if kept == 4 { 2 } else { 1 });
        }
    }

    #[test]
    fn what_was_found_and_not_mended_may_be_lost_and_what_was_mended_may_not() {
        let story = one_committed().lead(0, "c").receive(0, 1, 3).crash(1).boot_mending(1, 1).holds();
        let (old, hash) = (story.node(1).durable.log.last_index(), story.node(1).durable.log.last_prefix());
        assert_eq!((story.node(1).log.last_index(), old), (3, 2));
        story.clone().crash(1).boot_with(1, old, hash).holds();
        let violation = story.durable(1).crash(1).boot_with(1, old, hash).breaks_only(Durability);
        assert_eq!(violation.what, "1 found a log up to 2 on its disk, which held one up to 3");
    }

    #[test]
    fn to_find_a_later_write_without_an_earlier_one_breaks_it() {
        let story = one_committed().append(0, 1, "c").persist_log(0, 3).term(0, 2).persist_hard(0).crash(0);
        let held = story.node(0).durable.clone();
        let found = story.boot_finding(0, 2, None, (held.log.last_index(), held.log.last_prefix()), None);
        assert_eq!(found.breaks_only(Durability).what, "0 found term 2 on its disk, which held 1");
    }

    #[test]
    fn to_find_less_than_was_durable_breaks_it() {
        let story = one_committed().crash(0);
        let hash = story.node(0).durable.log.prefix_at(1).unwrap();
        let violation = story.boot_with(0, 1, hash).breaks_only(Durability);
        assert_eq!(violation.what, "0 found a log up to 1 on its disk, which held one up to 2");
    }

    #[test]
    fn not_to_start_from_a_disk_that_nobody_damaged_breaks_it() {
        let boots = |story: Story| {
            let life = story.node(1).life + 1;
            story.record(Record::Booted { process: ProcessId(1), life })
        };
        let what = "the log is corrupt at byte 7".into();
        let story = boots(one_committed().crash(1)).note(1, Note::StorageCorrupt { what });
        let violation = story.clone().breaks_only(Durability);
        let says = "1 does not start from its disk, which nobody damaged: the log is corrupt at byte 7";
        assert_eq!(violation.what, says);
        let mut judge = Judge::new(3);
        judge.damaged(ProcessId(1));
        story.history.iter().for_each(|(stamp, record)| judge.observe(*stamp, record));
        assert_eq!(judge.violations(), []);
        // What was replaced since excuses nothing.
        let mut judge = Judge::new(3);
        judge.damaged(ProcessId(1));
        judge.undamaged(ProcessId(1));
        story.history.iter().for_each(|(stamp, record)| judge.observe(*stamp, record));
        assert_eq!(judge.violations().iter().map(|it| it.what.as_str()).collect::<Vec<_>>(), [says]);
        // Whose disk fails it while it starts is not judged for it.
        let failed = Note::StorageFailed { what: "a write failed".into() };
        boots(one_committed().crash(1)).note(1, failed).holds();
    }

    #[test]
    fn to_find_another_log_or_vote_breaks_it() {
        let violation = one_committed().crash(0).boot_with(0, 2, Hash64(7)).breaks_only(Durability);
        assert_eq!(violation.what, "0 found a log up to 2 on its disk, which held another");
        let story = one_committed().crash(1);
        let log = story.node(1).durable.log.clone();
        let story = story.boot_finding(1, 1, None, (log.last_index(), log.last_prefix()), None);
        let violation = story.breaks(Durability);
        assert_eq!(violation.what, "1 found a vote for nobody on its disk, which held one for 0");
    }

    #[test]
    fn to_forget_a_snapshot_breaks_it() {
        let story = one_committed().apply(0).snapshot(0).save_snapshot(0);
        story.clone().restart(0).holds();
        let story = story.durable(0).crash(0);
        story.clone().boot(0).holds();
        let log = story.node(0).durable.log.clone();
        let story = story.boot_finding(0, 1, Some(ProcessId(0)), (log.last_index(), log.last_prefix()), None);
        let violation = story.breaks(Durability);
        assert_eq!(violation.what, "0 found a snapshot up to 0 on its disk, which held one up to 1");
    }

    #[test]
    fn what_was_committed_and_is_gone_from_a_quorum_breaks_it() {
        let lose = |from: u64| one_committed().truncate(1, from).persist_log(1, from).durable(1).crash(2);
        lose(2).holds();
        let violation = lose(1).breaks(Durability);
        assert_eq!(violation.what, "what was committed up to 1 is on the disks of 0 only");
    }

    #[test]
    fn a_node_that_was_just_added_need_not_hold_anything() {
        let story = story(4).boot_all().begin(&[0, 1]).elect(0, 1, &[1]).lead(0, "a").replicate(0, 1, 1);
        let story = story.commit(0, 1).configure(0, voters(&[0, 1, 2])).restart(1).holds();
        story.replicate(0, 1, 2).commit(0, 2).restart(2).restart(0).holds();
    }

    #[test]
    fn a_configuration_that_is_told_of_late_is_not_what_the_end_was_committed_under() {
        let story =
            story(5).boot_all().elect(0, 1, &[1, 2]).lead(0, "a").replicate(0, 1, 1).replicate(0, 2, 1);
        let late = Note::Members { index: 0, members: Box::new(voters(&[2, 3, 4])) };
        story.commit(0, 1).note(2, late).crash(4).keeps(Durability);
    }

    #[test]
    fn a_write_of_what_was_compacted_meanwhile_adds_what_lies_above() {
        let story =
            one_committed().cover(0).append(0, 1, "c").persist_log(0, 1).compacts(0, 1).save_compaction(0, 1);
        let story = story.durable_youngest(0).durable(0).restart(0).holds();
        assert_eq!((story.node(0).log.base(), story.node(0).log.last_index()), (1, 3));
    }

    #[test]
    fn where_nothing_was_committed_nothing_can_be_lost() {
        // These voters are no nodes, so that nobody holds anything.
        story(2).boot_all().begin(&[7, 8, 9]).restart(0).keeps(Durability);
    }
}
