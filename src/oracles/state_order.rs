//! **State order**: compacted, snapshot, applied, committed and last index of a node stand in this order.
//!
//! It is judged when a snapshot or a compaction moves one of them: `Snapshot`, `Installed`, `Compacted`,
//! `Recovered`. What the other notes move is judged where it belongs: no commit beyond the log (commit legality), no
//! application beyond the commit (state machine safety), no truncation below it.
//!
//! On disk, compacted does not lie above the snapshot, whenever a write gets there or a node recovers: else nobody
//! could read back what the state machine was.
//!
//! Source: openraft "purged ≤ snapshot ≤ applied ≤ committed ≤ last"; Raft §7.
//!
//! Not asserted: that a snapshot on disk does not lie beyond the log on the same disk. A leader may commit and apply
//! what is on the disks of others and not yet on its own, and disks need not finish in order. Nor that memory is not
//! compacted before the snapshot is durable: the disk has the entries still.
//!
//! Shown *after*: it judges what the node has become.
//!
//! Cost: four comparisons per snapshot, compaction or recovery; one per durable write.

use super::{Found, Oracle, Seen};
use crate::mirror::{DurableMirror, NodeMirror};
use crate::record::{Note, Record};
use crate::violation::Property;
use sim_core::{Interest, RecordKind, Stamp};

/// See the head of this file.
#[derive(Clone, Debug)]
pub struct StateOrder;

/// The first two that stand in the wrong order.
fn disorder(node: &NodeMirror) -> Option<[(&'static str, u64); 2]> {
    let order = [
        ("compacted", node.log.base()),
        ("snapshot", node.snapshot.as_ref().map_or(0, |facts| facts.index)),
        ("applied", node.applied),
        ("committed", node.commit),
        ("last", node.log.last_index()),
    ];
    order.windows(2).find(|pair| pair[0].1 > pair[1].1).map(|pair| [pair[0], pair[1]])
}

fn covered(durable: &DurableMirror) -> u64 {
    durable.snapshot.as_ref().map_or(0, |facts| facts.index)
}

impl Oracle for StateOrder {
    const PROPERTY: Property = Property::StateOrder;
    const INTEREST: Interest = Interest::of(&[RecordKind::Noted, RecordKind::WriteDurable]);

    #[inline]
    fn observe(&mut self, stamp: Stamp, record: &Record, seen: Seen<'_>, found: &mut Found) {
        let Some(node) = record.process().and_then(|process| seen.mirror.node(process)) else { return };
        let Some(process) = record.process() else { return };
        match record {
            Record::Noted {
                note:
                    note @ (Note::Snapshot(_)
                    | Note::Installed(_)
                    | Note::Compacted { .. }
                    | Note::Recovered { .. }),
                ..
            } => {
                found.judged(Self::PROPERTY);
                if let Some([(lower, low), (upper, up)]) = disorder(node) {
                    found.report(Self::PROPERTY, stamp, process, || {
                        format!("{process} has {lower} at {low}, above {upper} at {up}")
                    });
                } else if let Note::Compacted { base } = note
                    && *base > node.log.base()
                {
                    found.report(Self::PROPERTY, stamp, process, || {
                        let last = node.log.last_index();
                        format!("{process} compacted up to {base}, but its log ends at {last}")
                    });
                }
            }
            Record::WriteDurable { .. } => {}
            _ => return,
        }
        let durable = &node.durable;
        if durable.log.base() > 0 {
            found.judged(Self::PROPERTY);
            if durable.log.base() > covered(durable) {
                found.report(Self::PROPERTY, stamp, process, || {
                    let (base, covered) = (durable.log.base(), covered(durable));
                    format!("the disk of {process} has compacted at {base}, above snapshot at {covered}")
                });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::oracles::testing::{Story, story};
    use crate::record::SnapshotFacts;
    use crate::violation::Property::StateOrder;

    /// 0 has three entries, two of which are committed, applied and covered by a snapshot, which is on its way to its
    /// disk.
    fn covered() -> Story {
        let story = story(3).boot_all().elect(0, 1, &[1]).lead(0, "a").lead(0, "b").lead(0, "c");
        let story = story.replicate(0, 1, 3).commit(0, 2).apply(0).apply(0);
        story.snapshot(0).save_snapshot(0).holds()
    }

    #[test]
    fn what_a_snapshot_covers_may_be_compacted_and_no_more() {
        covered().durable(0).compact(0, 2).restart(0).holds();
        let violation = covered().durable(0).compacts(0, 3).breaks(StateOrder);
        assert_eq!(violation.what, "0 has compacted at 3, above snapshot at 2");
        let violation = covered().durable(0).compacts(0, 4).breaks(StateOrder);
        assert_eq!(violation.what, "0 compacted up to 4, but its log ends at 3");
    }

    #[test]
    fn a_disk_that_drops_entries_before_it_has_the_snapshot_breaks_it() {
        let story = covered().compacts(0, 2).save_compaction(0, 2);
        story.clone().durable(0).durable(0).holds();
        let violation = story.durable_youngest(0).breaks_only(StateOrder);
        assert_eq!(violation.what, "the disk of 0 has compacted at 2, above snapshot at 0");
    }

    #[test]
    fn a_snapshot_of_more_than_was_applied_breaks_it() {
        let story = covered().commit(0, 3);
        let facts = SnapshotFacts { index: 3, ..story.facts(0) };
        assert_eq!(story.takes(0, facts).breaks(StateOrder).what, "0 has snapshot at 3, above applied at 2");
    }

    #[test]
    fn an_installed_snapshot_brings_all_of_them_along() {
        let story = covered().follows(2, 1);
        let facts = story.facts(0);
        story.install(2, facts).durable(2).durable(2).restart(2).holds();
    }

    #[test]
    fn a_disk_that_has_dropped_nothing_is_not_judged() {
        let count = |story: Story| {
            story.judge().counts().find(|(property, _)| *property == StateOrder).map(|(_, count)| count)
        };
        // Three recoveries and a snapshot; then a compaction in memory, and the disk.
        assert_eq!(count(covered()), Some(4));
        assert_eq!(count(covered().durable(0)), Some(4));
        assert_eq!(count(covered().durable(0).compact(0, 2)), Some(6));
    }
}
