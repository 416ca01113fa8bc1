//! **Read safety**: a read that bypasses the log sees everything that was committed when it was asked.
//!
//! The index that a node may serve a read from is at least the length of the canonical log at the moment when the read
//! reached that node.
//!
//! Source: thesis §6.4 (ReadIndex, leases); etcd issue 741 (stale reads), etcd-io/raft "ReadOnlySafe". It is much
//! sharper than linearizability: it needs neither a write nor a second read to see that a read was stale. It is no
//! sharper than what Raft promises: who confirms after the question that it leads, has in its log, and below its commit
//! index, what any leader before it has committed; a lease promises that there is no other.
//!
//! Not asserted: that the node has applied up to the index yet, only that it will not serve from less. Nor that a read
//! is ever served, nor anything of local reads, which promise nothing. A lease that is broken by clocks beyond its bound
//! is outside the model: whoever breaks clocks so switches this off.
//!
//! Cost: 16 bytes per read under way, of which the last 1,024 of a node are remembered.

use super::{Found, Oracle, Seen};
use crate::record::{Note, ReadKind, Record};
use crate::violation::Property;
use sim_core::{Interest, ProcessId, RecordKind, Stamp};
use std::collections::VecDeque;

/// See the head of this file.
#[derive(Clone, Debug)]
pub struct ReadSafety {
    /// By node: the reads under way, and how long the canonical log was when they were asked.
    asked: Vec<VecDeque<(u64, u64)>>,
}

impl ReadSafety {
    const READS_MAX: usize = 1_024;

    pub(super) fn new(nodes: u16) -> Self {
        Self { asked: vec![VecDeque::new(); usize::from(nodes)] }
    }

    /// Takes the read back, and says how long the canonical log was when it was asked.
    fn take(&mut self, process: ProcessId, read: u64) -> Option<u64> {
        let asked = self.asked.get_mut(process.index())?;
        let place = asked.iter().position(|(name, _)| *name == read)?;
        asked.remove(place).map(|(_, due)| due)
    }

    #[cfg(test)]
    pub(super) fn size(&self) -> usize {
        self.asked.iter().map(VecDeque::len).sum()
    }
}

impl Oracle for ReadSafety {
    const PROPERTY: Property = Property::ReadSafety;
    const INTEREST: Interest = Interest::of(&[RecordKind::Noted, RecordKind::Booted]);

    fn observe(&mut self, stamp: Stamp, record: &Record, seen: Seen<'_>, found: &mut Found) {
        match record {
            Record::Booted { process, .. } => {
                // A read does not outlive the life that it was asked in.
                if let Some(asked) = self.asked.get_mut(process.index()) {
                    asked.clear();
                }
            }
            Record::Noted { process, note: Note::ReadAsked { read, kind } } => {
                self.take(*process, *read);
                if let Some(asked) = self.asked.get_mut(process.index()).filter(|_| *kind != ReadKind::Local)
                {
                    if asked.len() == Self::READS_MAX {
                        asked.pop_front();
                    }
                    asked.push_back((*read, seen.canon.last_index()));
                }
            }
            Record::Noted { process, note: Note::ReadReady { read, index } } => {
                let Some(due) = self.take(*process, *read) else { return };
                found.judged(Self::PROPERTY);
                if *index < due {
                    found.report(Self::PROPERTY, stamp, *process, || {
                        format!(
                            "{process} serves read {read} from {index}, though {due} was committed when it was asked"
                        )
                    });
                }
            }
            Record::Noted { process, note: Note::ReadRefused { read } } => {
                self.take(*process, *read);
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::ReadSafety as Oracle;
    use crate::oracles::testing::{Story, story};
    use crate::record::{Note, ReadKind};
    use crate::violation::Property::ReadSafety;

    /// 0 has committed one entry of two.
    fn one_committed() -> Story {
        let story = story(3).boot_all().elect(0, 1, &[1]).lead(0, "a").lead(0, "b").replicate(0, 1, 2);
        story.commit(0, 1).holds()
    }

    fn asks(story: Story, node: u16, read: u64) -> Story {
        story.note(node, Note::ReadAsked { read, kind: ReadKind::ReadIndex })
    }

    fn serves(story: Story, node: u16, read: u64, index: u64) -> Story {
        story.note(node, Note::ReadReady { read, index })
    }

    #[test]
    fn a_read_may_miss_what_was_committed_after_it_was_asked() {
        let story = asks(one_committed(), 0, 7).commit(0, 2);
        serves(serves(asks(story, 0, 8), 0, 7, 1), 0, 8, 2).holds();
    }

    #[test]
    fn a_read_that_misses_what_was_committed_when_it_was_asked_breaks_it() {
        // 1 answers as a leader that was deposed would.
        let violation = serves(asks(one_committed(), 1, 7), 1, 7, 0).breaks_only(ReadSafety);
        assert_eq!(violation.what, "1 serves read 7 from 0, though 1 was committed when it was asked");
    }

    #[test]
    fn names_of_reads_belong_to_a_node_and_a_life() {
        let story = asks(one_committed(), 1, 7).restart(1);
        serves(serves(story, 1, 7, 0), 2, 7, 0).holds();
    }

    #[test]
    fn a_refused_read_is_over() {
        let story = asks(one_committed(), 1, 7).note(1, Note::ReadRefused { read: 7 });
        serves(story, 1, 7, 0).holds();
    }

    #[test]
    fn reads_under_way_do_not_disturb_each_other() {
        let story = asks(asks(asks(one_committed(), 1, 7), 1, 8), 1, 9);
        let story = serves(story, 1, 8, 1).holds();
        serves(serves(story.clone(), 1, 7, 1), 1, 9, 0).breaks_only(ReadSafety);
        serves(story, 1, 7, 0).breaks_only(ReadSafety);
    }

    #[test]
    fn the_last_reads_are_remembered() {
        let count = Oracle::READS_MAX as u64;
        let story = (1..=count + 1).fold(one_committed(), |story, read| asks(story, 1, read));
        let stale = |read| serves(story.clone(), 1, read, 0).judge().violations().len();
        assert_eq!([1, 2, count + 1].map(stale), [0, 1, 1]);
    }
}
