//! What a node asks its host to keep, and what is left of it after a crash.
//!
//! Owns: the shape of durable state and of one write. Must not know: disks, or when a write is done.

use crate::entry::{Entries, Entry};
use crate::types::{LogIndex, NodeId, Term};

/// The durable state besides the log (Raft, figure 2): always read and written as one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct HardState {
    /// The latest term that the node has seen.
    pub term: Term,
    /// The candidate that got the node's vote in that term.
    pub vote: Option<NodeId>,
}

/// What survives a crash. The default is what a node has before its first boot.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Durable {
    /// Term and vote.
    pub hard: HardState,
    /// The log; the first entry has index one.
    pub log: Vec<Entry>,
}

/// A change of the durable log: all from `first` on is replaced by `entries`, possibly by none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogWrite {
    /// The first index that changes; at most one past the last of the log as earlier writes leave it.
    pub first: LogIndex,
    /// What follows from there.
    pub entries: Entries,
}

/// One write: all of it becomes durable, or none.
///
/// Atomic because a new term without its vote, or a vote without its term, elects two leaders after a crash.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Write {
    /// The new hard state, if it changed.
    pub hard: Option<HardState>,
    /// The change of the log, if it changed.
    pub log: Option<LogWrite>,
}

impl Durable {
    /// Does a write. Writes must be applied in the order in which they were asked for.
    pub fn apply(&mut self, write: Write) {
        if let Some(hard) = write.hard {
            self.hard = hard;
        }
        if let Some(LogWrite { first, entries }) = write.log {
            // Past the end of the address space there is nothing to keep or to cut.
            self.log.truncate(usize::try_from(first.prev().0).unwrap_or(usize::MAX));
            self.log.extend_from_slice(entries.as_slice());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Durable, HardState, LogWrite, Write};
    use crate::entry::{Entries, Entry, EntryKind};
    use crate::types::{LogIndex, NodeId, Term};

    fn entries(terms: &[u64]) -> Vec<Entry> {
        terms.iter().map(|term| Entry { term: Term(*term), kind: EntryKind::Noop }).collect()
    }

    #[test]
    fn a_write_replaces_the_log_from_its_first_index_and_nothing_else() {
        let hard = HardState { term: Term(2), vote: Some(NodeId(1)) };
        let rows: [(u64, &[u64], &[u64]); 5] = [
            (4, &[2], &[1, 1, 1, 2]),
            (2, &[2, 2], &[1, 2, 2]),
            (3, &[], &[1, 1]),
            (1, &[], &[]),
            (1, &[9], &[9]),
        ];
        for (first, new, expected) in rows {
            let mut durable = Durable { hard, log: entries(&[1, 1, 1]) };
            let log = LogWrite { first: LogIndex(first), entries: Entries::from(entries(new)) };
            durable.apply(Write { hard: None, log: Some(log) });
            assert_eq!(durable, Durable { hard, log: entries(expected) });
        }
    }

    #[test]
    fn a_write_of_the_hard_state_leaves_the_log() {
        let hard = HardState { term: Term(2), vote: None };
        let mut durable = Durable { hard: HardState::default(), log: entries(&[1]) };
        durable.apply(Write { hard: Some(hard), log: None });
        assert_eq!(durable, Durable { hard, log: entries(&[1]) });
    }
}
